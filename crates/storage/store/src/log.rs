//! The audit log as rows. What its hashes mean is the `ledger` crate's to know.

use std::collections::HashMap;

use model::{CampaignId, KeyId, Timestamp};
use sql::{Constraint, SqlError};

use crate::{
    CheckpointRow, LogEntry, LogGrowths, StoreError, StoreFuture, Tx,
    cell::Cell,
    limits::{ENTRIES_WITH_HEAD, HASHES_PER_STATEMENT},
    only_row::one_row,
};

sql::queries! {
    SIZE = ["SELECT size FROM log_head"];
    HEAD = ["SELECT log_head.size AS log_size, log_checkpoint.at AS signed_at, log_checkpoint.note,
            log_entry.position, log_entry.at, log_entry.campaign, log_entry.body
        FROM log_head
        LEFT JOIN log_checkpoint ON log_checkpoint.size = log_head.size
        LEFT JOIN log_entry ON log_entry.position >= $1 AND log_entry.position < $2
            AND log_entry.position < log_head.size
        ORDER BY log_entry.position"];
    SIZE_FOR_APPEND = ["SELECT size FROM log_head" FOR_UPDATE];
    MOVE_HEAD = ["UPDATE log_head SET size = $1 WHERE size = $2"];
    ADD_ENTRIES = ["INSERT INTO log_entry (position, at, campaign, body) VALUES {rows}"];
    ADD_HASHES = ["INSERT INTO log_hash (position, hash) VALUES {rows}"];
    HASHES = ["SELECT position, hash FROM log_hash WHERE position IN {list}"];
    ENTRIES = ["SELECT position, at, campaign, body FROM log_entry
        WHERE position >= $1 ORDER BY position LIMIT $2"];
    ENTRIES_OF = ["SELECT position, at, campaign, body FROM log_entry
        WHERE campaign = $1 AND position >= $2 ORDER BY position LIMIT $3"];
    // One statement sees both as they were at one moment, and keeps nobody from appending.
    BEYOND = ["SELECT log_entry.position FROM log_head
        JOIN log_entry ON log_entry.position >= log_head.size
        ORDER BY log_entry.position LIMIT 1"];
    SIGNED_BEYOND = ["SELECT log_checkpoint.size FROM log_head
        JOIN log_checkpoint ON log_checkpoint.size > log_head.size
        ORDER BY log_checkpoint.size LIMIT 1"];
    ADD_CHECKPOINT = ["INSERT INTO log_checkpoint (size, at, note) VALUES ($1, $2, $3)"];
    CHECKPOINTS_AFTER = ["SELECT size, at, note FROM log_checkpoint WHERE size > $1
        ORDER BY size LIMIT $2"];
    CHECKPOINTS = ["SELECT size, at, note FROM log_checkpoint ORDER BY size"];
    CHECKPOINT_OF = ["SELECT size, at, note FROM log_checkpoint WHERE size = $1"];
    LATEST_CHECKPOINT = ["SELECT size, at, note FROM log_checkpoint ORDER BY size DESC LIMIT 1"];
    // Only the newest is of use, once the log has as many entries.
    SNAPSHOT = ["SELECT size, body, mac, key_id FROM fold_snapshot WHERE size <= $1
        ORDER BY size DESC LIMIT 1"];
    SNAPSHOT_SIZE = ["SELECT COALESCE(MAX(size), 0) FROM fold_snapshot"];
    DROP_SNAPSHOTS = ["DELETE FROM fold_snapshot"];
    ADD_SNAPSHOT = ["INSERT INTO fold_snapshot (size, body, mac, key_id) VALUES ($1, $2, $3, $4)"];
}

/// An entry that is to be appended.
#[derive(Debug, Clone)]
pub struct NewLogEntry {
    /// The campaign that it is about, if it is about one: entries are found by it.
    pub campaign: Option<CampaignId>,
    /// What it says.
    pub body: Vec<u8>,
}

/// What the log's first entries say of what is acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldSnapshot {
    /// How many entries.
    pub size: u64,
    /// What they say.
    pub body: Vec<u8>,
    /// A keyed hash of all that, and of the root over the entries.
    pub mac: [u8; 32],
    /// The instance key that it is hashed with.
    pub key: Option<KeyId>,
}

record!(FoldSnapshot { size, body, mac, key = "key_id" });

impl Tx {
    /// How far this process has taken the log.
    #[must_use]
    pub const fn log_growths(&self) -> &LogGrowths {
        self.1.growths()
    }

    /// How many entries the log holds.
    pub fn log_size(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { head(self.0.run(&SIZE)).await })
    }

    /// How many of the log's entries others have committed: this transaction's own, which may be taken
    /// back, do not count.
    ///
    /// Whoever asks knows so many already, and reads the others next: the first of them are read with it.
    pub fn committed_log_size(&mut self, known: u64) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            match self.1.before.or(self.1.committed) {
                Some(size) => Ok(size),
                None => self.read_head(known).await,
            }
        })
    }

    /// Every decision asks for it: so one statement reads what belongs to it.
    async fn read_head(&mut self, known: u64) -> Result<u64, StoreError> {
        // Both ends stand there, so that no database sorts all of a log of which little is asked for.
        let end = known.saturating_add(ENTRIES_WITH_HEAD);
        let query = self.0.run(&HEAD).bind(Cell(known)).bind(Cell(end));
        match head_of(query.all().await?) {
            Some((size, checkpoint, entries)) => {
                self.1.keep_head(size, checkpoint, entries);
                Ok(size)
            }
            // Somebody else has written there: this says what is wrong.
            None => self.log_size().await,
        }
    }

    /// Whether this transaction sees one state throughout, which is older than what others have learnt of
    /// the log since: that it finds only so many entries does not say that any are lost.
    #[must_use]
    pub fn is_overtaken_at(&self, size: u64) -> bool {
        self.1.known_before.is_some_and(|known| known <= size)
    }

    /// How many entries the log holds; nobody else can append until this transaction ends.
    pub fn log_size_for_append(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { head(self.0.run(&SIZE_FOR_APPEND)).await })
    }

    /// Appends entries and the hashes that they complete, if the log has the size that the hashes
    /// were computed for.
    ///
    /// # Errors
    /// [`StoreError::LogMoved`].
    pub fn append_log<'c>(
        &'c mut self,
        size_before: u64,
        at: Timestamp,
        entries: &'c [NewLogEntry],
        first_hash: u64,
        hashes: &'c [[u8; 32]],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            self.move_head(size_before, size_before + entries.len() as u64).await?;
            self.1.before.get_or_insert(size_before);
            let entries = (size_before..).zip(entries.iter().cloned());
            let added = self.0.insert_all(&ADD_ENTRIES, entries, |query, (position, entry)| {
                let query = query.bind(Cell(position)).bind(Cell(at));
                query.bind(entry.campaign.map(Cell)).bind(entry.body)
            });
            match added.await {
                Err(SqlError::Constraint { kind: Constraint::Unique, .. }) => {
                    return Err(StoreError::LogOccupied { size: size_before });
                }
                added => _ = added?,
            }
            let hashes = (first_hash..).zip(hashes.iter().copied());
            self.0
                .insert_all(&ADD_HASHES, hashes, |query, (position, hash)| {
                    query.bind(Cell(position)).bind(Cell(hash))
                })
                .await?;
            Ok(())
        })
    }

    async fn move_head(&mut self, expected: u64, to: u64) -> Result<(), StoreError> {
        let query = self.0.run(&MOVE_HEAD).bind(Cell(to)).bind(Cell(expected));
        if query.execute().await? == 1 {
            return Ok(());
        }
        match self.log_size().await? {
            size if size == expected => Err(StoreError::LogStuck { size }),
            found => Err(StoreError::LogMoved { expected, found }),
        }
    }

    /// Hashes of the log's tree, in the order asked for.
    ///
    /// # Errors
    /// [`StoreError::HashMissing`].
    pub fn log_hashes<'c>(&'c mut self, positions: &'c [u64]) -> StoreFuture<'c, Vec<[u8; 32]>> {
        Box::pin(async move {
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
        })
    }

    /// The first entry that stands beyond the end of the log.
    pub fn log_entry_beyond(&mut self) -> StoreFuture<'_, Option<u64>> {
        Box::pin(async move {
            let found = self.0.run(&BEYOND).optional::<(Cell<u64>,)>().await?;
            Ok(found.map(|(Cell(position),)| position))
        })
    }

    /// For how many entries the first checkpoint is that signs more than there are.
    pub fn checkpoint_beyond(&mut self) -> StoreFuture<'_, Option<u64>> {
        Box::pin(async move {
            let found = self.0.run(&SIGNED_BEYOND).optional::<(Cell<u64>,)>().await?;
            Ok(found.map(|(Cell(size),)| size))
        })
    }

    /// At most `limit` entries from a position on; fewer also where more are left.
    pub fn log_entries(&mut self, from: u64, limit: u64) -> StoreFuture<'_, Vec<LogEntry>> {
        Box::pin(async move {
            let read = self.1.take_entries(from, limit);
            if !read.is_empty() {
                return Ok(read);
            }
            let query = self.0.run(&ENTRIES).bind(Cell(from)).bind(Cell(limit));
            Ok(query.all().await?)
        })
    }

    /// At most `limit` entries about one campaign, from a position on.
    pub fn log_entries_of(
        &mut self,
        campaign: CampaignId,
        from: u64,
        limit: u64,
    ) -> StoreFuture<'_, Vec<LogEntry>> {
        Box::pin(async move {
            let query = self.0.run(&ENTRIES_OF).bind(Cell(campaign));
            Ok(query.bind(Cell(from)).bind(Cell(limit)).all().await?)
        })
    }

    /// The snapshot that covers most of a log of this size.
    pub fn fold_snapshot(&mut self, size: u64) -> StoreFuture<'_, Option<FoldSnapshot>> {
        Box::pin(async move { Ok(self.0.run(&SNAPSHOT).bind(Cell(size)).optional().await?) })
    }

    /// How many entries the newest snapshot covers.
    pub fn fold_snapshot_size(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&SNAPSHOT_SIZE)).await?) })
    }

    /// Keeps a snapshot in the place of those before.
    pub fn put_fold_snapshot(&mut self, snapshot: FoldSnapshot) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&DROP_SNAPSHOTS).execute().await?;
            let query = self.0.run(&ADD_SNAPSHOT).bind(Cell(snapshot.size)).bind(snapshot.body);
            let query = query.bind(Cell(snapshot.mac)).bind(snapshot.key.map(Cell));
            Ok(query.exactly_one().await?)
        })
    }

    /// Drops what was kept of it: it is of a key that is in force no more.
    pub fn drop_fold_snapshots(&mut self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&DROP_SNAPSHOTS).execute().await?;
            Ok(())
        })
    }

    /// Keeps a signed checkpoint, of which others know the root. The schema refuses a second one of the
    /// same size.
    pub fn add_checkpoint<'c>(
        &'c mut self,
        size: u64,
        root: [u8; 32],
        at: Timestamp,
        note: &'c str,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            self.1.grow(size, root);
            let query = self.0.run(&ADD_CHECKPOINT).bind(Cell(size)).bind(Cell(at));
            Ok(query.bind(note.to_owned()).exactly_one().await?)
        })
    }

    /// The checkpoint of the log when it had so many entries.
    pub fn checkpoint_of(&mut self, size: u64) -> StoreFuture<'_, Option<CheckpointRow>> {
        Box::pin(async move {
            match &self.1.checkpoint {
                Some(kept) if kept.size == size => Ok(Some(kept.clone())),
                _ => Ok(self.0.run(&CHECKPOINT_OF).bind(Cell(size)).optional().await?),
            }
        })
    }

    /// The checkpoint that covers most.
    pub fn latest_checkpoint(&mut self) -> StoreFuture<'_, Option<CheckpointRow>> {
        Box::pin(async move { Ok(self.0.run(&LATEST_CHECKPOINT).optional().await?) })
    }

    /// So many checkpoints, those that sign more than a size.
    pub fn checkpoints_after(
        &mut self,
        size: u64,
        count: u64,
    ) -> StoreFuture<'_, Vec<CheckpointRow>> {
        let query = self.0.run(&CHECKPOINTS_AFTER).bind(Cell(size)).bind(Cell(count));
        Box::pin(async move { Ok(query.all().await?) })
    }

    /// All checkpoints, from the smallest on.
    pub fn checkpoints(&mut self) -> StoreFuture<'_, Vec<CheckpointRow>> {
        Box::pin(async move { Ok(self.0.run(&CHECKPOINTS).all().await?) })
    }
}

