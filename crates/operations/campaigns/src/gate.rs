//! Everything that a claim is decided by, read in the transaction that claims.

use std::{collections::HashMap, sync::Arc};

use campaign::{
    AddressGroup, AddressKey, ClaimFacts, InclusionProof, Place, Plan, RateUsed, Sending,
    SignedPlan, State, Target, TargetTree, Targets, allowed_addresses, wait_of_fresh,
};
use futures_util::TryStreamExt;
use instance::{Instance, failpoint::mutant};
use ledger::{HOUR, MINUTE};
use model::{AccountId, CampaignId, FindingId, KillSwitch, SubjectId, Timestamp};
use notice::{Phase, is_time_for_another};
use store::{Finding, SendingPause, TargetRow, Tx};

use crate::{
    CampaignError, RunError, WorkerContext,
    approvals::signed_plan,
    freeze::check_words,
    loaded::{Loaded, held_gate},
    not_in_plan::NotInPlan,
};

/// What a claim is decided by.
pub(crate) struct Gate {
    pub(crate) loaded: Loaded,
    pub(crate) signed: SignedPlan,
    kill_switch: KillSwitch,
    pub(crate) taken: RateUsed,
    pub(crate) begun: RateUsed,
    pub(crate) sealed_untold: u64,
    is_earlier_unsettled: bool,
    pub(crate) sending: Sending,
    now: Timestamp,
}

impl Gate {
    /// `None` if the campaign does not run: then nothing is checked either.
    pub(crate) async fn read(
        context: &WorkerContext<'_>,
        tx: &mut Tx,
        campaign: CampaignId,
    ) -> Result<Option<Self>, RunError> {
        let (kill_switch, loaded, logged) = held_gate(context.instance, tx, campaign).await?;
        if !matches!(loaded.campaign.state(), State::Running(_)) {
            return Ok(None);
        }
        let outbox = &context.means.outbox;
        let permit = outbox.permission.check(tx, context.instance).await?;
        let now = tx.now().await?;
        let signed = signed_plan(tx, &loaded, &permit.roster, now).await?;
        check_words(&outbox.words, signed.plan())?;
        check_witnesses(permit.is_witnessed, signed.plan())?;
        loaded.check_scope(signed.plan().scope())?;
        let (minute, hour) = (now.begin_of(MINUTE), now.begin_of(HOUR));
        let taken = RateUsed {
            this_minute: tx.addresses_taken_since(campaign, minute).await?,
            this_hour: tx.addresses_taken_since(campaign, hour).await?,
        };
        let begun = RateUsed {
            this_minute: logged.pace.begun_since(minute),
            this_hour: logged.pace.begun_since(hour),
        };
        // Rows know who is in somebody's hands, and the log whom no row hides.
        let sealed_untold = tx.sealed_untold(campaign).await?.max(logged.unsettled.accounts());
        let is_earlier_unsettled = match loaded.campaign.resumed_at() {
            Some(_) if mutant::is_on("fresh_before_unsettled") => false,
            Some(resumed_at) => tx.is_earlier_unsettled(campaign, resumed_at).await?,
            None => false,
        };
        let mut gate = Self {
            loaded,
            signed,
            kill_switch,
            taken,
            begun,
            sealed_untold,
            is_earlier_unsettled,
            sending: Sending::Open,
            now,
        };
        gate.sending = gate.read_sending(tx).await?;
        Ok(Some(gate))
    }

    /// A notice that is due shows sooner than a new one whether mail leaves again, unless the relay
    /// may refuse its recipient alone.
    async fn read_sending(&self, tx: &mut Tx) -> Result<Sending, RunError> {
        let Some(pause) = tx.sending_pause().await? else { return Ok(Sending::Open) };
        let is_waiting = pause.is_waiting(self.now);
        let SendingPause { since, probe_at, phase, .. } = pause;
        let (campaign, paused) = (self.loaded.id(), Sending::Paused { until: probe_at });
        if is_waiting {
            return Ok(paused);
        }
        let Some(due) = tx.notice_to_probe(campaign).await? else { return Ok(Sending::Untried) };
        let is_heard = phase.parse().is_ok_and(Phase::has_recipient);
        if !is_heard || due.put_off_at.is_none() || wait_of_fresh(&self.facts()).is_some() {
            return Ok(paused);
        }
        let last_taken = tx.last_taken(campaign).await?;
        let is_due = is_time_for_another(since, last_taken, self.now)
            && !tx.addresses_to_take(campaign, self.allowed(), 1).await?.is_empty();
        Ok(if is_due { Sending::Untried } else { paused })
    }

