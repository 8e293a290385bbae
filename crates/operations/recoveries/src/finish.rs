//! What follows once a password was set by a link, however far whoever set it came.

use std::{slice, sync::Arc};

use campaign::SwapEnd;
use campaigns::{
    SwapError, WatchError, WorkerContext, check_open_swap, end_open_swap,
    saga::{credential_of, judge_left},
    watch_account,
};
use directory::{Ability, Directory, EndedSessions, ReadError, WriteError};
use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault};
use ledger::{FoldRefusal, LogEvent, RecoveryEvent};
use model::{Account, AccountId, CredentialNow, SubjectId, SwapId, SwapPurpose, SwapState};
use notice::Language;
use outbox::{Addressee, TellError};
use password::Verifier;
use store::{ResetLink, StoreError, Swap, SwapBehalf, SwapLease, Tx, WorkerName};

use crate::{
    letter::{LetterBody, NewLetter, post},
    limits::RESETS_PER_ROUND,
};

/// Uses the link up and writes the confirmation, once everybody is signed out. Doing it again
/// changes nothing.
pub(crate) async fn conclude(
    instance: &Instance,
    directory: &dyn Directory,
    link: &ResetLink,
    account: &Account,
    user_agent: Option<String>,
    ended: EndedSessions,
) -> Result<(), ConcludeError> {
    let mut tx = instance.store().begin().await?;
    tx.hold_reset_link(link.id).await?;
    let at = tx.now().await?;
    let mut events = Vec::new();
    if let Some(swap) = tx.swap_of_link(link.id).await? {
        events.extend(end_choice(instance, &mut tx, swap.held(), SwapState::Done).await?);
    }
    if !tx.use_reset_link(link.id, at).await? {
        record(instance, &mut tx, &events).await?;
        return Ok(tx.commit().await?);
    }
    tx.supersede_other_links(link.subject, link.id).await?;
    let (subject, whom) = (link.subject, link.subject.into());
    events.push(RecoveryEvent::PasswordChosen { whom, link: link.id.0 }.into());
    let others_signed_out =
        directory.capabilities().can(Ability::EndSessions) && ended.unreadable == 0;
    let recorded = directory.capabilities().can(Ability::RecordVerified);
    if let Some(addressee) = Addressee::of(instance, None, account, recorded) {
        let told = LetterBody::Done { at_micros: at.as_micros(), user_agent, others_signed_out };
        let language = tx.language_of_link(link.id).await?.parse().unwrap_or(Language::English);
        let (addressee, link) = (&addressee, Some(link.id));
        let new = NewLetter { account, subject, addressee, told, language, link, source: None };
        events.push(post(instance, &mut tx, new).await?.into());
    }
    instance.record(&mut tx, &events).await?;
    Ok(tx.commit().await?)
}

/// Records what became of a person's swap; nothing if another attempt has it.
pub(crate) async fn end_choice(
    instance: &Instance,
    tx: &mut Tx,
    held: SwapLease,
    end: SwapState,
) -> Result<Option<LogEvent>, SwapError> {
    let Some(Swap { id: swap, subject, .. }) = end_open_swap(instance, tx, held, end).await? else {
        return Ok(None);
    };
    Ok(Some(RecoveryEvent::ChoiceEnded { whom: subject.into(), swap, end }.into()))
}

async fn record(
    instance: &Instance,
    tx: &mut Tx,
    events: &[LogEvent],
) -> Result<(), InstanceFault> {
    if events.is_empty() { Ok(()) } else { Ok(instance.record(tx, events).await?) }
}

/// Records what became of it, and nothing else.
pub(crate) async fn give_up(
    instance: &Instance,
    held: SwapLease,
    end: SwapState,
) -> Result<(), SwapError> {
    let mut tx = instance.store().begin().await?;
    let event = end_choice(instance, &mut tx, held, end).await?;
    record(instance, &mut tx, event.as_slice()).await?;
    Ok(tx.commit().await?)
}

/// As [`conclude`], for a password that somebody else's attempt has set.
pub(crate) async fn conclude_late(
    instance: &Instance,
    directory: &dyn Directory,
    link: &ResetLink,
    account: &Account,
) -> Result<(), ConcludeError> {
    let ended = directory.end_sessions(slice::from_ref(&account.id)).await?;
    conclude(instance, directory, link, account, None, ended).await
}

