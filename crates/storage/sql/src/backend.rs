//! Every `match` on the backend; those that read rows stand in `backend/row.rs`.
//!
//! What is fetched here is erased: a query answers with boxed futures and streams of [`Row`], so
//! that sqlx's machinery is compiled in this crate once, and in none that asks something.

mod row;

use std::{borrow::Cow, fs, os::unix::fs::MetadataExt as _, str::FromStr, time::Duration};

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use sqlx::{
    Arguments, AssertSqlSafe, Database, Encode, Executor as _, PgPool, Postgres, SqlSafeStr as _,
    SqlStr, Sqlite, SqlitePool, Statement as _, Transaction, Type, TypeInfo as _,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Migrations, QueryText, Record, SqlError,
    migration::migrator,
    value::{Bind, Value, Values},
};

pub use row::Row;

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
    pub fn open(url: &str, options: OpenOptions) -> BoxFuture<'_, Result<Self, SqlError>> {
        Box::pin(async move {
            match url.split_once(':') {
                Some(("sqlite", _)) => open_sqlite(url, options).await,
                Some(("postgres" | "postgresql", _)) => open_postgres(url, options).await,
                _ => Err(address(url, &"it begins with neither sqlite: nor postgres:")),
            }
        })
    }

    /// Starts a transaction that will write: on SQLite it is the only one at a time.
    pub fn begin(&self) -> BoxFuture<'_, Result<SqlTx, SqlError>> {
        Box::pin(async move {
            Ok(match self {
                Self::Sqlite(pool) => SqlTx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
                Self::Postgres(pool) => SqlTx::Postgres(pool.begin().await?),
            })
        })
    }

    /// Starts a transaction that only reads, and sees one state of the database throughout.
    pub fn read(&self) -> BoxFuture<'_, Result<SqlTx, SqlError>> {
        Box::pin(async move {
            Ok(match self {
                Self::Sqlite(pool) => SqlTx::Sqlite(pool.begin().await?),
                Self::Postgres(pool) => SqlTx::Postgres(
                    pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
                ),
            })
        })
    }

    /// The rows of a statement without values as they come, on a connection of their own.
    ///
    /// A statement sees one state of the database, so this needs no transaction to hold on to.
    pub fn stream<'c, R: Record + 'c>(
        &'c self,
        statement: &QueryText,
    ) -> BoxStream<'c, Result<R, SqlError>> {
        records(self.rows(statement))
    }

    fn rows(&self, statement: &QueryText) -> BoxStream<'_, Result<Row, SqlError>> {
        match self {
            Self::Sqlite(pool) => {
                let rows = sqlx::query(text(statement.sqlite.clone())).fetch(pool);
                erased::<Sqlite>(rows, Row::Sqlite)
            }
            Self::Postgres(pool) => {
                let rows = sqlx::query(text(statement.postgres.clone())).fetch(pool);
                erased::<Postgres>(rows, Row::Postgres)
            }
        }
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`SqlError::Migration`].
    pub fn migrate(&self, migrations: Migrations) -> BoxFuture<'_, Result<(), SqlError>> {
        Box::pin(async move {
            match self {
                Self::Sqlite(pool) => migrator(migrations.sqlite).run(pool).await?,
                Self::Postgres(pool) => migrator(migrations.postgres).run(pool).await?,
            }
            Ok(())
        })
    }

    /// The last migration that was applied; `None` if none was.
    pub fn schema_version(&self) -> BoxFuture<'_, Result<Option<i64>, SqlError>> {
        let table = QueryText::new(
            "SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'",
            "SELECT relname::text FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
        );
        let last = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
        Box::pin(async move {
            let mut tx = self.read().await?;
            if tx.run(&table).optional::<(String,)>().await?.is_none() {
                return Ok(None);
            }
            let (version,) = tx.run(&QueryText::new(last, last)).one().await?;
            Ok(version)
        })
    }

    /// What the database calls itself: name and version.
    pub fn version(&self) -> BoxFuture<'_, Result<String, SqlError>> {
        let text = QueryText::new("SELECT 'SQLite ' || sqlite_version()", "SELECT version()");
        Box::pin(async move {
            let (version,) = self.read().await?.run(&text).one::<(String,)>().await?;
            Ok(version)
        })
    }

    /// Waits until every connection is closed.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        match self {
            Self::Sqlite(pool) => Box::pin(pool.close()),
            Self::Postgres(pool) => Box::pin(pool.close()),
        }
    }
}

