use std::collections::{BTreeMap, BTreeSet, HashSet};

use authority::{Roster, RosterDigest};
use campaign::{
    Draft, Event, OtherCampaigns, Plan, Policy, Reason, Renewal, Scope, State, Target, Targets,
    TemplateName,
    limits::{FINDINGS_MAX, SHARES_WINDOW},
};
use directory::{Ability, Directory};
use futures_util::future::BoxFuture;
use instance::{Instance, KeyRing, LogError, Progress, Step, is_witnessed, roster_in};
use ledger::CampaignEvent;
use model::{
    Account, AccountId, CampaignId, CredentialVersion, FindingId, InstanceId, LeakId, OperatorName,
    SkipReason, SubjectId, Timestamp,
};
use outbox::{Addressee, Words};
use store::{Finding, NewAddress, NewTarget, Tx};

use crate::{
    CampaignError, CampaignView, NobodyLeft,
    draft::store_kind,
    limits::ACCOUNTS_PER_LOOK_UP,
    loaded::{Loaded, held, held_by_name, named, take_step},
    needs::{refuse_stranger, refuse_unable},
    show_campaign,
};

/// What a campaign's next plan is to have in place of what it had.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanChanges<'a> {
    /// How to go about it.
    pub policy: Option<&'a Policy>,
    /// Who is answerable for it: whoever is, signs the plan.
    pub author: Option<&'a OperatorName>,
}

/// Fixes whom a campaign is about, how it goes about it and with which words. After a halt, the
/// same people and words are fixed again, to be signed in a new round.
///
/// # Errors
/// [`CampaignError`] says what cannot be signed for.
pub fn freeze_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
    changes: PlanChanges<'a>,
    (directory, words): (&'a dyn Directory, &'a Words),
    founding: RosterDigest,
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        refuse_unable(directory).await?;
        change(instance, name, changes, founding).await?;
        let loaded = named(&mut instance.store().read().await?, name).await?;
        if let State::Halted { .. } = loaded.campaign.state() {
            renew(instance, &loaded, words, founding, Scope::All).await?;
        } else {
            refuse_uncompared(instance).await?;
            let chosen = choose(instance, loaded.id(), directory, progress).await?;
            freeze(instance, loaded.id(), chosen, words, founding).await?;
        }
        show_campaign(instance, name).await
    })
}

/// Whoever is sealed, and of whom nothing tells since the store was put back, is to be known before
/// others are taken up.
async fn refuse_uncompared(instance: &Instance) -> Result<(), CampaignError> {
    let mut tx = instance.store().read().await?;
    let is_uncompared = instance.proved(&mut tx).await?.is_uncompared();
    if is_uncompared { Err(CampaignError::Uncompared) } else { Ok(()) }
}

/// Fixes a plan by which a halted campaign settles those whom it has begun with, and touches nobody
/// else.
///
/// # Errors
/// [`CampaignError`] says what cannot be signed for.
pub fn finish_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
    changes: PlanChanges<'a>,
    words: &'a Words,
    founding: RosterDigest,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        change(instance, name, changes, founding).await?;
        let loaded = named(&mut instance.store().read().await?, name).await?;
        renew(instance, &loaded, words, founding, Scope::Begun).await?;
        show_campaign(instance, name).await
    })
}

async fn renew(
    instance: &Instance,
    loaded: &Loaded,
    words: &Words,
    founding: RosterDigest,
    scope: Scope,
) -> Result<(), CampaignError> {
    let mut tx = instance.store().begin().await?;
    let mut loaded = held(instance, &mut tx, loaded.id()).await?;
    loaded.check_scope(scope)?;
    let plan = plan_of(&mut tx, &loaded).await?;
    check_words(words, &plan)?;
    let now = tx.now().await?;
    let (author, policy) = (author(&loaded)?, policy(&loaded)?);
    let others = Some(others(instance, &mut tx, loaded.id(), now).await?);
    let roster = roster_in(&mut tx, instance, founding).await?;
    let is_witnessed = is_witnessed(&mut tx, instance, &roster).await?;
    let renewal = Renewal { author, policy, others, scope, is_witnessed };
    let plan = plan.renew(renewal, loaded.campaign.next_round(), now)?;
    refuse_few(&plan, &roster)?;
    record(instance, &mut tx, &mut loaded, &plan).await?;
    Ok(tx.commit().await?)
}

