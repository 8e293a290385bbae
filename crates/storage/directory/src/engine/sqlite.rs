use model::AccountId;

use super::{Engine, Literal, REHEARSAL_TABLE};
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

    /// A bare name is looked for in every file that is attached.
    fn rehearses(&self, table: &str) -> String {
        let (schema, name) = table.split_once('.').unwrap_or(("", table));
        let (schema, name) = (quoted_text(schema), quoted_text(name));
        format!(
            "SELECT min(the.schema), min(CASE WHEN the.type = 'view' THEN 'a view'
                    WHEN the.type <> 'table' THEN 'a ' || the.type || ' table' END),
                coalesce(min(EXISTS (SELECT 1 FROM pragma_table_list('{REHEARSAL_TABLE}') AS mark
                    WHERE mark.schema = the.schema)), 0)
                FROM pragma_table_list({name}) AS the
                WHERE {schema} IN ('', the.schema COLLATE NOCASE)"
        )
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
