//! Taking passwords out of use: the saga of a campaign's accounts.

use campaign::{HaltReason, NoticeDue, Resolution, notice_due, resolve_sealing};
use directory::EndedSessions;
use instance::{Encrypted, failpoint, while_renewing};
use ledger::{CampaignEvent, LogEvent};
use model::{AccountId, CampaignId, Credential, NoticeId, SiteRow, StoredHash, TargetState};
use outbox::set_code;
use store::{AddressLease, NewResetLine, Tx};

use crate::{
    RunError, SealError, SwapError, WorkerContext,
    action::{Action, Actions, Sealing, end_of},
    claim::{Held, Member, claim_addresses},
    examine::examine,
    loaded::halt,
    saga::{Replacement, Saga, Swapped, carry_out},
};

/// Takes up some addresses and seals their accounts; `false` if there is none to take now.
pub(crate) async fn seal_next(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<bool, RunError> {
    let held = claim_addresses(context, campaign).await?;
    if held.is_empty() {
        return Ok(false);
    }
    failpoint::reach("addresses_claimed").await;
    let leases: Vec<_> = held.iter().map(|held| held.lease.clone()).collect();
    while_renewing(context.instance, &leases, seal(context, campaign, held)).await?;
    Ok(true)
}

/// Every account goes through the same steps together: looked at again, and then the saga.
async fn seal(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    held: Vec<Held>,
) -> Result<(), RunError> {
    let actions = examine(context, campaign, &held).await?;
    let sealing = SealingSaga { context, campaign, held, actions };
    carry_out(context.instance.keys(), &*context.means.directory, sealing).await?;
    failpoint::reach("sealed_recorded").await;
    Ok(())
}

/// The accounts of some addresses, with what is to be done with each.
struct SealingSaga<'a> {
    context: &'a WorkerContext<'a>,
    campaign: CampaignId,
    held: Vec<Held>,
    actions: Actions,
}

impl Saga for SealingSaga<'_> {
    const MOMENTS: [&'static str; 3] = ["sealing_intended", "hashes_swapped", "sessions_ended"];
    type Done = ();
    type Error = RunError;

    /// An address that was lost meanwhile is somebody else's: nothing is done there.
    async fn intend(&mut self) -> Result<Vec<Replacement>, RunError> {
        let mut tx = self.context.instance.store().begin().await?;
        tx.hold_campaign(self.campaign).await?;
        let mut events = Vec::new();
        for held in &self.held {
            let lease = self.context.instance.options().lease;
            let is_ours = tx.renew_address(&held.lease, lease).await?;
            for member in &held.members {
                let account = &member.row.account;
                if !is_ours {
                    self.actions.remove(account);
                    continue;
                }
                if let Some(Action::Seal(sealing)) = self.actions.get(account) {
                    events.extend(self.intend_one(&mut tx, member, sealing).await?);
                }
            }
        }
        self.record(&mut tx, events).await?;
        tx.commit().await?;
        Ok(self.actions.values().filter_map(replacement).collect())
    }

    /// States, notices, log and the end of the addresses: one transaction.
    async fn settle(mut self, swapped: Swapped, _: EndedSessions) -> Result<(), RunError> {
        let failed = self.take(swapped);
        let mut tx = self.context.instance.store().begin().await?;
        tx.hold_campaign(self.campaign).await?;
        let mut events = Vec::new();
        for held in &self.held {
            let is_settled =
                |member: &Member| self.actions.get(&member.row.account).is_some_and(Action::ends);
            if held.members.iter().all(is_settled) {
                self.record_address(&mut tx, held, &mut events).await?;
            }
        }
        self.record(&mut tx, events).await?;
        if self.actions.values().any(Action::halts) {
            let reason = HaltReason::Contradicted;
            halt(self.context.instance, &mut tx, self.campaign, reason).await?;
        }
        tx.commit().await?;
        failed.map_or(Ok(()), |failed| Err(failed.into()))
    }
}