/// The log's size, its checkpoint, and an entry that stands before the log's end.
type HeadRow = (
    Cell<u64>,
    Option<Cell<Timestamp>>,
    Option<String>,
    Option<Cell<u64>>,
    Option<Cell<Timestamp>>,
    Option<Cell<CampaignId>>,
    Option<Vec<u8>>,
);

/// What these rows say together; `None` if they do not say the same, or some stand there twice.
fn head_of(rows: Vec<HeadRow>) -> Option<(u64, Option<CheckpointRow>, Vec<LogEntry>)> {
    let (mut head, mut entries) = (None, Vec::with_capacity(rows.len()));
    for (Cell(size), signed_at, note, position, at, campaign, body) in rows {
        let checkpoint = signed_at.zip(note);
        let checkpoint = checkpoint.map(|(Cell(at), note)| CheckpointRow { size, at, note });
        let found = (size, checkpoint);
        if *head.get_or_insert_with(|| found.clone()) != found {
            return None;
        }
        if let (Some(Cell(position)), Some(Cell(at)), Some(body)) = (position, at, body) {
            let campaign = campaign.map(|Cell(campaign)| campaign);
            entries.push(LogEntry { position, at, campaign, body });
        }
    }
    let (size, checkpoint) = head?;
    let is_in_order = entries.is_sorted_by(|one, other| one.position < other.position);
    is_in_order.then_some((size, checkpoint, entries))
}

async fn head(query: sql::Query<'_>) -> Result<u64, StoreError> {
    let (Cell(size),) = one_row(query, "log_head").await?;
    Ok(size)
}
