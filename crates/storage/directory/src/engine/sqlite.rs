use model::AccountId;

use super::{Engine, Literal};
use crate::quoting::quoted_text;

/// A SQLite file.
#[derive(Debug)]
pub(crate) struct Sqlite;

/// No transaction has a number here.
pub(crate) const FATE: &str = "SELECT NULL WHERE $1 IS NOT NULL AND $2 IS NOT NULL";

/// A file has no policies.
pub(crate) const SHOWS_ALL: &str = "SELECT 1";

/// The file; a file is no standby, and no server runs it.
pub(crate) const PLACE: &str =
    "SELECT (SELECT file FROM pragma_database_list WHERE name = 'main'), 0, '', 0";

/// Whether there is a table by which a database says that it is for rehearsals.
pub(crate) const REHEARSES: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'countersign_rehearsal')";

/// Every table of the file, with its columns.
pub(crate) const TABLES: &str = "SELECT one.name, its.name FROM sqlite_schema AS one,
    pragma_table_info(one.name) AS its WHERE one.type IN ('table', 'view') ORDER BY one.name, its.cid";

impl Engine for Sqlite {
    /// A bare value takes the column's own affinity; a cast would turn `12x` into 12.
    fn key(&self, _type_name: &str) -> String {
        "{}".to_owned()
    }

    fn may_hold(&self, _type_name: &str, _id: &AccountId) -> bool {
        true
    }

    /// A writer is alone from its beginning.
    fn holding(&self) -> &'static str {
        ""
    }

    fn transaction(&self) -> String {
        "NULL, NULL".to_owned()
    }

    /// A file is no standby. How long a writer waits for another one is set where it is opened.
    fn before_lock(&self, _table: &str) -> String {
        "SELECT 0, NULL".to_owned()
    }

    /// Every value has a type of its own, whatever its column's is.
    fn hash_as_text(&self, column: &str, _type_name: &str) -> String {
        format!(
            "CASE typeof({column}) WHEN 'blob' THEN '\\x' || lower(hex({column})) ELSE CAST({column} AS TEXT) \
             END"
        )
    }

    fn holds_bytes(&self, column: &str, _type_name: &str) -> String {
        format!("typeof({column}) = 'blob'")
    }

    fn is_text(&self, text: &str, value: &str) -> String {
        format!("({text}) IS {value}")
    }

    /// Each value tells for itself.
    fn is_binary(&self, _type_name: &str) -> bool {
        false
    }

    fn token(&self) -> &'static str {
        "lower(hex(randomblob(16)))"
    }

    fn seconds(&self) -> &'static str {
        "CAST(strftime('%s', 'now') AS INTEGER)"
    }

    /// A text is greater than any number where no column's type makes a number of it.
    fn moment(&self, moment: &Literal) -> String {
        match moment {
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => quoted_text(text),
        }
    }
}
