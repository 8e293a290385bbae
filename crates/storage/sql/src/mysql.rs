use std::str::FromStr as _;

use futures_util::future::BoxFuture;
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, MySql,
    MySqlConnection, MySqlPool, SqlSafeStr as _, SqlStr, Statement as _, Transaction, Type,
    TypeInfo as _,
    mysql::{MySqlColumn, MySqlConnectOptions, MySqlPoolOptions, MySqlTypeInfo},
};
use tokio::time::timeout;

use crate::{
    Access, Column, Migrations, Misfit, OpenOptions, QueryText, Row, SqlError,
    backend::{Backend, BackendAnswer, BackendTx, RowStream, arguments, begin_with, erased},
    options::ACQUIRE_TIMEOUT,
    placeholder,
    value::Value,
};

/// Begins a transaction whose statements see what others have committed before each of them, whatever
/// the server's default is: one that waited for a row sees what the other left there.
const LATEST_STATE: &str =
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION READ WRITE";

/// Begins a transaction whose statements all see the same state.
const ONE_STATE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                         START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// What holds for every connection: what does not fit is an error, a backslash in a text escapes as
/// where this program reads one, `CHAR` comes without what fills it up, errors are in English, and what a
/// query makes of several rows is not cut off.
const SESSION: &str = "SET autocommit = 1, group_concat_max_len = 1048576, lc_messages = 'en_US', sql_mode = CONCAT(REPLACE(REPLACE(\
                       @@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), 'PAD_CHAR_TO_FULL_LENGTH', ''), \
                       ',STRICT_ALL_TABLES')";

/// Why nothing of ours is kept there.
const NO_STORE: &str = "MySQL and MariaDB are read for a site's accounts alone; what Countersign \
                        itself keeps takes sqlite: or postgres:";

/// Whether an address can be read.
pub(crate) fn check_address(url: &str) -> Result<(), SqlError> {
    MySqlConnectOptions::from_str(url).map(drop).map_err(|error| SqlError::address(url, &error))
}

/// Connects to a server of MySQL or MariaDB.
pub(crate) async fn open(url: &str, options: OpenOptions) -> Result<MySqlPool, SqlError> {
    if options.access == Access::Create {
        return Err(SqlError::address(url, &NO_STORE));
    }
    let connect = MySqlConnectOptions::from_str(url)
        .map_err(|error| SqlError::address(url, &error))?
        .charset("utf8mb4")
        .timezone("+00:00".to_owned())
        // An operator's query means what it means to the site.
        .pipes_as_concat(false);
    let settings = settings(options.access);
    let tried = try_once(&connect, settings.clone()).await;
    tried.map_err(|reason| SqlError::no_connection(url, reason))?;
    let pool = MySqlPoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| Box::pin(set(connection, settings.clone())));
    Ok(pool.connect_with(connect).await?)
}

fn settings(access: Access) -> SqlStr {
    let (limits, state) = (time_limits(access), transactions(access));
    AssertSqlSafe(format!("{SESSION}, {limits}; SET SESSION TRANSACTION {state}")).into_sql_str()
}

/// What holds for a statement on its own, whatever the server's default is.
const fn transactions(access: Access) -> &'static str {
    if access.is_read_only() {
        "ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    } else {
        "ISOLATION LEVEL READ COMMITTED, READ WRITE"
    }
}

/// How long the server lets a statement of ours take, and wait for others; and how long it lets a
/// transaction stand still: what that holds, a halt would wait for. Who reads a whole table may be
/// slow to take it. Either server passes over the comment that is for the other one.
const fn time_limits(access: Access) -> &'static str {
    match access {
        Access::Create | Access::Write => {
            "innodb_lock_wait_timeout = 5, lock_wait_timeout = 5, wait_timeout = 15 \
             /*M!100300 , max_statement_time = 15 */"
        }
        Access::Read => {
            "lock_wait_timeout = 10 \
             /*M!100300 , max_statement_time = 60 */ /*!50708 , max_execution_time = 60000 */"
        }
        Access::Scan => {
            "lock_wait_timeout = 10, net_write_timeout = 3600 \
             /*M!100300 , max_statement_time = 0 */ /*!50708 , max_execution_time = 0 */"
        }
    }
}

