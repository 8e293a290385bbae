//! What follows once a password was set by a link, however far whoever set it came.

use std::{slice, sync::Arc};

use campaign::SwapEnd;
use campaigns::{
    SwapError, WatchError, WorkerContext,
    saga::{credential_of, judge_left},
    watch_account,
};
use directory::{Ability, Directory, EndedSessions, ReadError, WriteError};
use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault};
use ledger::RecoveryEvent;
use model::{Account, AccountId, CredentialNow, SubjectId, SwapId, SwapPurpose, SwapState};
use notice::Language;
use outbox::{Addressee, TellError};
use password::Verifier;
use store::{ResetLink, StoreError, Swap, SwapBehalf, Tx, WorkerName};

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
    if let Some(swap) = tx.swap_of_link(link.id).await? {
        tx.end_swap(swap.held(), SwapState::Done).await?;
    }
    if !tx.use_reset_link(link.id, at).await? {
        return Ok(tx.commit().await?);
    }
    tx.supersede_other_links(link.subject, link.id).await?;
    let (subject, whom) = (link.subject, link.subject.into());
    let mut events = vec![RecoveryEvent::PasswordChosen { whom, link: link.id.0 }.into()];
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
/// whether their password was set.
///
/// # Errors
/// [`ConcludeError`] if store or directory fail.
pub fn finish_resets<'a>(
    context: &'a WorkerContext<'a>,
) -> BoxFuture<'a, Result<(), ConcludeError>> {
    Box::pin(async move {
        let WorkerContext { instance, means, .. } = context;
        let mut tx = instance.store().read().await?;
        let left = tx.swaps_left(SwapPurpose::Choose, RESETS_PER_ROUND).await?;
        drop(tx);
        for swap in left {
            finish_reset(instance, &*means.directory, &means.verifier, swap.id).await?;
        }
        Ok(())
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
    let owner = WorkerName::from_random(instance.randomness().array());
    let mut tx = instance.store().begin().await?;
    let taken = tx.take_swap(id, &owner, instance.options().lease).await?;
    tx.commit().await?;
    let Some(taken) = taken else { return Ok(()) };
    let mut tx = instance.store().read().await?;
    let id = instance.account_of(&mut tx, taken.subject).await?;
    drop(tx);
    let end = judge_left(instance.keys(), directory, &id, &taken, false).await?;
    let account = account_now(directory, &id).await?;
    let (SwapBehalf::Choose { link }, SwapEnd::Done, Some(account)) = (taken.behalf, end, account)
    else {
        let mut tx = instance.store().begin().await?;
        tx.end_swap(taken.held(), end.state()).await?;
        return Ok(tx.commit().await?);
    };
    let link = instance.store().begin().await?.hold_reset_link(link).await?;
    conclude_late(instance, directory, &link, &account).await?;
    Ok(watch_account(instance, verifier, &account).await?)
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
    tx: &mut Tx,
    link: &ResetLink,
    account: &Account,
) -> Result<bool, StoreError> {
    let swap = tx.swap_of_link(link.id).await?;
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
