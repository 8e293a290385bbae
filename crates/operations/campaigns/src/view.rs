use std::collections::{BTreeMap, BTreeSet};

use authority::Approval;
use campaign::{HaltReason, Plan, PlanDigest, Reason, Scope, State, allowed_addresses};
use directory::Directory;
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use instance::Instance;
use model::{CampaignState, NoticeState, SkipReason, TargetState, Timestamp};
use outbox::{PausedSending, masked_address, masked_id};
use serde::Serialize;
use store::{CampaignRow, Tx};

use crate::{
    CampaignError,
    limits::SAMPLES_SHOWN,
    loaded::{Loaded, halt_reason, named},
};

/// Where a campaign stands.
#[derive(Debug, Clone, Serialize)]
pub struct CampaignView {
    /// What operators call it.
    pub name: String,
    /// Who is answerable for it.
    pub author: String,
    /// `draft`, `frozen`, `signed`, `canary`, `soak`, `ramp`, `done`, `halted` or `closed`.
    pub state: &'static str,
    /// Why it is halted.
    pub halted_because: Option<HaltReason>,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// Raised by every freezing and every halt.
    pub round: u32,
    /// The latest plan; none before it is frozen.
    pub plan: Option<PlanView>,
    /// Addresses that workers may have taken up by now.
    pub addresses_allowed: u64,
    /// Addresses that they have taken up.
    pub addresses_taken: u64,
    /// Accounts that its leaks name and whose password could not be tried: nobody knows whether they are
    /// exposed, and no campaign reaches them.
    pub not_checked: u64,
    /// Accounts by how far it is with them.
    pub accounts: BTreeMap<TargetState, u64>,
    /// Accounts left alone since it was frozen, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Notices by how far they are.
    pub notices: BTreeMap<NoticeState, u64>,
    /// Accounts that are sealed while their notice is not final.
    pub sealed_untold: u64,
    /// Addresses that wait for a minute because somebody else holds a row of theirs in the site's
    /// database.
    pub held_up: u64,
    /// Why nobody is told now; none while everybody is.
    pub sending_paused: Option<PausedSending>,
}

/// What is to be signed, or was.
#[derive(Debug, Clone, Serialize)]
pub struct PlanView {
    /// SHA-256 over all of it.
    pub digest: PlanDigest,
    /// Whether it is that of the round that the campaign is in: what is signed must be.
    pub is_current: bool,
    /// When it was fixed.
    pub frozen_at: Timestamp,
    /// When the last signature must be given.
    pub sign_by: Timestamp,
    /// When the campaign must have started.
    pub start_by: Timestamp,
    /// Accounts whose passwords are to be reset.
    pub targets: u64,
    /// Addresses that are to be written to.
    pub addresses: u64,
    /// Accounts in the whole directory.
    pub accounts: u64,
    /// Accounts that other campaigns have reset lately, or are to: they count for the approvers.
    pub accounts_of_others: u64,
    /// Exposed accounts that are left alone, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The leaks that it is because of.
    pub reasons: Vec<Reason>,
    /// Accounts that may be sealed and not told: above that, sealing waits.
    pub sealed_untold_max: u64,
    /// Which of the targets it takes up.
    pub scope: Scope,
    /// Approvers that it needs.
    pub approvers_needed: u32,
    /// Who has approved it.
    pub approvers: Vec<String>,
    /// Who wrote it.
    pub author: String,
    /// Whether the author has signed it; `None` if the author does not have to.
    pub is_signed_by_author: Option<bool>,
}

/// Where a campaign stands.
///
/// # Errors
/// [`CampaignError::None`] if there is none of this name.
pub fn show_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let loaded = named(&mut tx, name).await?;
        view(&mut tx, &loaded).await
    })
}

/// Where every campaign stands, the oldest first.
///
/// # Errors
/// [`CampaignError`] if the store fails.
pub fn campaigns(instance: &Instance) -> BoxFuture<'_, Result<Vec<CampaignView>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let rows = tx.campaigns().await?;
        views(&mut tx, rows).await
    })
}

/// Where the campaigns in these states stand, the oldest first.
///
/// # Errors
/// [`CampaignError`] if the store fails.
pub fn campaigns_in<'a>(
    instance: &'a Instance,
    states: &'a [CampaignState],
) -> BoxFuture<'a, Result<Vec<CampaignView>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let rows = tx.campaigns_in(states).await?;
        views(&mut tx, rows).await
    })
}

async fn views(tx: &mut Tx, rows: Vec<CampaignRow>) -> Result<Vec<CampaignView>, CampaignError> {
    let mut views = Vec::new();
    for row in rows {
        views.push(view(tx, &Loaded::new(row)?).await?);
    }
    Ok(views)
}