/// A pool that cannot connect tries until its time is over, and then says only that it is: so the
/// first attempt is ours.
async fn try_once(connect: &MySqlConnectOptions, settings: SqlStr) -> Result<(), Misfit> {
    let connection = timeout(ACQUIRE_TIMEOUT, connect.connect()).await;
    let mut connection = connection.map_err(|_| "nobody answers there")??;
    set(&mut connection, settings).await?;
    // MySQL hangs up as soon as it is told goodbye, before TLS has said it too.
    let _ = connection.close().await;
    Ok(())
}

async fn set(connection: &mut MySqlConnection, settings: SqlStr) -> Result<(), sqlx::Error> {
    connection.execute(settings).await.map(drop)
}

impl Backend for MySqlPool {
    fn begin(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move { Ok(Box::new(begin_with(self, LATEST_STATE).await?) as _) })
    }

    fn read(&self) -> BackendAnswer<'_, Box<dyn BackendTx>> {
        Box::pin(async move { Ok(Box::new(begin_with(self, ONE_STATE).await?) as _) })
    }

    fn rows(&self, statement: &QueryText) -> RowStream<'_> {
        erased::<MySql>(sqlx::query(statement.mysql()).fetch(self), Row::MySql)
    }

    fn migrate(&self, _: Migrations) -> BackendAnswer<'_, ()> {
        Box::pin(async { Err(SqlError::address("mysql:", &NO_STORE)) })
    }

    fn has_one_writer(&self) -> bool {
        false
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.close())
    }
}

impl BackendTx for Transaction<'static, MySql> {
    fn spell(&self, statement: &QueryText) -> SqlStr {
        statement.mysql()
    }

    fn execute(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, u64> {
        Box::pin(async move {
            let (text, values) = placeholder::in_order(&text, &values)?;
            let query = sqlx::query_with(text, arguments::<MySql>(values)?);
            Ok(query.execute(&mut **self).await?.rows_affected())
        })
    }

    fn first(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, Option<Row>> {
        Box::pin(async move {
            let (text, values) = placeholder::in_order(&text, &values)?;
            let query = sqlx::query_with(text, arguments::<MySql>(values)?);
            Ok(query.fetch_optional(&mut **self).await?.map(Row::MySql))
        })
    }

    fn fetch(&mut self, text: SqlStr, values: Vec<Value>) -> Result<RowStream<'_>, SqlError> {
        let (text, values) = placeholder::in_order(&text, &values)?;
        let query = sqlx::query_with(text, arguments::<MySql>(values)?);
        Ok(erased::<MySql>(query.fetch(&mut **self), Row::MySql))
    }

    fn describe(&mut self, text: SqlStr) -> BackendAnswer<'_, Vec<Column>> {
        Box::pin(async move {
            let text = placeholder::unbound(&text);
            Ok(self.prepare(text).await?.columns().iter().map(column).collect())
        })
    }

    fn identity(&self, database: &str) -> Result<String, SqlError> {
        Ok(format!("mysql:{database}"))
    }

    fn end(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move { Ok(self.commit().await?) })
    }

    fn take_back(self: Box<Self>) -> BackendAnswer<'static, ()> {
        Box::pin(async move { Ok(self.rollback().await?) })
    }
}

/// The driver calls a text bytes if it is compared byte by byte.
fn column(column: &MySqlColumn) -> Column {
    let info: &MySqlTypeInfo = column.type_info();
    let told = info.name();
    let is_text = <str as Type<MySql>>::compatible(info);
    let type_name = match told {
        "BINARY" if is_text => "CHAR".to_owned(),
        "VARBINARY" if is_text => "VARCHAR".to_owned(),
        told if is_text => told.replace("BLOB", "TEXT"),
        told => told.to_owned(),
    };
    Column { name: column.name().to_owned(), type_name }
}
