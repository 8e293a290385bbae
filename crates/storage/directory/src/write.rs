use model::{AccountId, StoredHash};
use sql::{Db, Query, SqlError, Statement, Tx};

use crate::{Directory, Sessions};

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
        let (update, select) = self.mapping.replacement().ok_or(WriteError::Query)?;
        if !self.id_type.holds(id) {
            return Ok(false);
        }
        let id_type = self.id_type.in_sql();
        let update = update.with_list_as(&id_type, 2, 1);
        let select = select.with_list_as(&id_type, 0, 1);
        Swap { id, expected, new, update, select }.run(write).await
    }

    /// Whether there is a connection for writing.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        self.write.is_some()
    }

    /// Whether [`end_sessions`](Self::end_sessions) signs people out, or leaves that to the site.
    #[must_use]
    pub fn ends_sessions(&self) -> bool {
        self.mapping.sessions != Sessions::Untouched
    }

    /// Whether the site records who has proved to own their address.
    #[must_use]
    pub const fn records_verified(&self) -> bool {
        self.mapping.columns.email_verified.is_some()
    }
}

/// One hash for another.
struct Swap<'a> {
    id: &'a AccountId,
    expected: &'a StoredHash,
    new: &'a StoredHash,
    update: Statement,
    select: Statement,
}

impl Swap<'_> {
    /// Whether exactly this account's row changed. Anything else is taken back.
    async fn run(self, write: &Db) -> Result<bool, WriteError> {
        let failed = |error| self.failed(&error);
        let mut tx = write.begin().await.map_err(failed)?;
        let changed = self.change(&mut tx).await.map_err(failed)?;
        if self.is_done(&changed)? {
            tx.commit().await.map_err(failed)?;
            return Ok(true);
        }
        let held = self.look(&mut tx).await.map_err(failed)?;
        if held.iter().any(|row| self.is_expected(row)) {
            return Err(WriteError::Untouched { id: self.id.clone() });
        }
        Ok(false)
    }

    async fn change(&self, tx: &mut Tx) -> Result<Vec<IdAndHash>, SqlError> {
        let hashes = [self.new, self.expected].map(|hash| hash.expose().to_owned());
        let query = hashes.into_iter().fold(tx.run(&self.update), Query::bind);
        query.bind(self.id.as_str().to_owned()).all().await
    }

    /// Asked over the same connection: what is read elsewhere may be a copy that lags behind.
    async fn look(&self, tx: &mut Tx) -> Result<Vec<IdAndHash>, SqlError> {
        tx.run(&self.select).bind(self.id.as_str().to_owned()).all().await
    }

    fn is_done(&self, changed: &[IdAndHash]) -> Result<bool, WriteError> {
        let id = || self.id.clone();
        match changed {
            [] => Ok(false),
            // The database may think two ids equal that are two texts.
            [(changed, _)] if changed != self.id.as_str() => Ok(false),
            [(_, hash)] if hash.as_deref() != Some(self.new.expose()) => {
                Err(WriteError::Altered { id: id() })
            }
            [_] => Ok(true),
            _ => Err(WriteError::Repeated { id: id(), rows: changed.len() }),
        }
    }

    fn is_expected(&self, (id, hash): &IdAndHash) -> bool {
        id == self.id.as_str() && hash.as_deref() == Some(self.expected.expose())
    }

    /// Databases quote what they refuse, and a site's trigger can say anything.
    fn failed(&self, error: &SqlError) -> WriteError {
        let hashes = [self.expected, self.new];
        let reason = error.to_string();
        let reason =
            hashes.iter().fold(reason, |reason, hash| reason.replace(hash.expose(), "(a hash)"));
        WriteError::Hash { id: self.id.clone(), reason }
    }
}

/// A row of the site's table, as it is now.
type IdAndHash = (String, Option<String>);

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
}
