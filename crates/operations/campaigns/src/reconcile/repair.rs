//! Putting right what is kept of accounts that hold another value, with an entry of the log each.

use campaign::{Event, HaltReason, RecordedSwap, RowStanding, State, judge_standing};
use directory::Ability;
use instance::Instance;
use ledger::{CampaignEvent, LogEvent};
use model::{AccountId, CampaignId, Discrepancy, NoticeState, SubjectId, SwapState, TargetState};
use outbox::Addressee;
use store::{AddressNow, KnownSwap, KnownTarget, Swap, Tx};

use super::{
    found::Disagreements,
    means::Reconciling,
    records::{ReadRow, is_to_count, recorded},
    sealings::Sealings,
};
use crate::{
    ReconcileError, SwapError,
    loaded::{self, HaltedAll, held, take_step},
    person::PersonToTell,
};

/// An account that holds another value than what is kept says, as the connection that writes shows.
pub(crate) struct OddRow {
    pub(crate) kind: Discrepancy,
    pub(crate) seen: ReadRow,
}

impl OddRow {
    fn account(&self) -> &AccountId {
        &self.seen.account.id
    }
}

/// What has become of one.
enum Repaired {
    /// It agrees by now.
    Agrees,
    /// Nothing could be put right, or not yet.
    Left,
    /// What is kept was put right.
    Done {
        event: LogEvent,
        /// Whether the person is to be told by the campaign.
        is_to_tell: bool,
    },
}

/// Puts right what safely can be of accounts that concern one campaign, or none, and halts the
/// campaign.
pub(crate) async fn put_right(
    means: &Reconciling<'_>,
    campaign: Option<CampaignId>,
    misfits: &[OddRow],
    findings: &mut Disagreements,
) -> Result<(), ReconcileError> {
    let repaired = match campaign {
        Some(campaign) => of_campaign(means, campaign, misfits, findings).await?,
        None => of_nobody(means, misfits).await?,
    };
    for (misfit, repaired) in misfits.iter().zip(repaired) {
        match repaired {
            Repaired::Agrees => {}
            Repaired::Left => findings.add(misfit.kind, misfit.account(), campaign, false),
            Repaired::Done { .. } => findings.add(misfit.kind, misfit.account(), campaign, true),
        }
    }
    Ok(())
}

async fn of_campaign(
    means: &Reconciling<'_>,
    campaign: CampaignId,
    misfits: &[OddRow],
    findings: &mut Disagreements,
) -> Result<Vec<Repaired>, ReconcileError> {
    let found = misfits.iter().filter(|misfit| misfit.kind == Discrepancy::FoundSealed);
    let found: Vec<_> = found.map(|misfit| misfit.account().clone()).collect();
    end_sessions(means, &found).await?;
    let mut tx = means.instance.store().begin().await?;
    let mut loaded = held(means.instance, &mut tx, campaign).await?;
    let sealings = Sealings::of(means.instance, &mut tx, campaign, &found).await?;
    let repair = Repair { means, campaign, sealings };
    let mut repaired = Vec::new();
    for misfit in misfits {
        repaired.push(repair.put_right(&mut tx, misfit).await?);
    }
    record(means.instance, &mut tx, &repaired).await?;
    if must_stop(loaded.campaign.state(), &repaired) {
        let (halt, now) = (Event::Halt(HaltReason::Unreconciled), tx.now().await?);
        take_step(means.instance, &mut tx, &mut loaded, halt, now).await?;
        findings.halted(&loaded.row.name);
    }
    tx.commit().await?;
    Ok(repaired)
}

async fn record(
    instance: &Instance,
    tx: &mut Tx,
    repaired: &[Repaired],
) -> Result<(), ReconcileError> {
    let events = repaired.iter().filter_map(|repaired| match repaired {
        Repaired::Done { event, .. } => Some(event.clone()),
        Repaired::Agrees | Repaired::Left => None,
    });
    let events: Vec<_> = events.collect();
    if !events.is_empty() {
        instance.record(tx, &events).await?;
    }
    Ok(())
}

/// Nobody else is sealed where the table is not as it was left. Whoever is to be told needs a
/// campaign that can go on.
fn must_stop(state: State, repaired: &[Repaired]) -> bool {
    match state {
        State::Running(_) => repaired.iter().any(|one| !matches!(one, Repaired::Agrees)),
        State::Done => {
            repaired.iter().any(|one| matches!(one, Repaired::Done { is_to_tell: true, .. }))
        }
        _ => false,
    }
}

