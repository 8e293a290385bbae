//! What a database says no to, by its own codes.

use sqlx::{
    error::DatabaseError as _, mysql::MySqlDatabaseError, postgres::PgDatabaseError,
    sqlite::SqliteError,
};

/// Whether a database will not have what it was given.
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    is_servers(error) || is_mysqls(error) || is_files(error)
}

/// Classes of errors that are about a statement, its values, or what a trigger says of them.
const SERVER_REFUSALS: [&str; 9] = ["22", "23", "27", "2F", "38", "39", "42", "44", "P0"];

/// Whether the server will not have what it was given.
fn is_servers(error: &sqlx::Error) -> bool {
    let class = database_error(error).and_then(|error| error.code().get(..2));
    class.is_some_and(|class| SERVER_REFUSALS.contains(&class))
}

/// The class of errors that are about tables and columns that are not there, or not this role's to use.
const SERVER_SCHEMA: &str = "42";

/// SQLite's code for the same. It has no other for what is wrong with a statement.
const FILE_SCHEMA: i32 = 1;

/// Whether a table or a column of a statement is gone, or may not be used.
pub(crate) fn is_about_schema(error: &sqlx::Error) -> bool {
    let of_server =
        database_error(error).is_some_and(|error| error.code().starts_with(SERVER_SCHEMA));
    of_server || extended_code(error).is_some_and(|extended| extended & 0xff == FILE_SCHEMA)
}

/// Whether somebody else held a lock for longer than the server was to wait.
pub(crate) fn is_lock_timeout(error: &sqlx::Error) -> bool {
    database_error(error).map(PgDatabaseError::code) == Some("55P03")
        || mysql_error(error).map(MySqlDatabaseError::number) == Some(MYSQL_HELD)
        || extended_code(error).is_some_and(|extended| extended & 0xff == FILE_HELD)
}

/// Whether a policy would have hidden rows. The message is in the server's language; the routine
/// that raised it is not.
pub(crate) fn is_row_security(error: &sqlx::Error) -> bool {
    database_error(error).and_then(PgDatabaseError::routine) == Some("check_enable_rls")
}

/// What a pooler refuses, and what PostgreSQL says once a pooler has given our connection to somebody
/// else: a prepared statement is there already, or no longer.
pub(crate) fn is_poolers(error: &sqlx::Error) -> bool {
    database_error(error).is_some_and(|error| match error.code() {
        "26000" | "42P05" => true,
        "08P01" => error.message().starts_with("unsupported startup parameter"),
        _ => false,
    })
}

/// PostgreSQL says so of a text that it is given as of one that it is to give us, which ends with the name of
/// our encoding. MySQL and MariaDB say that two texts cannot be compared, or that one cannot be converted.
pub(crate) fn is_beyond_characters(error: &sqlx::Error) -> bool {
    let number = mysql_error(error).map(MySqlDatabaseError::number);
    database_error(error).is_some_and(|error| {
        let ends = error.message().trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        error.code() == "22P05" && !ends.ends_with("UTF8")
    }) || number.is_some_and(|number| MYSQL_BEYOND_CHARACTERS.contains(&number))
}

fn database_error(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// Errors of MySQL that are about a statement and its values, whose class does not say so: a value
/// that is cut or does not fit, a table that its own trigger may not change, what a trigger says, a
/// rule, what a view does not show.
const MYSQL_REFUSALS: [u16; 9] = [1264, 1265, 1366, 1369, 1406, 1442, 1644, 3819, 4025];

/// Texts of two character sets, neither of which holds the other; a parameter that a column's lacks.
const MYSQL_BEYOND_CHARACTERS: [u16; 4] = [1267, 1270, 1271, 3988];

/// Waited for a row or for a table for too long.
const MYSQL_HELD: u16 = 1205;

/// What is missing where a grant is: for a database, a column, a table, a routine, or a deed.
const MYSQL_GRANTS: [u16; 6] = [1044, 1142, 1143, 1227, 1370, 1419];

/// Whether MySQL or MariaDB will not have what it was given. A trigger's own words come with
/// whatever code it chose, most often 45000.
fn is_mysqls(error: &sqlx::Error) -> bool {
    let Some(error) = mysql_error(error) else { return false };
    let class = error.code().and_then(|code| code.get(..2));
    MYSQL_REFUSALS.contains(&error.number())
        || class.is_some_and(|class| class == "45" || SERVER_REFUSALS.contains(&class))
}

/// What MySQL or MariaDB says that a user may not do.
pub(crate) fn missing_grant(error: &sqlx::Error) -> Option<&str> {
    let error = mysql_error(error)?;
    MYSQL_GRANTS.contains(&error.number()).then(|| error.message())
}

/// The rule that a row breaks, without the values that MySQL names before it.
pub(crate) fn mysql_rule(error: &sqlx::Error) -> Option<&str> {
    let message = mysql_error(error)?.message();
    message.rsplit_once(" for key ").map(|(_, key)| key)
}

fn mysql_error(error: &sqlx::Error) -> Option<&MySqlDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// `SQLITE_BUSY`: somebody else has the file's lock.
const FILE_HELD: i32 = 5;

/// Primary result codes that are about a statement and its values: too big, against a rule or what a
/// trigger says, of the wrong type.
const FILE_REFUSALS: [i32; 3] = [18, 19, 20];

/// Whether the library will not have what it was given.
fn is_files(error: &sqlx::Error) -> bool {
    extended_code(error).is_some_and(|extended| FILE_REFUSALS.contains(&(extended & 0xff)))
}

/// `SQLITE_READONLY_DIRECTORY`: no log can be made beside a file that is only read.
const READ_ONLY_FOLDER: i32 = 1544;

pub(crate) fn is_read_only_folder(error: &sqlx::Error) -> bool {
    extended_code(error) == Some(READ_ONLY_FOLDER)
}

/// Its lowest byte is the primary code.
fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.try_downcast_ref::<SqliteError>()?.code()?.parse().ok()
}
