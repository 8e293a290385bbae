//! Looking at accounts again, right before they would be sealed.

use std::{collections::BTreeMap, sync::Arc};

use campaign::{Resolution, Reverification, TargetAction, after_reverification, resolve_sealing};
use directory::Ability;
use exposure::{Evidence, Reverified, Suspicion, reverify};
use instance::Instance;
use model::{
    Account, AccountId, CampaignId, Randomness, Secret, SiteRow, SkipReason, TargetState, Verdict,
    canonical::hex_of,
};
use outbox::{Addressee, Kept};
use password::Verifier;
use store::ResetLine;
use tokio::task::spawn_blocking;

use crate::{
    RunError, SealError, WorkerContext,
    action::{Action, Actions, Sealing},
    claim::{Held, Member},
    saga::credential_of,
};

/// Bytes of the secret that nobody knows and that takes a password's place.
const RANDOM_SECRET_BYTES: usize = 32;

/// Looks at every account as it is at this moment.
pub(crate) async fn examine(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    held: &[Held],
) -> Result<Actions, RunError> {
    let members: Vec<_> = held.iter().flat_map(|held| &held.members).collect();
    let ids: Vec<_> = members.iter().map(|member| member.row.account.clone()).collect();
    let present = context.means.directory.by_ids(&ids).await?;
    let mut present: BTreeMap<_, _> = present.into_iter().map(|a| (a.id.clone(), a)).collect();
    let reach = MailReach::of(context, present.values()).await;
    let mut actions = Actions::new();
    let mut open = Vec::new();
    for member in members {
        let account = present.remove(&member.row.account);
        match first_look(context, campaign, member, account)? {
            FirstLook::Decided(action) => drop(actions.insert(member.row.account.clone(), action)),
            FirstLook::Open(case) => match reach.judge(&case.whom) {
                Reached::Yes => open.push(*case),
                Reached::No => {
                    let unreachable = Action::Skip(SkipReason::Unreachable);
                    actions.insert(case.account, unreachable);
                }
                // Left for another attempt.
                Reached::Unknown => {}
            },
        }
    }
    let verifier = Arc::clone(&context.means.verifier);
    let randomness = context.instance.shared_randomness();
    let closed = spawn_blocking(move || try_again(&verifier, &*randomness, open)).await??;
    actions.extend(closed);
    Ok(actions)
}

/// What can be told without trying a secret.
fn first_look(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    member: &Member,
    account: Option<Account>,
) -> Result<FirstLook, RunError> {
    match &member.line {
        Some(line) if member.row.state == TargetState::Sealing => {
            look_at_begun(context.instance, campaign, member, line, account)
        }
        _ => look_at_fresh(context, campaign, member, account),
    }
}

fn look_at_fresh(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    member: &Member,
    account: Option<Account>,
) -> Result<FirstLook, RunError> {
    let instance = context.instance;
    let Some(account) = account else { return Ok(FirstLook::seen(Reverification::Gone)) };
    let Some(credential) = account.credential.clone() else {
        return Ok(FirstLook::seen(Reverification::NoPassword));
    };
    if member.is_reset_elsewhere {
        return Ok(FirstLook::seen(Reverification::AlreadyReset));
    }
    let recorded = context.means.directory.capabilities().can(Ability::RecordVerified);
    let Some(addressee) = Addressee::of(instance, Some(campaign), &account, recorded) else {
        return Ok(FirstLook::seen(Reverification::AddressUnverified));
    };
    if *addressee.key.as_bytes() != member.row.address_key {
        return Ok(FirstLook::seen(Reverification::AddressChanged));
    }
    let same_version = credential.version(instance.keys()) == member.row.version;
    let Account { id, username, locale, .. } = account;
    let (hash, findings) = (credential.into_hash(), member.findings.clone());
    let suspicion = Suspicion::new(instance, id.clone(), hash, findings)?;
    let whom = Whom::Addressee { address: addressee.address.to_string(), username, locale };
    Ok(FirstLook::Open(Box::new(Suspect { account: id, suspicion, same_version, whom })))
}

/// A worker that is gone, or slow, had committed the intent: the site's row tells how far it came.
fn look_at_begun(
    instance: &Instance,
    campaign: CampaignId,
    member: &Member,
    line: &ResetLine,
    account: Option<Account>,
) -> Result<FirstLook, RunError> {
    let now = credential_of(instance.keys(), account.as_ref());
    let row = SiteRow::classify(now, line.replaced, line.sealed);
    match (resolve_sealing(row), account) {
        (Resolution::Sealed, _) => Ok(FirstLook::Decided(Action::Sealed)),
        (Resolution::Skipped(reason), _) => Ok(FirstLook::Decided(Action::Skip(reason))),
        (Resolution::Again, Some(Account { id, credential: Some(credential), .. })) => {
            let (hash, findings) = (credential.into_hash(), member.findings.clone());
            let suspicion = Suspicion::new(instance, id.clone(), hash, findings)?;
            let whom = Whom::Begun(kept_of(instance, campaign, line)?);
            Ok(FirstLook::Open(Box::new(Suspect {
                account: id,
                suspicion,
                same_version: true,
                whom,
            })))
        }
        (Resolution::Again, _) => Ok(FirstLook::Decided(Action::Stuck)),
    }
}