/// A value that stands there takes the old password out of use: whoever is signed in is to be so no
/// longer, as after any sealing.
async fn end_sessions(
    means: &Reconciling<'_>,
    accounts: &[AccountId],
) -> Result<(), ReconcileError> {
    if !accounts.is_empty() {
        means.directory.end_sessions(accounts).await.map_err(SwapError::from)?;
    }
    Ok(())
}

/// What persons have chosen.
async fn of_nobody(
    means: &Reconciling<'_>,
    misfits: &[OddRow],
) -> Result<Vec<Repaired>, ReconcileError> {
    let mut tx = means.instance.store().begin().await?;
    let mut repaired = Vec::new();
    for misfit in misfits {
        repaired.push(match standing(means.instance, &mut tx, misfit).await? {
            Now::Agrees => Repaired::Agrees,
            Now::FoundSealed(KnownSwap { swap, .. }) if tx.find_swap(swap.id).await? => {
                let event = LogEvent::ValueFound { whom: swap.subject.into(), swap: swap.id };
                Repaired::Done { event, is_to_tell: false }
            }
            _ => Repaired::Left,
        });
    }
    record(means.instance, &mut tx, &repaired).await?;
    tx.commit().await?;
    Ok(repaired)
}

/// What the row tells, as everything is kept at this moment.
enum Now {
    Agrees,
    FoundSealed(KnownSwap),
    PutBack(KnownSwap),
    Foreign,
}

/// What is not as the log says may be moving at this moment, or was changed since it was read first:
/// it agrees for now, and the next comparison tells.
async fn standing(
    instance: &Instance,
    tx: &mut Tx,
    misfit: &OddRow,
) -> Result<Now, ReconcileError> {
    let subject = instance.subject_of(tx, misfit.account()).await?;
    let mut swaps = tx.swaps_of(subject.as_slice()).await?;
    let log = instance.proved(tx).await?;
    let judged = swaps.iter().map(|known| is_to_count(&log, &known.swap));
    let Ok(judged) = judged.collect::<Result<Vec<_>, _>>() else { return Ok(Now::Agrees) };
    drop(log);
    let mut judged = judged.into_iter();
    swaps.retain(|_| judged.next() == Some(true));
    let records: Vec<_> = swaps.iter().map(recorded).collect();
    let known = |found: RecordedSwap| swaps.into_iter().find(|known| known.swap.id == found.id);
    Ok(match judge_standing(misfit.seen.version, &records) {
        RowStanding::Agrees | RowStanding::InHand => Now::Agrees,
        RowStanding::FoundSealed(swap) => known(swap).map_or(Now::Agrees, Now::FoundSealed),
        RowStanding::PutBack(swap) => known(swap).map_or(Now::Agrees, Now::PutBack),
        RowStanding::Foreign => Now::Foreign,
    })
}

/// The repair of one campaign, which is held.
struct Repair<'a> {
    means: &'a Reconciling<'a>,
    campaign: CampaignId,
    sealings: Sealings,
}

