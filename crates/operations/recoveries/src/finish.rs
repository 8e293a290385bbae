//! What follows once a password was set by a link, however far whoever set it came.

use campaigns::{WatchError, WorkerContext, saga::credential_of, watch_account};
use directory::{Ability, Directory, EndedSessions, ReadError, WriteError};
use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault};
use ledger::RecoveryEvent;
use model::{Account, CredentialNow};
use notice::Language;
use outbox::{Addressee, TellError};
use store::ResetLink;

use crate::letter::{LetterBody, NewLetter, post};

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
    if !tx.use_reset_link(link.id, at).await? {
        return Ok(());
    }
    tx.supersede_other_links(&account.id, link.id).await?;
    let (id, link_id) = (account.id.clone(), link.id.0);
    let mut events = vec![RecoveryEvent::PasswordChosen { account: id, link: link_id }.into()];
    let others_signed_out =
        directory.capabilities().can(Ability::EndSessions) && ended.unreadable == 0;
    let recorded = directory.capabilities().can(Ability::RecordVerified);
    if let Some(addressee) = Addressee::of(instance, None, account, recorded) {
        let told = LetterBody::Done { at_micros: at.as_micros(), user_agent, others_signed_out };
        let language = tx.language_of_link(link.id).await?.parse().unwrap_or(Language::English);
        let (addressee, link) = (&addressee, Some(link.id));
        let new = NewLetter { account, addressee, told, language, link, source: None };
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
    let ended = directory.end_sessions(std::slice::from_ref(&account.id)).await?;
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
        let left = context.instance.store().read().await?.reset_links_left().await?;
        for link in left {
            finish_reset(context, &link).await?;
        }
        Ok(())
    })
}

async fn finish_reset(context: &WorkerContext<'_>, link: &ResetLink) -> Result<(), ConcludeError> {
    let (instance, directory) = (context.instance, &*context.means.directory);
    let accounts = directory.by_ids(std::slice::from_ref(&link.account)).await?;
    match accounts.into_iter().next() {
        Some(account) if is_set(instance, link, &account) => {
            conclude_late(instance, directory, link, &account).await?;
            Ok(watch_account(instance, &context.means.verifier, &account).await?)
        }
        _ => {
            let mut tx = instance.store().begin().await?;
            tx.release_reset_link(link.id).await?;
            Ok(tx.commit().await?)
        }
    }
}

/// Whether the site's row holds the password that was about to be set by a link.
pub(crate) fn is_set(instance: &Instance, link: &ResetLink, account: &Account) -> bool {
    let now = credential_of(instance.keys(), Some(account));
    link.intended.is_some_and(|intended| now == CredentialNow::Present(intended))
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
