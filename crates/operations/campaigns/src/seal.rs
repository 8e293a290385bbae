//! Taking passwords out of use: the saga of a campaign's accounts.

use std::collections::BTreeMap;

use campaign::{
    Claim, HaltReason, NoticeDue, decide_intent, decide_pass, is_left_for_later, notice_due,
};
use directory::EndedSessions;
use instance::{
    Encrypted,
    failpoint::{self, mutant},
    prolong_arming, while_renewing,
};
use ledger::{CampaignEvent, LogEvent};
use model::{AccountId, CampaignId, NoticeId, SkipReason, SubjectId, SwapState, TargetState};
use store::{AddressLease, NewResetLine, NewSwap, SwapBehalf, SwapLease, Tx};

use crate::{
    RunError, SealError, SwapError, WorkerContext,
    action::{Action, Actions, Sealing},
    claim::{Held, Member, claim_addresses},
    ended::{EndedAccount, record_end},
    examine::examine,
    gate::{Gate, StoredTarget},
    limits::HELD_ROW_AGAIN_AFTER,
    loaded::{halt, shared_gate},
    saga::{Replacement, Saga, Swapped, carry_out, version},
    swap_row::{check_open_swap, end_open_swap, swap_digest},
};

/// Takes up some addresses and seals their accounts; `false` if there is none to take now.
pub(crate) async fn seal_next(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<bool, RunError> {
    context.means.outbox.permission.ready(context.instance).await?;
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
    let sealing =
        SealingSaga { context, campaign, round: 0, held, actions, swaps: BTreeMap::new() };
    carry_out(context.instance, &*context.means.directory, sealing).await?;
    failpoint::reach("sealed_recorded").await;
    Ok(())
}

/// The accounts of some addresses, with what is to be done with each.
struct SealingSaga<'a> {
    context: &'a WorkerContext<'a>,
    campaign: CampaignId,
    /// By whose signatures it is intended.
    round: u32,
    held: Vec<Held>,
    actions: Actions,
    swaps: BTreeMap<AccountId, SwapLease>,
}

