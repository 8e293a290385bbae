//! Choosing a new password by a link.

use std::sync::Arc;

use campaign::SwapEnd;
use campaigns::{
    SwapError, WatchError, past_resets,
    saga::{Replacement, Saga, Swapped, carry_out, version},
    swap_digest, watch_account,
};
use directory::{Ability, EndedSessions, ReadError};
use exposure::secret_of;
use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault, failpoint};
use ledger::{FoldRefusal, RecoveryEvent};
use model::{
    Account, AccountId, Credential, Secret, SkipReason, StoredHash, SubjectId, SwapState, Timestamp,
};
use outbox::{Addressee, Kept};
use password::{ImitateError, Verifier};
use recovery::{
    BoundTo, Context, LinkRow, NewPassword, NewPasswordError, Objection, ResetToken, TokenDigest,
    against_old, decide_use, variants_of,
};
use store::{LinkId, NewSwap, PastReset, ResetLink, SwapBehalf, SwapLease, Tx, WorkerName};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::{
    ConcludeError, Recovery,
    finish::{account_now, conclude, conclude_late, finish_reset_of, give_up, is_set},
    limits::OLD_HASH_KEPT,
    link::live_link_keys,
};

/// A password that somebody has typed on the page behind a link.
#[derive(Debug)]
pub struct Choice<'a> {
    /// The link's secret.
    pub token: &'a ResetToken,
    /// What they typed.
    pub typed: Zeroizing<String>,
    /// What their browser calls itself.
    pub user_agent: Option<&'a str>,
}

/// What came of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The account has the new password, and nobody is signed in with the old one.
    Done,
    /// The link does not work: it is unknown, over, used, or leads to no account.
    Dead,
    /// The same link is being used at this moment, or the account was changed meanwhile.
    Busy,
    /// It cannot be a password.
    Unfit(NewPasswordError),
    /// It must not be the password.
    Refused(Objection),
}

/// Whether a link works now. Looking changes nothing, so a mail scanner may.
///
/// # Errors
/// [`ChooseError`] if the store fails.
pub fn open_link<'a>(
    instance: &'a Instance,
    token: &'a ResetToken,
) -> BoxFuture<'a, Result<bool, ChooseError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        Ok(live(instance, &mut tx, token).await?.is_some())
    })
}

/// Sets a new password, and uses the link up.
///
/// The site's row is swapped for the hash that was read, so that a change by another way wins. What
/// is about to be set is committed first: whoever comes after a crash sees by the row how far it
/// came, and finishes.
///
/// # Errors
/// [`ChooseError`] if store or directory fail; the link then works as before.
pub fn choose_password<'a>(
    instance: &'a Instance,
    recovery: &'a Recovery,
    choice: Choice<'a>,
) -> BoxFuture<'a, Result<Chosen, ChooseError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let Some(link) = live(instance, &mut tx, choice.token).await? else {
            return Ok(Chosen::Dead);
        };
        drop(tx);
        let (directory, verifier) = (&*recovery.directory, &recovery.verifier);
        finish_reset_of(instance, directory, verifier, link.subject).await?;
        // No transaction stays open while something else is asked: many people at once would each hold one
        // connection and wait for another.
        let id = instance.account_of(&mut instance.store().read().await?, link.subject).await?;
        let account = account_now(directory, &id).await?;
        let Some((account, credential)) = account.and_then(with_password) else {
            return Ok(Chosen::Dead);
        };
        if is_set(instance, &link, &account).await? {
            // Whoever set it was interrupted, or is not done yet.
            conclude_late(instance, directory, &link, &account).await?;
            return Ok(Chosen::Dead);
        }
        let now = instance.store().read().await?.now().await?;
        if !is_bound(instance, recovery, choice.token, &link, (&account, now)) {
            return Ok(Chosen::Dead);
        }
        let old = old_hashes(instance, link.subject, &account, &credential).await?;
        let hash = credential.into_hash();
        let password = match judge(recovery, &account, &hash, choice.typed) {
            Ok(password) => password,
            Err(refused) => return Ok(refused),
        };
        let new = match make(instance, recovery, hash.clone(), old, password).await? {
            Ok(new) => new,
            Err(objection) => return Ok(Chosen::Refused(objection)),
        };
        let user_agent = choice.user_agent.map(str::to_owned);
        set(instance, recovery, &link, Change { account, hash, new, user_agent }).await
    })
}