impl Repair<'_> {
    /// The campaign is held: nobody writes to the row on its behalf. So what stands there now is no
    /// moment between two steps of its own.
    async fn put_right(&self, tx: &mut Tx, misfit: &OddRow) -> Result<Repaired, ReconcileError> {
        let now = self.means.directory.look(misfit.account()).await?;
        if !now.is(&misfit.seen.hash) {
            return Ok(Repaired::Agrees);
        }
        match standing(self.means.instance, tx, misfit).await? {
            Now::Agrees => Ok(Repaired::Agrees),
            Now::Foreign => Ok(Repaired::Left),
            Now::PutBack(swap) => match self.target_of(&swap) {
                Some(target) => self.put_back(tx, &swap.swap, target).await,
                None => Ok(Repaired::Left),
            },
            Now::FoundSealed(swap) => match self.target_of(&swap) {
                Some(target) => self.find_sealed(tx, misfit, &swap.swap, target).await,
                None => Ok(Repaired::Left),
            },
        }
    }

    fn target_of(&self, swap: &KnownSwap) -> Option<KnownTarget> {
        let campaign = swap.swap.behalf.campaign().map(|(campaign, _)| campaign);
        swap.target.filter(|_| campaign == Some(self.campaign))
    }

    /// The line ends, and the account belongs to the campaign no longer: another one may take the
    /// password out of use again. A notice that is due is sent before, since it says what to do.
    async fn put_back(
        &self,
        tx: &mut Tx,
        swap: &Swap,
        target: KnownTarget,
    ) -> Result<Repaired, ReconcileError> {
        let (campaign, subject) = (self.campaign, swap.subject);
        tx.move_target(campaign, subject, target.state, TargetState::PutBack, None).await?;
        tx.end_reset_line(campaign, subject).await?;
        tx.release_put_back(campaign, target.address).await?;
        let (whom, swap) = (subject.into(), swap.id);
        let event = CampaignEvent::AccountPutBack { campaign, whom, swap }.into();
        Ok(Repaired::Done { event, is_to_tell: false })
    }

    /// The account is sealed, and its address is opened again so that the person is told: unless
    /// the address was told already, since it is told once.
    async fn find_sealed(
        &self,
        tx: &mut Tx,
        misfit: &OddRow,
        swap: &Swap,
        target: KnownTarget,
    ) -> Result<Repaired, ReconcileError> {
        let (campaign, subject) = (self.campaign, swap.subject);
        let address = tx.address_now(campaign, target.address).await?;
        // Whoever is at the address goes by what it was before.
        if address.is_held || !self.keep_line(tx, misfit, swap, &address).await? {
            return Ok(Repaired::Left);
        }
        if swap.state != SwapState::Done {
            tx.find_swap(swap.id).await?;
        }
        tx.move_target(campaign, subject, target.state, TargetState::Sealed, None).await?;
        let reopened = self.tell(tx, subject, target.address, &address).await?;
        let event = CampaignEvent::AccountFoundSealed {
            campaign,
            whom: subject.into(),
            address: target.address,
            swap: swap.id,
            skipped: target.skip_reason,
            reopened,
        };
        Ok(Repaired::Done { event: event.into(), is_to_tell: address.notice.is_none() })
    }

    /// Sees that there is a line about what stands in the row; `false` if there can be none.
    async fn keep_line(
        &self,
        tx: &mut Tx,
        misfit: &OddRow,
        swap: &Swap,
        address: &AddressNow,
    ) -> Result<bool, ReconcileError> {
        let line = tx.reset_line(self.campaign, swap.subject).await?;
        if line.is_some_and(|line| line.sealed == swap.made) {
            return Ok(tx.revive_reset_line(self.campaign, swap.subject).await?);
        }
        let Some(whom) = self.whom(misfit, address) else { return Ok(false) };
        self.sealings.write_line(self.means.instance, tx, swap, &whom, &misfit.seen.hash).await
    }

    /// Only the address that was signed is told.
    fn whom(&self, misfit: &OddRow, address: &AddressNow) -> Option<PersonToTell> {
        let account = &misfit.seen.account;
        let addressee = addressee(self.means, self.campaign, misfit)?;
        (*addressee.key.as_bytes() == address.key).then(|| PersonToTell {
            address: addressee.address.to_string(),
            username: account.username.clone(),
            locale: account.locale.clone(),
        })
    }

    /// Whether the address was opened again.
    async fn tell(
        &self,
        tx: &mut Tx,
        subject: SubjectId,
        number: u64,
        address: &AddressNow,
    ) -> Result<bool, ReconcileError> {
        let campaign = self.campaign;
        match address.notice {
            None if address.is_done => Ok(tx.reopen_address(campaign, number).await?),
            Some((notice, NoticeState::Pending)) => {
                tx.add_notice_line(notice, campaign, number, subject).await?;
                Ok(false)
            }
            _ => Ok(false),
        }
    }
}

fn addressee(means: &Reconciling<'_>, campaign: CampaignId, misfit: &OddRow) -> Option<Addressee> {
    let recorded = means.directory.capabilities().can(Ability::RecordVerified);
    Addressee::of(means.instance, Some(campaign), &misfit.seen.account, recorded)
}

/// Halts every campaign that runs: what is kept is not all that was done.
pub(crate) async fn halt_all(
    instance: &Instance,
    findings: &mut Disagreements,
) -> Result<(), ReconcileError> {
    let HaltedAll { halted, not_halted, .. } =
        loaded::halt_all(instance, HaltReason::Unreconciled).await?;
    for name in &halted {
        findings.halted(name);
    }
    not_halted.into_iter().next().map_or(Ok(()), |(_, error)| Err(error.into()))
}
