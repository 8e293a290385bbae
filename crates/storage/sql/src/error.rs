use std::{fmt, time::Duration};

use url::Url;

use crate::{
    grant::grant_for,
    refusal::{
        is_about_schema, is_beyond_characters, is_lock_timeout, is_poolers, is_read_only_folder,
        is_refusal, is_row_security, missing_grant, mysql_rule,
    },
};

/// Why a value cannot be written, or cannot be what a column holds.
pub type Misfit = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong between us and a database.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The address in the configuration is not one.
    #[error("`{url}` is no database address: {reason}")]
    Address {
        /// The address, without its password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers there, or whoever answers does not let us in.
    #[error("no connection to the database `{url}`: {reason}")]
    NoConnection {
        /// The address, without its password.
        url: String,
        /// What happened.
        reason: Misfit,
    },
    /// The database refused a row that breaks one of its rules.
    #[error("the database refused the row: {kind} constraint {name}")]
    Constraint {
        /// Which sort of rule.
        kind: Constraint,
        /// The rule's name, or what the database said instead of one.
        name: String,
    },
    /// A statement that must change one row changed another number.
    #[error("one row should have changed, {changed} did")]
    NotOneRow {
        /// Rows changed.
        changed: u64,
    },
    /// A row was expected and there is none.
    #[error("the row does not exist")]
    NoRow,
    /// A value that no column can hold, such as a number beyond 64 bits.
    #[error("a value cannot be written: {reason}")]
    Value {
        /// Why not.
        reason: Misfit,
    },
    /// A column of the answer holds something else than it should.
    #[error("the column `{column}` cannot be read: {reason}")]
    Column {
        /// Its name.
        column: String,
        /// What does not fit.
        reason: Misfit,
    },
    /// A SQLite database that no file holds any more cannot be told from its copies.
    #[error("the database's file `{path}` cannot be examined: {source}")]
    NoFile {
        /// Where it was opened; empty for one in memory.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A migration could not be applied, or was changed after it had been.
    #[error("migrating failed: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A migration has left rows behind that refer to none.
    #[error("migrating has left rows that refer to none: put the copy from before back")]
    Orphans,
    /// PostgreSQL would leave rows out for this role without a word, and was told not to.
    #[error(
        "row security may hide rows of this table from this role, so what is seen there would not be \
         all: use a role that it does not hold back (`ALTER ROLE .. BYPASSRLS`, or the table's owner \
         where row security is not forced): {0}"
    )]
    RowSecurity(#[source] sqlx::Error),
    /// MySQL or MariaDB does not let this user do it.
    #[error("{source}: the user needs {grant}")]
    Grant {
        /// What an administrator gives it by.
        grant: String,
        /// What was reported.
        source: sqlx::Error,
    },
    /// Something stands before PostgreSQL that hands each transaction to whichever connection is free.
    #[error(
        "this leads over a pooler in transaction mode, such as pgbouncer, where settings and prepared \
         statements are lost between two statements: let it lead to the database itself, or to the \
         pooler in session mode (`pool_mode = session`): {0}"
    )]
    Pooler(#[source] Misfit),
    /// A SQLite file that is written to by others in WAL mode takes files beside it to be read.
    #[error(
        "the file is in WAL mode, which takes files beside it, and its folder cannot be written to: let \
         the folder be writable, or read a copy, or, if nobody writes to the file meanwhile, add \
         `?immutable=true` to its address: {0}"
    )]
    ReadOnlyFolder(#[source] sqlx::Error),
    /// Somebody writes to a SQLite file, and does not come to an end.
    #[error(
        "the lock of `{path}` was held for {waited:?}: `fuser {path}` tells by which process; if it \
         was stopped, let it go on (`kill -CONT`) or end it (`kill -9`): what it had begun is taken \
         back"
    )]
    Locked {
        /// The file.
        path: String,
        /// How long we have waited for it.
        waited: Duration,
    },
    /// Another session keeps a lock.
    #[error(
        "another session of the database keeps a lock for longer than we wait: find it (PostgreSQL: \
         `SELECT pid, usename, state, query FROM pg_stat_activity WHERE backend_xid IS NOT NULL OR \
         state LIKE 'idle in%'`; MySQL and MariaDB: `SHOW PROCESSLIST`; SQLite: `fuser` with the \
         file's name), and let it come to an end or end it (`SELECT pg_terminate_backend(PID)`, `KILL ID`, \
         `kill PID`): {0}"
    )]
    Held(#[source] sqlx::Error),
    /// It takes what it is told, and says nothing.
    #[error(
        "the database has not answered for {waited:?}: it, or the way to it, stands still; look whether its \
         server runs and answers others, and try again"
    )]
    Silent {
        /// How long we have waited.
        waited: Duration,
    },
    /// Anything else that the database or the way to it reports.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
}