async fn view(tx: &mut Tx, loaded: &Loaded) -> Result<CampaignView, CampaignError> {
    let (id, campaign) = (loaded.id(), &loaded.campaign);
    let (accounts, skipped) = accounts(tx, loaded).await?;
    Ok(CampaignView {
        name: loaded.row.name.clone(),
        author: loaded.row.author.clone(),
        state: campaign.state().as_str(),
        halted_because: halt_reason(campaign),
        since: campaign.since(),
        round: campaign.round(),
        plan: plan_view(tx, loaded).await?,
        addresses_allowed: allowed_addresses(campaign),
        addresses_taken: tx.address_counts(id).await?.taken,
        not_checked: tx.unverified_in_campaign(id).await?,
        accounts,
        skipped,
        notices: tx.notice_counts(id).await?.into_iter().collect(),
        sealed_untold: tx.sealed_untold(id).await?,
        held_up: tx.addresses_put_off(id).await?,
        sending_paused: tx.sending_pause().await?.map(PausedSending::from),
    })
}

type Accounted = (BTreeMap<TargetState, u64>, BTreeMap<SkipReason, u64>);

/// Those left alone are counted by their reason, and everybody else by how far they are.
pub(crate) async fn accounts(tx: &mut Tx, loaded: &Loaded) -> Result<Accounted, CampaignError> {
    let (mut accounts, mut skipped) = Accounted::default();
    for (state, reason, count) in tx.target_counts(loaded.id()).await? {
        match reason {
            Some(reason) => *skipped.entry(reason).or_default() += count,
            None => *accounts.entry(state).or_default() += count,
        }
    }
    Ok((accounts, skipped))
}

async fn plan_view(tx: &mut Tx, loaded: &Loaded) -> Result<Option<PlanView>, CampaignError> {
    if loaded.campaign.state() == State::Draft {
        return Ok(None);
    }
    let Some(body) = tx.plan(loaded.id()).await? else { return Ok(None) };
    let plan = Plan::parse(&body)?;
    let author = plan.author().to_string();
    // Whoever has copied a signature under another name has not made it two.
    let (mut approvers, mut is_signed) = (BTreeSet::new(), false);
    for body in tx.approvals(loaded.id(), plan.round()).await? {
        match Approval::parse(&body)?.operator() {
            operator if operator == plan.author() => is_signed = true,
            operator => {
                approvers.insert(operator.to_string());
            }
        }
    }
    let counts = plan.counts();
    Ok(Some(PlanView {
        digest: plan.digest(),
        is_current: loaded.campaign.plan() == Some(plan.digest()),
        frozen_at: plan.frozen_at(),
        sign_by: plan.sign_by(),
        start_by: plan.start_by(),
        targets: counts.targets,
        addresses: counts.addresses,
        accounts: counts.accounts,
        accounts_of_others: plan.others().map_or(0, |others| others.accounts),
        skipped: counts.skipped.clone(),
        reasons: plan.reasons().to_vec(),
        sealed_untold_max: plan.policy().sealed_untold_max,
        scope: plan.scope(),
        approvers_needed: plan.approvers_needed(),
        approvers: approvers.into_iter().collect(),
        author,
        is_signed_by_author: plan.author_signs().then_some(is_signed),
    }))
}

/// One target, as much of it as an operator needs to see that the list is the one meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// The last characters of the account's id.
    pub account: String,
    /// The address, masked; none if the account is gone.
    pub address: Option<String>,
    /// Why: a leak, and by which identifier it led to the account.
    pub because_of: String,
}

/// Some targets of a frozen campaign, masked.
///
/// # Errors
/// [`CampaignError`] if store or directory fail.
pub fn sample_targets<'a>(
    instance: &'a Instance,
    name: &'a str,
    directory: &'a dyn Directory,
) -> BoxFuture<'a, Result<Vec<Sample>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let loaded = named(&mut tx, name).await?;
        let id = loaded.id();
        let mut chosen = Vec::new();
        {
            let mut targets = tx.targets(id);
            while chosen.len() < SAMPLES_SHOWN
                && let Some(target) = targets.try_next().await?
            {
                chosen.push(target.subject);
            }
        }
        let leaks: BTreeMap<_, _> =
            instance.leaks(&mut tx).await?.into_iter().map(|leak| (leak.id, leak.name)).collect();
        let accounts = instance.accounts_of(&mut tx, chosen.iter().copied()).await?;
        let ids: Vec<_> = accounts.iter().map(|(_, account)| account.clone()).collect();
        let present = directory.by_ids(&ids).await?;
        let mut samples = Vec::new();
        for subject in chosen {
            let account = accounts.of(subject)?;
            let findings = tx.findings_of_targets(id, &[subject]).await?;
            let because_of = findings.first().and_then(|finding| {
                leaks.get(&finding.leak).map(|leak| format!("{leak} ({})", finding.tier))
            });
            let email = present.iter().find(|a| a.id == *account).and_then(|a| a.email.as_deref());
            samples.push(Sample {
                account: masked_id(account),
                address: email.and_then(|email| email.parse().ok()).map(|a| masked_address(&a)),
                because_of: because_of.unwrap_or_default(),
            });
        }
        Ok(samples)
    })
}
