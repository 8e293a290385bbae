use std::{ops::Deref, time::Duration};

use model::{AccountId, FileId, LeakId, Provenance, Tier, Timestamp};
use sql::{Access, Constraint, Db, OpenOptions, SqlError, Statement};
use store::{
    JobKind, Lease, NewCandidate, NewFile, NewLeak, NewPiece, Store, StoreError, StoreOptions, Tx,
    WorkerName,
};

/// So many transactions can be open at once.
pub(crate) const CONNECTIONS: u32 = 6;

/// Longer than any test runs.
pub(crate) const LONG: Duration = Duration::from_hours(1);

/// Makes two tests out of each function: one a database.
macro_rules! on_both {
    ($($name:ident,)+) => {$(
        mod $name {
            use crate::support::TestStore;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(TestStore::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(TestStore::postgres().await).await;
            }
        }
    )+};
}

/// An empty, migrated store of one test's own.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestStore {
    pub(crate) async fn sqlite() -> Self {
        let (url, folder) = sqlite_url();
        let store = open(&url).await;
        store.migrate().await.unwrap();
        Self { store, url, _folder: Some(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        let url = testkit::postgres().database().url;
        let store = open(&url).await;
        store.migrate().await.unwrap();
        Self { store, url, _folder: None }
    }

    /// Runs a text that this crate would never run, on a connection of its own.
    pub(crate) async fn raw(&self, text: &str) -> Result<u64, SqlError> {
        let db = self.database().await;
        let mut tx = db.begin().await?;
        let changed = tx.run(&Statement::composed(text.to_owned())).execute().await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// The rows that such a text answers with.
    pub(crate) async fn ask<R: sql::Record>(&self, text: &str) -> Vec<R> {
        let db = self.database().await;
        let mut tx = db.read().await.unwrap();
        tx.run(&Statement::composed(text.to_owned())).all().await.unwrap()
    }

    /// The sort of rule that refuses a text.
    pub(crate) async fn refusal(&self, text: &str) -> Constraint {
        match self.raw(text).await {
            Err(SqlError::Constraint { kind, .. }) => kind,
            other => panic!("{text}: {other:?}"),
        }
    }

    async fn database(&self) -> Db {
        let options = OpenOptions { access: Access::Create, connections_max: 1 };
        Db::open(&self.url, options).await.unwrap()
    }

    pub(crate) async fn tx(&self) -> Tx {
        self.begin().await.unwrap()
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub(crate) async fn open(url: &str) -> Store {
    Store::open(url, StoreOptions { connections_max: CONNECTIONS }).await.unwrap()
}

pub(crate) fn sqlite_url() -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    (url, folder)
}

/// The sort of rule that an operation broke.
pub(crate) fn broken<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Constraint {
    match result {
        Err(StoreError::Sql(SqlError::Constraint { kind, .. })) => kind,
        other => panic!("no rule was broken: {other:?}"),
    }
}

pub(crate) fn account(id: &str) -> AccountId {
    AccountId::new(id).unwrap()
}

pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn worker(number: u8) -> WorkerName {
    WorkerName::from_random([number; 16])
}

pub(crate) fn new_leak(name: &str) -> NewLeak {
    NewLeak {
        name: name.parse().unwrap(),
        date: "2016-05".parse().unwrap(),
        provenance: Provenance::Circulating,
        added_at: time(1_463_443_200_000_000),
        spool_key: b"wrapped spool key".to_vec(),
    }
}

pub(crate) fn new_file(path: &str) -> NewFile {
    NewFile {
        path: path.to_owned(),
        sha256: [7; 32],
        bytes: 4096,
        modified_at: time(1_463_443_199_000_001),
        compression: "gzip".to_owned(),
        kept: None,
    }
}

/// A leak with files of these paths.
pub(crate) async fn leak(tx: &mut Tx, name: &str, paths: &[&str]) -> (LeakId, Vec<FileId>) {
    let files: Vec<_> = paths.iter().map(|path| new_file(path)).collect();
    let leak = tx.add_leak(&new_leak(name), &files).await.unwrap();
    let files = tx.leak_files(leak).await.unwrap();
    (leak, files.iter().map(|file| file.id).collect())
}

/// A leak of one file with so many pieces of 100 bytes.
pub(crate) async fn leak_in_pieces(store: &TestStore, name: &str, pieces: u64) -> LeakId {
    let mut tx = store.tx().await;
    let (leak, files) = leak(&mut tx, name, &["one.txt"]).await;
    let piece = |n| NewPiece { file: files[0], start: n * 100, end: n * 100 + 100 };
    tx.add_pieces(leak, &(0..pieces).map(piece).collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    leak
}

/// Takes a job that is there.
pub(crate) async fn take(tx: &mut Tx, kind: JobKind, leak: LeakId) -> Lease {
    tx.take_job(kind, leak, &worker(1), LONG).await.unwrap().expect("there is a job")
}

pub(crate) fn candidate(id: &str, line: u64, offset: u64) -> NewCandidate {
    NewCandidate {
        account: account(id),
        tier: Tier::Exact,
        line,
        offset,
        length: 24,
        sealed: format!("secrets of {id}").into_bytes(),
    }
}
