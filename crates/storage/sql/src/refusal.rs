//! What a database says no to, by its own codes.

use sqlx::{error::DatabaseError as _, postgres::PgDatabaseError, sqlite::SqliteError};

/// Whether a database will not have what it was given.
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    is_servers(error) || is_files(error)
}

/// Classes of errors that are about a statement, its values, or what a trigger says of them.
const SERVER_REFUSALS: [&str; 9] = ["22", "23", "27", "2F", "38", "39", "42", "44", "P0"];

/// Whether the server will not have what it was given.
fn is_servers(error: &sqlx::Error) -> bool {
    let class = database_error(error).and_then(|error| error.code().get(..2));
    class.is_some_and(|class| SERVER_REFUSALS.contains(&class))
}

/// Whether somebody else held a lock for longer than the server was to wait.
pub(crate) fn is_lock_timeout(error: &sqlx::Error) -> bool {
    database_error(error).map(PgDatabaseError::code) == Some("55P03")
}

/// Whether a policy would have hidden rows. The message is in the server's language; the routine
/// that raised it is not.
pub(crate) fn is_row_security(error: &sqlx::Error) -> bool {
    database_error(error).and_then(PgDatabaseError::routine) == Some("check_enable_rls")
}

fn database_error(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// Primary result codes that are about a statement and its values: too big, against a rule or what a
/// trigger says, of the wrong type.
const FILE_REFUSALS: [i32; 3] = [18, 19, 20];

/// Whether the library will not have what it was given.
fn is_files(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<SqliteError>());
    let code = error.and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|extended| FILE_REFUSALS.contains(&(extended & 0xff)))
}
