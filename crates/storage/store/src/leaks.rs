use model::{FileId, LeakDate, LeakId, LeakName, LeakState, Provenance, Timestamp};

use crate::{StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD_LEAK = ["INSERT INTO leak
        (name, public_name, date, provenance, added_at, state, spool_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING RETURNING id"];
    ADD_FILES = ["INSERT INTO leak_file
        (leak, path, sha256, bytes, modified_at, compression, kept) VALUES {rows}"];
    LEAKS = ["SELECT id, name, public_name, date, provenance, added_at, state, spool_key FROM leak
        ORDER BY id"];
    LEAK_BY_NAME = ["SELECT id, name, public_name, date, provenance, added_at, state, spool_key
        FROM leak WHERE name = $1"];
    FILES = ["SELECT id, path, sha256, bytes, modified_at, compression, kept FROM leak_file
        WHERE leak = $1 ORDER BY id"];
    BEGIN_LOOKING = ["UPDATE leak SET looked_at = $1 WHERE id = $2"];
    LOOKED_AT = ["SELECT looked_at FROM leak WHERE id = $1"];
    NOTE_ACCOUNTS = ["UPDATE leak SET accounts_read = $1, accounts_without_password = $2,
            accounts_unreadable = $3
        WHERE id = $4"];
    READ_ACCOUNTS = ["SELECT accounts_read, accounts_without_password, accounts_unreadable FROM leak
        WHERE id = $1 AND accounts_read IS NOT NULL"];
    ADVANCE = ["UPDATE leak SET state = $1 WHERE id = $2 AND state = $3"];
    STATE = ["SELECT state FROM leak WHERE id = $1"];
    DESTROY_SPOOL_KEY = ["UPDATE leak SET spool_key = NULL WHERE id = $1"];
}

/// A leak to register.
#[derive(Debug, Clone)]
pub struct NewLeak {
    /// Its name, which no other leak may have.
    pub name: LeakName,
    /// What people are told that it is called, if that is another name.
    pub public_name: Option<LeakName>,
    /// When it happened.
    pub date: LeakDate,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// Now.
    pub added_at: Timestamp,
    /// The wrapped data key of its candidates' secrets.
    pub spool_key: Vec<u8>,
}

/// A file of a leak to register.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Where it lies, as the operator named it.
    pub path: String,
    /// The digest of its bytes.
    pub sha256: [u8; 32],
    /// Its size as it lies there.
    pub bytes: u64,
    /// Its modification time: a sign that it was changed since.
    pub modified_at: Timestamp,
    /// How it is compressed, in the `leak` crate's words.
    pub compression: String,
    /// Our own encrypted copy, of what came through standard input.
    pub kept: Option<String>,
}

/// A registered leak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Its key.
    pub id: LeakId,
    /// Its name.
    pub name: LeakName,
    /// What people are told that it is called, if that is another name.
    pub public_name: Option<LeakName>,
    /// When it happened.
    pub date: LeakDate,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// When it was registered.
    pub added_at: Timestamp,
    /// How far the work on it has come.
    pub state: LeakState,
    /// The wrapped data key of its candidates' secrets; `None` once they are destroyed.
    pub spool_key: Option<Vec<u8>>,
}

record!(Leak { id, name, public_name, date, provenance, added_at, state, spool_key });

/// A registered file of a leak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeakFile {
    /// Its key.
    pub id: FileId,
    /// Where it lies.
    pub path: String,
    /// The digest of its bytes.
    pub sha256: [u8; 32],
    /// Its size.
    pub bytes: u64,
    /// Its modification time when it was registered.
    pub modified_at: Timestamp,
    /// How it is compressed.
    pub compression: String,
    /// Our own encrypted copy, if there is one.
    pub kept: Option<String>,
}

record!(LeakFile { id, path, sha256, bytes, modified_at, compression, kept });

impl Tx {
    /// Registers a leak with its files.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NoFiles`].
    pub fn add_leak<'c>(
        &'c mut self,
        leak: &'c NewLeak,
        files: &'c [NewFile],
    ) -> StoreFuture<'c, LeakId> {
        Box::pin(async move {
            if files.is_empty() {
                return Err(StoreError::NoFiles { name: leak.name.clone() });
            }
            let id = self.insert_leak(leak.clone()).await?;
            let id = id.ok_or_else(|| StoreError::NameTaken { name: leak.name.clone() })?;
            self.0
                .insert_all(&ADD_FILES, files.iter().cloned(), |query, file| {
                    let query = query.bind(Cell(id)).bind(file.path).bind(Cell(file.sha256));
                    let query = query.bind(Cell(file.bytes)).bind(Cell(file.modified_at));
                    query.bind(file.compression).bind(file.kept)
                })
                .await?;
            Ok(id)
        })
    }

    /// `None` if the name is taken.
    async fn insert_leak(&mut self, leak: NewLeak) -> Result<Option<LeakId>, StoreError> {
        let query = self.0.run(&ADD_LEAK).bind(Cell(leak.name));
        let query = query.bind(leak.public_name.map(Cell)).bind(Cell(leak.date));
        let query = query.bind(Cell(leak.provenance)).bind(Cell(leak.added_at));
        let query = query.bind(Cell(LeakState::Added)).bind(leak.spool_key);
        let row = query.optional::<(Cell<LeakId>,)>().await?;
        Ok(row.map(|(Cell(id),)| id))
    }

    /// All leaks, in the order in which they were registered.
    pub fn leaks(&mut self) -> StoreFuture<'_, Vec<Leak>> {
        Box::pin(async move { Ok(self.0.run(&LEAKS).all().await?) })
    }

    /// The leak of that name, if there is one.
    pub fn leak_by_name<'c>(&'c mut self, name: &'c LeakName) -> StoreFuture<'c, Option<Leak>> {
        Box::pin(async move {
            let query = self.0.run(&LEAK_BY_NAME).bind(Cell(name.clone()));
            Ok(query.optional().await?)
        })
    }

    /// A leak's files, in the order in which they were registered.
    pub fn leak_files(&mut self, leak: LeakId) -> StoreFuture<'_, Vec<LeakFile>> {
        Box::pin(async move { Ok(self.0.run(&FILES).bind(Cell(leak)).all().await?) })
    }

    /// Notes that the accounts are read from now on, to be looked for in a leak.
    pub fn begin_looking(&mut self, leak: LeakId, at: Timestamp) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            Ok(self.0.run(&BEGIN_LOOKING).bind(Cell(at)).bind(Cell(leak)).exactly_one().await?)
        })
    }

    /// Notes what the accounts were that were read: how many, how many without a password, and how many
    /// of which something could not be read.
    pub fn note_accounts(&mut self, leak: LeakId, counts: [u64; 3]) -> StoreFuture<'_, ()> {
        let [all, without_password, unreadable] = counts.map(Cell);
        Box::pin(async move {
            let query = self.0.run(&NOTE_ACCOUNTS).bind(all).bind(without_password);
            Ok(query.bind(unreadable).bind(Cell(leak)).exactly_one().await?)
        })
    }

    /// What was noted of them; `None` if nothing was.
    pub fn noted_accounts(&mut self, leak: LeakId) -> StoreFuture<'_, Option<[u64; 3]>> {
        type Counts = (Cell<u64>, Cell<u64>, Cell<u64>);
        Box::pin(async move {
            let row = self.0.run(&READ_ACCOUNTS).bind(Cell(leak)).optional::<Counts>().await?;
            Ok(row.map(|(Cell(all), Cell(without), Cell(unreadable))| [all, without, unreadable]))
        })
    }

    /// When the accounts were read to be looked for in a leak; `None` before that.
    pub fn looked_at(&mut self, leak: LeakId) -> StoreFuture<'_, Option<Timestamp>> {
        let query = self.0.run(&LOOKED_AT).bind(Cell(leak));
        Box::pin(async move {
            let row = query.optional::<(Option<Cell<Timestamp>>,)>().await?;
            Ok(row.and_then(|(at,)| at).map(|Cell(at)| at))
        })
    }

    /// Moves a leak on if it is where the caller takes it to be.
    ///
    /// # Errors
    /// [`StoreError::LeakMoved`], [`StoreError::NoSuchLeak`].
    pub fn advance_leak(
        &mut self,
        leak: LeakId,
        from: LeakState,
        to: LeakState,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&ADVANCE).bind(Cell(to));
            match query.bind(Cell(leak)).bind(Cell(from)).execute().await? {
                1 => Ok(()),
                _ => Err(self.not_advanced(leak, from).await?),
            }
        })
    }

    async fn not_advanced(
        &mut self,
        leak: LeakId,
        expected: LeakState,
    ) -> Result<StoreError, StoreError> {
        let query = self.0.run(&STATE).bind(Cell(leak));
        Ok(match query.optional::<(Cell<LeakState>,)>().await? {
            Some((Cell(found),)) => StoreError::LeakMoved { leak, expected, found },
            None => StoreError::NoSuchLeak { leak },
        })
    }

    /// Forgets the key of the candidates' secrets, and with it the secrets.
    pub fn destroy_spool_key(&mut self, leak: LeakId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&DESTROY_SPOOL_KEY).bind(Cell(leak));
            Ok(query.exactly_one().await?)
        })
    }
}
