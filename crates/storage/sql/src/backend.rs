use std::{fmt, io};

use futures_util::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{Arguments, Database, Encode, Pool, SqlStr, Transaction, Type, TypeInfo as _};

use crate::{Migrations, QueryText, Row, SqlError, value::Value};

/// A database that statements run on: `sqlite.rs`, `postgres.rs` or `mysql.rs`.
///
/// It and its transactions are held behind a pointer, so that other crates compile no pool, not
/// even to drop one: a pooled connection that is dropped is looked after by all of sqlx.
pub(crate) trait Backend: fmt::Debug + Send + Sync {
    /// Starts a transaction that will write.
    fn begin(&self) -> BackendAnswer<'_, Box<dyn BackendTx>>;

    /// Starts a transaction that only reads, and sees one state of the database throughout.
    fn read(&self) -> BackendAnswer<'_, Box<dyn BackendTx>>;

    /// The rows of a statement without values, on a connection of their own.
    fn rows(&self, statement: &QueryText) -> RowStream<'_>;

    /// Applies the migrations that are missing.
    fn migrate(&self, migrations: Migrations) -> BackendAnswer<'_, ()>;

    /// Whether a transaction that writes keeps every other one from it.
    fn has_one_writer(&self) -> bool;

    /// Waits until every connection is closed.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A transaction on a [`Backend`]. Dropping it takes everything back.
pub(crate) trait BackendTx: Send {
    /// The statement in the words of this backend.
    fn spell(&self, statement: &QueryText) -> SqlStr;

    /// Runs a statement; answers with the number of rows changed.
    fn execute(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, u64>;

    /// Runs a statement and answers with its first row.
    fn first(&mut self, text: SqlStr, values: Vec<Value>) -> BackendAnswer<'_, Option<Row>>;

    /// Runs a statement and answers with its rows.
    fn fetch(&mut self, text: SqlStr, values: Vec<Value>) -> Result<RowStream<'_>, SqlError>;

    /// The columns that a statement would return.
    fn describe(&mut self, text: SqlStr) -> BackendAnswer<'_, Vec<Column>>;

    /// Tells the database from every copy of it; see [`SqlTx::identity`](crate::SqlTx::identity).
    fn identity(&self, database: &str) -> Result<String, SqlError>;

    /// Makes everything done in it last.
    fn end(self: Box<Self>) -> BackendAnswer<'static, ()>;

    /// Takes everything done in it back.
    fn take_back(self: Box<Self>) -> BackendAnswer<'static, ()>;
}

/// What comes of asking a database.
pub(crate) type BackendAnswer<'c, T> = BoxFuture<'c, Result<T, SqlError>>;

/// The rows of an answer as they come.
pub(crate) type RowStream<'c> = BoxStream<'c, Result<Row, SqlError>>;

/// A column of a statement's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, in the database's own words; `NULL` where SQLite cannot tell.
    pub type_name: String,
}

impl Column {
    /// What it holds; `None` of a type that this crate neither reads nor writes.
    #[must_use]
    pub fn kind(&self) -> Option<ColumnKind> {
        match self.type_name.as_str() {
            "INTEGER" | "INT8" | "INT4" => Some(ColumnKind::Integer),
            "TEXT" => Some(ColumnKind::Text),
            "BLOB" | "BYTEA" => Some(ColumnKind::Bytes),
            "BOOLEAN" | "BOOL" => Some(ColumnKind::Boolean),
            _ => None,
        }
    }
}

/// What the values of a column are, unless they are NULL: the same on every database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Integer,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
    /// Truth values.
    Boolean,
}

impl fmt::Debug for dyn BackendTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackendTx")
    }
}

/// Begins a transaction, also if nobody waits for it any more. Broken off in between, the connection would
/// go back to its pool within a transaction that nobody ends, and whoever gets it next would work in that
/// (sqlx 0.9, issue 4393).
pub(crate) fn begin_with<D: Database>(
    pool: &Pool<D>,
    statement: &'static str,
) -> BackendAnswer<'static, Transaction<'static, D>> {
    let pool = pool.clone();
    Box::pin(async move {
        let begun = tokio::spawn(async move { pool.begin_with(statement).await }).await;
        Ok(begun.map_err(|ended| sqlx::Error::Io(io::Error::other(ended)))??)
    })
}

/// A statement's values as a backend takes them.
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

/// A backend's rows as everybody's.
pub(crate) fn erased<D: Database>(
    rows: BoxStream<'_, Result<D::Row, sqlx::Error>>,
    row: fn(D::Row) -> Row,
) -> RowStream<'_> {
    rows.map(move |found| Ok(row(found?))).boxed()
}

/// What a backend says of the columns of a statement that it has prepared.
pub(crate) fn columns<C: sqlx::Column>(columns: &[C]) -> Vec<Column> {
    let column = |column: &C| Column {
        name: column.name().to_owned(),
        type_name: column.type_info().name().to_owned(),
    };
    columns.iter().map(column).collect()
}
