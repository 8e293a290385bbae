use model::AccountId;

use super::{Engine, Literal, REHEARSAL_TABLE, is_decimal, is_hexadecimal};
use crate::{quoting::quoted_text, value::is_uuid};

/// A PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Postgres;

/// What it calls a column of bytes.
const BYTES: &str = "BYTEA";

/// Cluster and database. A copy of all files of a server has the same.
macro_rules! place {
    () => {
        "(SELECT system_identifier::text FROM pg_control_system()) || '/' ||
            (SELECT oid::text FROM pg_database WHERE datname = current_database())"
    };
}

/// Where a connection leads to: a database, of a standby or not, of a server that started at this
/// moment, and how far its log has come.
pub(crate) const PLACE: &str = concat!(
    "SELECT ",
    place!(),
    ", pg_is_in_recovery(), extract(epoch FROM pg_postmaster_start_time())::text,
        coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
            ELSE pg_current_wal_lsn() END, '0/0'), 0)::bigint"
);

/// Cluster, database and timeline, which a plain role may ask for; NULL on a standby. A restored or
/// promoted server is on another timeline, where numbers of transactions may come again.
macro_rules! database {
    () => {
        concat!(
            "CASE WHEN NOT pg_is_in_recovery() THEN ",
            place!(),
            " || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"
        )
    };
}

const DATABASE: &str = database!();

/// What became of transaction `$1` of database `$2`. To ask for a number that is yet to come is an
/// error.
pub(crate) const FATE: &str = concat!(
    "SELECT CASE WHEN ",
    database!(),
    " = $2 AND $1 < txid_snapshot_xmax(txid_current_snapshot())
        THEN txid_status($1) END"
);

/// Whether rows that a policy hides are an error, as it was asked for when the connection began.
pub(crate) const SHOWS_ALL: &str = "SELECT current_setting('row_security') = 'off'";

/// Of how many bytes a character is that is told to us in another encoding. Most such encodings, the usual
/// one of servers on Windows among them, have bytes that are none; they go in unlooked at.
const UNTOLD_BYTES: &str = "SELECT CASE WHEN encoding NOT IN ('UTF8', 'SQL_ASCII')
    THEN pg_encoding_max_length(pg_char_to_encoding(encoding)) ELSE 0 END
    FROM current_setting('server_encoding') AS encoding";

/// Every table that the role may see anything of, with its columns.
pub(crate) const TABLES: &str =
    "SELECT CAST(CASE WHEN table_schema = current_schema() THEN table_name
    ELSE table_schema || '.' || table_name END AS TEXT), CAST(column_name AS TEXT)
    FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
    ORDER BY table_schema, table_name, ordinal_position";

/// Whether it is a standby; and bounds how long we wait for somebody, and somebody for us.
const BEFORE_LOCK: &str = "SELECT pg_is_in_recovery(), NULL::text,
    set_config('lock_timeout', '5s', true), set_config('statement_timeout', '15s', true),
    set_config('idle_in_transaction_session_timeout', '15s', true),
    set_config('row_security', 'off', true)";

impl Engine for Postgres {
    /// Settings of the server change how it writes bytes as text by itself.
    fn text(&self, column: &str, type_name: &str, is_id: bool) -> String {
        match type_name {
            BYTES if is_id => format!("encode({column}, 'hex')"),
            _ => format!("CAST({column} AS TEXT)"),
        }
    }

    /// PostgreSQL compares text with nothing else, so that it is cast.
    fn key(&self, type_name: &str) -> String {
        match type_name {
            BYTES => "decode({}, 'hex')".to_owned(),
            _ => format!("CAST({{}} AS {})", self.type_of(type_name)),
        }
    }

