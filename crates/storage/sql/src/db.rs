use std::sync::Arc;

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use sqlx::SqlStr;

use crate::{
    Column, Migrations, OpenOptions, QueryText, Record, Row, SqlError,
    backend::{Backend, BackendTx, RowStream},
    mysql,
    patience::Patience,
    postgres, sqlite,
    value::{Bind, Values},
};

/// Values that one bulk statement carries. More of them made SQLite and PostgreSQL slower.
const BULK_VALUES_MAX: usize = 600;

/// Why an address is none.
const NO_SCHEME: &str = "it begins with neither sqlite: nor postgres:, nor with mysql: or mariadb:";

/// A pool of connections to one database.
#[derive(Debug, Clone)]
pub struct Db(Arc<dyn Backend>, Patience);

impl Db {
    /// Opens `sqlite:PATH`, `postgres://...`, `mysql://...` or `mariadb://...`.
    ///
    /// # Errors
    /// [`SqlError::Address`] for any other address, else what the database reports.
    pub fn open(url: &str, options: OpenOptions) -> BoxFuture<'_, Result<Self, SqlError>> {
        Box::pin(async move {
            let server = Patience::for_a_server(options.access);
            Ok(match url.split_once(':') {
                Some(("sqlite", _)) => {
                    Self(Arc::new(sqlite::open(url, options).await?), Patience::FOR_A_FILE)
                }
                Some(("postgres" | "postgresql", _)) => {
                    Self(Arc::new(postgres::open(url, options).await?), server)
                }
                Some(("mysql" | "mariadb", _)) => {
                    Self(Arc::new(mysql::open(url, options).await?), server)
                }
                _ => return Err(SqlError::address(url, &NO_SCHEME)),
            })
        })
    }

    /// Whether this is an address of a database, as far as can be told without connecting.
    ///
    /// # Errors
    /// [`SqlError::Address`] says what is wrong with it.
    pub fn check_address(url: &str) -> Result<(), SqlError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => sqlite::check_address(url),
            Some(("postgres" | "postgresql", _)) => postgres::check_address(url),
            Some(("mysql" | "mariadb", _)) => mysql::check_address(url),
            _ => Err(SqlError::address(url, &NO_SCHEME)),
        }
    }

    /// Starts a transaction that will write: on SQLite it is the only one at a time.
    pub fn begin(&self) -> BoxFuture<'_, Result<SqlTx, SqlError>> {
        Box::pin(async move {
            failpoint::reach("begin").await;
            Ok(SqlTx(self.1.wait(self.0.begin()).await?, self.1))
        })
    }

    /// Starts a transaction that only reads, and sees one state of the database throughout.
    pub fn read(&self) -> BoxFuture<'_, Result<SqlTx, SqlError>> {
        Box::pin(async move { Ok(SqlTx(self.1.wait(self.0.read()).await?, self.1)) })
    }

    /// The rows of a statement without values as they come, on a connection of their own.
    ///
    /// A statement sees one state of the database, so this needs no transaction to hold on to.
    pub fn stream<'c, R: Record + 'c>(
        &'c self,
        statement: &QueryText,
    ) -> BoxStream<'c, Result<R, SqlError>> {
        records(self.1.rows(self.0.rows(statement)))
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`SqlError::Migration`].
    pub fn migrate(&self, migrations: Migrations) -> BoxFuture<'_, Result<(), SqlError>> {
        self.0.migrate(migrations)
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
        let text = QueryText::of_each(
            "SELECT 'SQLite ' || sqlite_version()",
            "SELECT version()",
            "SELECT CONCAT(IF(VERSION() LIKE '%MariaDB%', 'MariaDB ', 'MySQL '), VERSION())",
        );
        Box::pin(async move {
            let (version,) = self.read().await?.run(&text).one::<(String,)>().await?;
            Ok(version)
        })
    }

    /// Whether a transaction that writes keeps every other one from it, as in a SQLite file.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        self.0.has_one_writer()
    }

    /// Waits until every connection is closed.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}

/// A transaction. Dropping it without [`SqlTx::commit`] takes everything back.
#[derive(Debug)]
pub struct SqlTx(Box<dyn BackendTx>, Patience);

impl SqlTx {
    /// Prepares a statement; bind its values in the order of their numbers.
    pub fn run(&mut self, statement: &QueryText) -> Query<'_> {
        let text = self.0.spell(statement);
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
        let text = self.0.spell(statement);
        Box::pin(self.1.wait(self.0.describe(text)))
    }

    /// Tells a database from every copy of it, by what the word `DATABASE` answers.
    ///
    /// A SQLite file does not know whether it is a copy, so its device and inode speak for it.
    ///
    /// # Errors
    /// [`SqlError::NoFile`] if the database is in memory, or its file is gone.
    pub fn identity(&self, database: &str) -> Result<String, SqlError> {
        self.0.identity(database)
    }

    /// Makes everything done in it last. If it fails, nothing is done.
    pub fn commit(self) -> BoxFuture<'static, Result<(), SqlError>> {
        let end = failpoint::committing(self.0.end(), |lost| SqlError::Database(lost.into()));
        Box::pin(self.1.wait(end))
    }

    /// Takes everything done in it back at once. Dropping it does so only when its connection is used
    /// again, and what is locked stays locked until then.
    pub fn roll_back(self) -> BoxFuture<'static, Result<(), SqlError>> {
        Box::pin(self.1.wait(self.0.take_back()))
    }
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
            tx.1.wait(tx.0.execute(text, values.checked()?)).await
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
            tx.1.wait(tx.0.first(text, values.checked()?)).await
        })
    }

    fn fetch(self) -> RowStream<'c> {
        let rows = self.start();
        rows.unwrap_or_else(|error| stream::once(future::ready(Err(error))).boxed())
    }

    fn start(self) -> Result<RowStream<'c>, SqlError> {
        let Self { tx, text, values } = self;
        Ok(tx.1.rows(tx.0.fetch(text, values.checked()?)?))
    }
}

fn records<'c, R: Record + 'c>(rows: RowStream<'c>) -> BoxStream<'c, Result<R, SqlError>> {
    rows.map(|row| R::decode(&row?)).boxed()
}