/// Finishes what people were doing with a link when they were interrupted: the site's row tells
/// whether their password was set. One that cannot be finished holds no other one up.
///
/// # Errors
/// [`ConcludeError`] says what went wrong first.
pub fn finish_resets<'a>(
    context: &'a WorkerContext<'a>,
) -> BoxFuture<'a, Result<(), ConcludeError>> {
    Box::pin(async move {
        let WorkerContext { instance, means, .. } = context;
        let mut tx = instance.store().read().await?;
        let left = tx.swaps_left(SwapPurpose::Choose, RESETS_PER_ROUND).await?;
        drop(tx);
        let mut failed = None;
        for swap in left {
            let finished =
                finish_reset(instance, &*means.directory, &means.verifier, swap.id).await;
            failed = failed.or(finished.err());
        }
        failed.map_or(Ok(()), Err)
    })
}

/// The same for one account, whose owner has come back before a worker has.
pub(crate) async fn finish_reset_of(
    instance: &Instance,
    directory: &dyn Directory,
    verifier: &Arc<Verifier>,
    subject: SubjectId,
) -> Result<(), ConcludeError> {
    let left = instance.store().read().await?.swap_left_of(subject).await?;
    match left {
        Some(Swap { id, behalf: SwapBehalf::Choose { .. }, .. }) => {
            finish_reset(instance, directory, verifier, id).await
        }
        _ => Ok(()),
    }
}

async fn finish_reset(
    instance: &Instance,
    directory: &dyn Directory,
    verifier: &Arc<Verifier>,
    id: SwapId,
) -> Result<(), ConcludeError> {
    let Some(taken) = take(instance, id).await? else { return Ok(()) };
    let mut tx = instance.store().read().await?;
    let id = instance.account_of(&mut tx, taken.subject).await?;
    drop(tx);
    let end = judge_left(instance.keys(), directory, &id, &taken, false).await?;
    let account = account_now(directory, &id).await?;
    let (SwapBehalf::Choose { link }, SwapEnd::Done, Some(account)) = (taken.behalf, end, account)
    else {
        return Ok(give_up(instance, taken.held(), end.state()).await?);
    };
    let link = instance.store().begin().await?.hold_reset_link(link).await?;
    conclude_late(instance, directory, &link, &account).await?;
    Ok(watch_account(instance, verifier, &account).await?)
}

/// Begins another attempt, on record before the site is asked. One of which the log says nothing is
/// given up unasked: a version of before has begun it, or somebody else has written it.
async fn take(instance: &Instance, id: SwapId) -> Result<Option<Swap>, SwapError> {
    let owner = WorkerName::from_random(instance.randomness().array());
    let mut tx = instance.store().begin().await?;
    let lease = instance.options().lease;
    let Some(taken) = tx.take_swap(id, &owner, lease).await? else { return Ok(None) };
    if !instance.proved(&mut tx).await?.knows_swap(id) {
        tx.end_swap(taken.held(), SwapState::Undone).await?;
        tx.commit().await?;
        return Err(FoldRefusal::Swap { swap: id }.into());
    }
    check_open_swap(instance, &mut tx, &taken, taken.attempt - 1).await?;
    let Swap { id: swap, subject, attempt, .. } = taken;
    let event = RecoveryEvent::ChoiceTaken { whom: subject.into(), swap, attempt };
    instance.record(&mut tx, &[event.into()]).await?;
    tx.commit().await?;
    Ok(Some(taken))
}

/// An account with what its row holds now, however far behind the connection is that reads.
pub(crate) async fn account_now(
    directory: &dyn Directory,
    id: &AccountId,
) -> Result<Option<Account>, ReadError> {
    match directory.by_ids(slice::from_ref(id)).await?.pop() {
        Some(account) => directory.renew(account).await,
        None => Ok(None),
    }
}

/// Whether the site's row holds the password that was about to be set by a link.
pub(crate) async fn is_set(
    instance: &Instance,
    link: &ResetLink,
    account: &Account,
) -> Result<bool, StoreError> {
    let swap = instance.store().read().await?.swap_of_link(link.id).await?;
    let now = credential_of(instance.keys(), Some(account));
    Ok(swap.is_some_and(|swap| now == CredentialNow::Present(swap.made)))
}

/// Why a password that was set could not be confirmed. A worker tries again.
#[derive(Debug, thiserror::Error)]
pub enum ConcludeError {
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Sessions could not be ended.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The site's row could not be judged.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// The confirmation cannot be written.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// The campaign that sealed the account could not be told.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

instance::from_faults!(ConcludeError);
