//! Taking addresses up: a few at a time, in their order, as far as the campaign lets a worker go.

use std::collections::{BTreeMap, BTreeSet};

use campaign::{Claim, Refusal, Sending, decide_claim};
use instance::Instance;
use model::{CampaignId, SubjectId, TargetState};
use store::{AddressLease, Tx};

use crate::{
    CampaignError, RunError, WorkerContext,
    gate::{Gate, StoredTarget, group, stored_targets_of, tree, tree_of},
    limits::ADDRESSES_PER_CLAIM,
};

/// One address in this worker's hands, with all of its accounts.
pub(crate) struct Held {
    pub(crate) lease: AddressLease,
    pub(crate) members: Vec<Member>,
    /// Whether a pause of sending is tried by it.
    pub(crate) is_probe: bool,
}

impl Held {
    /// Whether nobody there is settled or begun.
    pub(crate) fn is_fresh(&self) -> bool {
        self.members.iter().all(Member::is_pending)
    }
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
    let tree = tree_of(context, &mut tx, &tree, &gate).await?;
    let numbers = addresses_to_take(context.instance, &mut tx, &gate).await?;
    let mut members_of = members(context.instance, &mut tx, campaign, &numbers).await?;
    let mut claimed = Vec::new();
    for number in numbers {
        let members = members_of.remove(&number).unwrap_or_default();
        let targets = members.iter().map(|member| &member.target);
        let states: Vec<_> = targets.clone().map(|target| target.row.state).collect();
        let group = group(&tree, &gate.signed, targets)?;
        match decide_claim(&group, &states, &gate.facts()) {
            Claim::Proceed => {}
            Claim::Wait { .. } | Claim::Refuse(Refusal::KillSwitch) => break,
            Claim::Refuse(refused) => return Err(CampaignError::from(refused).into()),
        }
        let is_probe = gate.sending == Sending::Untried && is_fresh(&states);
        if is_probe {
            if !tx.take_probe(None).await? {
                break;
            }
            gate.sending = Sending::Paused { until: gate.facts().now };
        }
        let lease = context.instance.options().lease;
        if let Some(lease) = tx.take_address(campaign, number, &context.name, lease).await? {
            count(&mut gate, &lease, &states);
            claimed.push(Held { lease, members, is_probe });
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

/// The first ones of which the log, too, says that they are not done.
async fn addresses_to_take(
    instance: &Instance,
    tx: &mut Tx,
    gate: &Gate,
) -> Result<Vec<u64>, RunError> {
    let campaign = gate.loaded.id();
    let numbers = tx.addresses_to_take(campaign, gate.allowed(), ADDRESSES_PER_CLAIM).await?;
    let log = instance.proved(tx).await?;
    let checked = numbers.iter().try_for_each(|number| log.check_address(campaign, *number));
    checked.map_err(CampaignError::from)?;
    Ok(numbers)
}

fn is_fresh(states: &[TargetState]) -> bool {
    states.iter().all(|state| *state == TargetState::Pending)
}

/// Counts an address that was just taken, for the decision on the next one.
fn count(gate: &mut Gate, lease: &AddressLease, states: &[TargetState]) {
    if lease.attempt == 1 {
        (gate.taken, gate.begun) = (gate.taken.plus(1), gate.begun.plus(1));
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

/// The accounts of these addresses, by address.
async fn members(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    addresses: &[u64],
) -> Result<BTreeMap<u64, Vec<Member>>, RunError> {
    let targets = stored_targets_of(instance, tx, campaign, addresses).await?;
    let reset = reset_elsewhere(instance, tx, campaign, &targets).await?;
    let mut members: BTreeMap<u64, Vec<Member>> = BTreeMap::new();
    for target in targets {
        let is_reset_elsewhere = reset.contains(&target.row.subject);
        let member = Member { target, is_reset_elsewhere };
        members.entry(member.target.row.address).or_default().push(member);
    }
    Ok(members)
}

/// Those of them one of whose passwords another campaign has taken out of use, or about one of whose
/// passwords somebody was told who is forgotten since.
async fn reset_elsewhere(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    targets: &[StoredTarget],
) -> Result<BTreeSet<SubjectId>, RunError> {
    let subjects: Vec<_> = targets.iter().map(|target| target.row.subject).collect();
    let mut reset: BTreeSet<_> =
        tx.reset_elsewhere(campaign, &subjects).await?.into_iter().collect();
    let versions = targets
        .iter()
        .flat_map(|target| target.findings.iter().map(move |finding| (target, finding.version)));
    let fingerprints: BTreeMap<_, _> = versions
        .map(|(StoredTarget { account, row, .. }, version)| {
            (instance.keys().fingerprint(account, version), row.subject)
        })
        .collect();
    let wanted: Vec<_> = fingerprints.keys().copied().collect();
    let buried = tx.tombstones(&wanted).await?;
    reset.extend(buried.iter().filter_map(|fingerprint| fingerprints.get(fingerprint)));
    Ok(reset)
}
