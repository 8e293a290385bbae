//! The one way in which a stored password of the site is replaced: intent, swap, settle.
//!
//! What is about to be written is committed here first. Then the site's row is locked over the
//! connection that writes, and swapped if it still holds what was read; before that is committed
//! there, the intent is asked for once more here: a halt, or another worker that has taken the swap
//! over, stops it. Then sessions are ended, and what became of it is recorded.
//!
//! Whoever takes a swap over raises its attempt first, and asks for the row's lock afterwards. So
//! either the attempt before was let through while it held the lock, and its end is waited for; or
//! it is not let through any more. No clock and no lease decides that.

use std::{collections::BTreeMap, slice};

use campaign::{PassedAttempt, SwapEnd, judge_swap};
use directory::{
    Ability, Directory, EndedSessions, LockedRow, RowNow, TransactionFate, WriteError,
};
use instance::{
    Instance, KeyRing,
    failpoint::{self, mutant},
};
use model::{
    Account, AccountId, Credential, CredentialNow, CredentialVersion, SiteRow, SiteTransaction,
    SkipReason, StoredHash,
};
use store::{Swap, SwapLease, Tx};

use crate::{SwapError, swap_row::check_open_swap};

/// What is to stand in the site's row in the place of what stood there when it was read.
#[derive(Debug)]
pub struct Replacement {
    /// The intent.
    pub held: SwapLease,
    /// Whose row.
    pub account: AccountId,
    /// The hash that must still be there.
    pub old: StoredHash,
    /// The hash that takes its place.
    pub new: StoredHash,
}

/// What was found out about each account that was intended. Where it is an error, the intent stands
/// for another attempt to judge.
pub type Swapped = BTreeMap<AccountId, Result<SwapEnd, SwapError>>;