async fn change(
    instance: &Instance,
    name: &str,
    PlanChanges { policy, author }: PlanChanges<'_>,
    founding: RosterDigest,
) -> Result<(), CampaignError> {
    let mut tx = instance.store().begin().await?;
    let loaded = held_by_name(instance, &mut tx, name).await?;
    if let Some(policy) = policy {
        policy.check(store_kind(instance.kind()))?;
        let body = serde_json::to_vec(policy).map_err(LogError::from)?;
        tx.set_campaign_policy(loaded.id(), body).await?;
    }
    if let Some(author) = author.filter(|author| author.as_str() != loaded.row.author) {
        refuse_stranger(author, &roster_in(&mut tx, instance, founding).await?)?;
        hand_over(instance, &mut tx, loaded.id(), author).await?;
    }
    Ok(tx.commit().await?)
}

async fn hand_over(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    author: &OperatorName,
) -> Result<(), CampaignError> {
    let author = author.to_string();
    tx.set_campaign_author(campaign, &author).await?;
    let handed_over = CampaignEvent::CampaignHandedOver { campaign, author };
    Ok(instance.record(tx, &[handed_over.into()]).await?)
}

/// Passes a plan that was signed with these very words.
pub(crate) fn check_words(words: &Words, plan: &Plan) -> Result<(), CampaignError> {
    let digests = words.digests();
    // Plans from before signers read the mails themselves have none.
    let mails = Some(plan.mails()).filter(|mails| !mails.is_empty());
    let differs = |name: &&TemplateName| {
        plan.templates().get(name) != digests.get(name)
            || mails.is_some_and(|mails| mails.get(name) != words.mails().get(name))
    };
    match plan.templates().keys().chain(digests.keys()).find(differs) {
        None => Ok(()),
        Some(name) => {
            Err(CampaignError::OtherWords { what: name.to_string(), plan: plan.digest() })
        }
    }
}

/// The plan of the campaign's latest round.
pub(crate) async fn plan_of(tx: &mut Tx, loaded: &Loaded) -> Result<Plan, CampaignError> {
    let body = tx.plan(loaded.id()).await?;
    let none = || CampaignError::NoPlan {
        name: loaded.row.name.clone(),
        state: loaded.campaign.state().to_string(),
    };
    Ok(Plan::parse(&body.ok_or_else(none)?)?)
}

async fn freeze(
    instance: &Instance,
    campaign: CampaignId,
    chosen: ChosenTargets,
    words: &Words,
    founding: RosterDigest,
) -> Result<(), CampaignError> {
    let ChosenTargets { known, accounts, targets, skipped } = chosen;
    let mut tx = instance.store().begin().await?;
    if targets.is_empty() {
        let not_checked = tx.unverified_in_campaign(campaign).await?;
        return Err(CampaignError::NobodyLeft(NobodyLeft { skipped, not_checked }));
    }
    let targets = Targets::new(targets)?;
    let mut loaded = held(instance, &mut tx, campaign).await?;
    let now = tx.now().await?;
    let roster = roster_in(&mut tx, instance, founding).await?;
    let draft = Draft {
        instance: instance.id().parse::<InstanceId>()?,
        store: store_kind(instance.kind()),
        campaign: loaded.id(),
        name: loaded.row.name.parse()?,
        author: author(&loaded)?,
        accounts,
        others: Some(others(instance, &mut tx, campaign, now).await?),
        skipped,
        reasons: reasons(instance, &mut tx, &known, &targets).await?,
        policy: policy(&loaded)?,
        templates: words.digests().clone(),
        mails: words.mails().clone(),
        is_witnessed: is_witnessed(&mut tx, instance, &roster).await?,
    };
    let plan = Plan::freeze(draft, &targets, loaded.campaign.next_round(), now)?;
    refuse_few(&plan, &roster)?;
    record(instance, &mut tx, &mut loaded, &plan).await?;
    keep(&mut tx, loaded.id(), &known, &targets).await?;
    Ok(tx.commit().await?)
}

