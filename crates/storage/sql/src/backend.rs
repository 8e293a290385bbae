//! Every `match` on the backend.

use std::{fs, os::unix::fs::MetadataExt as _, str::FromStr, time::Duration};

use futures_util::{StreamExt, TryStreamExt, future, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, Connection as _, Database, Encode, Executor as _, FromRow, PgConnection, PgPool,
    Postgres, Sqlite, SqliteConnection, SqlitePool, Statement as _, Transaction, Type,
    TypeInfo as _,
    migrate::Migrator,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow},
    query::Query as Prepared,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
        SqliteSynchronous,
    },
};

use crate::{SqlError, Statement};

/// How long a SQLite writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait for a free connection or for the server to answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// Values that one bulk statement carries. More of them made both databases slower.
const BULK_VALUES_MAX: usize = 600;

/// A pool of connections to one database.
#[derive(Debug, Clone)]
pub enum Db {
    /// A file of our own, or of a small site.
    Sqlite(SqlitePool),
    /// A server.
    Postgres(PgPool),
}

/// What the connections may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write; a SQLite file that does not exist is made.
    Create,
    /// Read and write a database that exists.
    Write,
    /// Read only, and the database itself enforces it.
    Read,
}

/// How to open a database.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// What the connections may do.
    pub access: Access,
    /// Connections held at most.
    pub connections_max: u32,
}

/// One folder of migrations for each dialect.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// For SQLite.
    pub sqlite: &'static Migrator,
    /// For PostgreSQL.
    pub postgres: &'static Migrator,
}

/// A column of a statement's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, in the database's own words; `NULL` where SQLite cannot tell.
    pub type_name: String,
}

impl Db {
    /// Opens `sqlite:PATH` or `postgres://...`.
    ///
    /// # Errors
    /// [`SqlError::Address`] for any other address, else what the database reports.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Self, SqlError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => open_sqlite(url, options).await,
            Some(("postgres" | "postgresql", _)) => open_postgres(url, options).await,
            _ => Err(address(url, &"it begins with neither sqlite: nor postgres:")),
        }
    }

    /// Starts a transaction that will write: on SQLite it is the only one at a time.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn begin(&self) -> Result<Tx, SqlError> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Starts a transaction that only reads, and sees one state of the database throughout.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn read(&self) -> Result<Tx, SqlError> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
            ),
        })
    }

    /// The rows of a statement without values as they come, on a connection of their own.
    ///
    /// A statement sees one state of the database, so this needs no transaction to hold on to.
    #[must_use]
    pub fn stream<'c, R: Record + 'c>(
        &'c self,
        statement: &Statement,
    ) -> BoxStream<'c, Result<R, SqlError>> {
        match self {
            Self::Sqlite(pool) => {
                let text = AssertSqlSafe(statement.sqlite.to_string());
                records::<Sqlite, R>(sqlx::query(text).fetch(pool))
            }
            Self::Postgres(pool) => {
                let text = AssertSqlSafe(statement.postgres.to_string());
                records::<Postgres, R>(sqlx::query(text).fetch(pool))
            }
        }
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`SqlError::Migration`].
    pub async fn migrate(&self, migrations: &Migrations) -> Result<(), SqlError> {
        match self {
            Self::Sqlite(pool) => migrations.sqlite.run(pool).await?,
            Self::Postgres(pool) => migrations.postgres.run(pool).await?,
        }
        Ok(())
    }

    /// The last migration that was applied; `None` if none was.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn schema_version(&self) -> Result<Option<i64>, SqlError> {
        let table = Statement::new(
            "SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'",
            "SELECT relname::text FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
        );
        let last = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
        let mut tx = self.read().await?;
        if tx.run(&table).optional::<(String,)>().await?.is_none() {
            return Ok(None);
        }
        let (version,) = tx.run(&Statement::new(last, last)).one().await?;
        Ok(version)
    }

    /// What the database calls itself: name and version.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn version(&self) -> Result<String, SqlError> {
        let text = Statement::new("SELECT 'SQLite ' || sqlite_version()", "SELECT version()");
        let (version,) = self.read().await?.run(&text).one::<(String,)>().await?;
        Ok(version)
    }

    /// Waits until every connection is closed.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(url: &str, options: OpenOptions) -> Result<Db, SqlError> {
    let connect = SqliteConnectOptions::from_str(url)
        .map_err(|error| address(url, &error))?
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
    Ok(Db::Sqlite(pool.connect_with(connect).await?))
}

