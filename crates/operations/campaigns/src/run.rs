//! Running one campaign: what time or work does to it, step by step.

use std::collections::HashMap;

use campaign::{Campaign, Event, HaltReason, StageProgress, State, allowed_addresses};
use futures_util::future::BoxFuture;
use model::{CampaignId, CampaignState, NoticeState};
use store::Tx;

use crate::{
    CampaignError, RunError, WorkerContext,
    loaded::{Loaded, halt, held, take_step},
    seal::seal_next,
    tell::tell_next,
};
use instance::Instance;

/// What a worker has found to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// Something: there may be more.
    Something,
    /// Nothing now.
    Nothing,
}

/// Does the next thing that is to be done for a campaign: tells those who are sealed before it
/// seals more.
///
/// # Errors
/// [`RunError`] says what keeps it from going on. A campaign whose stored targets are not what was
/// signed is halted as well.
pub fn work_on<'a>(
    context: &'a WorkerContext<'a>,
    campaign: CampaignId,
) -> BoxFuture<'a, Result<Worked, RunError>> {
    Box::pin(async move {
        let state = tick(context, campaign).await?;
        if !matches!(state, State::Running(_)) || !has_work(context.instance, campaign).await? {
            return Ok(Worked::Nothing);
        }
        let worked = tell_and_seal(context, campaign).await;
        if worked.as_ref().is_err_and(RunError::is_contradiction) {
            let mut tx = context.instance.store().begin().await?;
            halt(context.instance, &mut tx, campaign, HaltReason::Contradicted).await?;
            tx.commit().await?;
        }
        if worked? == Worked::Something {
            tick(context, campaign).await?;
            return Ok(Worked::Something);
        }
        Ok(Worked::Nothing)
    })
}

/// Whether any campaign is under way.
///
/// # Errors
/// [`CampaignError`] if a campaign cannot be read.
pub fn is_anything_running(instance: &Instance) -> BoxFuture<'_, Result<bool, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        Ok(!tx.campaigns_in(CampaignState::RUNNING).await?.is_empty())
    })
}

/// The campaigns that time or work could move on.
///
/// # Errors
/// [`CampaignError`] if a campaign cannot be read.
pub fn moving_campaigns(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<CampaignId>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let moving = tx.campaigns_in(CampaignState::MOVING).await?;
        Ok(moving.into_iter().map(|row| row.id).collect())
    })
}

/// Whether time or work could move a campaign on now. It holds and writes nothing, and verifies no
/// signature: a campaign that soaks for a day is asked many times over.
///
/// # Errors
/// [`RunError`] if a campaign cannot be read.
pub fn is_campaign_due(
    instance: &Instance,
    campaign: CampaignId,
) -> BoxFuture<'_, Result<bool, RunError>> {
    Box::pin(async move {
        let (now, next) = foresee(instance, campaign).await?;
        let runs = matches!(now.state(), State::Running(_));
        Ok(next != now || (runs && has_work(instance, campaign).await?))
    })
}

/// Whether a claim could find anything.
async fn has_work(instance: &Instance, campaign: CampaignId) -> Result<bool, RunError> {
    let mut tx = instance.store().read().await?;
    let loaded = Loaded::new(tx.campaign_by_id(campaign).await?)?;
    let allowed = allowed_addresses(&loaded.campaign);
    Ok(!tx.addresses_to_take(campaign, allowed, 1).await?.is_empty()
        || tx.notice_to_send(campaign).await?.is_some()
        || !tx.notices_left_in_flight(campaign).await?.is_empty())
}

async fn tell_and_seal(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<Worked, RunError> {
    let told = tell_next(context, campaign).await?;
    let sealed = seal_next(context, campaign).await?;
    Ok(if told || sealed { Worked::Something } else { Worked::Nothing })
}

/// Moves the campaign on, if time or what was done does so. Mostly nothing does, and then nothing
/// is held or written.
async fn tick(context: &WorkerContext<'_>, campaign: CampaignId) -> Result<State, RunError> {
    let (now, next) = foresee(context.instance, campaign).await?;
    if next == now {
        return Ok(now.state());
    }
    move_on(context, campaign).await
}

/// The campaign, and where a tick would take it. The decision is pure, so a reading transaction is
/// enough to ask for it.
async fn foresee(
    instance: &Instance,
    campaign: CampaignId,
) -> Result<(Campaign, Campaign), RunError> {
    let mut tx = instance.store().read().await?;
    let Loaded { campaign: now, .. } = Loaded::new(tx.campaign_by_id(campaign).await?)?;
    let (progress, moment) = (progress(&mut tx, campaign).await?, tx.now().await?);
    let step = campaign::step(&now, Event::Tick(&progress), moment);
    let (next, _) = step.map_err(CampaignError::from)?;
    Ok((now, next))
}

async fn move_on(context: &WorkerContext<'_>, campaign: CampaignId) -> Result<State, RunError> {
    let mut tx = context.instance.store().begin().await?;
    let mut loaded = held(&mut tx, campaign).await?;
    let (progress, now) = (progress(&mut tx, campaign).await?, tx.now().await?);
    take_step(context.instance, &mut tx, &mut loaded, Event::Tick(&progress), now).await?;
    tx.commit().await?;
    Ok(loaded.campaign.state())
}

async fn progress(tx: &mut Tx, campaign: CampaignId) -> Result<StageProgress, RunError> {
    let notices: HashMap<_, _> = tx.notice_counts(campaign).await?.into_iter().collect();
    let of = |state| notices.get(&state).copied().unwrap_or_default();
    let (refused, uncertain) = (of(NoticeState::Refused), of(NoticeState::Uncertain));
    Ok(StageProgress {
        settled_addresses: match tx.first_unsettled_address(campaign).await? {
            Some(first) => first,
            None => tx.address_counts(campaign).await?.all,
        },
        final_notices: of(NoticeState::Sent) + refused + uncertain,
        refused,
        uncertain,
    })
}