/// What is kept of an account whose sealing was begun.
pub(crate) fn kept_of(
    instance: &Instance,
    campaign: CampaignId,
    line: &ResetLine,
) -> Result<Kept, RunError> {
    let destroyed = || SealError::Destroyed { account: line.account.clone() };
    let wrapped = line.wrapped_key.as_ref().ok_or_else(destroyed)?;
    let kept = line.kept.as_ref().ok_or_else(destroyed)?;
    Ok(Kept::decrypt(instance, campaign, &line.account, wrapped, kept)?)
}

/// Which addresses mail can go to.
struct MailReach {
    international: Option<bool>,
}

/// Whether mail can go to one of them.
enum Reached {
    Yes,
    No,
    Unknown,
}

impl MailReach {
    /// The relay is asked only if somebody's address needs it.
    async fn of(context: &WorkerContext<'_>, accounts: impl Iterator<Item = &Account>) -> Self {
        let mut emails = accounts.filter_map(|account| account.email.as_deref());
        if emails.all(str::is_ascii) {
            return Self { international: Some(true) };
        }
        Self { international: context.means.outbox.mail.transport.takes_international().await }
    }

    /// Whose sealing was begun is told, or is to be found out by trying.
    fn judge(&self, whom: &Whom) -> Reached {
        match (whom, self.international) {
            (Whom::Addressee { address, .. }, known) if !address.is_ascii() => match known {
                Some(true) => Reached::Yes,
                Some(false) => Reached::No,
                None => Reached::Unknown,
            },
            _ => Reached::Yes,
        }
    }
}

enum FirstLook {
    Decided(Action),
    Open(Box<Suspect>),
}

impl FirstLook {
    fn seen(found: Reverification) -> Self {
        Self::Decided(action(found).unwrap_or(Action::Stuck))
    }
}

/// What is left alone; `None` for what is to be sealed, which takes evidence.
fn action(found: Reverification) -> Option<Action> {
    match after_reverification(found) {
        TargetAction::Seal => None,
        TargetAction::Skip(reason) => Some(Action::Skip(reason)),
        TargetAction::SkipAndHalt(reason) => Some(Action::SkipAndHalt(reason)),
    }
}

/// An account whose leaked secrets are to be tried again.
struct Suspect {
    account: AccountId,
    suspicion: Suspicion,
    same_version: bool,
    whom: Whom,
}

/// Whom to tell, and with which hash to seal.
enum Whom {
    /// As the directory has it now.
    Addressee { address: String, username: Option<String>, locale: Option<String> },
    /// As an earlier attempt has committed it.
    Begun(Kept),
}

/// Tries the secrets again; for each that is still the password, makes what takes its place.
fn try_again(
    verifier: &Verifier,
    randomness: &dyn Randomness,
    cases: Vec<Suspect>,
) -> Result<Vec<(AccountId, Action)>, SealError> {
    let mut rest = Vec::new();
    let mut suspicions = Vec::new();
    for Suspect { account, suspicion, same_version, whom } in cases {
        rest.push((account, same_version, whom));
        suspicions.push(suspicion);
    }
    let tried = rest.into_iter().zip(reverify(verifier, suspicions));
    tried
        .map(|((account, same_version, whom), tried)| {
            let action = match tried {
                Reverified::Exposed(evidence) => seal_with(verifier, randomness, evidence, whom)?,
                Reverified::Not(verdict) => leave(verdict, same_version, &whom),
            };
            Ok((account, action))
        })
        .collect()
}

/// Once an intent is committed, another worker may still act on it: it can be finished, but not
/// taken back.
fn leave(verdict: Verdict, same_version: bool, whom: &Whom) -> Action {
    match whom {
        Whom::Begun(_) => Action::Stuck,
        Whom::Addressee { .. } => {
            action(Reverification::Present { verdict, same_version }).unwrap_or(Action::Stuck)
        }
    }
}

fn seal_with(
    verifier: &Verifier,
    randomness: &dyn Randomness,
    evidence: Evidence,
    whom: Whom,
) -> Result<Action, SealError> {
    let (sealed, kept) = match whom {
        Whom::Begun(kept) => {
            let account = evidence.account().clone();
            (kept.sealed().ok_or(SealError::Destroyed { account })?, kept)
        }
        Whom::Addressee { address, username, locale } => {
            let sealed = verifier.imitate(evidence.hash(), &random_secret(randomness), randomness);
            let account = evidence.account();
            let sealed =
                sealed.map_err(|source| SealError::Imitate { account: account.clone(), source })?;
            let kept = Kept::new(evidence.hash(), &sealed, address, username, locale);
            (sealed, kept)
        }
    };
    Ok(Action::Seal(Box::new(Sealing { evidence, sealed, kept })))
}

/// As text: bcrypt refuses a NUL.
fn random_secret(randomness: &dyn Randomness) -> Secret {
    let bytes: [u8; RANDOM_SECRET_BYTES] = randomness.array();
    Secret::new(hex_of(&bytes).into_bytes())
}