/// Whom other campaigns have reset lately, or are about to: as the rows count them, and no fewer than
/// the log knows for sure.
async fn others(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    now: Timestamp,
) -> Result<OtherCampaigns, CampaignError> {
    let since = now.before(SHARES_WINDOW);
    let counted = tx.accounts_of_others(campaign, since).await?;
    let accounts = counted.max(instance.proved(tx).await?.touched_by_others(campaign, since));
    Ok(OtherCampaigns { window_seconds: SHARES_WINDOW.as_secs(), accounts })
}

/// Refuses a plan that could never be signed: its author signs, and does not count as an approver.
fn refuse_few(plan: &Plan, roster: &Roster) -> Result<(), CampaignError> {
    refuse_stranger(plan.author(), roster)?;
    let others = roster.operators().iter().filter(|operator| operator.name() != plan.author());
    let (found, needed) = (others.count() as u64, plan.approvers_needed());
    if found >= u64::from(needed) {
        return Ok(());
    }
    Err(CampaignError::FewOperators { needed, found, author: plan.author().clone() })
}

fn author(loaded: &Loaded) -> Result<OperatorName, CampaignError> {
    Ok(loaded.row.author.parse()?)
}

fn policy(loaded: &Loaded) -> Result<Policy, CampaignError> {
    serde_json::from_slice(&loaded.row.policy)
        .map_err(|source| CampaignError::Machine { campaign: loaded.id(), source })
}

async fn record(
    instance: &Instance,
    tx: &mut Tx,
    loaded: &mut Loaded,
    plan: &Plan,
) -> Result<(), CampaignError> {
    let now = tx.now().await?;
    take_step(instance, tx, loaded, Event::Freeze(plan), now).await?;
    tx.add_plan(loaded.id(), plan.round(), plan.to_bytes()).await?;
    let counts = plan.counts();
    let frozen = CampaignEvent::CampaignFrozen {
        campaign: loaded.id(),
        round: plan.round(),
        plan: plan.digest().to_string(),
        targets: counts.targets,
        addresses: counts.addresses,
        skipped: counts.skipped.clone(),
        author_signs: plan.author_signs(),
    };
    Ok(instance.record(tx, &[frozen.into()]).await?)
}

/// What the store knows of everybody who may become a target.
struct Known {
    exposed: BTreeMap<AccountId, Exposed>,
    dismissed: u64,
    in_other_campaigns: HashSet<SubjectId>,
    reset_before: HashSet<(SubjectId, CredentialVersion)>,
    buried: HashSet<[u8; 32]>,
}

/// An account that leaks expose.
struct Exposed {
    subject: SubjectId,
    findings: Vec<Finding>,
}

impl Known {
    async fn load(instance: &Instance, campaign: CampaignId) -> Result<Self, CampaignError> {
        let mut tx = instance.store().read().await?;
        let leaks = tx.campaign_leaks(campaign).await?;
        instance.proved(&mut tx).await?.check_leaks_of(campaign, &leaks)?;
        let exposed = exposed(instance, &mut tx, &leaks).await?;
        let fingerprints = exposed.iter().flat_map(|(account, Exposed { findings, .. })| {
            let version = |finding: &Finding| instance.keys().fingerprint(account, finding.version);
            findings.iter().map(version)
        });
        let fingerprints: Vec<_> = fingerprints.collect();
        Ok(Self {
            buried: tx.tombstones(&fingerprints).await?.into_iter().collect(),
            exposed,
            dismissed: tx.dismissed_accounts(&leaks).await?,
            in_other_campaigns: tx.subjects_in_open_campaigns().await?.into_iter().collect(),
            reset_before: tx.reset_lines().await?.into_iter().collect(),
        })
    }

