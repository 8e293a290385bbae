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

    /// Statements that begin a transaction which locks a row: how long anybody waits for it.
    fn lock_limits(&self) -> &'static [&'static str];

    /// What a `SELECT` ends in that keeps its rows locked.
    fn locking(&self) -> &'static str;

    /// Whether this is a copy that cannot be written to; `None` where there are none.
    fn is_replica(&self) -> Option<&'static str>;

    /// Answers with which database it is and the number of its transaction; `None` where the
    /// database could not tell afterwards what became of that.
    fn transaction(&self) -> Option<&'static str>;

    /// Answers which database it is, and what became of transaction `$1` there.
    fn fate(&self) -> Option<&'static str>;

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