/// The link of a token, if it works now by its row and by the log.
async fn live(
    instance: &Instance,
    tx: &mut Tx,
    token: &ResetToken,
) -> Result<Option<ResetLink>, InstanceFault> {
    // The log comes first, so that it and the rows are of one moment.
    let log = instance.proved(tx).await?;
    let now = tx.now().await?;
    let keys = live_link_keys(instance, now).into_iter();
    let digests: Vec<_> = keys.map(|(_, key)| *token.digest(&key).as_bytes()).collect();
    let link = tx.reset_link(&digests).await?;
    let Some(link) = link.filter(|link| decide_use(&row_of(link), now).is_ok()) else {
        return Ok(None);
    };
    let is_unused = log.is_link_unused(link.subject, link.id.0);
    Ok(is_unused.then_some(link))
}

/// Whether a link was mailed for this account and this password of it, to the address that it has
/// now. It was not if its owner has changed either meanwhile, or somebody else has written its row.
fn is_bound(
    instance: &Instance,
    recovery: &Recovery,
    token: &ResetToken,
    link: &ResetLink,
    (account, now): (&Account, Timestamp),
) -> bool {
    let recorded = recovery.directory.capabilities().can(Ability::RecordVerified);
    let addressee = Addressee::of(instance, None, account, recorded);
    let (Some(binding), Some(addressee), Some(credential)) =
        (link.binding, addressee, &account.credential)
    else {
        return false;
    };
    let bound = BoundTo {
        link: link.id.0,
        subject: link.subject,
        version: credential.version(instance.keys()),
        address_key: *addressee.key.as_bytes(),
        mailed_at: link.mailed_at,
        expires_at: link.expires_at,
    };
    let made_by = link.key.unwrap_or_else(|| instance.keys().first());
    let mut keys = live_link_keys(instance, now).into_iter();
    let key = keys.find(|(id, _)| *id == made_by);
    key.is_some_and(|(_, key)| token.binding(&key, &bound) == TokenDigest::from_bytes(binding))
}

const fn row_of(link: &ResetLink) -> LinkRow {
    LinkRow {
        created_at: link.mailed_at,
        expires_at: link.expires_at,
        used_at: link.used_at,
        superseded: link.superseded,
    }
}

/// An account that somebody can sign in to.
fn with_password(account: Account) -> Option<(Account, Credential)> {
    let credential = account.credential.clone().filter(|_| !account.is_deactivated())?;
    Some((account, credential))
}

/// What can be said of a password without trying it on anything.
fn judge(
    recovery: &Recovery,
    account: &Account,
    hash: &StoredHash,
    typed: Zeroizing<String>,
) -> Result<NewPassword, Chosen> {
    let bytes_max = recovery.verifier.secret_bytes_max(recovery.like.as_ref().unwrap_or(hash));
    let lengths = recovery.lengths.with_bytes_max(bytes_max);
    let password = NewPassword::parse(typed, &lengths).map_err(Chosen::Unfit)?;
    let names: Vec<_> = [&account.username, &account.email].into_iter().flatten().collect();
    let names: Vec<_> = names.into_iter().map(String::as_str).collect();
    let context = Context::new(&names, &recovery.site_name);
    recovery.policy.judge(&password, &context).map_err(Chosen::Refused)?;
    Ok(password)
}