    fn skip_unseen(&self, keys: &KeyRing, id: &AccountId, exposed: &Exposed) -> Option<SkipReason> {
        if self.in_other_campaigns.contains(&exposed.subject) {
            return Some(SkipReason::InOtherCampaign);
        }
        let is_reset = |finding: &Finding| {
            self.reset_before.contains(&(exposed.subject, finding.version))
                || !self.buried.is_empty()
                    && self.buried.contains(&keys.fingerprint(id, finding.version))
        };
        exposed.findings.iter().any(is_reset).then_some(SkipReason::AlreadyReset)
    }
}

async fn exposed(
    instance: &Instance,
    tx: &mut Tx,
    leaks: &[LeakId],
) -> Result<BTreeMap<AccountId, Exposed>, CampaignError> {
    let findings = tx.open_findings(leaks).await?;
    refuse_hidden(instance, tx, leaks, &findings).await?;
    let subjects: BTreeSet<_> = findings.iter().map(|finding| finding.subject).collect();
    let accounts = instance.accounts_of(tx, subjects).await?;
    let mut exposed: BTreeMap<AccountId, Exposed> = BTreeMap::new();
    for finding in findings {
        let subject = finding.subject;
        let account = accounts.of(subject)?.clone();
        let of_account = exposed.entry(account);
        of_account.or_insert(Exposed { subject, findings: Vec::new() }).findings.push(finding);
    }
    Ok(exposed)
}

/// Whoever deletes findings, or closes them, keeps people from being told; so does whoever gives them to others.
async fn refuse_hidden(
    instance: &Instance,
    tx: &mut Tx,
    leaks: &[LeakId],
    findings: &[Finding],
) -> Result<(), CampaignError> {
    let log = instance.proved(tx).await?;
    for leak in leaks {
        let of_leak = findings.iter().filter(|finding| finding.leak == *leak);
        log.check_open_findings(*leak, &of_leak.map(|finding| finding.subject).collect())?;
    }
    drop(log);
    Ok(instance.check_found(tx, findings).await?)
}

/// Whom a campaign is about, before its plan is fixed.
struct ChosenTargets {
    known: Known,
    /// In the whole directory.
    accounts: u64,
    targets: Vec<Target>,
    skipped: BTreeMap<SkipReason, u64>,
}

async fn choose(
    instance: &Instance,
    campaign: CampaignId,
    directory: &dyn Directory,
    progress: &dyn Progress,
) -> Result<ChosenTargets, CampaignError> {
    let known = Known::load(instance, campaign).await?;
    let (mut targets, mut skipped) = (Vec::new(), BTreeMap::new());
    if known.dismissed > 0 {
        skipped.insert(SkipReason::Dismissed, known.dismissed);
    }
    progress.begin(Step::Freeze, known.exposed.len() as u64);
    let ids: Vec<_> = known.exposed.keys().cloned().collect();
    for ids in ids.chunks(ACCOUNTS_PER_LOOK_UP) {
        let present = directory.by_ids(ids).await?;
        let present: BTreeMap<_, _> = present.into_iter().map(|a| (a.id.clone(), a)).collect();
        let considering = Considering { instance, campaign, known: &known, directory };
        let exposed = ids.iter().filter_map(|id| Some((id, known.exposed.get(id)?)));
        for (id, exposed) in exposed {
            match considering.consider(id, exposed, present.get(id)) {
                Ok(target) => targets.push(target),
                Err(reason) => *skipped.entry(reason).or_default() += 1,
            }
        }
        progress.advance(ids.len() as u64);
    }
    progress.end();
    Ok(ChosenTargets { accounts: directory.count().await?, known, targets, skipped })
}

struct Considering<'a> {
    instance: &'a Instance,
    campaign: CampaignId,
    known: &'a Known,
    directory: &'a dyn Directory,
}

