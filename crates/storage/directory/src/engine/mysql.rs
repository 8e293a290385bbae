use model::AccountId;

use super::{Engine, Literal, REHEARSAL_TABLE, is_hexadecimal};
use crate::{quoting::quoted_text, row::SUBSTITUTE};

/// A server of MySQL or MariaDB. Connections count time from UTC and take a backslash in a text for an
/// escape.
#[derive(Debug)]
pub(crate) struct MySql;

/// Nobody keeps a record of transactions that a client may ask for.
pub(crate) const FATE: &str = "SELECT NULL FROM DUAL WHERE $1 IS NULL AND $2 IS NULL";

/// There are no policies, and yet a pooler can drop the settings of a connection.
pub(crate) const SHOWS_ALL: &str = "SELECT @@time_zone = '+00:00'";

/// The database, whether it is a replica as far as its settings tell, what no other server says, and no
/// position: a copied server has host name, port and UUID of the first one.
pub(crate) const PLACE: &str = "SELECT COALESCE(DATABASE(), ''), @@global.read_only, UUID(), 0";

/// The name of a mark.
pub(crate) const NEW_MARK: &str = "SELECT CONCAT('countersign-', UUID())";

/// Leaves mark `$1` with the server: a lock on nothing but this name, which every connection to the
/// same server sees and no other server does. It ends with the connection at the latest.
pub(crate) const LEAVE_MARK: &str = "SELECT GET_LOCK($1, 0)";

/// Whether mark `$1` is seen here.
pub(crate) const SEES_MARK: &str = "SELECT IS_USED_LOCK($1) IS NOT NULL";

/// Takes mark `$1` back.
pub(crate) const TAKE_MARK: &str = "SELECT RELEASE_LOCK($1)";

/// Every table of the database, with its columns.
pub(crate) const TABLES: &str = "SELECT CAST(TABLE_NAME AS CHAR), CAST(COLUMN_NAME AS CHAR)
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()
    ORDER BY TABLE_NAME, ORDINAL_POSITION";

/// The database's own clock, in microseconds.
pub(crate) const CLOCK: &str = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";

impl Engine for MySql {
    fn quoted(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    /// Bytes are the site's text in UTF-8, but for ids, which are often a UUID in sixteen bytes. A server
    /// writes question marks for what is none, or NULL, and a warning that nobody sees.
    fn text(&self, column: &str, type_name: &str, is_id: bool) -> String {
        match type_name {
            "BIT" => format!("CAST({column} + 0 AS CHAR)"),
            bytes if is_binary(bytes) && is_id => format!("LOWER(HEX({column}))"),
            bytes if is_binary(bytes) => format!(
                "CASE WHEN {column} IS NULL OR CAST(CONVERT({column} USING utf8mb4) AS BINARY) = {column} \
                 THEN CONVERT({column} USING utf8mb4) ELSE '{SUBSTITUTE}' END"
            ),
            _ => format!("CAST({column} AS CHAR)"),
        }
    }

    /// The bare column, for its index, and byte by byte what was found by that: accents and blanks at
    /// the end count for nothing in most collations.
    fn is_address(&self, column: &str, type_name: &str, folds: bool) -> String {
        let lowered = format!("LOWER({})", self.text(column, type_name, false));
        let exactly = format!("CAST({lowered} AS BINARY) IN {{list}}");
        if folds { format!("({column} IN {{list}} AND {exactly})") } else { exactly }
    }

    fn is_username(&self, column: &str, type_name: &str) -> String {
        let bytes = format!("CAST({} AS BINARY)", self.text(column, type_name, false));
        format!("({column} IN {{list}} AND {bytes} IN {{list}})")
    }

    /// Nearly always, and an index on the bare column is used then.
    fn folding(&self, column: &str) -> Option<String> {
        Some(format!("COLLATION({column}) LIKE '%\\_ci'"))
    }

    fn no_text(&self) -> &'static str {
        "CAST(NULL AS CHAR)"
    }

    /// A bare text and a number would be compared as fractions, where large numbers are alike. MySQL
    /// takes a value that is cast for a number with a sign, unless something needs it as a text.
    fn key(&self, type_name: &str) -> String {
        match type_name {
            unsigned if unsigned.ends_with("UNSIGNED") => "CAST(CONCAT({}) AS UNSIGNED)",
            "DECIMAL" => "CAST({} AS DECIMAL(65, 30))",
            whole if is_whole(whole) => "CAST({} AS SIGNED)",
            bytes if is_binary(bytes) => "UNHEX({})",
            _ => "{}",
        }
        .to_owned()
    }

    /// What is no number would be taken for one, with a warning that nobody sees, or as an error.
    fn may_hold(&self, type_name: &str, id: &AccountId) -> bool {
        let text = id.as_str();
        match type_name {
            unsigned if unsigned.ends_with("UNSIGNED") => text.parse::<u64>().is_ok(),
            "DECIMAL" => super::is_decimal(text),
            whole if is_whole(whole) => text.parse::<i64>().is_ok(),
            bytes if is_binary(bytes) => is_hexadecimal(text),
            _ => true,
        }
    }