/// WAL is a property of the file, so it is set on files that are ours alone. What is deleted there
/// is overwritten, so that a destroyed key cannot be read from the file's free pages.
fn durable(connect: SqliteConnectOptions) -> SqliteConnectOptions {
    connect
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
}

async fn open_postgres(url: &str, options: OpenOptions) -> Result<Db, SqlError> {
    let read_only = if options.access == Access::Read { "on" } else { "off" };
    let connect = PgConnectOptions::from_str(url)
        .map_err(|error| address(url, &error))?
        .application_name("countersign")
        .options([("default_transaction_read_only", read_only), ("synchronous_commit", "on")]);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT);
    Ok(Db::Postgres(pool.connect_with(connect).await?))
}

fn address(url: &str, reason: &impl ToString) -> SqlError {
    SqlError::Address { url: without_password(url), reason: reason.to_string() }
}

fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://..@{rest}"),
        _ => url.to_owned(),
    }
}

/// A transaction. Dropping it without [`Tx::commit`] takes everything back.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Prepares a statement; bind its values in the order of their numbers.
    pub fn run(&mut self, statement: &Statement) -> Query<'_> {
        match self {
            Self::Sqlite(tx) => {
                let text = AssertSqlSafe(statement.sqlite.clone().into_owned());
                Query::Sqlite(tx, sqlx::query(text))
            }
            Self::Postgres(tx) => {
                let text = AssertSqlSafe(statement.postgres.clone().into_owned());
                Query::Postgres(tx, sqlx::query(text))
            }
        }
    }

    /// Runs a `{rows}` statement over any number of rows, in bulk; returns the rows changed.
    ///
    /// # Errors
    /// What the database reports; rows before the failing bulk are part of the transaction.
    pub async fn insert_all<R>(
        &mut self,
        statement: &Statement,
        rows: impl IntoIterator<Item = R>,
        bind: impl for<'q> Fn(Query<'q>, R) -> Query<'q>,
    ) -> Result<u64, SqlError> {
        let bulk = (BULK_VALUES_MAX / statement.values_per_row().max(1)).max(1);
        let mut rows = rows.into_iter();
        let mut changed = 0;
        loop {
            let taken: Vec<R> = rows.by_ref().take(bulk).collect();
            if taken.is_empty() {
                return Ok(changed);
            }
            let query = statement.with_rows(taken.len());
            changed += taken.into_iter().fold(self.run(&query), &bind).execute().await?;
        }
    }

    /// The columns that a statement would return, without running it.
    ///
    /// # Errors
    /// Whatever is wrong with the statement: syntax, tables, columns, types.
    pub async fn describe(&mut self, statement: &Statement) -> Result<Vec<Column>, SqlError> {
        let text =
            |spelling: &str| sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(spelling.to_owned()));
        Ok(match self {
            Self::Sqlite(tx) => columns(tx.prepare(text(&statement.sqlite)).await?.columns()),
            Self::Postgres(tx) => columns(tx.prepare(text(&statement.postgres)).await?.columns()),
        })
    }

    /// Tells a database from every copy of it, by what the word `DATABASE` answers.
    ///
    /// A SQLite file does not know whether it is a copy, so its device and inode speak for it.
    ///
    /// # Errors
    /// [`SqlError::NoFile`] if the database is in memory, or its file is gone.
    pub fn identity(&self, database: &str) -> Result<String, SqlError> {
        match self {
            Self::Sqlite(_) => file_identity(database),
            Self::Postgres(_) => Ok(format!("postgresql:{database}")),
        }
    }

    /// Makes everything done in it last.
    ///
    /// # Errors
    /// What the database reports; nothing is then done.
    pub async fn commit(self) -> Result<(), SqlError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Asks whether the other end still answers.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn ping(&mut self) -> Result<(), SqlError> {
        match self {
            Self::Sqlite(tx) => tx.ping().await?,
            Self::Postgres(tx) => tx.ping().await?,
        }
        Ok(())
    }
}

