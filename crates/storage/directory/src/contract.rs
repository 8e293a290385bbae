use std::{fmt, future, ops::AddAssign};

use futures_util::stream::{self, BoxStream};
use model::{Account, AccountId, Credential, SiteTransaction};
use serde::Serialize;

use crate::{
    failure::{ReadError, Reading, WriteError, Writing},
    locked::{LockedRow, RowNow, TransactionFate},
    report::{DirectoryReport, Kinship, WriteGrant},
};

/// The site's accounts, wherever they are kept.
///
/// Futures and streams are boxed, so that no connector is compiled once more in each of its
/// callers.
pub trait Directory: fmt::Debug + Send + Sync {
    /// What it can do. It is the same for as long as it is open.
    fn capabilities(&self) -> Capabilities;

    /// How many accounts there are.
    fn count(&self) -> Reading<'_, u64>;

    /// Every account, in no order; any number fits in memory.
    ///
    /// It shows one state of the accounts. A database holds that state's read transaction open
    /// meanwhile, so take the accounts as fast as they come.
    fn scan(&self) -> AccountStream<'_>;

    /// The accounts that changed since a mark, and the mark to ask with next time. Some that did
    /// not change may be among them, so the caller compares.
    ///
    /// Without a mark there are no accounts, only where to begin: whoever watches accounts takes
    /// the mark first, looks at all of them, and from then on asks what has changed.
    ///
    /// Those with the very time of the mark come again, and so do those shortly before it: a
    /// transaction may commit after another one whose time is later, clocks of several hosts
    /// differ, and local time repeats an hour in autumn. [`CHANGE_OVERLAP_SECONDS`] is how far it
    /// reaches back. A change that becomes visible later than that is missed, so look at all
    /// accounts now and then.
    ///
    /// Fails with [`ReadError::NoChanges`] without [`Ability::TellChanges`].
    ///
    /// [`CHANGE_OVERLAP_SECONDS`]: crate::limits::CHANGE_OVERLAP_SECONDS
    fn changed_since<'a>(&'a self, mark: Option<&'a ChangeMark>) -> Reading<'a, Changes<'a>>;

    /// These accounts, by id. An id that nobody has is passed over; one that two accounts share is
    /// [`ReadError::Repeated`].
    fn by_ids<'a>(&'a self, ids: &'a [AccountId]) -> Reading<'a, Vec<Account>>;

    /// The accounts that somebody may mean by what they typed: those with one of these addresses,
    /// which must be given in lower case, or usernames.
    ///
    /// What a database takes for equal is not always the same address to a mail server: the caller
    /// looks again.
    fn by_names<'a>(&'a self, names: &'a [String]) -> Reading<'a, Vec<Account>>;

    /// Holds this account's row, so that nobody else changes it until the answer is committed,
    /// rolled back or dropped. Whoever has changed it before is waited for, and what they left there
    /// is what [`LockedRow::now`] shows.
    ///
    /// It goes over the connection that writes: any other may lead to a replica that lags behind.
    fn lock<'a>(&'a self, account: &'a AccountId) -> Writing<'a, Box<dyn LockedRow>>;

    /// What the row holds, asked over the connection that writes, if there is one, without waiting
    /// for anybody. It may change at any moment.
    fn look<'a>(&'a self, account: &'a AccountId) -> Reading<'a, RowNow>;