    fn untold_bytes(&self) -> Option<&'static str> {
        Some(UNTOLD_BYTES)
    }

    fn bytes_of(&self, text: &str) -> String {
        format!("convert_to({text}, getdatabaseencoding())")
    }

    /// Text becomes text of another kind by itself, and nothing else.
    fn value(&self, type_name: &str, is_document: bool, value: &str) -> String {
        match type_name {
            "JSON" | "JSONB" if !is_document => value.to_owned(),
            BYTES | "TEXT" | "VARCHAR" | "CHAR" | "citext" => value.to_owned(),
            _ => format!("CAST({value} AS {})", self.type_of(type_name)),
        }
    }

    fn is_text(&self, text: &str, value: &str) -> String {
        format!("{text} IS NOT DISTINCT FROM {value}")
    }

    /// PostgreSQL would refuse the whole look-up for the sake of one that cannot be.
    fn may_hold(&self, type_name: &str, id: &AccountId) -> bool {
        let text = id.as_str();
        match type_name {
            "INT2" => text.parse::<i16>().is_ok(),
            "INT4" => text.parse::<i32>().is_ok(),
            "INT8" => text.parse::<i64>().is_ok(),
            "OID" => text.parse::<u32>().is_ok(),
            BYTES => is_hexadecimal(text),
            "NUMERIC" => is_decimal(text),
            "UUID" => is_uuid(text),
            _ => !text.contains('\0'),
        }
    }

    fn holding(&self) -> &'static str {
        " FOR UPDATE"
    }

    fn transaction(&self) -> String {
        format!("txid_current(), {DATABASE}")
    }

    fn before_lock(&self, _table: &str) -> String {
        BEFORE_LOCK.to_owned()
    }

    /// A change reaches every partition and every table that inherits, wherever these are; and a rule
    /// may lead it elsewhere.
    fn rehearses(&self, table: &str) -> String {
        let name = quoted_text(&self.quoted_path(table));
        format!(
            "WITH RECURSIVE hit(oid) AS (
                SELECT to_regclass({name})::oid
                UNION SELECT its.inhrelid
                    FROM pg_catalog.pg_inherits AS its JOIN hit ON its.inhparent = hit.oid),
            found AS (SELECT place.nspname::text AS place, CASE
                    WHEN the.relkind = 'v' THEN 'a view'
                    WHEN the.relkind = 'f' THEN 'a foreign table'
                    WHEN the.relkind NOT IN ('r', 'p') THEN 'no table'
                    WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite AS rule
                        WHERE rule.ev_class = the.oid) THEN 'a table with a rule' END AS kind,
                EXISTS (SELECT 1 FROM pg_catalog.pg_class AS mark
                    WHERE mark.relnamespace = the.relnamespace
                    AND mark.relname = '{REHEARSAL_TABLE}') AS is_marked
                FROM hit JOIN pg_catalog.pg_class AS the ON the.oid = hit.oid
                JOIN pg_catalog.pg_namespace AS place ON place.oid = the.relnamespace)
            SELECT coalesce(min(place) FILTER (WHERE NOT is_marked), min(place)), min(kind),
                coalesce(bool_and(is_marked), false) FROM found"
        )
    }

    /// Settings of the server change how it writes bytes as text by itself.
    fn hash_as_text(&self, column: &str, type_name: &str) -> String {
        match type_name {
            BYTES => format!("E'\\\\x' || encode({column}, 'hex')"),
            _ => format!("CAST({column} AS TEXT)"),
        }
    }

    /// A cast would take the blanks away that every driver gives.
    fn beside_as_text(&self, column: &str, type_name: &str) -> String {
        match type_name {
            "CHAR" => format!("CASE WHEN {column} IS NOT NULL THEN concat({column}) END"),
            _ => self.hash_as_text(column, type_name),
        }
    }

    fn holds_bytes(&self, _column: &str, type_name: &str) -> String {
        (type_name == BYTES).to_string()
    }

    fn is_binary(&self, type_name: &str) -> bool {
        type_name == BYTES
    }

    fn token(&self) -> &'static str {
        "replace(CAST(gen_random_uuid() AS TEXT), '-', '')"
    }

    fn seconds(&self) -> &'static str {
        "CAST(extract(epoch FROM now()) AS INTEGER)"
    }

    /// A literal in quotes takes the type of what it is compared with.
    fn moment(&self, moment: &Literal) -> String {
        match moment {
            Literal::Number(number) => quoted_text(&number.to_string()),
            Literal::Text(text) => quoted_text(text),
        }
    }
}

impl Postgres {
    /// What a cast calls a type.
    fn type_of(&self, type_name: &str) -> String {
        match type_name {
            // A bare CHAR is one character long.
            "CHAR" => "bpchar".to_owned(),
            "INT2" | "INT4" | "INT8" | "OID" | "NUMERIC" | "TEXT" | "NAME" | "UUID" | "VARCHAR"
            | "JSON" | "JSONB" => type_name.to_lowercase(),
            // Named by its extension or its site, such as citext.
            name => self.quoted(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(type_name: &str, text: &str) -> bool {
        Postgres.may_hold(type_name, &AccountId::new(text).unwrap())
    }

    #[test]
    fn what_cannot_be_an_id_is_not_asked_for() {
        assert!(holds("INT4", "2147483647"));
        assert!(!holds("INT4", "2147483648"));
        assert!(!holds("INT8", "7x"));
        assert!(holds("NUMERIC", "10.50"));
        assert!(!holds("NUMERIC", "inf"));
        assert!(holds("UUID", "6f1c2b1e-0d5c-4b7e-9a4e-3f6f0a1b2c3d"));
        assert!(!holds("UUID", "6f1c2b1e0d5c4b7e9a4e3f6f0a1b2c3d"));
        assert!(holds("OID", "4294967295") && !holds("OID", "-1"));
        assert!(holds("BYTEA", "00ff") && !holds("BYTEA", "0ff"));
        assert!(holds("TEXT", "anything"));
    }

    #[test]
    fn a_type_of_the_sites_own_is_quoted() {
        assert_eq!(Postgres.key("citext"), "CAST({} AS \"citext\")");
        assert_eq!(Postgres.key("CHAR"), "CAST({} AS bpchar)");
        assert_eq!(Postgres.key("INT8"), "CAST({} AS int8)");
    }
}
