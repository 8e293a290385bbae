//! The one way in which a stored password of the site is replaced: intent, swap, settle.
//!
//! What is about to be written is committed here first. Then the site's row is swapped, by
//! compare-and-swap on the hash that was read, and sessions are ended. Then what became of it is
//! recorded. Whoever comes after a crash judges the row by [`look`] and goes on from there. Sealing
//! is such a saga, and so is a new password; each says what to commit and what to record.

use std::collections::BTreeMap;

use directory::{Directory, EndedSessions, ReadError, WriteError};
use instance::{KeyRing, failpoint};
use model::{Account, AccountId, Credential, CredentialNow, SiteRow, StoredHash};

/// What is to stand in the site's row in the place of what stood there when it was read.
#[derive(Debug)]
pub struct Replacement {
    /// Whose row.
    pub account: AccountId,
    /// The hash that must still be there.
    pub old: StoredHash,
    /// The hash that takes its place.
    pub new: StoredHash,
}

/// What the site's row holds after a swap was tried, for each account that was intended.
pub type Swapped = BTreeMap<AccountId, Result<SiteRow, SwapError>>;

/// A change of stored passwords, for some accounts together.
pub trait Saga {
    /// Named moments at which tests let the process die: after the intent, after the swap, and
    /// after sessions were ended.
    const MOMENTS: [&'static str; 3];
    /// What comes of it.
    type Done;
    /// Why it cannot be carried out.
    type Error: From<SwapError>;

    /// Commits what is about to be done, with all that is needed to take it back. Only what is
    /// returned is swapped; the rest has become somebody else's.
    fn intend(&mut self) -> impl Future<Output = Result<Vec<Replacement>, Self::Error>> + Send;

    /// Records what became of it, in one transaction.
    fn settle(
        self,
        swapped: Swapped,
        ended: EndedSessions,
    ) -> impl Future<Output = Result<Self::Done, Self::Error>> + Send;
}

/// Carries a saga out. An account whose row cannot be written or read holds no other one up: its
/// saga is told, and the intent stands for another attempt to judge.
///
/// # Errors
/// The saga's error.
pub async fn carry_out<S: Saga>(
    keys: &KeyRing,
    directory: &dyn Directory,
    mut saga: S,
) -> Result<S::Done, S::Error> {
    let intended = saga.intend().await?;
    failpoint::reach(S::MOMENTS[0]).await;
    let mut swapped = Swapped::new();
    for replacement in intended {
        let row = swap(keys, directory, &replacement).await;
        swapped.insert(replacement.account, row);
    }
    failpoint::reach(S::MOMENTS[1]).await;
    let ended = end_sessions(directory, &swapped).await?;
    failpoint::reach(S::MOMENTS[2]).await;
    saga.settle(swapped, ended).await
}

/// Whatever anybody else has put into the row meanwhile stays.
async fn swap(
    keys: &KeyRing,
    directory: &dyn Directory,
    replacement: &Replacement,
) -> Result<SiteRow, SwapError> {
    let Replacement { account, old, new } = replacement;
    if directory.replace_if(account, old, new).await? {
        return Ok(SiteRow::Ours);
    }
    // Somebody was quicker: the owner, or another worker with the same intent.
    let now = look(directory, keys, account).await?;
    let version = |hash: &StoredHash| Credential::from(hash.clone()).version(keys);
    Ok(SiteRow::classify(now, version(old), version(new)))
}

async fn end_sessions(
    directory: &dyn Directory,
    swapped: &Swapped,
) -> Result<EndedSessions, SwapError> {
    let ours = swapped.iter().filter(|(_, row)| matches!(row, Ok(SiteRow::Ours)));
    let ours: Vec<_> = ours.map(|(account, _)| account.clone()).collect();
    if ours.is_empty() {
        return Ok(EndedSessions::default());
    }
    Ok(directory.end_sessions(&ours).await?)
}

/// What the site holds for an account now.
///
/// # Errors
/// [`ReadError`] if the directory fails: then nothing is known.
pub async fn look(
    directory: &dyn Directory,
    keys: &KeyRing,
    account: &AccountId,
) -> Result<CredentialNow, ReadError> {
    let found = directory.by_ids(std::slice::from_ref(account)).await?;
    Ok(credential_of(keys, found.first()))
}

/// What the site held for an account when it was read.
#[must_use]
pub fn credential_of(keys: &KeyRing, account: Option<&Account>) -> CredentialNow {
    match account.map(|account| account.credential.as_ref()) {
        None => CredentialNow::Gone,
        Some(None) => CredentialNow::Empty,
        Some(Some(now)) => CredentialNow::Present(now.version(keys)),
    }
}

/// Why it is not known whether a row was swapped.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// The directory could not be written to.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}