    /// The account with what its row holds now, by [`Directory::look`]; `None` if it is gone. Whoever
    /// decides by a stored hash decides by this one: what was read may be a replica's that lags.
    fn renew(&self, account: Account) -> Reading<'_, Option<Account>> {
        Box::pin(async move {
            let row = self.look(&account.id).await?;
            let credential = match row {
                RowNow::Gone => return Ok(None),
                RowNow::Empty => None,
                RowNow::Holds(hash) => Some(Credential::from(hash)),
            };
            Ok(Some(Account { credential, ..account }))
        })
    }

    /// What became of a transaction that [`LockedRow::transaction`] named, asked over the connection
    /// that writes.
    fn fate<'a>(&'a self, of: &'a SiteTransaction) -> Reading<'a, TransactionFate>;

    /// Signs these people out everywhere. Without [`Ability::EndSessions`] that is left to the
    /// site, and nothing happens.
    ///
    /// An empty list is [`WriteError::Nobody`]. After any error all
    /// sessions are as before.
    fn end_sessions<'a>(&'a self, ids: &'a [AccountId]) -> Writing<'a, EndedSessions>;

    /// Whether hashes can be replaced and sessions ended: tried on nobody, and nothing is changed.
    fn try_write(&self) -> Reading<'_, WriteGrant>;

    /// Whether what is written stands where it is read. A directory with one connection has one
    /// database.
    fn kinship(&self) -> Reading<'_, Kinship> {
        Box::pin(future::ready(Ok(Kinship::One)))
    }

    /// Whether a rehearsal may write: the place of each table that is written to says of itself that
    /// it is for rehearsals, so that nobody signs in there.
    fn try_rehearsal(&self) -> Reading<'_, Result<(), WriteError>> {
        Box::pin(future::ready(Ok(Err(WriteError::NotConfigured))))
    }

    /// Reads every account, and tries whether writing would be let through.
    ///
    /// Fails with the first thing that a campaign would stumble over.
    fn check(&self) -> Reading<'_, DirectoryReport>;
}

/// Accounts as they come.
pub type AccountStream<'a> = BoxStream<'a, Result<Account, ReadError>>;

/// One thing that a directory can do, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ability {
    /// Accounts can be read.
    Read,
    /// Hashes can be replaced, where people sign in with them or in a rehearsal.
    Seal,
    /// [`Directory::end_sessions`] signs people out.
    EndSessions,
    /// The site records the addresses to which people can be told.
    Tell,
    /// The site records who has proved to own their address.
    RecordVerified,
    /// [`Directory::changed_since`] answers.
    TellChanges,
    /// The accounts and the store are one file with one writer: while a row is locked, nothing can be
    /// written to the store.
    SharesStore,
}

/// What a directory can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities(u8);

impl Capabilities {
    /// Reading: what every directory can.
    pub const READ: Self = Self(1 << Ability::Read as u8);

    /// One more, if so.
    #[must_use]
    pub const fn with_if(self, so: bool, ability: Ability) -> Self {
        if so { Self(self.0 | 1 << ability as u8) } else { self }
    }

    /// Whether this is among them.
    #[must_use]
    pub const fn can(self, ability: Ability) -> bool {
        self.0 & (1 << ability as u8) != 0
    }
}

/// Up to where changes have been seen. Only the directory that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeMark(String);

impl ChangeMark {
    /// A mark that was kept as text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What has changed.
pub struct Changes<'a> {
    /// The mark to ask with next time, once all the accounts are dealt with.
    pub mark: ChangeMark,
    /// The accounts as they are now.
    pub accounts: AccountStream<'a>,
}

impl Changes<'_> {
    /// No account, and where to begin.
    pub(crate) fn none_yet(mark: ChangeMark) -> Self {
        Self { mark, accounts: Box::pin(stream::empty()) }
    }
}

impl fmt::Debug for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("mark", &self.mark).finish_non_exhaustive()
    }
}

/// What became of the sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EndedSessions {
    /// Rows deleted.
    pub deleted: u64,
    /// Rows of whatever account that could not be decoded, and were left: another serializer.
    pub unreadable: u64,
}

impl AddAssign for EndedSessions {
    fn add_assign(&mut self, more: Self) {
        self.deleted += more.deleted;
        self.unreadable += more.unreadable;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_can_what_it_was_given() {
        let some = Capabilities::READ
            .with_if(true, Ability::TellChanges)
            .with_if(false, Ability::Seal)
            .with_if(true, Ability::Tell);
        let all = [Ability::Read, Ability::Tell, Ability::TellChanges];
        assert!(all.into_iter().all(|ability| some.can(ability)));
        let none = [Ability::Seal, Ability::EndSessions, Ability::RecordVerified];
        assert!(!none.into_iter().any(|ability| some.can(ability)));
    }
}