/// A change of stored passwords, for some accounts together.
pub trait Saga: Sync {
    /// Named moments at which tests let the process die: after the intent, after the swap, and
    /// after sessions were ended.
    const MOMENTS: [&'static str; 3];
    /// What comes of it.
    type Done;
    /// Why it cannot be carried out.
    type Error: From<SwapError>;

    /// Commits what is about to be done, with all that is needed to take it back. Only what is
    /// returned is swapped; the rest has become somebody else's, or must not be done any more.
    fn intend(&mut self) -> impl Future<Output = Result<Vec<Replacement>, Self::Error>> + Send;

    /// Makes sure that the intent is remembered outside the store as well, before the site is asked.
    /// Whoever chooses a password waits for nobody.
    fn attest(&self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        async { Ok(()) }
    }

    /// Whether the intent still holds, asked while the site's row is locked.
    fn may_pass(&self, tx: &mut Tx) -> impl Future<Output = Result<bool, SwapError>> + Send;

    /// Records what became of it, in one transaction.
    fn settle(
        self,
        swapped: Swapped,
        ended: EndedSessions,
    ) -> impl Future<Output = Result<Self::Done, Self::Error>> + Send;
}

/// Carries a saga out. An account whose row cannot be written or read holds no other one up.
///
/// # Errors
/// The saga's error.
pub async fn carry_out<S: Saga>(
    instance: &Instance,
    directory: &dyn Directory,
    mut saga: S,
) -> Result<S::Done, S::Error> {
    let intended = saga.intend().await?;
    failpoint::reach(S::MOMENTS[0]).await;
    let refused = if intended.is_empty() { None } else { saga.attest().await.err() };
    let mut swapped = Swapped::new();
    let mut is_held_up = refused.is_some();
    for replacement in intended {
        // One row is waited for, and no more: those who are sealed by now wait to be told.
        let end = if is_held_up {
            Ok(SwapEnd::Untouched)
        } else {
            swap(instance, directory, &saga, &replacement).await
        };
        is_held_up |= matches!(end, Ok(SwapEnd::Held));
        swapped.insert(replacement.account, end);
    }
    failpoint::reach(S::MOMENTS[1]).await;
    let ended = end_sessions(directory, &swapped).await?;
    failpoint::reach(S::MOMENTS[2]).await;
    let done = saga.settle(swapped, ended).await?;
    refused.map_or(Ok(done), Err)
}

/// Whatever anybody else has put into the row meanwhile stays, and so does the row of an account that
/// the site no longer lets in: whoever looked before may have seen a replica that lags.
async fn swap<S: Saga>(
    instance: &Instance,
    directory: &dyn Directory,
    saga: &S,
    replacement: &Replacement,
) -> Result<SwapEnd, SwapError> {
    let Replacement { held, account, old, new } = replacement;
    let is_early =
        mutant::is_on("pass_before_lock") && pass(instance, directory, saga, *held, None).await?;
    let keys = instance.keys();
    let mut row = match directory.lock(account).await {
        Ok(row) => row,
        Err(error @ WriteError::Held { .. }) => {
            tracing::warn!(%error, "an account is put off");
            return Ok(SwapEnd::Held);
        }
        Err(error) => return spare(directory, error).await,
    };
    let found = judge_row(keys, &*row, version(keys, old), version(keys, new));
    if found != SiteRow::Old {
        row.roll_back().await?;
        if found == SiteRow::Other && mutant::is_on("other_is_changed") {
            return Ok(SwapEnd::Spared(SkipReason::Changed));
        }
        return Ok(judge_swap(found, PassedAttempt::None));
    }
    if !row.is_active() {
        row.roll_back().await?;
        return Ok(SwapEnd::Spared(SkipReason::Inactive));
    }
    if let Err(error) = row.replace(new).await {
        row.roll_back().await?;
        return spare(directory, error).await;
    }
    failpoint::reach("row_replaced").await;
    if !is_early && !pass(instance, directory, saga, *held, row.transaction()).await? {
        row.roll_back().await?;
        return Ok(SwapEnd::Untouched);
    }
    failpoint::reach("swap_passed").await;
    match row.commit().await {
        Ok(()) => Ok(SwapEnd::Done),
        Err(error) => spare(directory, error).await,
    }
}

/// A row that its database will not have written is left alone, once it is sure that others can be:
/// a lost grant, or a server that only reads, is no fault of the row's. Nothing was written.
async fn spare(directory: &dyn Directory, error: WriteError) -> Result<SwapEnd, SwapError> {
    if !error.is_of_row() || directory.try_write().await?.granted().is_err() {
        return Err(error.into());
    }
    tracing::warn!(%error, "an account is left alone");
    Ok(SwapEnd::Spared(SkipReason::Unwritable))
}

/// Whether the site's transaction may be committed. An error means no: it is taken back, and what
/// is recorded here is for another attempt to judge.
async fn pass<S: Saga>(
    instance: &Instance,
    directory: &dyn Directory,
    saga: &S,
    held: SwapLease,
    transaction: Option<SiteTransaction>,
) -> Result<bool, SwapError> {
    if mutant::is_on("no_pass") {
        return Ok(true);
    }
    if directory.capabilities().can(Ability::SharesStore) {
        // Nobody can write here before the site's transaction ends: what is read now stays true.
        let mut tx = instance.store().read().await?;
        let may = saga.may_pass(&mut tx).await?;
        let passed = tx.swap_held(held).await?;
        return Ok(may && is_as_logged(instance, &mut tx, passed).await?);
    }
    let mut tx = instance.store().begin().await?;
    if !saga.may_pass(&mut tx).await? {
        return Ok(false);
    }
    let passed = tx.pass_swap(held, transaction.as_ref()).await?;
    let may = is_as_logged(instance, &mut tx, passed).await?;
    tx.commit().await?;
    Ok(may)
}

/// `false` if another attempt has it.
async fn is_as_logged(
    instance: &Instance,
    tx: &mut Tx,
    held: Option<Swap>,
) -> Result<bool, SwapError> {
    let Some(swap) = held else { return Ok(false) };
    check_open_swap(instance, tx, &swap, swap.attempt).await?;
    Ok(true)
}

/// What became of a swap that its attempt has left. Call it once a later attempt is committed. Where
/// the store was put back since it was intended (`is_restored`), it may not know that an attempt was
/// let through.
///
/// # Errors
/// [`SwapError`] if the directory fails: then nothing is known, and the intent stands.
pub async fn judge_left(
    keys: &KeyRing,
    directory: &dyn Directory,
    account: &AccountId,
    left: &Swap,
    is_restored: bool,
) -> Result<SwapEnd, SwapError> {
    let row = directory.lock(account).await?;
    let found = if mutant::is_on("judged_by_replica") {
        let accounts = directory.by_ids(slice::from_ref(account)).await?;
        SiteRow::classify(credential_of(keys, accounts.first()), left.expected, left.made)
    } else {
        judge_row(keys, &*row, left.expected, left.made)
    };
    // Whoever held the row before has ended, which is all that the lock is for. What comes now
    // takes a connection: workers that wait for one with a row in hand would wait for each other.
    row.roll_back().await?;
    failpoint::reach("swap_judged").await;
    let end = judge_swap(found, passed(directory, left, is_restored).await?);
    if end == SwapEnd::Untouched && mutant::is_on("old_is_changed") {
        return Ok(SwapEnd::Spared(SkipReason::Changed));
    }
    Ok(end)
}

async fn passed(
    directory: &dyn Directory,
    left: &Swap,
    is_restored: bool,
) -> Result<PassedAttempt, SwapError> {
    // Where the site's row locks our store, nothing could be written down before the commit.
    let is_known = !directory.capabilities().can(Ability::SharesStore) && !is_restored;
    if left.passed.is_none() && is_known || mutant::is_on("other_is_undone") {
        return Ok(PassedAttempt::None);
    }
    let Some(transaction) = &left.transaction else { return Ok(PassedAttempt::Unknown) };
    Ok(match directory.fate(transaction).await? {
        TransactionFate::Committed => PassedAttempt::Committed,
        // A later attempt may have been let through, and be forgotten.
        TransactionFate::Aborted if !is_restored => PassedAttempt::Aborted,
        TransactionFate::Aborted | TransactionFate::Unknown => PassedAttempt::Unknown,
    })
}

fn judge_row(
    keys: &KeyRing,
    row: &dyn LockedRow,
    old: CredentialVersion,
    new: CredentialVersion,
) -> SiteRow {
    let now = match row.now() {
        RowNow::Gone => CredentialNow::Gone,
        RowNow::Empty => CredentialNow::Empty,
        RowNow::Holds(hash) => CredentialNow::Present(version(keys, hash)),
    };
    SiteRow::classify(now, old, new)
}

/// What a hash is known by.
#[must_use]
pub fn version(keys: &KeyRing, hash: &StoredHash) -> CredentialVersion {
    Credential::from(hash.clone()).version(keys)
}

async fn end_sessions(
    directory: &dyn Directory,
    swapped: &Swapped,
) -> Result<EndedSessions, SwapError> {
    let ours = swapped.iter().filter(|(_, end)| matches!(end, Ok(SwapEnd::Done)));
    let ours: Vec<_> = ours.map(|(account, _)| account.clone()).collect();
    if ours.is_empty() {
        return Ok(EndedSessions::default());
    }
    Ok(directory.end_sessions(&ours).await?)
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