impl SealingSaga<'_> {
    async fn intend_one(
        &self,
        tx: &mut Tx,
        member: &Member,
        sealing: &Sealing,
    ) -> Result<Option<CampaignEvent>, RunError> {
        let (instance, campaign) = (self.context.instance, self.campaign);
        let (evidence, account) = (&sealing.evidence, sealing.evidence.account());
        let kept = sealing.kept.encrypt(instance, campaign, account);
        let Encrypted { wrapped_key, body } = kept.map_err(SealError::Kept)?;
        let version = |hash: &StoredHash| Credential::from(hash.clone()).version(instance.keys());
        let line = NewResetLine {
            account: account.clone(),
            version: evidence.found_as(),
            replaced: version(evidence.hash()),
            sealed: version(&sealing.sealed),
            wrapped_key,
            kept: body,
            evidence: evidence.findings().to_vec(),
        };
        let now = tx.now().await?;
        tx.put_reset_line(campaign, line, now).await?;
        if member.row.state == TargetState::Sealing {
            return Ok(None);
        }
        let (from, to) = (TargetState::Pending, TargetState::Sealing);
        expect_moved(tx.move_target(campaign, account, from, to, None).await?, account)?;
        Ok(Some(CampaignEvent::AccountSealing {
            campaign,
            account: account.clone(),
            credential_version: evidence.found_as(),
            findings: evidence.findings().iter().map(|finding| finding.0).collect(),
        }))
    }

    /// Takes over what the site's rows hold; returns the first fault, which is told only after
    /// everything else is recorded.
    fn take(&mut self, swapped: Swapped) -> Option<SwapError> {
        let mut failed = None;
        for (account, row) in swapped {
            let action = row.map_or_else(
                |error| {
                    failed.get_or_insert(error);
                    Action::Open
                },
                after_swap,
            );
            self.actions.insert(account, action);
        }
        failed
    }

    async fn record_address(
        &self,
        tx: &mut Tx,
        held: &Held,
        events: &mut Vec<CampaignEvent>,
    ) -> Result<(), RunError> {
        let AddressLease { campaign, number, .. } = held.lease;
        let ends: Vec<_> =
            held.members.iter().map(|member| end_of(member, &self.actions)).collect();
        let is_due = notice_due(&ends) == NoticeDue::Now;
        if !tx.finish_address(&held.lease, !is_due).await? {
            return Ok(());
        }
        for (member, end) in held.members.iter().zip(&ends) {
            events.push(record_account(tx, campaign, member, *end, &self.actions).await?);
        }
        let notice = if is_due { Some(self.write_notice(tx, held, &ends).await?) } else { None };
        events.push(CampaignEvent::AddressDone { campaign, address: number, notice });
        Ok(())
    }

    /// The row of the one mail to this address, to be sent from now on.
    async fn write_notice(
        &self,
        tx: &mut Tx,
        held: &Held,
        ends: &[TargetState],
    ) -> Result<NoticeId, RunError> {
        let sealed = held.members.iter().zip(ends).filter(|(_, end)| end.was_sealed());
        let sealed: Vec<_> = sealed.map(|(member, _)| member.row.account.clone()).collect();
        let AddressLease { campaign, number, .. } = held.lease;
        let now = tx.now().await?;
        let id = tx.add_notice(campaign, number, &sealed, now).await?;
        set_code(self.context.instance, tx, id).await?;
        Ok(id)
    }

    async fn record(&self, tx: &mut Tx, events: Vec<CampaignEvent>) -> Result<(), RunError> {
        if events.is_empty() {
            return Ok(());
        }
        let events: Vec<_> = events.into_iter().map(LogEvent::from).collect();
        Ok(self.context.instance.record(tx, &events).await?)
    }
}

fn replacement(action: &Action) -> Option<Replacement> {
    let Action::Seal(sealing) = action else { return None };
    Some(Replacement {
        account: sealing.evidence.account().clone(),
        old: sealing.evidence.hash().clone(),
        new: sealing.sealed.clone(),
    })
}

fn after_swap(row: SiteRow) -> Action {
    match resolve_sealing(row) {
        Resolution::Sealed => Action::Sealed,
        Resolution::Skipped(reason) => Action::Skip(reason),
        Resolution::Again => Action::Open,
    }
}

async fn record_account(
    tx: &mut Tx,
    campaign: CampaignId,
    member: &Member,
    end: TargetState,
    actions: &Actions,
) -> Result<CampaignEvent, RunError> {
    let account = member.row.account.clone();
    let reason = actions.get(&account).and_then(Action::skipped);
    let line = tx.reset_line(campaign, &account).await?;
    let from = if line.is_some() { TargetState::Sealing } else { TargetState::Pending };
    expect_moved(tx.move_target(campaign, &account, from, end, reason).await?, &account)?;
    let Some(reason) = reason else {
        let address = member.row.address;
        return Ok(CampaignEvent::AccountSealed { campaign, account, address });
    };
    if line.is_some() {
        tx.drop_reset_line(campaign, &account).await?;
    }
    Ok(CampaignEvent::AccountSkipped { campaign, account, reason })
}

fn expect_moved(moved: bool, account: &AccountId) -> Result<(), SealError> {
    if moved { Ok(()) } else { Err(SealError::Moved { account: account.clone() }) }
}
