//! Running one campaign: what time or work does to it, step by step.

use std::collections::BTreeSet;

use campaign::{Campaign, Event, State, allowed_addresses};
use futures_util::future::BoxFuture;
use model::{CampaignId, CampaignState, Timestamp};
use store::Tx;

use crate::{
    CampaignError, RunError, WorkerContext,
    agreed::agreed_tale,
    loaded::{Loaded, halt, held, take_step},
    progress::progress,
    seal::seal_next,
    tell::tell_next,
};
use instance::Instance;

/// What a worker has found to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// Told somebody: there may be more to tell.
    Told,
    /// Something else: there may be more.
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
        if due_after_step(context, campaign).await? != Due::Work {
            return Ok(Worked::Nothing);
        }
        let worked = tell_or_seal(context, campaign).await;
        if let Some(reason) = worked.as_ref().err().and_then(RunError::halts) {
            let mut tx = context.instance.store().begin().await?;
            halt(context.instance, &mut tx, campaign, reason).await?;
            tx.commit().await?;
        }
        worked
    })
}

/// Whether any campaign but these is under way, or a sealing is: what a halt, or a worker that died,
/// left in between is still to be judged.
///
/// # Errors
/// [`CampaignError`] if a campaign cannot be read.
pub fn is_anything_under_way<'a>(
    instance: &'a Instance,
    but: &'a BTreeSet<CampaignId>,
) -> BoxFuture<'a, Result<bool, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let running = tx.campaign_names_in(CampaignState::RUNNING).await?;
        let is_any = running.iter().any(|(campaign, _)| !but.contains(campaign));
        let sealing = tx.sealing_campaigns().await?;
        Ok(is_any || sealing.iter().any(|campaign| !but.contains(campaign)))
    })
}

/// The campaigns that time or work could move on. While sending pauses, one mail at a time tries
/// again: first of a campaign to whose people the relay has said no to nobody, then of that to which
/// it has said so longest ago.
///
/// # Errors
/// [`CampaignError`] if a campaign cannot be read.
pub fn moving_campaigns(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<CampaignId>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let moving = tx.campaign_names_in(CampaignState::MOVING).await?;
        let mut moving: Vec<_> = moving.into_iter().map(|(campaign, _)| campaign).collect();
        if tx.sending_pause().await?.is_some() {
            let put_off = tx.longest_put_off().await?;
            moving.sort_by_key(|campaign| put_off.get(campaign).copied());
        }
        Ok(moving)
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
    Box::pin(async move { Ok(due(instance, campaign).await? != Due::Nothing) })
}

/// What is to be done for a campaign now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Time, or what was done, moves it on.
    Step,
    /// A claim could find something.
    Work,
    Nothing,
}

/// One reading transaction answers: what moves a campaign is decided purely, so nothing has to be
/// held for the question.
async fn due(instance: &Instance, campaign: CampaignId) -> Result<Due, RunError> {
    let mut tx = instance.store().read().await?;
    let progress = progress(instance, &mut tx, campaign).await?;
    let Loaded { campaign: now, .. } = Loaded::read(campaign, tx.campaign_by_id(campaign).await)?;
    let moment = tx.now().await?;
    let step = campaign::step(&now, Event::Tick(&progress), moment);
    let (next, _) = step.map_err(CampaignError::from)?;
    if next != now {
        return Ok(Due::Step);
    }
    let runs = matches!(now.state(), State::Running(_));
    Ok(if runs && has_work(&mut tx, &now, moment).await? { Due::Work } else { Due::Nothing })
}

/// What is to be done once the campaign is moved on, if it has to be. Mostly it has not, and then
/// nothing is held or written.
async fn due_after_step(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<Due, RunError> {
    let now = due(context.instance, campaign).await?;
    if now != Due::Step {
        return Ok(now);
    }
    move_on(context, campaign).await?;
    due(context.instance, campaign).await
}

/// Whether a claim could find anything.
async fn has_work(tx: &mut Tx, now: &Campaign, moment: Timestamp) -> Result<bool, RunError> {
    let (campaign, allowed) = (now.id(), allowed_addresses(now));
    if tx.sending_pause().await?.is_some_and(|pause| pause.is_waiting(moment)) {
        return Ok(!tx.notices_left_in_flight(campaign).await?.is_empty());
    }
    Ok(!tx.addresses_to_take(campaign, allowed, 1).await?.is_empty()
        || tx.notice_to_send(campaign).await?.is_some()
        || !tx.notices_left_in_flight(campaign).await?.is_empty())
}

/// Nobody else is sealed while somebody who is sealed can be told.
async fn tell_or_seal(
    context: &WorkerContext<'_>,
    campaign: CampaignId,
) -> Result<Worked, RunError> {
    if tell_next(context, campaign).await? {
        return Ok(Worked::Told);
    }
    let sealed = seal_next(context, campaign).await?;
    Ok(if sealed { Worked::Something } else { Worked::Nothing })
}

async fn move_on(context: &WorkerContext<'_>, campaign: CampaignId) -> Result<(), RunError> {
    let mut tx = context.instance.store().begin().await?;
    let mut loaded = held(context.instance, &mut tx, campaign).await?;
    let (progress, now) = (progress(context.instance, &mut tx, campaign).await?, tx.now().await?);
    take_step(context.instance, &mut tx, &mut loaded, Event::Tick(&progress), now).await?;
    // Whom the rows leave out, nobody would settle any more.
    if loaded.campaign.state() == State::Done {
        let log = context.instance.proved(&mut tx).await?;
        agreed_tale(log, &mut tx, &loaded).await?;
    }
    Ok(tx.commit().await?)
}
