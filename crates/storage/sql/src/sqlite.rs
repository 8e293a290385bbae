use std::{
    fs, os::unix::fs::MetadataExt as _, path::Path, str::FromStr as _, sync::Arc, time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{
    Connection as _, Executor as _, SqlStr, Sqlite, SqlitePool, Statement as _, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use crate::{
    Access, Column, Migrations, OpenOptions, QueryText, Row, SqlError,
    backend::{Backend, BackendAnswer, BackendTx, RowStream, arguments, columns, erased},
    migration::migrator,
    options::ACQUIRE_TIMEOUT,
    refusal::is_lock_timeout,
    value::Value,
};

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// One file, and whose turn it is to write to it.
///
/// Writers wait for their turn before they take a connection. If they waited in the file's lock,
/// each with a connection in hand, whoever holds the lock and wants to read beside could find none
/// left.
#[derive(Debug)]
pub(crate) struct SqliteFile {
    pool: SqlitePool,
    writer: Arc<Mutex<()>>,
}

impl From<SqlitePool> for SqliteFile {
    fn from(pool: SqlitePool) -> Self {
        Self { pool, writer: Arc::default() }
    }
}

/// Whether an address can be read.
pub(crate) fn check_address(url: &str) -> Result<(), SqlError> {
    SqliteConnectOptions::from_str(url).map(drop).map_err(|error| SqlError::address(url, &error))
}

/// Opens a file of our own, or of a small site.
pub(crate) async fn open(url: &str, options: OpenOptions) -> Result<SqliteFile, SqlError> {
    let connect = SqliteConnectOptions::from_str(url)
        .map_err(|error| SqlError::address(url, &error))?
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true);
    if is_link_to_nothing(connect.get_filename()) {
        return Err(SqlError::address(url, &"it is a link to a file that does not exist"));
    }
    let connect = match options.access {
        Access::Create => durable(connect).create_if_missing(true),
        Access::Write => connect.synchronous(SqliteSynchronous::Full),
        Access::Read | Access::Scan => connect.read_only(true),
    };
    let pool = SqlitePoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // On a full disk a transaction may not end with the one who began it: whoever went on in it
        // would see what was never committed.
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
    Ok(pool.connect_with(connect).await?.into())
}

/// Whoever may write to the folder would have a file of ours made where they like.
fn is_link_to_nothing(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

/// WAL is a property of the file, so it is set on files that are ours alone. What is deleted there
/// is overwritten, so that a destroyed key cannot be read from the file's free pages.
fn durable(connect: SqliteConnectOptions) -> SqliteConnectOptions {
    connect
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
}

impl Backend for SqliteFile {
    fn begin(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move {
            let turn = timeout(BUSY_TIMEOUT, Arc::clone(&self.writer).lock_owned()).await;
            let turn = Some(turn.map_err(|_| self.locked())?);
            let begun = self.pool.begin_with("BEGIN IMMEDIATE").await;
            let tx = begun.map_err(|error| self.not_begun(error))?;
            Ok(Box::new(SqliteTx { tx, turn }) as _)
        })
    }

    fn read(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move {
            let tx = self.pool.begin().await?;
            Ok(Box::new(SqliteTx { tx, turn: None }) as _)
        })
    }

    fn rows(&self, statement: &QueryText) -> RowStream<'_> {
        erased::<Sqlite>(sqlx::query(statement.sqlite()).fetch(&self.pool), Row::Sqlite)
    }

    fn migrate(&self, migrations: Migrations) -> BackendAnswer<'_, ()> {
        Box::pin(async move {
            // A table that others refer to is made anew by dropping it, which keys would forbid.
            let options = self.pool.connect_options().as_ref().clone().foreign_keys(false);
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
            migrator(migrations.sqlite).run(&pool).await?;
            let orphan = pool.fetch_optional("PRAGMA foreign_key_check").await?;
            pool.close().await;
            orphan.map_or(Ok(()), |_| Err(SqlError::Orphans))
        })
    }

    fn has_one_writer(&self) -> bool {
        true
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.pool.close())
    }
}

impl SqliteFile {
    fn not_begun(&self, error: sqlx::Error) -> SqlError {
        if is_lock_timeout(&error) { self.locked() } else { error.into() }
    }

    fn locked(&self) -> SqlError {
        let path = self.pool.connect_options().get_filename().display().to_string();
        SqlError::Locked { path, waited: BUSY_TIMEOUT }
    }
}

/// A transaction, with the turn of one that writes, which ends after it.
struct SqliteTx {
    tx: Transaction<'static, Sqlite>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl BackendTx for SqliteTx {
    fn spell(&self, statement: &QueryText) -> SqlStr {
        statement.sqlite()
    }

    fn execute(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, u64> {
        Box::pin(async move {
            let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
            Ok(query.execute(&mut *self.tx).await?.rows_affected())
        })
    }

    fn first(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, Option<Row>> {
        Box::pin(async move {
            let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
            Ok(query.fetch_optional(&mut *self.tx).await?.map(Row::Sqlite))
        })
    }

    fn fetch(&mut self, text: SqlStr, values: Vec<Value>) -> Result<RowStream<'_>, SqlError> {
        let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
        Ok(erased::<Sqlite>(query.fetch(&mut *self.tx), Row::Sqlite))
    }

    fn describe(&mut self, text: SqlStr) -> BackendAnswer<'_, Vec<Column>> {
        Box::pin(async move { Ok(columns(self.tx.prepare(text).await?.columns())) })
    }

    /// A SQLite file does not know whether it is a copy, so its device and inode speak for it.
    fn identity(&self, path: &str) -> Result<String, SqlError> {
        let file = fs::metadata(path);
        let file = file.map_err(|source| SqlError::NoFile { path: path.to_owned(), source })?;
        Ok(format!("sqlite:{}/{}", file.dev(), file.ino()))
    }

    fn end(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move {
            let Self { tx, turn: _turn } = *self;
            Ok(tx.commit().await?)
        })
    }

    fn take_back(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move {
            let Self { tx, turn: _turn } = *self;
            Ok(tx.rollback().await?)
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    async fn file(path: &Path, connections_max: u32) -> SqliteFile {
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        let pool = SqlitePoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(Duration::from_secs(10));
        pool.connect_with(durable(connect)).await.unwrap().into()
    }

    #[tokio::test]
    async fn a_lock_that_is_not_let_go_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let (one, other) = (file(&path, 1).await, file(&path, 1).await);
        let held = Backend::begin(&one).await.unwrap();
        let Err(refused) = Backend::begin(&other).await else { panic!("two write") };
        let path = path.display();
        let expected = format!(
            "the lock of `{path}` was held for 30s: `fuser {path}` tells by which process; if it \
             was stopped, let it go on (`kill -CONT`) or end it (`kill -9`): what it had begun is \
             taken back"
        );
        assert_eq!(refused.to_string(), expected);
        held.end().await.unwrap();
        assert!(Backend::begin(&other).await.is_ok());
    }

    #[tokio::test]
    async fn who_writes_can_read_beside_however_many_wait_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = Arc::new(file(&folder.path().join("some.db"), 2).await);
        let held = Backend::begin(&*file).await.unwrap();
        let mut waiting = JoinSet::new();
        for _ in 0..8 {
            let file = Arc::clone(&file);
            waiting.spawn(async move { Backend::begin(&*file).await.unwrap().end().await });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(Backend::read(&*file).await.unwrap());
        held.end().await.unwrap();
        for done in waiting.join_all().await {
            done.unwrap();
        }
    }
}