    fn holding(&self) -> &'static str {
        " FOR UPDATE"
    }

    fn transaction(&self) -> String {
        "CAST(NULL AS SIGNED), CAST(NULL AS CHAR)".to_owned()
    }

    /// What keeps a table decides whether a row can be held and a change taken back.
    fn before_lock(&self, table: &str) -> String {
        let (schema, name) = place_of(table);
        format!(
            "SELECT @@global.read_only, (SELECT CASE
                WHEN the.TABLE_TYPE LIKE '%VIEW' THEN 'a view'
                WHEN kind.TRANSACTIONS <> 'YES' THEN CONCAT('a table of the engine ', the.ENGINE) END
                FROM information_schema.TABLES AS the
                LEFT JOIN information_schema.ENGINES AS kind ON kind.ENGINE = the.ENGINE
                WHERE the.TABLE_SCHEMA = {schema} AND the.TABLE_NAME = {name})"
        )
    }

    /// Other engines than these two keep no rows themselves, or cannot take a change of one back.
    fn rehearses(&self, table: &str) -> String {
        let (schema, name) = place_of(table);
        format!(
            "SELECT MIN(found.place), MIN(found.kind), COALESCE(MIN(found.is_marked), 0) FROM (
                SELECT CAST(the.TABLE_SCHEMA AS CHAR) AS place, CAST(CASE
                    WHEN the.TABLE_TYPE LIKE '%VIEW' THEN 'a view'
                    WHEN the.TABLE_TYPE NOT IN ('BASE TABLE', 'SYSTEM VERSIONED')
                        THEN CONCAT('of the kind ', the.TABLE_TYPE)
                    WHEN COALESCE(the.ENGINE, '') NOT IN ('InnoDB', 'ROCKSDB')
                        THEN CONCAT('a table of the engine ', COALESCE(the.ENGINE, 'NULL')) END
                    AS CHAR) AS kind,
                EXISTS (SELECT 1 FROM information_schema.TABLES AS mark
                    WHERE mark.TABLE_SCHEMA = {schema} AND mark.TABLE_NAME = '{REHEARSAL_TABLE}'
                    AND CAST(mark.TABLE_SCHEMA AS BINARY) = CAST(the.TABLE_SCHEMA AS BINARY))
                    AS is_marked
                FROM information_schema.TABLES AS the
                WHERE the.TABLE_SCHEMA = {schema} AND the.TABLE_NAME = {name}) AS found"
        )
    }

    /// MySQL compares texts by their collation, which may take capitals and blanks for nothing.
    fn is_text(&self, text: &str, value: &str) -> String {
        format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY) <=> CAST({value} AS BINARY)")
    }

    /// No row comes back from a change.
    fn tells_changes(&self) -> bool {
        false
    }

    fn hash_as_text(&self, column: &str, type_name: &str) -> String {
        if is_binary(type_name) {
            format!("CONCAT('\\\\x', LOWER(HEX({column})))")
        } else {
            self.text(column, type_name, false)
        }
    }

    fn holds_bytes(&self, _column: &str, type_name: &str) -> String {
        is_binary(type_name).to_string()
    }

    fn is_binary(&self, type_name: &str) -> bool {
        is_binary(type_name)
    }

    /// Both servers seed it for secrets.
    fn token(&self) -> &'static str {
        "LOWER(HEX(RANDOM_BYTES(16)))"
    }

    fn seconds(&self) -> &'static str {
        "UNIX_TIMESTAMP()"
    }

    fn moment(&self, moment: &Literal) -> String {
        match moment {
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => quoted_literal(text),
        }
    }
}

/// The database and the name of a table, as literals.
fn place_of(table: &str) -> (String, String) {
    let mut parts = table.rsplitn(2, '.');
    let name = quoted_literal(parts.next().unwrap_or_default());
    (parts.next().map_or_else(|| "DATABASE()".to_owned(), quoted_literal), name)
}

fn quoted_literal(text: &str) -> String {
    quoted_text(&text.replace('\\', "\\\\"))
}

fn is_binary(type_name: &str) -> bool {
    type_name.ends_with("BINARY") || type_name.ends_with("BLOB")
}

fn is_whole(type_name: &str) -> bool {
    type_name.ends_with("INT") || type_name == "BOOLEAN"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_an_id_is_not_asked_for() {
        let holds =
            |type_name: &str, text: &str| MySql.may_hold(type_name, &AccountId::new(text).unwrap());
        assert!(holds("BIGINT", "-7") && !holds("BIGINT", "7x"));
        assert!(holds("BIGINT UNSIGNED", "18446744073709551615"));
        assert!(!holds("BIGINT", "18446744073709551615") && !holds("INT UNSIGNED", "-7"));
        assert!(holds("DECIMAL", "10.50") && !holds("DECIMAL", "inf"));
        assert!(holds("BINARY", "00ff") && !holds("BINARY", "0ff") && !holds("VARBINARY", "no"));
        assert!(holds("VARCHAR", "anything"));
    }

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(MySql.quoted("pass`word"), "`pass``word`");
        let text = Literal::Text("\\' OR 1 = 1".to_owned());
        assert_eq!(MySql.moment(&text), "'\\\\'' OR 1 = 1'");
    }
}
