//! Where the engines of tables differ, beyond what `sql` hides: one file an engine.

pub(crate) mod mysql;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::fmt;

use model::AccountId;

/// By a table of this name a schema, or a database, says that it is for rehearsals.
const REHEARSAL_TABLE: &str = "countersign_rehearsal";

/// One kind of database.
pub(crate) trait Engine: fmt::Debug + Send + Sync {
    /// An identifier that stands for itself, whatever is in it.
    fn quoted(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// `name` or `schema.name`, each part quoted.
    fn quoted_path(&self, path: &str) -> String {
        let parts: Vec<_> = path.split('.').map(|part| self.quoted(part)).collect();
        parts.join(".")
    }

    /// Reads a column of this type as text.
    fn text(&self, column: &str, _type_name: &str, _is_id: bool) -> String {
        format!("CAST({column} AS TEXT)")
    }

    /// Asks for a number: of how many bytes a character of a text is, at most, where some are told us in no
    /// encoding, which the server would refuse a whole answer for; else 0. `None` if it never does.
    fn untold_bytes(&self) -> Option<&'static str> {
        None
    }

    /// The bytes of a text in the server's own encoding, where [`Engine::untold_bytes`] asks.
    fn bytes_of(&self, text: &str) -> String {
        text.to_owned()
    }

    /// The text of what is not recorded.
    fn no_text(&self) -> &'static str {
        "CAST(NULL AS TEXT)"
    }

    /// Whether an address of this type is in `{list}` once it is in lower case. `folds` says what
    /// [`Engine::folding`] has found.
    fn is_address(&self, column: &str, _type_name: &str, _folds: bool) -> String {
        format!("lower({column}) IN {{list}}")
    }

    /// Whether a username of this type is in `{list}`.
    fn is_username(&self, column: &str, _type_name: &str) -> String {
        format!("{column} IN {{list}}")
    }

    /// Whether a column's texts are equal that differ in capitals alone; `None` if they never are.
    fn folding(&self, _column: &str) -> Option<String> {
        None
    }

    /// How an id, a text in the place of `{}`, is compared with a column of this type so that the
    /// column's index is used.
    fn key(&self, type_name: &str) -> String;

    /// Whether this can be an id in a column of this type: nobody has any other.
    fn may_hold(&self, type_name: &str, id: &AccountId) -> bool;

    /// What a `SELECT` ends with to hold its rows until the transaction ends.
    fn holding(&self) -> &'static str;

    /// Two columns: the transaction's number and its database, both NULL where nobody keeps a record
    /// of transactions.
    fn transaction(&self) -> String;

    /// Before a row of this table is held: whether this is a standby, and what the table is if its
    /// rows cannot be held, or no change of them be taken back.
    fn before_lock(&self, table: &str) -> String;

    /// Where the rows of this table are kept, in one row: a schema, or a database; what keeps them if
    /// that is no ordinary table; and whether there is a table [`REHEARSAL_TABLE`] beside it. Of
    /// several tables, all have to be ordinary and have one.
    fn rehearses(&self, table: &str) -> String;

    /// Whether what [`Engine::hash_as_text`] reads is just this text, or NULL as it is, to the byte.
    fn is_text(&self, text: &str, value: &str) -> String;

    /// A text, or bytes, as a column of this type takes them. Only a document is made one of JSON.
    fn value(&self, _type_name: &str, _is_document: bool, value: &str) -> String {
        value.to_owned()
    }

    /// Whether a change answers with the rows that it has changed.
    fn tells_changes(&self) -> bool {
        true
    }

    /// Reads a hash column of this type as text: bytes as `\\x` and their hexadecimal digits.
    fn hash_as_text(&self, column: &str, type_name: &str) -> String;

    /// The same of a column beside the hash, with the blanks that fill up one of a fixed length, if the
    /// site's own driver gives it so.
    fn beside_as_text(&self, column: &str, type_name: &str) -> String {
        self.hash_as_text(column, type_name)
    }

    /// Whether a hash column of this type holds bytes.
    fn holds_bytes(&self, column: &str, type_name: &str) -> String;

    /// Whether every value of a column of this type is bytes.
    fn is_binary(&self, type_name: &str) -> bool;

    /// 32 hexadecimal digits that nobody can guess.
    fn token(&self) -> &'static str;

    /// Now, in whole seconds since 1970.
    fn seconds(&self) -> &'static str;

    /// A moment, as it is compared with a column of whatever type.
    fn moment(&self, moment: &Literal) -> String;
}

/// Whether a text is a number with or without a fraction.
fn is_decimal(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    text.bytes().all(plain) && text.parse::<f64>().is_ok()
}

/// Whether a text is bytes, two digits each.
fn is_hexadecimal(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A moment in the form of its column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    /// Since 1970, in the column's unit.
    Number(i64),
    /// A date, with or without time and offset.
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::{Engine as _, postgres::Postgres};

    #[test]
    fn names_are_quoted() {
        assert_eq!(Postgres.quoted("pass\"word"), "\"pass\"\"word\"");
        assert_eq!(Postgres.quoted_path("site.users"), "\"site\".\"users\"");
    }
}
