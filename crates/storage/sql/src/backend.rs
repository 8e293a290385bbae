use std::{fmt, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{Arguments, Database, Encode, SqlStr, Type, TypeInfo as _};

use crate::{Column, Migrations, QueryText, Row, SqlError, value::Value};

/// How long to wait for a free connection or for the server to answer.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// What comes of asking a database.
pub(crate) type Answer<'c, T> = BoxFuture<'c, Result<T, SqlError>>;

/// The rows of an answer as they come.
pub(crate) type Rows<'c> = BoxStream<'c, Result<Row, SqlError>>;

/// A database that statements run on: `sqlite.rs` or `postgres.rs`.
///
/// It and its transactions are held behind a pointer, so that other crates compile no pool, not
/// even to drop one: a pooled connection that is dropped is looked after by all of sqlx.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// Starts a transaction that will write.
    fn begin(&self) -> Answer<'_, Box<dyn EngineTx>>;

    /// Starts a transaction that only reads, and sees one state of the database throughout.
    fn read(&self) -> Answer<'_, Box<dyn EngineTx>>;

    /// The rows of a statement without values, on a connection of their own.
    fn rows(&self, statement: &QueryText) -> Rows<'_>;

    /// Applies the migrations that are missing.
    fn migrate(&self, migrations: Migrations) -> Answer<'_, ()>;

    /// Waits until every connection is closed.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A transaction on an [`Engine`]. Dropping it takes everything back.
pub(crate) trait EngineTx: Send {
    /// The statement in the words of this engine.
    fn spell(&self, statement: &QueryText) -> SqlStr;

    /// Runs a statement; answers with the number of rows changed.
    fn execute(&mut self, text: SqlStr, values: Vec<Value>) -> Answer<'_, u64>;

    /// Runs a statement and answers with its first row.
    fn first(&mut self, text: SqlStr, values: Vec<Value>) -> Answer<'_, Option<Row>>;

    /// Runs a statement and answers with its rows.
    fn fetch(&mut self, text: SqlStr, values: Vec<Value>) -> Result<Rows<'_>, SqlError>;

    /// The columns that a statement would return.
    fn describe(&mut self, text: SqlStr) -> Answer<'_, Vec<Column>>;

    /// Tells the database from every copy of it; see [`SqlTx::identity`](crate::SqlTx::identity).
    fn identity(&self, database: &str) -> Result<String, SqlError>;

    /// Makes everything done in it last.
    fn end(self: Box<Self>) -> Answer<'static, ()>;
}

impl fmt::Debug for dyn EngineTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineTx")
    }
}

/// A statement's values as an engine takes them.
pub(crate) fn arguments<D: Database>(values: Vec<Value>) -> Result<D::Arguments, SqlError>
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

/// An engine's rows as everybody's.
pub(crate) fn erased<'c, D: Database>(
    rows: BoxStream<'c, Result<D::Row, sqlx::Error>>,
    row: fn(D::Row) -> Row,
) -> Rows<'c> {
    rows.map(move |found| Ok(row(found?))).boxed()
}

/// What an engine says of the columns of a statement that it has prepared.
pub(crate) fn columns<C: sqlx::Column>(columns: &[C]) -> Vec<Column> {
    let column = |column: &C| Column {
        name: column.name().to_owned(),
        type_name: column.type_info().name().to_owned(),
    };
    columns.iter().map(column).collect()
}
