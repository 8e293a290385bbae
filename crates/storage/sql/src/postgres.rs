use std::str::FromStr as _;

use futures_util::future::BoxFuture;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgPool, Postgres,
    SqlSafeStr as _, SqlStr, Statement as _, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{
    Access, Column, Migrations, Misfit, OpenOptions, QueryText, Row, SqlError,
    backend::{
        Backend, BackendAnswer, BackendTx, RowStream, arguments, begin_with, columns, erased,
    },
    migration::migrator,
    options::ACQUIRE_TIMEOUT,
    value::Value,
};

/// Begins a transaction whose statements see what others have committed before each of them,
/// whatever the server's default is: one that waited for a row sees what the other left there. The
/// server takes it back from a process that stands still: what it holds, a halt would wait for.
const LATEST_STATE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
                            SET LOCAL idle_in_transaction_session_timeout = '15s'";

/// Begins a transaction whose statements all see the same state.
const ONE_STATE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whether an address can be read.
pub(crate) fn check_address(url: &str) -> Result<(), SqlError> {
    PgConnectOptions::from_str(url).map(drop).map_err(|error| SqlError::address(url, &error))
}

/// Connects to a server.
pub(crate) async fn open(url: &str, options: OpenOptions) -> Result<PgPool, SqlError> {
    let read_only = if options.access.is_read_only() { "on" } else { "off" };
    let connect = PgConnectOptions::from_str(url)
        .map_err(|error| SqlError::address(url, &error))?
        .application_name("countersign")
        .options([
            ("default_transaction_read_only", read_only),
            ("synchronous_commit", "on"),
            // Rows that a policy hides are an error, as for pg_dump.
            ("row_security", "off"),
        ])
        .options(time_limits(options.access).iter().copied());
    try_once(&connect).await.map_err(|reason| SqlError::no_connection(url, reason))?;
    let pool = PgPoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT);
    let setting = match options.access {
        Access::Create => OWN_FUNCTIONS,
        Access::Read | Access::Scan | Access::Write => BYTES_AS_THEY_ARE,
    };
    let pool = pool.after_connect(move |connection, _| {
        Box::pin(async move { connection.execute(setting).await.map(drop) })
    });
    Ok(pool.connect_with(connect).await?)
}

/// A server that knows no encoding refuses a whole table for the sake of one text that is none in UTF-8,
/// unless it is asked for bytes as they are: then it is that one value which cannot be decoded.
const BYTES_AS_THEY_ARE: &str = "SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', false) \
    WHERE pg_catalog.current_setting('server_encoding') = 'SQL_ASCII'";

/// In our own database, tables are found in one schema, and functions are the server's: a setting of the
/// database that puts another `now()` before them does not count.
const OWN_FUNCTIONS: &str = "SELECT pg_catalog.set_config('search_path', \
    pg_catalog.concat(pg_catalog.quote_ident(pg_catalog.current_schema()), ', pg_temp'), false) \
    WHERE pg_catalog.current_schema() IS NOT NULL";

/// How long a server lets a statement of ours take, and wait for others: where it is the site's own,
/// a table that somebody has locked, or a look-up without an index, must hold up nobody for ever.
const fn time_limits(access: Access) -> &'static [(&'static str, &'static str)] {
    match access {
        // A table of ours that somebody has locked must not keep everything, a halt too, in silence.
        Access::Create => &[("lock_timeout", "30s")],
        Access::Write => &[],
        Access::Read => &[("statement_timeout", "60s"), ("lock_timeout", "10s")],
        Access::Scan => &[("statement_timeout", "0"), ("lock_timeout", "10s")],
    }
}

/// A pool that cannot connect tries until its time is over, and then says only that it is: so the
/// first attempt is ours.
async fn try_once(connect: &PgConnectOptions) -> Result<(), Misfit> {
    let connection = timeout(ACQUIRE_TIMEOUT, connect.connect()).await;
    let connection = connection.map_err(|_| "nobody answers there")??;
    Ok(connection.close().await?)
}

impl Backend for PgPool {
    fn begin(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move { Ok(Box::new(begin_with(self, LATEST_STATE).await?) as _) })
    }

    fn read(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move { Ok(Box::new(begin_with(self, ONE_STATE).await?) as _) })
    }

    fn rows(&self, statement: &QueryText) -> RowStream<'_> {
        erased::<Postgres>(sqlx::query(statement.postgres()).fetch(self), Row::Postgres)
    }

    fn migrate(&self, migrations: Migrations) -> BackendAnswer<'_, ()> {
        Box::pin(async move { Ok(migrator(migrations.postgres).run(self).await?) })
    }

    fn has_one_writer(&self) -> bool {
        false
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.close())
    }
}

impl BackendTx for Transaction<'static, Postgres> {
    fn spell(&self, statement: &QueryText) -> SqlStr {
        statement.postgres()
    }

    fn execute(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, u64> {
        Box::pin(async move {
            let query = sqlx::query_with(text, arguments::<Postgres>(values)?);
            Ok(query.execute(&mut **self).await?.rows_affected())
        })
    }

    fn first(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, Option<Row>> {
        Box::pin(async move {
            let query = sqlx::query_with(text, arguments::<Postgres>(values)?);
            Ok(query.fetch_optional(&mut **self).await?.map(Row::Postgres))
        })
    }

    fn fetch(&mut self, text: SqlStr, values: Vec<Value>) -> Result<RowStream<'_>, SqlError> {
        let query = sqlx::query_with(text, arguments::<Postgres>(values)?);
        Ok(erased::<Postgres>(query.fetch(&mut **self), Row::Postgres))
    }

    /// A connection keeps what it has prepared by its text. Here nothing says of which types the values
    /// are that will be bound, so it is kept apart from the statement that is run.
    fn describe(&mut self, text: SqlStr) -> BackendAnswer<'_, Vec<Column>> {
        let apart = AssertSqlSafe(format!("{} ", text.as_str())).into_sql_str();
        Box::pin(async move { Ok(columns(self.prepare(apart).await?.columns())) })
    }

    fn identity(&self, database: &str) -> Result<String, SqlError> {
        Ok(format!("postgresql:{database}"))
    }

    fn end(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move { Ok(self.commit().await?) })
    }

    fn take_back(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move { Ok(self.rollback().await?) })
    }
}