/// The hashes of passwords that stand in leaks: those that campaigns have replaced not long ago,
/// and the present one, if a finding is open against it.
async fn old_hashes(
    instance: &Instance,
    subject: SubjectId,
    account: &Account,
    present: &Credential,
) -> Result<OldPasswords, ChooseError> {
    // One that sees the latest state: the log is asked after rows, and others go on meanwhile.
    let mut tx = instance.store().begin().await?;
    let resets = past_resets(instance, &mut tx, subject).await?;
    let now = tx.now().await?;
    let recent = resets.iter().filter(|reset| now < reset.at.after(OLD_HASH_KEPT));
    let replaced = recent.map(|reset| replaced(instance, account, reset));
    let mut old = OldPasswords::default();
    old.hashes.extend(replaced.collect::<Result<Vec<_>, ChooseError>>()?.into_iter().flatten());
    let version = present.version(instance.keys());
    let findings = tx.open_findings_of(subject).await?;
    if findings.iter().any(|finding| finding.version == version) {
        old.hashes.push(present.hash().clone());
    }
    for finding in &findings {
        old.secrets.extend(secret_of(instance, &account.id, finding)?);
    }
    Ok(old)
}

/// What a new password must not be, nor be close to.
#[derive(Default)]
struct OldPasswords {
    hashes: Vec<StoredHash>,
    /// Leaked ones, as they were read.
    secrets: Vec<Secret>,
}

/// The hash that a campaign has replaced; `None` if the store was put back meanwhile: then it is lost.
fn replaced(
    instance: &Instance,
    account: &Account,
    reset: &PastReset,
) -> Result<Option<StoredHash>, ChooseError> {
    let PastReset { campaign, line, .. } = reset;
    let (Some(wrapped), Some(kept)) = (&line.wrapped_key, &line.kept) else {
        let (campaign, subject) = (*campaign, line.subject);
        return Err(SwapError::Row(FoldRefusal::ResetLine { campaign, subject }).into());
    };
    let kept = Kept::decrypt(instance, *campaign, &account.id, wrapped, kept)?;
    Ok(kept.replaced())
}

/// Tries a password on the old hashes, and makes its own hash.
async fn make(
    instance: &Instance,
    recovery: &Recovery,
    hash: StoredHash,
    old: OldPasswords,
    password: NewPassword,
) -> Result<Result<StoredHash, Objection>, ChooseError> {
    // Nobody closes the semaphore, so this waits for its turn and no more. The thread holds on to
    // it, also when nobody waits for the thread any longer.
    let turn = Arc::clone(&recovery.hashing).acquire_owned().await;
    let (verifier, randomness) = (Arc::clone(&recovery.verifier), instance.shared_randomness());
    let like = recovery.like.clone().unwrap_or(hash);
    spawn_blocking(move || {
        let _turn = turn;
        if let Some(objection) = objection(&verifier, &old, &password) {
            return Ok(Err(objection));
        }
        Ok(Ok(verifier.imitate(&like, None, &password.to_secret(), &*randomness)?))
    })
    .await?
}

/// A hash that cannot be tried says nothing against a password.
fn objection(verifier: &Verifier, old: &OldPasswords, password: &NewPassword) -> Option<Objection> {
    let variants = variants_of(password);
    if let Some(place) = variants.iter().position(|variant| old.secrets.contains(variant)) {
        return Some(if place == 0 { Objection::OldPassword } else { Objection::LikeOldPassword });
    }
    let mut verdicts = old.hashes.iter().map(|hash| verifier.verify(hash, &variants).verdict);
    verdicts.find_map(|verdict| against_old(verdict).ok().flatten())
}

/// One hash for another, at the wish of the account's owner.
struct Change {
    account: Account,
    hash: StoredHash,
    new: StoredHash,
    user_agent: Option<String>,
}

/// Sets the password, and tells the campaigns that had sealed the account.
async fn set(
    instance: &Instance,
    recovery: &Recovery,
    link: &ResetLink,
    change: Change,
) -> Result<Chosen, ChooseError> {
    let credential = Some(Credential::from(change.new.clone()));
    let now = Account { credential, ..change.account.clone() };
    let saga = PasswordSaga { instance, recovery, link, change, intended: Err(Chosen::Busy) };
    let chosen = carry_out(instance, &*recovery.directory, saga).await?;
    if chosen == Chosen::Done {
        failpoint::reach("reset_concluded").await;
        watch_account(instance, &recovery.verifier, &now).await?;
    }
    Ok(chosen)
}

