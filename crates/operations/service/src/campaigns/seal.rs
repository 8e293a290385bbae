//! Taking passwords out of use: intent, swap, sessions, record.

use std::collections::BTreeMap;

use campaign::{HaltReason, NoticeDue, Resolution, RowNow, notice_due, resolve_sealing};
use ledger::{CampaignEvent, Event};
use model::{AccountId, CampaignId, NoticeId, SkipReason, StoredHash, TargetState};
use notice::NoticeCode;
use password::ImitateError;
use store::{AddressLease, NewResetLine, Tx};

use super::{
    claim::{Held, Member},
    evidence::Evidence,
    kept::Kept,
    run::{WorkError, Worker},
};
use crate::failpoint;

/// What is to be done with one account.
pub(super) enum Action {
    /// Put our hash in the place of the one that was verified.
    Seal(Box<Sealing>),
    /// Our hash is there.
    Sealed,
    /// Leave it alone.
    Skip(SkipReason),
    /// Leave it alone, and stop: what was frozen as evidence is none.
    SkipAndHalt(SkipReason),
    /// Its sealing was begun and can be neither finished nor taken back.
    Stuck,
    /// Its sealing was begun; whether the site's row was written is for another attempt to see.
    Open,
}

/// An account that is exposed at this moment, and what takes its password's place.
pub(super) struct Sealing {
    pub(super) evidence: Evidence,
    pub(super) sealed: StoredHash,
    pub(super) kept: Kept,
}

