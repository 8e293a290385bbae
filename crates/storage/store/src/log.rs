//! The audit log as rows. What its hashes mean is the `ledger` crate's to know.

use std::collections::HashMap;

use model::Timestamp;

use crate::{StoreError, Tx, cell::Cell, limits::HASHES_PER_STATEMENT};

sql::queries! {
    SIZE = ["SELECT size FROM log_head"];
    SIZE_FOR_APPEND = ["SELECT size FROM log_head" FOR_UPDATE];
    MOVE_HEAD = ["UPDATE log_head SET size = $1 WHERE size = $2"];
    ADD_ENTRIES = ["INSERT INTO log_entry (position, at, body) VALUES {rows}"];
    ADD_HASHES = ["INSERT INTO log_hash (position, hash) VALUES {rows}"];
    HASHES = ["SELECT position, hash FROM log_hash WHERE position IN {list}"];
    ENTRIES = ["SELECT position, at, body FROM log_entry
        WHERE position >= $1 ORDER BY position LIMIT $2"];
    ADD_CHECKPOINT = ["INSERT INTO log_checkpoint (size, at, note) VALUES ($1, $2, $3)"];
    CHECKPOINTS = ["SELECT size, at, note FROM log_checkpoint ORDER BY size"];
    LATEST_CHECKPOINT = ["SELECT size, at, note FROM log_checkpoint ORDER BY size DESC LIMIT 1"];
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LogEntry {
    /// Its place, from 0.
    #[sqlx(try_from = "Cell<u64>")]
    pub position: u64,
    /// When it was appended.
    #[sqlx(try_from = "Cell<Timestamp>")]
    pub at: Timestamp,
    /// What it says.
    pub body: Vec<u8>,
}

/// A signed statement of what the log held at one size.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    /// How many entries it covers.
    #[sqlx(try_from = "Cell<u64>")]
    pub size: u64,
    /// When it was signed.
    #[sqlx(try_from = "Cell<Timestamp>")]
    pub at: Timestamp,
    /// The signed note.
    pub note: String,
}

impl Tx {
    /// How many entries the log holds.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn log_size(&mut self) -> Result<u64, StoreError> {
        Ok(Self::count(self.0.run(&SIZE)).await?)
    }

    /// How many entries the log holds; nobody else can append until this transaction ends.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn log_size_for_append(&mut self) -> Result<u64, StoreError> {
        Ok(Self::count(self.0.run(&SIZE_FOR_APPEND)).await?)
    }

    /// Appends entries and the hashes that they complete, if the log has the size that the hashes
    /// were computed for.
    ///
    /// # Errors
    /// [`StoreError::LogMoved`], else what the database reports.
    pub async fn append_log(
        &mut self,
        size_before: u64,
        at: Timestamp,
        bodies: &[Vec<u8>],
        first_hash: u64,
        hashes: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        self.move_head(size_before, size_before + bodies.len() as u64).await?;
        let entries = (size_before..).zip(bodies.iter().cloned());
        self.0
            .insert_all(&ADD_ENTRIES, entries, |query, (position, body)| {
                query.bind(Cell(position)).bind(Cell(at)).bind(body)
            })
            .await?;
        let hashes = (first_hash..).zip(hashes.iter().copied());
        self.0
            .insert_all(&ADD_HASHES, hashes, |query, (position, hash)| {
                query.bind(Cell(position)).bind(Cell(hash))
            })
            .await?;
        Ok(())
    }

    async fn move_head(&mut self, expected: u64, to: u64) -> Result<(), StoreError> {
        let query = self.0.run(&MOVE_HEAD).bind(Cell(to)).bind(Cell(expected));
        if query.execute().await? == 1 {
            return Ok(());
        }
        let found = self.log_size().await?;
        Err(StoreError::LogMoved { expected, found })
    }

    /// Hashes of the log's tree, in the order asked for.
    ///
    /// # Errors
    /// [`StoreError::HashMissing`], else what the database reports.
    pub async fn log_hashes(&mut self, positions: &[u64]) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut found = HashMap::with_capacity(positions.len());
        for asked in positions.chunks(HASHES_PER_STATEMENT) {
            let statement = HASHES.with_list(0, asked.len());
            let query = self.0.run(&statement);
            let query = asked.iter().fold(query, |query, position| query.bind(Cell(*position)));
            let rows = query.all::<(Cell<u64>, Cell<[u8; 32]>)>().await?;
            found.extend(rows.into_iter().map(|(Cell(position), Cell(hash))| (position, hash)));
        }
        let hash = |position: &u64| found.get(position).copied();
        let missing = |position: &u64| StoreError::HashMissing { position: *position };
        positions.iter().map(|at| hash(at).ok_or_else(|| missing(at))).collect()
    }

    /// At most `limit` entries from a position on.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn log_entries(
        &mut self,
        from: u64,
        limit: u64,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let query = self.0.run(&ENTRIES).bind(Cell(from)).bind(Cell(limit));
        Ok(query.all().await?)
    }

    /// Keeps a signed checkpoint. The schema refuses a second one of the same size.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_checkpoint(
        &mut self,
        size: u64,
        at: Timestamp,
        note: &str,
    ) -> Result<(), StoreError> {
        let query = self.0.run(&ADD_CHECKPOINT).bind(Cell(size)).bind(Cell(at));
        Ok(query.bind(note.to_owned()).exactly_one().await?)
    }

    /// The checkpoint that covers most.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn latest_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self.0.run(&LATEST_CHECKPOINT).optional().await?)
    }

    /// All checkpoints, from the smallest on.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(self.0.run(&CHECKPOINTS).all().await?)
    }
}