/// A person's change of their own password.
struct PasswordSaga<'a> {
    instance: &'a Instance,
    recovery: &'a Recovery,
    link: &'a ResetLink,
    change: Change,
    /// What was committed before, or why nothing is swapped.
    intended: Result<SwapLease, Chosen>,
}

impl Saga for PasswordSaga<'_> {
    const MOMENTS: [&'static str; 3] =
        ["reset_intended", "password_swapped", "reset_sessions_ended"];
    type Done = Chosen;
    type Error = ChooseError;

    async fn intend(&mut self) -> Result<Vec<Replacement>, ChooseError> {
        self.intended = intend(self.instance, self.link.id, &self.change).await?;
        let Ok(held) = self.intended else { return Ok(Vec::new()) };
        let Change { account, hash, new, .. } = &self.change;
        let (account, old, new) = (account.id.clone(), hash.clone(), new.clone());
        Ok(vec![Replacement { held, account, old, new }])
    }

    /// A link that was superseded or has run out meanwhile sets nothing.
    async fn may_pass(&self, tx: &mut Tx) -> Result<bool, SwapError> {
        let link = tx.hold_reset_link(self.link.id).await?;
        let now = tx.now().await?;
        Ok(decide_use(&row_of(&link), now).is_ok())
    }

    /// A change by another way wins: the link then works as before.
    async fn settle(self, swapped: Swapped, ended: EndedSessions) -> Result<Chosen, ChooseError> {
        let held = match self.intended {
            Ok(held) => held,
            Err(refused) => return Ok(refused),
        };
        let Self { instance, recovery, link, change, .. } = self;
        let Change { account, user_agent, .. } = change;
        let end = swapped.into_values().next().transpose()?;
        if end == Some(SwapEnd::Done) {
            let directory = &*recovery.directory;
            conclude(instance, directory, link, &account, user_agent, ended).await?;
            return Ok(Chosen::Done);
        }
        give_up(instance, held, SwapState::Undone).await?;
        match end {
            Some(SwapEnd::Spared(SkipReason::Inactive)) => Ok(Chosen::Dead),
            Some(SwapEnd::Spared(_)) => Err(ChooseError::Unwritable { id: account.id }),
            _ => Ok(Chosen::Busy),
        }
    }
}

/// Commits what is about to be set. One at a time: whoever is slower is told to try again, and so
/// is whoever comes while a campaign is sealing the account.
async fn intend(
    instance: &Instance,
    id: LinkId,
    change: &Change,
) -> Result<Result<SwapLease, Chosen>, SwapError> {
    let mut tx = instance.store().begin().await?;
    let link = tx.hold_reset_link(id).await?;
    let now = tx.now().await?;
    if decide_use(&row_of(&link), now).is_err() {
        return Ok(Err(Chosen::Dead));
    }
    let keys = instance.keys();
    let swap = NewSwap {
        subject: link.subject,
        behalf: SwapBehalf::Choose { link: id },
        expected: version(keys, &change.hash),
        made: version(keys, &change.new),
    };
    let owner = WorkerName::from_random(instance.randomness().array());
    let Some(held) = tx.intend_swap(&swap, &owner, instance.options().lease).await? else {
        return Ok(Err(Chosen::Busy));
    };
    instance.proved(&mut tx).await?.check_no_swap(link.subject)?;
    let (whom, row) = (link.subject.into(), swap_digest(&swap));
    let event = RecoveryEvent::ChoiceIntended { whom, swap: held.id, row };
    instance.record(&mut tx, &[event.into()]).await?;
    tx.commit().await?;
    Ok(Ok(held))
}

/// Why no password can be chosen now. It says nothing of the link.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The stored password could not be replaced.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// No hash of the site's form can be made.
    #[error("no hash in the site's form can be made: {0}")]
    Imitate(#[from] ImitateError),
    /// The site's database does not let this row be written.
    #[error("the database refused to replace the hash of account {id}")]
    Unwritable {
        /// Whose.
        id: AccountId,
    },
    /// What follows could not be done; a worker does it.
    #[error(transparent)]
    Conclude(#[from] ConcludeError),
    /// The campaigns could not be told; a worker sees it.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

instance::from_faults!(ChooseError);
