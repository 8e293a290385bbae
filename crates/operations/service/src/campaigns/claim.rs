//! Taking addresses up: a few at a time, in their order, as far as the campaign lets a worker go.

use campaign::{Claim, Refusal, decide_claim};
use model::{CampaignId, TargetState};
use store::{AddressLease, Finding, FindingId, ResetLine, StoreError, TargetRow, Tx};
use tokio::time;

use super::{
    CampaignError,
    run::{Gate, WorkError, Worker, group},
};
use crate::limits::{ADDRESSES_PER_CLAIM, RENEWALS_PER_LEASE};

/// One address in this worker's hands, with all of its accounts.
pub(super) struct Held {
    pub(super) lease: AddressLease,
    pub(super) members: Vec<Member>,
}

/// One account, as the store has it.
pub(super) struct Member {
    pub(super) row: TargetRow,
    pub(super) findings: Vec<Finding>,
    pub(super) line: Option<ResetLine>,
    pub(super) is_reset_elsewhere: bool,
}

impl Worker<'_> {
    /// What this worker holds from now on; nothing if there is nothing to take.
    pub(super) async fn claim_addresses(
        &self,
        campaign: CampaignId,
    ) -> Result<Vec<Held>, WorkError> {
        let tree = self.tree(campaign).await?;
        let mut tx = self.site.store.begin().await?;
        let Some(mut gate) = self.gate(&mut tx, campaign).await? else { return Ok(Vec::new()) };
        let mut claimed = Vec::new();
        for number in tx.addresses_to_take(campaign, gate.allowed(), ADDRESSES_PER_CLAIM).await? {
            let members = members(&mut tx, campaign, number).await?;
            let rows: Vec<_> = members.iter().map(Member::as_signed).collect();
            let group = group(&tree, &gate.signed, &rows)?;
            let states: Vec<_> = members.iter().map(|member| member.row.state).collect();
            match decide_claim(&group, &states, &gate.facts()) {
                Claim::Proceed => {}
                Claim::Wait { .. } | Claim::Refuse(Refusal::KillSwitch) => break,
                Claim::Refuse(refused) => return Err(CampaignError::from(refused).into()),
            }
            let lease = self.site.options.lease;
            if let Some(lease) = tx.take_address(campaign, number, &self.name, lease).await? {
                gate.count(&lease, &states);
                claimed.push(Held { lease, members });
            }
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// Ends only with a fault of the store. An address that is lost is found to be so when its
    /// result is recorded.
    pub(super) async fn keep_renewing(&self, leases: &[AddressLease]) -> StoreError {
        loop {
            time::sleep(self.site.options.lease / RENEWALS_PER_LEASE).await;
            if let Err(failed) = self.renew(leases).await {
                return failed;
            }
        }
    }

    async fn renew(&self, leases: &[AddressLease]) -> Result<(), StoreError> {
        let mut tx = self.site.store.begin().await?;
        for lease in leases {
            tx.renew_address(lease, self.site.options.lease).await?;
        }
        tx.commit().await
    }
}

impl Gate {
    /// Counts an address that was just taken, for the decision on the next one.
    fn count(&mut self, lease: &AddressLease, states: &[TargetState]) {
        if lease.attempt == 1 {
            self.rate.this_minute += 1;
            self.rate.this_hour += 1;
        }
        let pending = states.iter().filter(|state| **state == TargetState::Pending);
        self.sealed_untold += pending.count() as u64;
    }
}

impl Member {
    fn as_signed(&self) -> (TargetRow, Vec<FindingId>) {
        (self.row.clone(), self.findings.iter().map(|finding| finding.id).collect())
    }
}

async fn members(tx: &mut Tx, campaign: CampaignId, number: u64) -> Result<Vec<Member>, WorkError> {
    let mut members = Vec::new();
    for row in tx.targets_of_address(campaign, number).await? {
        members.push(Member {
            findings: tx.findings_of_target(campaign, &row.account).await?,
            line: tx.reset_line(campaign, &row.account).await?,
            is_reset_elsewhere: tx.is_reset_elsewhere(campaign, &row.account).await?,
            row,
        });
    }
    Ok(members)
}