impl Considering<'_> {
    /// Whether an exposed account is a target, and why not.
    fn consider(
        &self,
        id: &AccountId,
        exposed: &Exposed,
        account: Option<&Account>,
    ) -> Result<Target, SkipReason> {
        if let Some(reason) = self.known.skip_unseen(self.instance.keys(), id, exposed) {
            return Err(reason);
        }
        let account = account.ok_or(SkipReason::Gone)?;
        if account.is_deactivated() {
            return Err(SkipReason::Inactive);
        }
        let credential = account.credential.as_ref().ok_or(SkipReason::NoPassword)?;
        let verified_is_recorded = self.directory.capabilities().can(Ability::RecordVerified);
        let addressee =
            Addressee::of(self.instance, Some(self.campaign), account, verified_is_recorded);
        let version = credential.version(self.instance.keys());
        Ok(Target {
            account: id.clone(),
            findings: telling(&exposed.findings, version).iter().map(|finding| finding.0).collect(),
            credential_version: version,
            address: addressee.ok_or(SkipReason::Unreachable)?.key,
            place: campaign::Place { address: 0, accounts: 0 },
        })
    }
}

/// The findings about the password as it is now. Where there is none, the hash was replaced since,
/// and only trying again can tell whether it is still of the same password.
fn telling(findings: &[Finding], version: CredentialVersion) -> Vec<FindingId> {
    let of_now = findings.iter().filter(|finding| finding.version == version);
    let mut telling: Vec<_> = of_now.map(|finding| finding.id).collect();
    if telling.is_empty() {
        telling = findings.iter().map(|finding| finding.id).collect();
    }
    telling.truncate(FINDINGS_MAX);
    telling
}

/// The leaks that the targets are in, each with how many.
async fn reasons(
    instance: &Instance,
    tx: &mut Tx,
    known: &Known,
    targets: &Targets,
) -> Result<Vec<Reason>, CampaignError> {
    let mut counts: BTreeMap<LeakId, u64> = BTreeMap::new();
    for target in targets.iter() {
        let exposed = known.exposed.get(&target.account);
        let findings = exposed.into_iter().flat_map(|exposed| &exposed.findings);
        let telling = findings.filter(|finding| target.findings.contains(&finding.id.0));
        let leaks: HashSet<_> = telling.map(|finding| finding.leak).collect();
        for leak in leaks {
            *counts.entry(leak).or_default() += 1;
        }
    }
    let leaks = instance.leaks(tx).await?.into_iter();
    let reason = |leak: store::Leak| {
        let targets = counts.get(&leak.id).copied()?;
        let store::Leak { id, name, public_name, date, provenance, .. } = leak;
        let is_suspect = false;
        Some(Reason { leak: id, name, public_name, date, provenance, is_suspect, targets })
    };
    Ok(leaks.filter_map(reason).collect())
}

async fn keep(
    tx: &mut Tx,
    campaign: CampaignId,
    known: &Known,
    targets: &Targets,
) -> Result<(), CampaignError> {
    let firsts = targets.iter().scan(None, |before, target| {
        let place = target.place;
        let is_first = before.replace(place.address) != Some(place.address);
        Some(is_first.then_some(NewAddress {
            number: place.address,
            key: *target.address.as_bytes(),
            accounts: place.accounts,
        }))
    });
    tx.add_addresses(campaign, firsts.flatten().collect::<Vec<_>>()).await?;
    let rows = (0..).zip(targets.iter()).filter_map(|(place, target)| {
        let exposed = known.exposed.get(&target.account)?;
        Some(NewTarget {
            place,
            subject: exposed.subject,
            address: target.place.address,
            version: target.credential_version,
            findings: exposed.ids(target),
        })
    });
    Ok(tx.add_targets(campaign, &rows.collect::<Vec<_>>()).await?)
}

impl Exposed {
    /// The store's own keys of a target's findings.
    fn ids(&self, target: &Target) -> Vec<FindingId> {
        let ids = self.findings.iter().map(|finding| finding.id);
        ids.filter(|id| target.findings.contains(&id.0)).collect()
    }
}