fn file_identity(path: &str) -> Result<String, SqlError> {
    let file = fs::metadata(path);
    let file = file.map_err(|source| SqlError::NoFile { path: path.to_owned(), source })?;
    Ok(format!("sqlite:{}/{}", file.dev(), file.ino()))
}

fn columns<C: sqlx::Column>(columns: &[C]) -> Vec<Column> {
    let column = |column: &C| Column {
        name: column.name().to_owned(),
        type_name: column.type_info().name().to_owned(),
    };
    columns.iter().map(column).collect()
}

/// A value that both databases take.
pub trait Value: Send + 'static
where
    Self: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
}

impl<V> Value for V where
    V: Send
        + 'static
        + for<'q> Encode<'q, Sqlite>
        + Type<Sqlite>
        + for<'q> Encode<'q, Postgres>
        + Type<Postgres>
{
}

/// A type that a row of either database can become: a tuple, or `#[derive(sqlx::FromRow)]`.
pub trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<R> Record for R where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

/// A statement about to run in a transaction.
#[must_use = "a query does nothing until it is executed"]
pub enum Query<'c> {
    /// On SQLite.
    Sqlite(&'c mut SqliteConnection, Prepared<'static, Sqlite, SqliteArguments>),
    /// On PostgreSQL.
    Postgres(&'c mut PgConnection, Prepared<'static, Postgres, PgArguments>),
}

impl<'c> Query<'c> {
    /// Gives the next placeholder its value.
    pub fn bind<V: Value>(self, value: V) -> Self {
        match self {
            Self::Sqlite(connection, query) => Self::Sqlite(connection, query.bind(value)),
            Self::Postgres(connection, query) => Self::Postgres(connection, query.bind(value)),
        }
    }

    /// Runs it; returns the number of rows changed.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn execute(self) -> Result<u64, SqlError> {
        Ok(match self {
            Self::Sqlite(connection, query) => query.execute(connection).await?.rows_affected(),
            Self::Postgres(connection, query) => query.execute(connection).await?.rows_affected(),
        })
    }

    /// Runs it and insists that one row changed.
    ///
    /// # Errors
    /// [`SqlError::NotOneRow`] otherwise.
    pub async fn exactly_one(self) -> Result<(), SqlError> {
        match self.execute().await? {
            1 => Ok(()),
            changed => Err(SqlError::NotOneRow { changed }),
        }
    }

    /// Every row of the answer.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn all<R: Record>(self) -> Result<Vec<R>, SqlError> {
        self.stream().try_collect().await
    }

    /// The first row of the answer.
    ///
    /// # Errors
    /// [`SqlError::NoRow`] if there is none.
    pub async fn one<R: Record>(self) -> Result<R, SqlError> {
        self.optional().await?.ok_or(SqlError::NoRow)
    }

    /// The first row of the answer, or that there is none.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn optional<R: Record>(self) -> Result<Option<R>, SqlError> {
        Ok(match self {
            Self::Sqlite(connection, query) => {
                query.fetch_optional(connection).await?.map(|row| R::from_row(&row)).transpose()?
            }
            Self::Postgres(connection, query) => {
                query.fetch_optional(connection).await?.map(|row| R::from_row(&row)).transpose()?
            }
        })
    }

    /// The rows of the answer as they come, so that any number fits in memory.
    #[must_use]
    pub fn stream<R: Record + 'c>(self) -> BoxStream<'c, Result<R, SqlError>> {
        match self {
            Self::Sqlite(connection, query) => records::<Sqlite, R>(query.fetch(connection)),
            Self::Postgres(connection, query) => records::<Postgres, R>(query.fetch(connection)),
        }
    }
}

fn records<'c, D: Database, R>(
    rows: BoxStream<'c, Result<D::Row, sqlx::Error>>,
) -> BoxStream<'c, Result<R, SqlError>>
where
    R: for<'r> FromRow<'r, D::Row> + Send + 'c,
{
    rows.and_then(|row| future::ready(R::from_row(&row))).map_err(SqlError::from).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_an_error_shows_no_password() {
        let error = address("postgres://me:hunter2@db/site", &"no such option");
        assert_eq!(
            error.to_string(),
            "`postgres://..@db/site` is no database address: no such option"
        );
    }
}
