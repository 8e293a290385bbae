use futures_util::future::BoxFuture;
use model::AccountId;
use sql::SqlError;

use crate::row::RowFault;

/// Why a directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody could be found in a leak.
    #[error("neither `directory.columns.email` nor `directory.columns.username` is set: set one")]
    NoIdentifier,
    /// The site's statement does not say whose sessions it ends.
    #[error(
        "`directory.sessions.statement` would end everybody's sessions: write `{{id}}` where the \
         account's id belongs, in each of several statements"
    )]
    EndsEverySession,
    /// No connector knows what is there.
    #[error("`directory.url` begins with none of {known}")]
    Scheme {
        /// How it may begin.
        known: String,
    },
    /// The database does not answer or does not let us in.
    #[error("`{setting}` could not be opened: {source}")]
    Connect {
        /// Which address.
        setting: &'static str,
        /// What was reported.
        source: SqlError,
    },
    /// Rows could be hidden from us without a word, and writing would not be refused.
    #[error(
        "`directory.url` leads over something that drops the settings of a connection, such as a \
         pooler: rows that row security hides would be left out without a word, and moments be read \
         in another time zone. Let it lead to the database itself"
    )]
    Settings,
    /// The table does not exist, or the query is wrong.
    #[error("`{setting}` cannot be read: {source}")]
    Source {
        /// Which of the two.
        setting: &'static str,
        /// What was reported.
        source: SqlError,
    },
    /// A column does not exist.
    #[error(
        "`{setting}` is `{name}`, which is none of the columns: {existing}; an empty name leaves out \
         what the site does not record"
    )]
    Column {
        /// The setting.
        setting: String,
        /// What it says.
        name: String,
        /// What there is instead.
        existing: String,
    },
    /// An id, read as text, does not lead back to its account.
    #[error(
        "account {id} is not found by its id: set `directory.query` to a SELECT that makes the id \
         a text, a number or a UUID"
    )]
    NotFoundAgain {
        /// The account tried.
        id: AccountId,
    },
    /// No text can be compared with an id.
    #[error(
        "`directory.columns.id` is `{name}`, of the type {type_name}, and no account can be looked up by it: set \
         `directory.query` to a SELECT that makes the id a text, a number or a UUID ({source})"
    )]
    IdType {
        /// The column.
        name: String,
        /// In the database's words.
        type_name: String,
        /// What was reported.
        source: Box<SqlError>,
    },
    /// The first account that was read is faulty.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why accounts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database or the way to it failed.
    #[error("the directory could not be read: {0}")]
    Database(#[from] SqlError),
    /// Whatever else keeps the accounts failed.
    #[error("the directory could not be read: {0}")]
    Keeper(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody can tell from the accounts which ones have changed.
    #[error("the directory does not tell what has changed: set `directory.columns.changed_at`")]
    NoChanges,
    /// What was kept of an earlier look belongs to another column.
    #[error(
        "`{mark}` is no moment to count back from: `directory.columns.changed_at` names another \
         column than before, or one whose form is unknown"
    )]
    Mark {
        /// The mark, shortened.
        mark: String,
    },
    /// A row is no account.
    #[error("{0}: correct the row, or change `directory.columns.{field}`", field = .0.field())]
    Row(#[from] RowFault),
    /// A line of an export is no account.
    #[error("{0}")]
    Line(String),
    /// Acting on one of them would be acting on both.
    #[error("two accounts have the id {id}: `directory.columns.id` must name a unique column")]
    Repeated {
        /// The id that they share.
        id: AccountId,
    },
}

impl ReadError {
    /// Whether it is about one row, which is no account: the others can be read.
    #[must_use]
    pub const fn is_of_row(&self) -> bool {
        matches!(self, Self::Row(_) | Self::Line(_))
    }
}

