use model::{LeakId, LeakName, LeakState, Unbalanced};
use sql::{BoxFuture, SqlError};

use crate::{JobId, KeyRotated, NotOneRow, UnreadableRow, WorkerName};

/// What a method of the store will answer.
///
/// It is boxed, so that the method is compiled in this crate and not in each that awaits it.
pub type StoreFuture<'c, T> = BoxFuture<'c, Result<T, StoreError>>;

/// Why the store could not do something. A transaction that met one is to be dropped.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What the database or the way to it reports, refused rows included.
    #[error(transparent)]
    Sql(SqlError),
    /// Not every name of a person or a file could be kept.
    #[error(
        "the store's database keeps texts in the encoding {encoding}, which does not have every character: make \
         another one (`CREATE DATABASE .. ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0`), and let `store.url` \
         lead there"
    )]
    Encoding {
        /// What the database calls it.
        encoding: String,
    },
    /// Whatever is read from such a row cannot be trusted.
    #[error("{0}")]
    Unreadable(
        /// Found in an error's sources by whoever ends the program.
        #[source]
        UnreadableRow,
    ),
    /// Two leaks of one name could not be told apart in a notice.
    #[error("there is a leak called `{name}` already: choose another name")]
    NameTaken {
        /// The name asked for.
        name: LeakName,
    },
    /// A leak without files would be screened without finding anybody.
    #[error("the leak `{name}` has no files")]
    NoFiles {
        /// The leak's name.
        name: LeakName,
    },
    /// No such leak.
    #[error("leak {leak} does not exist")]
    NoSuchLeak {
        /// Its id.
        leak: LeakId,
    },
    /// Somebody else has moved the leak on, or it is not so far.
    #[error("leak {leak} should be {expected}, but is {found}")]
    LeakMoved {
        /// Its id.
        leak: LeakId,
        /// The state that the caller took it to be in.
        expected: LeakState,
        /// The state that it is in.
        found: LeakState,
    },
    /// Lines can be numbered only when all of them have been counted.
    #[error("leak {leak} has {open} pieces that are not screened yet")]
    PiecesOpen {
        /// The leak.
        leak: LeakId,
        /// How many are not done.
        open: u64,
    },
    /// A piece's result does not account for all of its lines.
    #[error(transparent)]
    Unbalanced(#[from] Unbalanced),
    /// The lease ran out and somebody else has the job, or it is done already.
    #[error("worker {owner} has lost job {job}, which it took at attempt {attempt}")]
    LeaseLost {
        /// The job.
        job: JobId,
        /// Who held the lease.
        owner: WorkerName,
        /// Which attempt the lease was for.
        attempt: i64,
    },
    /// Somebody else has appended to the log since its size was read.
    #[error("the log should hold {expected} entries, but holds {found}")]
    LogMoved {
        /// The size that the caller took it to have.
        expected: u64,
        /// The size that it has.
        found: u64,
    },
    /// The log's size stays as it is, whatever is written.
    #[error(
        "the database keeps the size of the audit log at {size}: a trigger or a rule that is none of ours \
         stands in the way, and nothing can be recorded until it is gone"
    )]
    LogStuck {
        /// Entries that the log has.
        size: u64,
    },
    /// Somebody else has added an entry, beside the log's size.
    #[error(
        "an entry stands beyond the {size} of the audit log: somebody else has written to the store, \
         and nothing can be recorded until it is gone"
    )]
    LogOccupied {
        /// Entries that the log has.
        size: u64,
    },
    /// Another instance key is in force.
    #[error("{0}")]
    KeyRotated(
        /// Found in an error's sources by whoever ends the program.
        #[from]
        KeyRotated,
    ),
    /// Another program has changed the schema.
    #[error(
        "the column `{column}` of the table {table} is of the type {type_name}, which is none of ours"
    )]
    StrangeColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// Its type, in the database's own words.
        type_name: String,
    },
    /// A table is gone, or somebody has changed it or what this role may do.
    #[error(
        "the store's tables are not as Countersign has made them, or kept from this role: somebody else \
         has changed the store, and nothing goes on until they are put back: {0}"
    )]
    Tables(#[source] SqlError),
    /// A table that always has one row has none, or several.
    #[error("{0}")]
    NotOneRow(
        /// Found in an error's sources by whoever ends the program.
        #[from]
        NotOneRow,
    ),
    /// A row does not hold what was written to it.
    #[error(
        "a row of the store does not take what is written to it ({changed} rows changed, and not one): \
         somebody else has put a trigger or a rule on the store, or taken the row away. \
         `countersign campaign halt --all` keeps workers from beginning anything all the same, by the \
         audit log"
    )]
    NotTaken {
        /// Rows changed.
        changed: u64,
    },
    /// The log's tree is not whole.
    #[error("the log's hash {position} is not there")]
    HashMissing {
        /// Which one.
        position: u64,
    },
}

impl StoreError {
    /// Whether a row holds what no column of ours can mean: this version has not written it.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }

    /// Whether somebody else has written to the store: a row is gone, cannot be read, or is one too many,
    /// or a table is not ours any more.
    #[must_use]
    pub const fn is_of_strangers(&self) -> bool {
        matches!(
            self,
            Self::NotOneRow(_)
                | Self::NotTaken { .. }
                | Self::Unreadable(_)
                | Self::LogOccupied { .. }
                | Self::LogStuck { .. }
                | Self::Tables(_)
        )
    }

    /// Whether trying again changes nothing: see [`SqlError::is_refusal`].
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Sql(error) => error.is_refusal(),
            Self::KeyRotated(_) => true,
            _ => self.is_of_strangers(),
        }
    }
}

/// A row that is always there, and that nobody else moves meanwhile, takes what is written to it.
pub(crate) fn not_taken(error: SqlError) -> StoreError {
    match error {
        SqlError::NotOneRow { changed } => StoreError::NotTaken { changed },
        error => error.into(),
    }
}

impl From<SqlError> for StoreError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Column { column, reason } => {
                Self::Unreadable(UnreadableRow { column, reason })
            }
            error if error.is_about_schema() => Self::Tables(error),
            error => Self::Sql(error),
        }
    }
}
