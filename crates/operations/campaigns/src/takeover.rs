//! Swaps that a worker has left, because it died, stood still, or lost an answer.
//!
//! They are judged whatever has become of their campaign: after a halt too, nobody is left in a
//! state that nobody knows. Nothing is sealed here. What was not swapped can be taken up anew by a
//! campaign that runs.

use std::{collections::BTreeSet, slice};

use campaign::{HaltReason, SwapEnd};
use directory::WriteError;
use futures_util::future::BoxFuture;
use instance::{
    Instance,
    failpoint::{self, mutant},
};
use ledger::{CampaignEvent, FoldRefusal, LogEvent};
use model::{AccountId, CampaignId, SwapId, SwapPurpose, TargetState};
use store::{Swap, SwapBehalf, Tx};

use crate::{
    RunError, SwapError, WorkerContext,
    action::Action,
    ended::{EndedAccount, record_end},
    limits::SWAPS_PER_ROUND,
    loaded::halt_alone,
    saga::judge_left,
    swap_row::{check_open_swap, end_open_swap},
};

/// Whether a worker has left a sealing behind, or the row of one is gone.
///
/// # Errors
/// [`RunError`] if the store fails.
pub fn is_sealing_left(instance: &Instance) -> BoxFuture<'_, Result<bool, RunError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let missing = missing(instance, &mut tx).await?;
        Ok(missing.is_some() || !tx.swaps_left(SwapPurpose::Seal, 1).await?.is_empty())
    })
}

/// Finds out what became of the sealings that were left; `false` if there are none. A row that
/// cannot be read holds no other one up, and its intent stands. A campaign of which a swap is not as
/// the log says is halted, and is among those `contradicted` from then on.
///
/// # Errors
/// [`RunError`] says what went wrong first.
pub fn judge_left_sealings<'a>(
    context: &'a WorkerContext<'a>,
    contradicted: &'a mut BTreeSet<CampaignId>,
) -> BoxFuture<'a, Result<bool, RunError>> {
    Box::pin(async move {
        let instance = context.instance;
        let mut tx = instance.store().read().await?;
        let missing = missing(instance, &mut tx).await?;
        let left = tx.swaps_left(SwapPurpose::Seal, SWAPS_PER_ROUND).await?;
        drop(tx);
        if !left.is_empty() {
            context.means.outbox.permission.ready(instance).await?;
        }
        let mut failed = None;
        if let Some((swap, campaign)) = missing {
            contradicted.extend(campaign);
            failed = Some(SwapError::from(FoldRefusal::NoSwap { swap }).into());
        }
        for swap in &left {
            let Err(error) = judge(context, swap).await else { continue };
            if matches!(error, RunError::Swap(SwapError::Row(_))) {
                contradicted.extend(swap.behalf.campaign().map(|(campaign, _)| campaign));
            }
            // The others may be held by the same somebody, and people wait to be told.
            let is_held =
                matches!(error, RunError::Swap(SwapError::Write(WriteError::Held { .. })));
            failed = failed.or(Some(error));
            if is_held {
                break;
            }
        }
        for campaign in &*contradicted {
            halt_alone(instance, *campaign, HaltReason::Contradicted).await?;
        }
        failed.map_or(Ok(!left.is_empty()), Err)
    })
}

/// An open swap of the log whose row is gone, and whose it is. Whoever reads sees log and rows at one
/// moment.
async fn missing(
    instance: &Instance,
    tx: &mut Tx,
) -> Result<Option<(SwapId, Option<CampaignId>)>, RunError> {
    let log = instance.proved(tx).await?;
    let rows: BTreeSet<_> = tx.intended_swap_ids().await?.into_iter().collect();
    Ok(log.open_swaps().find(|(swap, _)| !rows.contains(swap)))
}

async fn judge(context: &WorkerContext<'_>, left: &Swap) -> Result<(), RunError> {
    let SwapBehalf::Seal { campaign, .. } = left.behalf else { return Ok(()) };
    let (instance, directory) = (context.instance, &*context.means.directory);
    let early = if mutant::is_on("taken_after_look") {
        let account = account_of(instance, left).await?;
        Some(judge_left(instance.keys(), directory, &account, left, false).await?)
    } else {
        None
    };
    let Some((taken, is_restored)) = take(context, campaign, left).await? else { return Ok(()) };
    failpoint::reach("swap_taken").await;
    let account = account_of(instance, &taken).await?;
    // A store that was put back may know nothing of what was passed: nothing is judged by it.
    context.means.outbox.permission.mark(instance).await?;
    let end = match early {
        Some(end) => end,
        None => judge_left(instance.keys(), directory, &account, &taken, is_restored).await?,
    };
    if end == SwapEnd::Done {
        directory.end_sessions(slice::from_ref(&account)).await.map_err(SwapError::from)?;
    }
    record(context, campaign, &account, &taken, end).await
}

async fn account_of(instance: &Instance, swap: &Swap) -> Result<AccountId, RunError> {
    let mut tx = instance.store().read().await?;
    Ok(instance.account_of(&mut tx, swap.subject).await?)
}

/// Begins another attempt, on record before the site is asked. Tells whether the store was put back
/// since the swap was intended: such a campaign intends no other.
async fn take(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    left: &Swap,
) -> Result<Option<(Swap, bool)>, RunError> {
    let instance = context.instance;
    let mut tx = instance.store().begin().await?;
    tx.hold_campaign(campaign).await?;
    let is_restored =
        instance.proved(&mut tx).await?.campaign(campaign).is_some_and(|fold| fold.is_restored);
    let lease = instance.options().lease;
    let Some(taken) = tx.take_swap(left.id, &context.name, lease).await? else { return Ok(None) };
    check_open_swap(instance, &mut tx, &taken, taken.attempt - 1).await?;
    let Swap { id: swap, subject, attempt, .. } = taken;
    let event = CampaignEvent::SealingTaken { campaign, whom: subject.into(), swap, attempt };
    instance.record(&mut tx, &[event.into()]).await?;
    tx.commit().await?;
    Ok(Some((taken, is_restored)))
}

async fn record(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
    account: &AccountId,
    taken: &Swap,
    end: SwapEnd,
) -> Result<(), RunError> {
    let mut tx = context.instance.store().begin().await?;
    tx.hold_campaign(campaign).await?;
    if end_open_swap(context.instance, &mut tx, taken.held(), end.state()).await?.is_none() {
        return Ok(());
    }
    let action = Action::from(end);
    let (subject, reason) = (taken.subject, action.skipped());
    let end = action.end().unwrap_or(TargetState::Pending);
    let ended = EndedAccount { campaign, account, subject, swap: Some(taken.id), end, reason };
    let address = tx.target(campaign, subject).await?.address;
    let event = LogEvent::from(record_end(&mut tx, &ended, address).await?);
    context.instance.record(&mut tx, &[event]).await?;
    Ok(tx.commit().await?)
}
