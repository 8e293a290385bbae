use model::{AccountId, StoredHash};
use sql::{Db, SqlError, Statement};

use crate::{Directory, ReadError};

impl Directory {
    /// Puts `new` in the place of `expected`, if that is what the account's row holds now; whether
    /// it did. Whatever anybody else has put there meanwhile stays.
    ///
    /// Nothing but the hash is written: a site that records when a hash changed means the person's
    /// own change by it, and often does so itself, in a trigger.
    ///
    /// # Errors
    /// [`WriteError`]. After [`WriteError::Hash`] the connection may have broken while the database
    /// was already done: read the account again and compare. After any other error the row is as it
    /// was.
    pub async fn replace_hash(
        &self,
        id: &AccountId,
        expected: &StoredHash,
        new: &StoredHash,
    ) -> Result<bool, WriteError> {
        let write = self.write.as_ref().ok_or(WriteError::NotConfigured)?;
        let text = self.mapping.replacement().ok_or(WriteError::Query)?;
        if !self.id_type.holds(id) {
            return Ok(false);
        }
        let text = text.with_list_as(&self.id_type.in_sql(), 2, 1);
        let swap = Swap { id, expected, new };
        let replaced = swap.run(write, &text).await?;
        if !replaced && self.holds(id, expected).await? {
            return Err(WriteError::Untouched { id: id.clone() });
        }
        Ok(replaced)
    }

    /// Whether there is a connection for writing.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        self.write.is_some()
    }

    /// Whether the site records who has proved to own their address.
    #[must_use]
    pub const fn records_verified(&self) -> bool {
        self.mapping.columns.email_verified.is_some()
    }

    async fn holds(&self, id: &AccountId, expected: &StoredHash) -> Result<bool, ReadError> {
        let accounts = self.by_ids(std::slice::from_ref(id)).await?;
        let mut hashes = accounts.iter().filter_map(|account| account.hash.as_ref());
        Ok(hashes.any(|hash| hash.expose() == expected.expose()))
    }
}

/// One hash for another.
#[derive(Clone, Copy)]
struct Swap<'a> {
    id: &'a AccountId,
    expected: &'a StoredHash,
    new: &'a StoredHash,
}

impl Swap<'_> {
    /// Whether exactly this account's row changed. Anything else is taken back.
    async fn run(self, write: &Db, text: &Statement) -> Result<bool, WriteError> {
        let failed = |error| self.failed(&error);
        let mut tx = write.begin().await.map_err(failed)?;
        let values = [self.new.expose(), self.expected.expose(), self.id.as_str()];
        let query = values.iter().fold(tx.run(text), |query, text| query.bind((*text).to_owned()));
        let rows = query.all().await.map_err(failed)?;
        let replaced = self.is_done(&rows)?;
        if replaced {
            tx.commit().await.map_err(failed)?;
        }
        Ok(replaced)
    }

    fn is_done(self, rows: &[Changed]) -> Result<bool, WriteError> {
        let id = || self.id.clone();
        match rows {
            [] => Ok(false),
            // The database may think two ids equal that are two texts.
            [(changed, _)] if changed != self.id.as_str() => Ok(false),
            [(_, hash)] if hash.as_deref() != Some(self.new.expose()) => {
                Err(WriteError::Altered { id: id() })
            }
            [_] => Ok(true),
            _ => Err(WriteError::Repeated { id: id(), rows: rows.len() }),
        }
    }

    /// Databases quote what they refuse, and a site's trigger can say anything.
    fn failed(self, error: &SqlError) -> WriteError {
        let hashes = [self.expected, self.new];
        let reason = error.to_string();
        let reason =
            hashes.iter().fold(reason, |reason, hash| reason.replace(hash.expose(), "(a hash)"));
        WriteError::Hash { id: self.id.clone(), reason }
    }
}

/// Id and hash of a row as they are now.
type Changed = (String, Option<String>);

/// Why nothing was written to the site's database.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Reading is one grant, writing another.
    #[error(
        "Countersign may only read the directory: to let it write, set `directory.write_url` to a \
         role that may"
    )]
    NotConfigured,
    /// Nobody knows which table a query's hash came from.
    #[error(
        "hashes that `directory.query` reads cannot be replaced: set `directory.table` instead"
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
    /// The database refused, or failed.
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
    /// Acting on one of them would be acting on all.
    #[error(
        "{rows} rows have the id {id} and one hash, so none was changed: `directory.columns.id` \
         must name a unique column"
    )]
    Repeated {
        /// The id that they share.
        id: AccountId,
        /// How many there are.
        rows: usize,
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
        "account {id} holds the expected hash, and yet the database did not replace it: \
         `directory.columns.hash` must hold text, and no trigger or row policy may hold the role \
         of `directory.write_url` back"
    )]
    Untouched {
        /// Whose.
        id: AccountId,
    },
    /// Whether somebody else's change came first could not be told. Nothing was changed.
    #[error(transparent)]
    Read(#[from] ReadError),
}