/// The sorts of rules that a row can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// A row with this key exists already.
    Unique,
    /// The row that this one refers to does not exist.
    ForeignKey,
    /// A value outside its permitted set, or absent.
    Check,
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unique => "unique",
            Self::ForeignKey => "foreign key",
            Self::Check => "check",
        })
    }
}

impl From<sqlx::Error> for SqlError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::RowNotFound) {
            return Self::NoRow;
        }
        match constraint(&error) {
            Some((kind, name)) => Self::Constraint { kind, name },
            None if is_lock_timeout(&error) => Self::Held(error),
            None if is_row_security(&error) => Self::RowSecurity(error),
            None if is_poolers(&error) => Self::Pooler(error.into()),
            None if is_read_only_folder(&error) => Self::ReadOnlyFolder(error),
            None => match missing_grant(&error).map(grant_for) {
                Some(grant) => Self::Grant { grant, source: error },
                None => Self::Database(error),
            },
        }
    }
}

fn constraint(error: &sqlx::Error) -> Option<(Constraint, String)> {
    use sqlx::error::ErrorKind;
    let database = error.as_database_error()?;
    let kind = match database.kind() {
        ErrorKind::UniqueViolation => Constraint::Unique,
        ErrorKind::ForeignKeyViolation => Constraint::ForeignKey,
        ErrorKind::CheckViolation | ErrorKind::NotNullViolation => Constraint::Check,
        _ => return None,
    };
    let name = database.constraint().or_else(|| mysql_rule(error));
    let name = name.unwrap_or_else(|| database.message());
    Some((kind, name.to_owned()))
}

impl SqlError {
    /// Whether the database works and will not have this statement with these values: a rule, a
    /// type, a trigger or a grant is against it, and trying again changes nothing.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Constraint { .. } | Self::Grant { .. } => true,
            Self::Database(error) => is_refusal(error),
            _ => false,
        }
    }

    /// Whether a text that it was given has characters that the database has none for: nothing there can
    /// be equal to it.
    #[must_use]
    pub fn is_beyond_characters(&self) -> bool {
        matches!(self, Self::Database(error) if is_beyond_characters(error))
    }

    /// Whether tables or columns are not as the statement takes them to be, or are kept from this role:
    /// it fails until somebody changes that.
    #[must_use]
    pub fn is_about_schema(&self) -> bool {
        match self {
            Self::RowSecurity(_) | Self::Grant { .. } => true,
            Self::Database(error) => is_about_schema(error),
            _ => false,
        }
    }

    /// Whether somebody else holds what the statement needs, and did not let go in time.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Held(_))
    }

    /// That an address is none, without the password that it may hold.
    pub(crate) fn address(url: &str, reason: &impl ToString) -> Self {
        Self::Address { url: without_password(url), reason: reason.to_string() }
    }

    pub(crate) fn no_connection(url: &str, reason: Misfit) -> Self {
        if reason.downcast_ref().is_some_and(is_poolers) {
            return Self::Pooler(reason);
        }
        Self::NoConnection { url: without_password(url), reason }
    }
}

/// A password may stand before the `@`, or among the options behind the `?`. Of what is no address of a
/// server nobody can tell where it stands: only how it begins is shown.
fn without_password(address: &str) -> String {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme);
    match (Url::parse(address), scheme) {
        (_, Some("sqlite")) => address.to_owned(),
        (Ok(url), _) if url.has_host() => shown(&url),
        (_, Some(scheme)) if scheme.chars().all(char::is_alphanumeric) => format!("{scheme}:.."),
        _ => "..".to_owned(),
    }
}

fn shown(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let user = if url.username().is_empty() { "" } else { "..@" };
    let options = if url.query().is_some() { "?.." } else { "" };
    let host = url.host_str().unwrap_or_default();
    format!("{}://{user}{host}{port}{}{options}", url.scheme(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_an_error_shows_no_password() {
        let error = SqlError::address("postgres://me:hunter2@db/site", &"no such option");
        assert_eq!(
            error.to_string(),
            "`postgres://..@db/site` is no database address: no such option"
        );
        for (url, shown) in [
            ("postgres://db/site?user=me&password=hunter2", "postgres://db/site?.."),
            ("postgres://me:hunt?er2@db/site", "postgres:.."),
            ("mysql://me:hunter2@db:3307/site?ssl-mode=required", "mysql://..@db:3307/site?.."),
            ("postgres:/me:hunter2@db/site", "postgres:.."),
            ("mysql:me:hunter2@db", "mysql:.."),
            ("postgres//me:hunter2@db/site", ".."),
            ("host=db password=hunter2", ".."),
            ("sqlite:site.db?mode=ro", "sqlite:site.db?mode=ro"),
            ("sqlite://site.db", "sqlite://site.db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