impl Saga for SealingSaga<'_> {
    const MOMENTS: [&'static str; 3] = ["sealing_intended", "hashes_swapped", "sessions_ended"];
    type Done = ();
    type Error = RunError;

    /// An address that was lost meanwhile is somebody else's, and after a halt it is nobody's:
    /// nothing is done there.
    async fn intend(&mut self) -> Result<Vec<Replacement>, RunError> {
        let mut tx = self.context.instance.store().begin().await?;
        let open = match Gate::read(self.context, &mut tx, self.campaign).await? {
            Some(gate) if decide_intent(&gate.facts(), self.fresh()) == Claim::Proceed => {
                self.round = gate.loaded.campaign.round();
                self.leave_for_later(&mut tx, &gate).await?;
                if gate.loaded.is_restored {
                    self.leave_untold();
                }
                true
            }
            _ => mutant::is_on("gate_at_claim_only"),
        };
        let replacements = if open {
            self.intend_all(&mut tx).await?
        } else {
            self.give_back(&mut tx).await?;
            Vec::new()
        };
        tx.commit().await?;
        Ok(replacements)
    }

    async fn attest(&self) -> Result<(), RunError> {
        let permission = &self.context.means.outbox.permission;
        Ok(permission.mark(self.context.instance).await?)
    }

    async fn may_pass(&self, tx: &mut Tx) -> Result<bool, SwapError> {
        let instance = self.context.instance;
        let (kill_switch, loaded) = shared_gate(instance, tx, self.campaign)
            .await
            .map_err(|error| SwapError::Gate(error.into()))?;
        let is_any_round = mutant::is_on("pass_in_any_round");
        let round = if is_any_round { loaded.campaign.round() } else { self.round };
        let may = decide_pass(&loaded.campaign, round, kill_switch).is_ok();
        Ok(may || mutant::is_on("gate_at_claim_only"))
    }

    /// States, notices, log and the end of the addresses: one transaction.
    async fn settle(mut self, swapped: Swapped, _: EndedSessions) -> Result<(), RunError> {
        let failed = self.take(swapped);
        let mut tx = self.context.instance.store().begin().await?;
        tx.hold_campaign(self.campaign).await?;
        let mut events = Vec::new();
        for held in &self.held {
            self.settle_address(&mut tx, held, &mut events).await?;
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
    /// Addresses where nobody is begun.
    fn fresh(&self) -> u64 {
        self.held.iter().filter(|held| held.is_fresh()).count() as u64
    }

    async fn intend_all(&mut self, tx: &mut Tx) -> Result<Vec<Replacement>, RunError> {
        let (mut events, mut replacements) = (Vec::new(), Vec::new());
        for held in std::mem::take(&mut self.held) {
            let lease = self.context.instance.options().lease;
            if !tx.renew_address(&held.lease, lease).await? {
                continue;
            }
            for member in &held.members {
                let (account, subject) = (&member.target.account, member.target.row.subject);
                let Some(Action::Seal(sealing)) = self.actions.get(account) else { continue };
                // Somebody is choosing a password at this moment, or another campaign is at it.
                let address = held.lease.number;
                let intended = self.intend_one(tx, (subject, address), sealing, &mut events);
                let Some(held) = intended.await? else {
                    self.actions.insert(account.clone(), Action::Open);
                    continue;
                };
                self.swaps.insert(account.clone(), held);
                let (old, new) = (sealing.evidence.hash().clone(), sealing.sealed.clone());
                replacements.push(Replacement { held, account: account.clone(), old, new });
            }
            self.held.push(held);
        }
        if !replacements.is_empty() {
            prolong_arming(tx).await?;
        }
        self.record(tx, events).await?;
        Ok(replacements)
    }

    /// Gives back the addresses that must not be begun while nobody is told.
    async fn leave_for_later(&mut self, tx: &mut Tx, gate: &Gate) -> Result<(), RunError> {
        for held in std::mem::take(&mut self.held) {
            if !is_left_for_later(&gate.facts(), held.is_fresh(), held.is_probe) {
                self.held.push(held);
                continue;
            }
            tx.give_address_back(&held.lease).await?;
            for member in &held.members {
                self.actions.remove(&member.target.account);
            }
        }
        Ok(())
    }

    /// Whoever was sealed now would not be told: the one mail to the address may have been sent.
    fn leave_untold(&mut self) {
        for action in self.actions.values_mut() {
            if matches!(action, Action::Seal(_)) {
                *action = Action::Skip(SkipReason::Restored);
            }
        }
    }

    /// The intent, with all that is needed to take it back.
    async fn intend_one(
        &self,
        tx: &mut Tx,
        (subject, address): (SubjectId, u64),
        sealing: &Sealing,
        events: &mut Vec<CampaignEvent>,
    ) -> Result<Option<SwapLease>, RunError> {
        let (instance, campaign) = (self.context.instance, self.campaign);
        let (evidence, account) = (&sealing.evidence, sealing.evidence.account());
        let keys = instance.keys();
        let (expected, made) = (version(keys, evidence.hash()), version(keys, &sealing.sealed));
        let behalf = SwapBehalf::Seal { campaign, round: self.round };
        let swap = NewSwap { subject, behalf, expected, made };
        let lease = instance.options().lease;
        let Some(held) = tx.intend_swap(&swap, &self.context.name, lease).await? else {
            let Some(open) = tx.open_swap_of(subject).await? else {
                return Err(SealError::NotIntended { account: account.clone() }.into());
            };
            check_open_swap(instance, tx, &open, open.attempt).await?;
            return Ok(None);
        };
        let log = instance.proved(tx).await?;
        log.check_no_swap(subject).map_err(SwapError::from)?;
        log.check_unsettled(campaign, subject).map_err(SwapError::from)?;
        drop(log);
        let kept = sealing.kept.encrypt(instance, campaign, account);
        let Encrypted { wrapped_key, body } = kept.map_err(SealError::Kept)?;
        let line = NewResetLine {
            subject,
            version: evidence.found_as(),
            replaced: expected,
            sealed: made,
            wrapped_key,
            kept: body,
            evidence: evidence.findings().to_vec(),
        };
        let now = tx.now().await?;
        tx.put_reset_line(campaign, line, now).await?;
        let (from, to) = (TargetState::Pending, TargetState::Sealing);
        if !tx.move_target(campaign, subject, from, to, None).await? {
            return Err(SealError::Moved { account: account.clone() }.into());
        }
        events.push(CampaignEvent::AccountSealing {
            campaign,
            whom: subject.into(),
            credential_version: evidence.found_as(),
            address: Some(address),
            findings: evidence.findings().iter().map(|finding| finding.0).collect(),
            swap: Some(held.id),
            row: Some(swap_digest(&swap)),
        });
        Ok(Some(held))
    }

    /// So that others, or this worker after a resume, can take the addresses at once.
    async fn give_back(&mut self, tx: &mut Tx) -> Result<(), RunError> {
        for held in std::mem::take(&mut self.held) {
            tx.give_address_back(&held.lease).await?;
        }
        self.actions.clear();
        Ok(())
    }

    /// Takes over what became of the swaps; returns the first fault, which is told only after
    /// everything else is recorded.
    fn take(&mut self, swapped: Swapped) -> Option<SwapError> {
        let mut failed = None;
        for (account, end) in swapped {
            let action = end.map_or_else(
                |error| {
                    failed.get_or_insert(error);
                    Action::Open
                },
                Action::from,
            );
            self.actions.insert(account, action);
        }
        failed
    }

    /// Records what became of each account, and once all of the address are settled, the notice.
    async fn settle_address(
        &self,
        tx: &mut Tx,
        held: &Held,
        events: &mut Vec<CampaignEvent>,
    ) -> Result<(), RunError> {
        let is_ours = tx.renew_address(&held.lease, self.context.instance.options().lease).await?;
        let mut ends = Vec::new();
        for member in &held.members {
            let end = self.settle_account(tx, member, is_ours, events).await?;
            ends.push(end.unwrap_or(member.target.row.state));
        }
        let any = |is_so: fn(&Action) -> bool| {
            held.members.iter().filter_map(|m| self.actions.get(&m.target.account)).any(is_so)
        };
        if is_ours && any(|action| matches!(action, Action::Held)) {
            tx.put_address_off(&held.lease, HELD_ROW_AGAIN_AFTER).await?;
        } else if is_ours && any(|action| matches!(action, Action::Untouched)) {
            tx.give_address_back(&held.lease).await?;
        } else if is_ours && ends.iter().all(|end| end.is_settled()) {
            self.finish_address(tx, held, &ends, events).await?;
        }
        Ok(())
    }

    /// `None` if the account is no longer this worker's to record.
    async fn settle_account(
        &self,
        tx: &mut Tx,
        member: &Member,
        is_ours: bool,
        events: &mut Vec<CampaignEvent>,
    ) -> Result<Option<TargetState>, RunError> {
        let StoredTarget { row, account, .. } = &member.target;
        let Some(action) = self.actions.get(account) else { return Ok(None) };
        let Some(end) = action.end() else { return Ok(None) };
        let swap = self.swaps.get(account).copied();
        let may_record = match swap {
            Some(held) => {
                let ended = end_open_swap(self.context.instance, tx, held, swap_state(end));
                ended.await?.is_some()
            }
            None => is_ours && end != TargetState::Pending,
        };
        if may_record && swap.is_none() {
            let log = self.context.instance.proved(tx).await?;
            log.check_untouched(self.campaign, row.subject).map_err(SwapError::from)?;
        }
        if !may_record {
            return Ok(None);
        }
        let (campaign, reason) = (self.campaign, action.skipped());
        let ended = EndedAccount {
            campaign,
            account,
            subject: row.subject,
            swap: swap.map(|held| held.id),
            end,
            reason,
        };
        events.push(record_end(tx, &ended, row.address).await?);
        Ok(Some(end))
    }

    async fn finish_address(
        &self,
        tx: &mut Tx,
        held: &Held,
        ends: &[TargetState],
        events: &mut Vec<CampaignEvent>,
    ) -> Result<(), RunError> {
        let AddressLease { campaign, number, .. } = held.lease;
        let ends = &self.surely_sealed(tx, held, ends).await?;
        let is_due = notice_due(ends) == NoticeDue::Now;
        if !tx.finish_address(&held.lease, !is_due).await? {
            return Ok(());
        }
        let notice = if is_due { Some(self.write_notice(tx, held, ends).await?) } else { None };
        events.push(CampaignEvent::AddressDone { campaign, address: number, notice });
        Ok(())
    }

    /// Whoever was put back before anybody there was told may never have been sealed for sure: then no
    /// notice says so.
    async fn surely_sealed(
        &self,
        tx: &mut Tx,
        held: &Held,
        ends: &[TargetState],
    ) -> Result<Vec<TargetState>, RunError> {
        let AddressLease { campaign, number, .. } = held.lease;
        if !ends.contains(&TargetState::PutBack) {
            return Ok(ends.to_vec());
        }
        let log = self.context.instance.proved(tx).await?;
        let was_sealed = |member: &Member| {
            let whom = member.target.row.subject.into();
            log.campaign(campaign).is_some_and(|fold| fold.was_sealed_at(number, &whom))
        };
        let ends = held.members.iter().zip(ends).map(|(member, end)| match end {
            TargetState::PutBack if !was_sealed(member) => TargetState::Overtaken,
            end => *end,
        });
        Ok(ends.collect())
    }

    /// The row of the one mail to this address, to be sent from now on.
    async fn write_notice(
        &self,
        tx: &mut Tx,
        held: &Held,
        ends: &[TargetState],
    ) -> Result<NoticeId, RunError> {
        let sealed = held.members.iter().zip(ends).filter(|(_, end)| end.was_sealed());
        let sealed: Vec<_> = sealed.map(|(member, _)| member.target.row.subject).collect();
        let AddressLease { campaign, number, .. } = held.lease;
        let now = tx.now().await?;
        Ok(tx.add_notice(campaign, number, &sealed, now).await?)
    }

    async fn record(&self, tx: &mut Tx, events: Vec<CampaignEvent>) -> Result<(), RunError> {
        if events.is_empty() {
            return Ok(());
        }
        let events: Vec<_> = events.into_iter().map(LogEvent::from).collect();
        Ok(self.context.instance.record(tx, &events).await?)
    }
}

const fn swap_state(end: TargetState) -> SwapState {
    match end {
        TargetState::Sealed => SwapState::Done,
        TargetState::Overtaken => SwapState::Overtaken,
        _ => SwapState::Undone,
    }
}