    pub(crate) const fn facts(&self) -> ClaimFacts<'_> {
        ClaimFacts {
            campaign: &self.loaded.campaign,
            signed: &self.signed,
            kill_switch: self.kill_switch,
            taken: self.taken,
            begun: self.begun,
            sealed_untold: self.sealed_untold,
            is_earlier_unsettled: self.is_earlier_unsettled,
            sending: self.sending,
            now: self.now,
        }
    }

    pub(crate) fn allowed(&self) -> u64 {
        allowed_addresses(&self.loaded.campaign)
    }
}

/// Operators who signed for a plan that witnesses look on have signed for no other.
fn check_witnesses(is_witnessed: bool, plan: &Plan) -> Result<(), CampaignError> {
    if plan.is_witnessed() && !is_witnessed {
        return Err(CampaignError::Unwitnessed { plan: plan.digest() });
    }
    Ok(())
}

/// An account of a campaign, as the store has it.
pub(crate) struct StoredTarget {
    pub(crate) row: TargetRow,
    pub(crate) account: AccountId,
    pub(crate) findings: Vec<Finding>,
}

/// The accounts of some addresses.
pub(crate) async fn stored_targets_of(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    addresses: &[u64],
) -> Result<Vec<StoredTarget>, RunError> {
    let rows = tx.targets_of_addresses(campaign, addresses).await?;
    let subjects: Vec<_> = rows.iter().map(|row| row.subject).collect();
    let accounts = instance.accounts_of(tx, subjects.iter().copied()).await?;
    let mut findings: HashMap<SubjectId, Vec<Finding>> = HashMap::new();
    for finding in tx.findings_of_targets(campaign, &subjects).await? {
        findings.entry(finding.subject).or_default().push(finding);
    }
    let mut stored = Vec::new();
    for row in rows {
        let account = accounts.of(row.subject)?.clone();
        let findings = findings.remove(&row.subject).unwrap_or_default();
        stored.push(StoredTarget { row, account, findings });
    }
    Ok(stored)
}

/// The accounts of one address, proved to stand in the signed plan.
pub(crate) fn group<'a>(
    tree: &TargetTree,
    signed: &SignedPlan,
    stored: impl ExactSizeIterator<Item = &'a StoredTarget>,
) -> Result<AddressGroup, RunError> {
    let accounts = u32::try_from(stored.len()).unwrap_or(u32::MAX);
    let members = stored.map(|StoredTarget { row, account, findings }| {
        let proof = tree.prove(row.place).ok_or(NotInPlan { account: account.clone() })?;
        let findings: Vec<_> = findings.iter().map(|finding| finding.id).collect();
        Ok((target(row, account, &findings, accounts), proof))
    });
    let members = members.collect::<Result<Vec<(Target, InclusionProof)>, NotInPlan>>()?;
    Ok(AddressGroup::verify(signed, members).map_err(CampaignError::from)?)
}

fn target(row: &TargetRow, account: &AccountId, findings: &[FindingId], accounts: u32) -> Target {
    Target {
        account: account.clone(),
        findings: findings.iter().map(|finding| finding.0).collect(),
        credential_version: row.version,
        address: AddressKey::from_bytes(row.address_key),
        place: Place { address: row.address, accounts },
    }
}

/// The tree over a campaign's targets as the store holds them, made once and then kept.
pub(crate) async fn tree(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<Arc<TargetTree>, RunError> {
    match context.kept_tree(campaign) {
        Some(tree) => Ok(tree),
        None => make_tree(context, &mut context.instance.store().read().await?, campaign).await,
    }
}

/// The same, made anew if what was kept is of a plan before the signed one. Each claim holds its
/// root against the signed plan's.
pub(crate) async fn tree_of(
    context: &WorkerContext<'_>,
    tx: &mut Tx,
    kept: &Arc<TargetTree>,
    gate: &Gate,
) -> Result<Arc<TargetTree>, RunError> {
    if kept.root() == gate.signed.plan().root() {
        return Ok(Arc::clone(kept));
    }
    make_tree(context, tx, gate.loaded.campaign.id()).await
}

async fn make_tree(
    context: &WorkerContext<'_>,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<Arc<TargetTree>, RunError> {
    let tree = Arc::new(TargetTree::new(&stored_targets(context.instance, tx, campaign).await?));
    context.keep_tree(campaign, &tree);
    Ok(tree)
}

async fn stored_targets(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<Targets, RunError> {
    let mut findings: HashMap<SubjectId, Vec<FindingId>> = HashMap::new();
    for (subject, finding) in tx.target_findings(campaign).await? {
        findings.entry(subject).or_default().push(finding);
    }
    let rows: Vec<_> = tx.targets(campaign).try_collect().await?;
    let accounts = instance.accounts_of(tx, rows.iter().map(|row| row.subject)).await?;
    let mut targets = Vec::with_capacity(rows.len());
    for row in &rows {
        let findings = findings.get(&row.subject).map_or(&[][..], Vec::as_slice);
        targets.push(target(row, accounts.of(row.subject)?, findings, 0));
    }
    Ok(Targets::new(targets).map_err(CampaignError::from)?)
}
