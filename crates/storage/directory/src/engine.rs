//! Where the engines of tables differ, beyond what `sql` hides: one file an engine.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::fmt;

use model::AccountId;

/// One kind of database.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// A column's type as a `CAST` takes it.
    fn cast(&self, type_name: &str) -> String;

    /// Whether this can be an id in a column of this type: nobody has any other.
    fn may_hold(&self, type_name: &str, id: &AccountId) -> bool;

    /// What a `SELECT` ends with to hold its rows until the transaction ends.
    fn holding(&self) -> &'static str;

    /// Two columns: the transaction's number and its database, both NULL where nobody keeps a record
    /// of transactions.
    fn transaction(&self) -> String;

    /// Reads a hash column of this type as text: bytes as `\\x` and their hexadecimal digits.
    fn hash_as_text(&self, column: &str, type_name: &str) -> String;

    /// Whether a hash column of this type holds bytes.
    fn holds_bytes(&self, column: &str, type_name: &str) -> String;

    /// A moment, as it is compared with a column of whatever type.
    fn moment(&self, moment: &Literal) -> String;
}

/// A moment in the form of its column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    /// Since 1970, in the column's unit.
    Number(i64),
    /// A date, with or without time and offset.
    Text(String),
}
