//! Taking addresses up: a few at a time, in their order, as far as the campaign lets a worker go.

use campaign::{Claim, Refusal, Sending, decide_claim};
use instance::Instance;
use model::{CampaignId, TargetState};
use store::{AddressLease, Tx};

use crate::{
    CampaignError, RunError, WorkerContext,
    gate::{Gate, StoredTarget, group, stored_targets_of, tree},
    limits::ADDRESSES_PER_CLAIM,
};

/// One address in this worker's hands, with all of its accounts.
pub(crate) struct Held {
    pub(crate) lease: AddressLease,
    pub(crate) members: Vec<Member>,
}

/// One account, as the store has it.
pub(crate) struct Member {
    pub(crate) target: StoredTarget,
    pub(crate) is_reset_elsewhere: bool,
}

/// What this worker holds from now on; nothing if there is nothing to take.
pub(crate) async fn claim_addresses(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<Vec<Held>, RunError> {
    let tree = tree(context, campaign).await?;
    let mut tx = context.instance.store().begin().await?;
    let Some(mut gate) = Gate::read(context, &mut tx, campaign).await? else {
        return Ok(Vec::new());
    };
    let mut claimed = Vec::new();
    for number in tx.addresses_to_take(campaign, gate.allowed(), ADDRESSES_PER_CLAIM).await? {
        let members = members(context.instance, &mut tx, campaign, number).await?;
        let targets = members.iter().map(|member| &member.target);
        let states: Vec<_> = targets.clone().map(|target| target.row.state).collect();
        let group = group(&tree, &gate.signed, targets)?;
        match decide_claim(&group, &states, &gate.facts()) {
            Claim::Proceed => {}
            Claim::Wait { .. } | Claim::Refuse(Refusal::KillSwitch) => break,
            Claim::Refuse(refused) => return Err(CampaignError::from(refused).into()),
        }
        if gate.sending == Sending::Untried && is_fresh(&states) {
            if !tx.take_probe(None).await? {
                break;
            }
            gate.sending = Sending::Paused { until: gate.facts().now };
        }
        let lease = context.instance.options().lease;
        if let Some(lease) = tx.take_address(campaign, number, &context.name, lease).await? {
            count(&mut gate, &lease, &states);
            claimed.push(Held { lease, members });
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

fn is_fresh(states: &[TargetState]) -> bool {
    states.iter().all(|state| *state == TargetState::Pending)
}

/// Counts an address that was just taken, for the decision on the next one.
fn count(gate: &mut Gate, lease: &AddressLease, states: &[TargetState]) {
    if lease.attempt == 1 {
        gate.rate.this_minute += 1;
        gate.rate.this_hour += 1;
    }
    let pending = states.iter().filter(|state| **state == TargetState::Pending);
    gate.sealed_untold += pending.count() as u64;
}

impl Member {
    /// Whether nobody has settled it yet: of an address that was begun, others may be.
    pub(crate) fn is_pending(&self) -> bool {
        self.target.row.state == TargetState::Pending
    }
}

async fn members(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    number: u64,
) -> Result<Vec<Member>, RunError> {
    let mut members = Vec::new();
    for target in stored_targets_of(instance, tx, campaign, number).await? {
        let is_reset_elsewhere = tx.is_reset_elsewhere(campaign, target.row.subject).await?
            || is_buried(instance, tx, &target).await?;
        members.push(Member { target, is_reset_elsewhere });
    }
    Ok(members)
}

/// Whether somebody was told of one of these passwords who is forgotten since.
async fn is_buried(
    instance: &Instance,
    tx: &mut Tx,
    target: &StoredTarget,
) -> Result<bool, RunError> {
    let versions = target.findings.iter().map(|finding| finding.version);
    let fingerprint = |version| instance.keys().fingerprint(&target.account, version);
    let fingerprints: Vec<_> = versions.map(fingerprint).collect();
    Ok(!tx.tombstones(&fingerprints).await?.is_empty())
}