impl Worker<'_> {
    /// Takes up some addresses and seals their accounts; `false` if there is none to take now.
    pub(super) async fn seal_next(&self, campaign: CampaignId) -> Result<bool, WorkError> {
        let held = self.claim_addresses(campaign).await?;
        if held.is_empty() {
            return Ok(false);
        }
        failpoint::reach("addresses_claimed");
        let leases: Vec<_> = held.iter().map(|held| held.lease.clone()).collect();
        tokio::select! {
            done = self.seal(campaign, held) => done?,
            failed = self.keep_renewing(&leases) => return Err(failed.into()),
        }
        Ok(true)
    }

    /// Every account goes through the same steps together: looked at again, the intent committed,
    /// the site's row swapped, sessions ended, and then recorded.
    async fn seal(&self, campaign: CampaignId, held: Vec<Held>) -> Result<(), WorkError> {
        let mut actions = self.examine(campaign, &held).await?;
        self.intend(campaign, &held, &mut actions).await?;
        failpoint::reach("sealing_intended");
        let failed = self.swap(&mut actions).await;
        failpoint::reach("hashes_swapped");
        self.end_sessions(&actions).await?;
        failpoint::reach("sessions_ended");
        self.record_sealed(campaign, held, &actions).await?;
        failpoint::reach("sealed_recorded");
        failed.map_or(Ok(()), Err)
    }

    /// Commits what is about to be done, with all that is needed to take it back. An address that
    /// was lost meanwhile is somebody else's: nothing is done there.
    async fn intend(
        &self,
        campaign: CampaignId,
        held: &[Held],
        actions: &mut Actions,
    ) -> Result<(), WorkError> {
        let mut tx = self.site.store.begin().await?;
        tx.hold_campaign(campaign).await?;
        let mut events = Vec::new();
        for held in held {
            let is_ours = tx.renew_address(&held.lease, self.site.options.lease).await?;
            for member in &held.members {
                let account = &member.row.account;
                if !is_ours {
                    actions.remove(account);
                    continue;
                }
                if let Some(Action::Seal(sealing)) = actions.get(account) {
                    events.extend(self.intend_one(&mut tx, campaign, member, sealing).await?);
                }
            }
        }
        self.record_some(&mut tx, events).await?;
        Ok(tx.commit().await?)
    }

    async fn intend_one(
        &self,
        tx: &mut Tx,
        campaign: CampaignId,
        member: &Member,
        sealing: &Sealing,
    ) -> Result<Option<CampaignEvent>, WorkError> {
        let (evidence, account) = (&sealing.evidence, sealing.evidence.account());
        let kept = sealing.kept.encrypt(self.site, campaign, account);
        let (wrapped_key, kept) = kept.map_err(SealError::Kept)?;
        let line = NewResetLine {
            account: account.clone(),
            version: evidence.found_as(),
            replaced: self.site.vault.credential_version(evidence.hash()),
            sealed: self.site.vault.credential_version(&sealing.sealed),
            wrapped_key,
            kept,
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
            findings: evidence.findings().iter().map(|finding| finding.get()).collect(),
        }))
    }

    /// Puts our hash in the place of the very hash that was verified. Whatever anybody else has
    /// put there meanwhile stays. One account that cannot be written to holds no other one up.
    async fn swap(&self, actions: &mut Actions) -> Option<WorkError> {
        let mut failed = None;
        for action in actions.values_mut() {
            if let Action::Seal(sealing) = action {
                *action = self.swap_one(sealing).await.unwrap_or_else(|error| {
                    failed.get_or_insert(error);
                    Action::Open
                });
            }
        }
        failed
    }

    async fn swap_one(&self, sealing: &Sealing) -> Result<Action, WorkError> {
        let Sealing { evidence, sealed, .. } = sealing;
        let account = evidence.account();
        if self.means.directory.replace_hash(account, evidence.hash(), sealed).await? {
            return Ok(Action::Sealed);
        }
        // Somebody was quicker: the owner, or another worker with the same intent.
        let now = self.means.directory.by_ids(std::slice::from_ref(account)).await?;
        let row = match now.first().map(|account| &account.hash) {
            None => RowNow::Gone,
            Some(None) => RowNow::Empty,
            Some(Some(hash)) if hash.expose() == sealed.expose() => RowNow::Ours,
            Some(Some(_)) => RowNow::Other,
        };
        Ok(match resolve_sealing(row) {
            Resolution::Sealed => Action::Sealed,
            Resolution::Skipped(reason) => Action::Skip(reason),
            Resolution::Again => Action::Stuck,
        })
    }

    async fn end_sessions(&self, actions: &Actions) -> Result<(), WorkError> {
        let sealed = actions.iter().filter(|(_, action)| matches!(action, Action::Sealed));
        let sealed: Vec<_> = sealed.map(|(account, _)| account.clone()).collect();
        if !sealed.is_empty() {
            self.means.directory.end_sessions(&sealed).await?;
        }
        Ok(())
    }

    /// States, notices, log and the end of the addresses: one transaction.
    async fn record_sealed(
        &self,
        campaign: CampaignId,
        held: Vec<Held>,
        actions: &Actions,
    ) -> Result<(), WorkError> {
        let mut tx = self.site.store.begin().await?;
        tx.hold_campaign(campaign).await?;
        let mut events = Vec::new();
        for held in held {
            let known =
                |member: &Member| actions.get(&member.row.account).is_some_and(Action::ends);
            if held.members.iter().all(known) {
                self.record_address(&mut tx, &held, actions, &mut events).await?;
            }
        }
        self.record_some(&mut tx, events).await?;
        let halts = |action: &Action| matches!(action, Action::SkipAndHalt(_) | Action::Stuck);
        if actions.values().any(halts) {
            self.halt(&mut tx, campaign, HaltReason::Contradicted).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn record_address(
        &self,
        tx: &mut Tx,
        held: &Held,
        actions: &Actions,
        events: &mut Vec<CampaignEvent>,
    ) -> Result<(), WorkError> {
        let AddressLease { campaign, number, .. } = held.lease;
        let ends: Vec<_> = held.members.iter().map(|member| end_of(member, actions)).collect();
        let is_due = notice_due(&ends) == NoticeDue::Now;
        if !tx.finish_address(&held.lease, !is_due).await? {
            return Ok(());
        }
        for (member, end) in held.members.iter().zip(&ends) {
            events.push(record_account(tx, campaign, member, *end, actions).await?);
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
    ) -> Result<NoticeId, WorkError> {
        let sealed = held.members.iter().zip(ends).filter(|(_, end)| end.was_sealed());
        let sealed: Vec<_> = sealed.map(|(member, _)| member.row.account.clone()).collect();
        let AddressLease { campaign, number, .. } = held.lease;
        let now = tx.now().await?;
        let id = tx.add_notice(campaign, number, &sealed, now).await?;
        let key = self.site.vault.notice_key();
        tx.set_code_lookup(id, NoticeCode::derive(&key, id.0).lookup(&key)).await?;
        Ok(id)
    }

    pub(super) async fn record_some(
        &self,
        tx: &mut Tx,
        events: Vec<CampaignEvent>,
    ) -> Result<(), WorkError> {
        if events.is_empty() {
            return Ok(());
        }
        let events: Vec<_> = events.into_iter().map(Event::from).collect();
        Ok(self.site.record(tx, &events).await?)
    }
}

/// By account. One that is missing was lost to another worker.
pub(super) type Actions = BTreeMap<AccountId, Action>;

impl Action {
    /// Whether it settles the account.
    const fn ends(&self) -> bool {
        matches!(self, Self::Sealed | Self::Skip(_) | Self::SkipAndHalt(_))
    }
}

fn end_of(member: &Member, actions: &Actions) -> TargetState {
    match actions.get(&member.row.account) {
        Some(Action::Sealed) => TargetState::Sealed,
        Some(Action::Skip(_) | Action::SkipAndHalt(_)) => TargetState::Skipped,
        _ => member.row.state,
    }
}

async fn record_account(
    tx: &mut Tx,
    campaign: CampaignId,
    member: &Member,
    end: TargetState,
    actions: &Actions,
) -> Result<CampaignEvent, WorkError> {
    let account = member.row.account.clone();
    let reason = match actions.get(&account) {
        Some(Action::Skip(reason) | Action::SkipAndHalt(reason)) => Some(*reason),
        _ => None,
    };
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

/// Why an account cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No hash of the site's own form can be made.
    #[error("no hash in the form of account {account}'s can be made: {source}")]
    Imitate {
        /// Whose.
        account: AccountId,
        /// Why not.
        source: ImitateError,
    },
    /// What is kept of it is gone.
    #[error("what was kept of account {account} when it was sealed is destroyed")]
    Destroyed {
        /// Whose.
        account: AccountId,
    },
    /// Somebody else has moved it on while this worker held its address.
    #[error("account {account} was moved on by somebody else while its address was held")]
    Moved {
        /// Whose.
        account: AccountId,
    },
    /// What is to be kept cannot be written.
    #[error("what is to be kept of an account cannot be written: {0}")]
    Kept(serde_json::Error),
}