/// Text that stands in the program is not copied for each run.
fn text(spelling: Cow<'static, str>) -> SqlStr {
    match spelling {
        Cow::Borrowed(text) => text.into_sql_str(),
        Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
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

/// A transaction. Dropping it without [`SqlTx::commit`] takes everything back.
#[derive(Debug)]
pub enum SqlTx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl SqlTx {
    /// Prepares a statement; bind its values in the order of their numbers.
    pub fn run(&mut self, statement: &QueryText) -> Query<'_> {
        let text = match self {
            Self::Sqlite(_) => text(statement.sqlite.clone()),
            Self::Postgres(_) => text(statement.postgres.clone()),
        };
        Query { tx: self, text, values: Values::default() }
    }

    /// Runs a `{rows}` statement over any number of rows, in bulk; returns the rows changed.
    ///
    /// # Errors
    /// What the database reports; rows before the failing bulk are part of the transaction.
    pub fn insert_all<'c, R>(
        &'c mut self,
        statement: &QueryText,
        rows: impl IntoIterator<Item = R, IntoIter: Send + 'c>,
        bind: impl Fn(Values, R) -> Values + Send + 'c,
    ) -> BoxFuture<'c, Result<u64, SqlError>> {
        let bulk = (BULK_VALUES_MAX / statement.values_per_row().max(1)).max(1);
        let mut rows = rows.into_iter();
        let bulks = std::iter::from_fn(move || {
            let mut taken = 0;
            let values = rows.by_ref().take(bulk).fold(Values::default(), |values, row| {
                taken += 1;
                bind(values, row)
            });
            (taken > 0).then_some((taken, values))
        });
        self.insert_bulks(statement.clone(), Box::new(bulks))
    }

    fn insert_bulks<'c>(
        &'c mut self,
        statement: QueryText,
        bulks: Box<dyn Iterator<Item = (usize, Values)> + Send + 'c>,
    ) -> BoxFuture<'c, Result<u64, SqlError>> {
        Box::pin(async move {
            let mut changed = 0;
            for (rows, values) in bulks {
                let statement = statement.with_rows(rows);
                changed += Query { values, ..self.run(&statement) }.execute().await?;
            }
            Ok(changed)
        })
    }

    /// The columns that a statement would return, without running it.
    ///
    /// # Errors
    /// Whatever is wrong with the statement: syntax, tables, columns, types.
    pub fn describe(
        &mut self,
        statement: &QueryText,
    ) -> BoxFuture<'_, Result<Vec<Column>, SqlError>> {
        let statement = statement.clone();
        Box::pin(async move {
            Ok(match self {
                Self::Sqlite(tx) => {
                    columns(tx.prepare(text(statement.sqlite.clone())).await?.columns())
                }
                Self::Postgres(tx) => {
                    columns(tx.prepare(text(statement.postgres.clone())).await?.columns())
                }
            })
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

    /// Makes everything done in it last. If it fails, nothing is done.
    pub fn commit(self) -> BoxFuture<'static, Result<(), SqlError>> {
        Box::pin(async move {
            match self {
                Self::Sqlite(tx) => tx.commit().await?,
                Self::Postgres(tx) => tx.commit().await?,
            }
            Ok(())
        })
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

/// A statement about to run in a transaction.
#[must_use = "a query does nothing until it is executed"]
pub struct Query<'c> {
    tx: &'c mut SqlTx,
    text: SqlStr,
    values: Values,
}

impl<'c> Query<'c> {
    /// Gives the next placeholder its value.
    pub fn bind(mut self, value: impl Bind) -> Self {
        self.values = self.values.bind(value);
        self
    }

    /// Runs it; returns the number of rows changed.
    pub fn execute(self) -> BoxFuture<'c, Result<u64, SqlError>> {
        Box::pin(async move {
            let Self { tx, text, values } = self;
            let values = values.checked()?;
            Ok(match tx {
                SqlTx::Sqlite(tx) => {
                    let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
                    query.execute(&mut **tx).await?.rows_affected()
                }
                SqlTx::Postgres(tx) => {
                    let query = sqlx::query_with(text, arguments::<Postgres>(values)?);
                    query.execute(&mut **tx).await?.rows_affected()
                }
            })
        })
    }

    /// Runs it and insists that one row changed.
    ///
    /// # Errors
    /// [`SqlError::NotOneRow`] otherwise.
    pub fn exactly_one(self) -> BoxFuture<'c, Result<(), SqlError>> {
        Box::pin(async move {
            match self.execute().await? {
                1 => Ok(()),
                changed => Err(SqlError::NotOneRow { changed }),
            }
        })
    }

    /// Every row of the answer.
    pub async fn all<R: Record>(self) -> Result<Vec<R>, SqlError> {
        self.fetch_all().await?.iter().map(R::decode).collect()
    }

    /// The first row of the answer.
    ///
    /// # Errors
    /// [`SqlError::NoRow`] if there is none.
    pub async fn one<R: Record>(self) -> Result<R, SqlError> {
        R::decode(&self.fetch_first().await?.ok_or(SqlError::NoRow)?)
    }

    /// The first row of the answer, or that there is none.
    pub async fn optional<R: Record>(self) -> Result<Option<R>, SqlError> {
        self.fetch_first().await?.as_ref().map(R::decode).transpose()
    }

    /// The rows of the answer as they come, so that any number fits in memory.
    pub fn stream<R: Record + 'c>(self) -> BoxStream<'c, Result<R, SqlError>> {
        records(self.fetch())
    }

    fn fetch_all(self) -> BoxFuture<'c, Result<Vec<Row>, SqlError>> {
        Box::pin(self.fetch().try_collect())
    }

    fn fetch_first(self) -> BoxFuture<'c, Result<Option<Row>, SqlError>> {
        Box::pin(async move {
            let Self { tx, text, values } = self;
            let values = values.checked()?;
            Ok(match tx {
                SqlTx::Sqlite(tx) => {
                    let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
                    query.fetch_optional(&mut **tx).await?.map(Row::Sqlite)
                }
                SqlTx::Postgres(tx) => {
                    let query = sqlx::query_with(text, arguments::<Postgres>(values)?);
                    query.fetch_optional(&mut **tx).await?.map(Row::Postgres)
                }
            })
        })
    }

    fn fetch(self) -> BoxStream<'c, Result<Row, SqlError>> {
        let rows = self.start();
        rows.unwrap_or_else(|error| stream::once(future::ready(Err(error))).boxed())
    }

    fn start(self) -> Result<BoxStream<'c, Result<Row, SqlError>>, SqlError> {
        let Self { tx, text, values } = self;
        let values = values.checked()?;
        Ok(match tx {
            SqlTx::Sqlite(tx) => {
                let query = sqlx::query_with(text, arguments::<Sqlite>(values)?);
                erased::<Sqlite>(query.fetch(&mut **tx), Row::Sqlite)
            }
            SqlTx::Postgres(tx) => {
                let query = sqlx::query_with(text, arguments::<Postgres>(values)?);
                erased::<Postgres>(query.fetch(&mut **tx), Row::Postgres)
            }
        })
    }
}

fn arguments<D: Database>(values: Vec<Value>) -> Result<D::Arguments, SqlError>
where
    Option<i64>: for<'q> Encode<'q, D> + Type<D>,
    Option<String>: for<'q> Encode<'q, D> + Type<D>,
    Option<Vec<u8>>: for<'q> Encode<'q, D> + Type<D>,
    Option<bool>: for<'q> Encode<'q, D> + Type<D>,
{
    let mut arguments = D::Arguments::default();
    for value in values {
        let added = match value {
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Boolean(is_so) => arguments.add(is_so),
        };
        added.map_err(|reason| SqlError::Value { reason })?;
    }
    Ok(arguments)
}

fn erased<D: Database>(
    rows: BoxStream<'_, Result<D::Row, sqlx::Error>>,
    row: fn(D::Row) -> Row,
) -> BoxStream<'_, Result<Row, SqlError>> {
    rows.map(move |found| Ok(row(found?))).boxed()
}

fn records<'c, R: Record + 'c>(
    rows: BoxStream<'c, Result<Row, SqlError>>,
) -> BoxStream<'c, Result<R, SqlError>> {
    rows.map(|row| R::decode(&row?)).boxed()
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