/// Why nothing was written to the site's database.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Reading is one grant, writing another.
    #[error(
        "Countersign may only read the directory: to let it write, set `directory.write_url` to a \
         role that may"
    )]
    NotConfigured,
    /// Nobody signs in with what a copy holds.
    #[error("these accounts are a copy, and can only be read: sealing takes the site's own table")]
    Copy,
    /// Whoever rehearses seals in earnest.
    #[error(
        "this instance is a rehearsal, and `{setting}` leads to {place}, which does not say that it \
         is for rehearsals: people may sign in there. If it is a copy that nobody uses, make a table \
         in it that the role of `directory.write_url` may read: \
         CREATE TABLE {place}.countersign_rehearsal (why TEXT)"
    )]
    NotForRehearsals {
        /// What names the table that would be written to.
        setting: &'static str,
        /// The schema, or the database, in which that stands.
        place: String,
    },
    /// What is written there may be kept anywhere.
    #[error(
        "this instance is a rehearsal, and `{setting}` names, or leads to, {kind}: whether people \
         sign in with what is written there cannot be told. Let it name an ordinary table, in a copy \
         that nobody uses"
    )]
    Elsewhere {
        /// What names it.
        setting: &'static str,
        /// What it is.
        kind: String,
    },
    /// Nobody knows which table a query's hash came from.
    #[error(
        "where hashes that `directory.query` reads are replaced is not known: set \
         `directory.write.table` and `directory.write.id`"
    )]
    Query,
    /// An empty list never means everybody.
    #[error("no account was named: name at least one")]
    Nobody,
    /// The database refused, or failed.
    #[error(
        "the sessions could not be ended: {0}; `countersign doctor` tells whether \
         `directory.sessions` fits and whether the role of `directory.write_url` may do it"
    )]
    Sessions(#[source] SqlError),
    /// Whoever holds the row did not let go in time.
    #[error("somebody else holds the row of account {id} in the site's database: {reason}")]
    Held {
        /// Whose.
        id: AccountId,
        /// What the database reported.
        reason: String,
    },
    /// The database refused to lock the row, or failed.
    #[error(
        "the row of account {id} could not be locked: {reason}; `countersign doctor` tells whether \
         the role of `directory.write_url` may do it"
    )]
    Lock {
        /// Whose.
        id: AccountId,
        /// What the database reported.
        reason: String,
    },
    /// Locks on a copy hold nobody back, and what it holds may be old.
    #[error(
        "`directory.write_url` leads to a standby, which cannot be written to: let it lead to the \
         primary"
    )]
    Standby,
    /// What is changed there cannot be taken back, or nobody can tell whether it can.
    #[error(
        "`directory.table` is {table}, whose rows cannot be held while they are changed, nor be put \
         back: let it name a table of the engine InnoDB (`ALTER TABLE .. ENGINE = InnoDB`). Reading \
         works as it is"
    )]
    Unholdable {
        /// What it is.
        table: String,
    },
    /// The row is gone, or the account has no password.
    #[error("account {id} has no hash to replace")]
    NoHash {
        /// Whose.
        id: AccountId,
    },
    /// The database will not have this change of this row.
    #[error("the database refused to replace the hash of account {id}: {reason}")]
    Refused {
        /// Whose.
        id: AccountId,
        /// What the database reported, without the hashes.
        reason: String,
    },
    /// The row does not say what its columns should.
    #[error("{0}: correct the row, or change `directory.columns.{field}`", field = .0.field())]
    Row(#[from] RowFault),
    /// The database failed.
    #[error(
        "the hash of account {id} could not be replaced: {reason}; `countersign doctor` tells \
         whether the role of `directory.write_url` may do it"
    )]
    Hash {
        /// Whose.
        id: AccountId,
        /// What the database reported, without the hashes. Nothing else of its report is kept:
        /// PostgreSQL shows whole rows there.
        reason: String,
    },
    /// Whatever else keeps the accounts refused, or failed.
    #[error("the account could not be changed: {0}")]
    Keeper(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Acting on one of them would be acting on all.
    #[error(
        "{rows} rows have the id {id}, so none was changed: `directory.columns.id` \
         must name a unique column"
    )]
    Repeated {
        /// The id that they share.
        id: AccountId,
        /// How many there are.
        rows: usize,
    },
    /// Old and new hash were not read by the same settings.
    #[error(
        "account {id} holds no hash of several columns as the new one is: put \
         `directory.columns.hash` and `directory.hash.columns` back as they were, or correct the row"
    )]
    Unfit {
        /// Whose.
        id: AccountId,
    },
    /// The account could neither sign in with the new hash, nor would we know it again.
    #[error(
        "the database keeps another hash for account {id} than it was given, so nothing was \
         changed: look at the type of `directory.columns.hash` and at the table's triggers"
    )]
    Altered {
        /// Whose.
        id: AccountId,
    },
    /// No change of anybody's, and none of ours.
    #[error(
        "account {id} holds the expected hash, and yet the database did not replace it: no trigger, \
         rule or view may hold the role of `directory.write_url` back"
    )]
    Untouched {
        /// Whose.
        id: AccountId,
    },
}

impl WriteError {
    /// Whether a rehearsal must not write there, rather than something being wrong.
    #[must_use]
    pub const fn is_of_rehearsal(&self) -> bool {
        matches!(self, Self::NotForRehearsals { .. } | Self::Elsewhere { .. })
    }

    /// Whether it is about this one row, as far as it can tell: the same change of another one may be
    /// let through.
    #[must_use]
    pub const fn is_of_row(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::Altered { .. }
                | Self::Unfit { .. }
                | Self::Untouched { .. }
                | Self::Repeated { .. }
        )
    }
}

/// An answer to come from whoever keeps the accounts.
pub type Reading<'a, T> = BoxFuture<'a, Result<T, ReadError>>;

/// What will have come of a change of accounts.
pub type Writing<'a, T> = BoxFuture<'a, Result<T, WriteError>>;
