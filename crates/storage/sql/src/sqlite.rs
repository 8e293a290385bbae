use std::{fs, os::unix::fs::MetadataExt as _, str::FromStr as _, time::Duration};

use futures_util::future::BoxFuture;
use sqlx::{
    Executor as _, SqlStr, Sqlite, SqlitePool, Statement as _, Transaction,
    error::DatabaseError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Access, Column, Migrations, OpenOptions, QueryText, Row, SqlError,
    backend::{Backend, BackendAnswer, BackendTx, RowStream, arguments, columns, erased},
    migration::migrator,
    options::ACQUIRE_TIMEOUT,
    value::Value,
};

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// `SQLITE_BUSY`: the writer before us did not end in time.
const BUSY: &str = "5";

/// Opens a file of our own, or of a small site.
pub(crate) async fn open(url: &str, options: OpenOptions) -> Result<SqlitePool, SqlError> {
    let connect = SqliteConnectOptions::from_str(url)
        .map_err(|error| SqlError::address(url, &error))?
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true);
    let connect = match options.access {
        Access::Create => durable(connect).create_if_missing(true),
        Access::Write => connect.synchronous(SqliteSynchronous::Full),
        Access::Read => connect.read_only(true),
    };
    let pool = SqlitePoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT);
    Ok(pool.connect_with(connect).await?)
}

/// WAL is a property of the file, so it is set on files that are ours alone. What is deleted there
/// is overwritten, so that a destroyed key cannot be read from the file's free pages.
fn durable(connect: SqliteConnectOptions) -> SqliteConnectOptions {
    connect
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
}

impl Backend for SqlitePool {
    fn begin(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move {
            let begun = self.begin_with("BEGIN IMMEDIATE").await;
            Ok(Box::new(begun.map_err(|error| not_begun(self, error))?) as _)
        })
    }

    fn read(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move { Ok(Box::new(self.begin().await?) as _) })
    }

    fn rows(&self, statement: &QueryText) -> RowStream<'_> {
        erased::<Sqlite>(sqlx::query(statement.sqlite()).fetch(self), Row::Sqlite)
    }

    fn migrate(&self, migrations: Migrations) -> BackendAnswer<'_, ()> {
        Box::pin(async move {
            // A table that others refer to is made anew by dropping it, which keys would forbid.
            let options = self.connect_options().as_ref().clone().foreign_keys(false);
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
        Box::pin(self.close())
    }
}

fn not_begun(pool: &SqlitePool, error: sqlx::Error) -> SqlError {
    let code = error.as_database_error().and_then(DatabaseError::code);
    if code.as_deref() != Some(BUSY) {
        return error.into();
    }
    let path = pool.connect_options().get_filename().display().to_string();
    SqlError::Locked { path, waited: BUSY_TIMEOUT }
}

impl BackendTx for Transaction<'static, Sqlite> {
    fn spell(&self, statement: &QueryText) -> SqlStr {
        statement.sqlite()
    }

    fn execute(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, u64> {
        Box::pin(async move {
            let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
            Ok(query.execute(&mut **self).await?.rows_affected())
        })
    }

    fn first(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, Option<Row>> {
        Box::pin(async move {
            let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
            Ok(query.fetch_optional(&mut **self).await?.map(Row::Sqlite))
        })
    }

    fn fetch(&mut self, text: SqlStr, values: Vec<Value>) -> Result<RowStream<'_>, SqlError> {
        let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
        Ok(erased::<Sqlite>(query.fetch(&mut **self), Row::Sqlite))
    }

    fn describe(&mut self, text: SqlStr) -> BackendAnswer<'_, Vec<Column>> {
        Box::pin(async move { Ok(columns(self.prepare(text).await?.columns())) })
    }

    /// A SQLite file does not know whether it is a copy, so its device and inode speak for it.
    fn identity(&self, path: &str) -> Result<String, SqlError> {
        let file = fs::metadata(path);
        let file = file.map_err(|source| SqlError::NoFile { path: path.to_owned(), source })?;
        Ok(format!("sqlite:{}/{}", file.dev(), file.ino()))
    }

    fn end(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move { Ok(self.commit().await?) })
    }

    fn take_back(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move { Ok(self.rollback().await?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_that_is_not_let_go_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        let connect = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        let pool = SqlitePool::connect_with(durable(connect)).await.unwrap();
        let held = Backend::begin(&pool).await;
        let Err(refused) = Backend::begin(&pool).await else { panic!("two write") };
        let path = path.display();
        let expected = format!(
            "another process has held the lock of `{path}` for 30s: `fuser {path}` tells which; if \
             it was stopped, let it go on (`kill -CONT`) or end it (`kill -9`): what it had begun \
             is taken back"
        );
        assert_eq!(refused.to_string(), expected);
        drop(held);
        assert!(Backend::begin(&pool).await.is_ok());
    }
}
