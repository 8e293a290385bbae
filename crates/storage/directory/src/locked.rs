//! One account's row, held so that nobody else can change it.

use model::{Credential, SiteTransaction, StoredHash};

use crate::failure::Writing;

/// A row that nobody else can change until this ends. Dropping it rolls back.
pub trait LockedRow: Send {
    /// What it held when it was locked.
    fn now(&self) -> &RowNow;

    /// Whether the site let the account in when the row was locked; true where it does not record it.
    fn is_active(&self) -> bool;

    /// Puts `new` in the place of the hash that [`LockedRow::now`] shows, to last from
    /// [`LockedRow::commit`] on.
    ///
    /// Nothing but the hash is written: a site that records when a hash changed means the person's
    /// own change by it, and often does so itself, in a trigger.
    ///
    /// Roll back after any error. It is [`WriteError::NoHash`](crate::WriteError::NoHash) if the row
    /// holds none.
    fn replace<'a>(&'a mut self, new: &'a StoredHash) -> Writing<'a, ()>;

    /// By what [`Directory::fate`](crate::Directory::fate) knows this change later on. `None` where
    /// the database keeps no record of its transactions, or there is no row.
    fn transaction(&self) -> Option<SiteTransaction>;

    /// Makes the change last. After an error the connection may have broken while the database was
    /// already done: nothing is known then.
    fn commit(self: Box<Self>) -> Writing<'static, ()>;

    /// Takes the change back, and waits for it.
    fn roll_back(self: Box<Self>) -> Writing<'static, ()>;
}

/// What a row holds at one moment.
#[derive(Debug, Clone)]
pub enum RowNow {
    /// There is no such account.
    Gone,
    /// The account has no password.
    Empty,
    /// The stored hash.
    Holds(StoredHash),
}

impl RowNow {
    /// Whether it is exactly this hash.
    #[must_use]
    pub fn is(&self, hash: &StoredHash) -> bool {
        matches!(self, Self::Holds(now) if now.expose() == hash.expose())
    }

    /// The row of an account that exists, by its hash.
    #[must_use]
    pub fn of(hash: Option<StoredHash>) -> Self {
        hash.map_or(Self::Empty, Self::Holds)
    }

    /// The row of an account, by what was read of it.
    pub(crate) fn of_credential(credential: Option<Credential>) -> Self {
        Self::of(credential.map(Credential::into_hash))
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionFate {
    /// What it did lasted, whatever has been written over it since.
    Committed,
    /// It did nothing.
    Aborted,
    /// It is under way, too long ago, or another database's.
    Unknown,
}
