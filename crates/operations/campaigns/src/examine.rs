//! Looking at accounts again, right before they would be sealed.

use std::{collections::BTreeMap, sync::Arc};

use campaign::{Reverification, TargetAction, after_reverification};
use directory::Ability;
use exposure::{Evidence, Reverified, Suspicion, reverify};
use instance::Instance;
use model::{
    Account, AccountId, CampaignId, CredentialVersion, Randomness, Secret, SkipReason, StoredHash,
    Verdict,
};
use outbox::{Addressee, Kept};
use password::Verifier;
use store::ResetLine;
use tokio::task::spawn_blocking;

use crate::{
    RunError, SealError, WorkerContext,
    action::{Action, Actions, Sealing},
    claim::{Held, Member},
    ours::hold_ours,
    person::PersonToTell,
};

/// Looks at every account as it is at this moment.
pub(crate) async fn examine(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    held: &[Held],
) -> Result<Actions, RunError> {
    let members = held.iter().flat_map(|held| &held.members);
    let members: Vec<_> = members.filter(|member| member.is_pending()).collect();
    let ids: Vec<_> = members.iter().map(|member| member.target.account.clone()).collect();
    let present = context.means.directory.by_ids(&ids).await?;
    let mut present: BTreeMap<_, _> = present.into_iter().map(|a| (a.id.clone(), a)).collect();
    look_closer(context, held, &mut present).await?;
    let reach = MailReach::of(context, present.values()).await;
    let mut actions = Actions::new();
    let mut open = Vec::new();
    for member in members {
        let account = present.remove(&member.target.account);
        match first_look(context, campaign, member, account)? {
            FirstLook::Decided(action) => {
                drop(actions.insert(member.target.account.clone(), action));
            }
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
    let tried = spawn_blocking(move || try_again(&verifier, &*randomness, open)).await??;
    let mut changed = Vec::new();
    for (account, tried) in tried {
        match tried {
            Retried::Closed(action) => drop(actions.insert(account, action)),
            Retried::Changed(hash) => changed.push((account, hash)),
        }
    }
    actions.extend(leave_changed(context, changed).await?);
    Ok(actions)
}

/// Whoever holds another password is left alone, whether they chose it, or we made it and nothing tells
/// of it any more: of these nobody knows whether they were told.
async fn leave_changed(
    context: &WorkerContext<'_>,
    changed: Vec<(AccountId, StoredHash)>,
) -> Result<Actions, RunError> {
    let all: Vec<_> = changed.iter().map(|(account, _)| account.clone()).collect();
    let ours = hold_ours(context, changed).await?;
    let reason = |account: &AccountId| {
        if ours.contains(account) { SkipReason::Unrecorded } else { SkipReason::Changed }
    };
    Ok(all.into_iter().map(|account| (account.clone(), Action::Skip(reason(&account)))).collect())
}

/// An address that was taken up before is looked at over the connection that writes: another attempt
/// may have met a row there that the one that reads does not show yet.
async fn look_closer(
    context: &WorkerContext<'_>,
    held: &[Held],
    present: &mut BTreeMap<AccountId, Account>,
) -> Result<(), RunError> {
    let again = held.iter().filter(|held| held.lease.attempt > 1);
    let pending = again.flat_map(|held| &held.members).filter(|member| member.is_pending());
    for id in pending.map(|member| &member.target.account) {
        let Some(account) = present.remove(id) else { continue };
        let renewed = context.means.directory.renew(account).await?;
        present.extend(renewed.map(|account| (id.clone(), account)));
    }
    Ok(())
}

/// What can be told without trying a secret.
fn first_look(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    member: &Member,
    account: Option<Account>,
) -> Result<FirstLook, RunError> {
    let instance = context.instance;
    let Some(account) = account else { return Ok(FirstLook::seen(Reverification::Gone)) };
    if account.is_deactivated() {
        return Ok(FirstLook::seen(Reverification::Inactive));
    }
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
    if *addressee.key.as_bytes() != member.target.row.address_key {
        return Ok(FirstLook::seen(Reverification::AddressChanged));
    }
    let version = credential.version(instance.keys());
    // A hash that is not the one that was verified, whenever it came, is its owner's or the site's.
    let verified = &member.target.findings;
    let same_version = verified.iter().any(|finding| finding.version == version);
    let Account { id, username, locale, .. } = account;
    let (hash, findings) = (credential.into_hash(), member.target.findings.clone());
    let found = findings.iter().map(|finding| finding.version);
    let secret = |found| (found, instance.keys().sealed_secret(&id, found));
    let replacements = found.map(secret).collect();
    let suspicion = Suspicion::new(instance, id.clone(), hash, findings)?;
    let whom = PersonToTell { address: addressee.address.to_string(), username, locale };
    let suspect = Suspect { account: id, suspicion, same_version, replacements, whom };
    Ok(FirstLook::Open(Box::new(suspect)))
}

/// What is kept of an account whose sealing was begun.
pub(crate) fn kept_of(
    instance: &Instance,
    campaign: CampaignId,
    account: &AccountId,
    line: &ResetLine,
) -> Result<Kept, RunError> {
    let destroyed = || SealError::Destroyed { account: account.clone() };
    let wrapped = line.wrapped_key.as_ref().ok_or_else(destroyed)?;
    let kept = line.kept.as_ref().ok_or_else(destroyed)?;
    Ok(Kept::decrypt(instance, campaign, account, wrapped, kept)?)
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

    fn judge(&self, whom: &PersonToTell) -> Reached {
        match self.international {
            Some(false) if !whom.address.is_ascii() => Reached::No,
            None if !whom.address.is_ascii() => Reached::Unknown,
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
        Self::Decided(action(found).unwrap_or(Action::Untouched))
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
    /// The secret that takes the password's place, by the version as which it was found.
    replacements: BTreeMap<CredentialVersion, Secret>,
    whom: PersonToTell,
}

/// What came of trying an account's secrets again.
enum Retried {
    Closed(Action),
    /// Another password stands there.
    Changed(StoredHash),
}

/// Tries the secrets again; for each that is still the password, makes what takes its place.
fn try_again(
    verifier: &Verifier,
    randomness: &dyn Randomness,
    cases: Vec<Suspect>,
) -> Result<Vec<(AccountId, Retried)>, SealError> {
    let mut rest = Vec::new();
    let mut suspicions = Vec::new();
    for Suspect { account, suspicion, same_version, replacements, whom } in cases {
        let hash = suspicion.hash().clone();
        rest.push((account, same_version, replacements, whom, hash));
        suspicions.push(suspicion);
    }
    let tried = rest.into_iter().zip(reverify(verifier, suspicions));
    tried
        .map(|((account, same_version, replacements, whom, hash), tried)| {
            let tried = match tried {
                Reverified::Exposed(evidence) => {
                    Retried::Closed(seal_with(verifier, randomness, evidence, &replacements, whom)?)
                }
                Reverified::Not(verdict) => leave(verdict, same_version, hash),
            };
            Ok((account, tried))
        })
        .collect()
}

fn leave(verdict: Verdict, same_version: bool, hash: StoredHash) -> Retried {
    match action(Reverification::Present { verdict, same_version }) {
        Some(Action::Skip(SkipReason::Changed)) => Retried::Changed(hash),
        action => Retried::Closed(action.unwrap_or(Action::Untouched)),
    }
}

fn seal_with(
    verifier: &Verifier,
    randomness: &dyn Randomness,
    evidence: Evidence,
    replacements: &BTreeMap<CredentialVersion, Secret>,
    whom: PersonToTell,
) -> Result<Action, SealError> {
    // Evidence is of one of the findings.
    let Some(replacement) = replacements.get(&evidence.found_as()) else {
        return Ok(Action::Untouched);
    };
    let (hash, reading) = (evidence.hash(), Some(evidence.reading()));
    let sealed = verifier.imitate(hash, reading, replacement, randomness);
    let account = evidence.account();
    let sealed =
        sealed.map_err(|source| SealError::Imitate { account: account.clone(), source })?;
    let PersonToTell { address, username, locale } = whom;
    let found = evidence.found_in().to_vec();
    let kept = Kept::new(Some(evidence.hash()), &sealed, address, username, locale, found);
    Ok(Action::Seal(Box::new(Sealing { evidence, sealed, kept })))
}
