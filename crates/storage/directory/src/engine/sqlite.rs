use model::AccountId;

use super::{Engine, Literal};
use crate::quoting::quoted_text;

/// A SQLite file.
#[derive(Debug)]
pub(crate) struct Sqlite;

impl Engine for Sqlite {
    /// It is never seen: SQLite compares a bare value with a column of any type.
    fn cast(&self, type_name: &str) -> String {
        type_name.to_owned()
    }

    fn may_hold(&self, _type_name: &str, _id: &AccountId) -> bool {
        true
    }

    /// A transaction that will write waits for others as it begins.
    fn lock_limits(&self) -> &'static [&'static str] {
        &[]
    }

    /// The whole file is locked.
    fn locking(&self) -> &'static str {
        ""
    }

    fn is_replica(&self) -> Option<&'static str> {
        None
    }

    fn transaction(&self) -> Option<&'static str> {
        None
    }

    fn fate(&self) -> Option<&'static str> {
        None
    }

    /// A text is greater than any number where no column's type makes a number of it.
    fn moment(&self, moment: &Literal) -> String {
        match moment {
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => quoted_text(text),
        }
    }
}
