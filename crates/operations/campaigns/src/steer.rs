use authority::RosterDigest;
use campaign::{Event, HaltReason, Plan, StageProgress, State, Unsettled};
use directory::Directory;
use futures_util::future::BoxFuture;
use instance::{Instance, failpoint::mutant, roster_in};
use ledger::CampaignEvent;
use model::KillSwitch;
use outbox::Words;
use store::{StoreError, Tx};

use crate::{
    CampaignError, CampaignView,
    agreed::agreed_tale,
    approvals::signed_plan,
    freeze::check_words,
    loaded::{HaltedAll, Loaded, halt_all, held_by_name, kill_switch, seen, take_step},
    needs::refuse_unable,
    progress::progress,
    show_campaign,
    unsettled::refuse_unsettled,
};

/// Starts a signed campaign: from now on workers take it up.
///
/// # Errors
/// [`CampaignError`] if it is not signed, if it is too late, or if nothing could be sealed.
pub fn start_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
    directory: &'a dyn Directory,
    words: &'a Words,
    founding: RosterDigest,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        refuse_unable(directory).await?;
        let mut tx = instance.store().begin().await?;
        let mut loaded = held_by_name(instance, &mut tx, name).await?;
        let now = tx.now().await?;
        let roster = roster_in(&mut tx, instance, founding).await?;
        // A campaign that is not signed says so better than its missing signatures do.
        if loaded.campaign.state() == State::Signed {
            let signed = signed_plan(&mut tx, &loaded, &roster, now).await?;
            check_words(words, signed.plan())?;
            loaded.check_scope(signed.plan().scope())?;
            release_kill_switch(instance, &mut tx, signed.plan(), name).await?;
        }
        take_step(instance, &mut tx, &mut loaded, Event::Start, now).await?;
        tx.commit().await?;
        show_campaign(instance, name).await
    })
}

/// Lets a halted campaign go on where it was, once the plan of its new round is signed.
///
/// # Errors
/// [`CampaignError`] says what is missing.
pub fn resume_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
    words: &'a Words,
    founding: RosterDigest,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        let mut loaded = held_by_name(instance, &mut tx, name).await?;
        let now = tx.now().await?;
        let roster = roster_in(&mut tx, instance, founding).await?;
        let signed = signed_plan(&mut tx, &loaded, &roster, now).await?;
        check_words(words, signed.plan())?;
        loaded.check_scope(signed.plan().scope())?;
        release_kill_switch(instance, &mut tx, signed.plan(), name).await?;
        let before = if mutant::is_on("threshold_since_start") {
            StageProgress::default()
        } else {
            progress(instance, &mut tx, loaded.id()).await?
        };
        take_step(instance, &mut tx, &mut loaded, Event::Resume(&signed, &before), now).await?;
        tx.commit().await?;
        show_campaign(instance, name).await
    })
}

/// Two signatures given after it was pulled release the kill switch, and nothing else does. A plan
/// from before lets nothing begin, also once another one has released it.
async fn release_kill_switch(
    instance: &Instance,
    tx: &mut Tx,
    plan: &Plan,
    name: &str,
) -> Result<(), CampaignError> {
    let (position, since) = kill_switch(instance, tx).await?;
    if plan.frozen_at() <= since {
        return Err(CampaignError::KillSwitch { since, frozen_at: plan.frozen_at() });
    }
    if position == KillSwitch::Released {
        return Ok(());
    }
    tx.set_kill_switch(KillSwitch::Released, since).await?;
    let by = format!("campaign {name}");
    let moved = CampaignEvent::KillSwitchMoved { position: KillSwitch::Released, by };
    Ok(instance.record(tx, &[moved.into()]).await?)
}

/// Stops a campaign before the next account: what was intended and not let through is undone.
///
/// # Errors
/// [`CampaignError::Step`] if it is not running.
pub fn halt_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move { step_by_name(instance, name, Event::Halt(HaltReason::Operator)).await })
}

/// Pulls the kill switch, so that nothing begins any more, and halts every campaign that runs. Where a row
/// takes no change, the audit log has it: by a row that says something else nothing begins either.
///
/// # Errors
/// [`CampaignError`] if the store fails.
pub fn halt_everything(instance: &Instance) -> BoxFuture<'_, Result<HaltedAll, CampaignError>> {
    Box::pin(async move {
        let switch_kept = pull_kill_switch(instance).await?;
        let all = halt_all(instance, HaltReason::Operator).await;
        let all = all.map_err(|why| CampaignError::SwitchAlone(why.into()))?;
        Ok(HaltedAll { switch_kept, ..all })
    })
}

/// One row, in a transaction of its own: it waits for no campaign. Returns why the row is as it was, if
/// it takes no change.
async fn pull_kill_switch(instance: &Instance) -> Result<Option<StoreError>, CampaignError> {
    let mut tx = instance.store().begin().await?;
    let now = tx.now().await?;
    // Whatever it says, it is pulled; that it is missing is an error that says so.
    tx.kill_switch().await?;
    let kept = match tx.set_kill_switch(KillSwitch::Pulled, now).await {
        Ok(()) => None,
        Err(error @ StoreError::NotTaken { .. }) => Some(error),
        Err(error) => return Err(error.into()),
    };
    let by = "an operator".to_owned();
    let moved = CampaignEvent::KillSwitchMoved { position: KillSwitch::Pulled, by };
    instance.record(&mut tx, &[moved.into()]).await?;
    tx.commit().await?;
    Ok(kept)
}

/// Makes a frozen campaign a draft again; its signatures are void.
///
/// # Errors
/// [`CampaignError::Step`] if it has started, or is none yet.
pub fn thaw_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move { step_by_name(instance, name, Event::Thaw).await })
}

/// Ends a campaign for good; its accounts may be targets of others.
///
/// # Errors
/// [`CampaignError::Step`] while it runs; [`CampaignError::Unsettled`] while somebody is sealed and
/// untold, or may be; [`CampaignError::Irreconcilable`] if the rows do not count whom the log does.
pub fn close_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        refuse_left_out(instance, name).await?;
        let mut tx = instance.store().begin().await?;
        let mut loaded = held_by_name(instance, &mut tx, name).await?;
        let (mut done, now) = (progress(instance, &mut tx, loaded.id()).await?, tx.now().await?);
        if mutant::is_on("close_untold") {
            done.unsettled = Unsettled::default();
        }
        refuse_untold(instance, &mut tx, &loaded).await?;
        take_step(instance, &mut tx, &mut loaded, Event::Close(&done), now).await?;
        tx.commit().await?;
        show_campaign(instance, name).await
    })
}

/// Whom the rows leave out, nobody would settle any more.
async fn refuse_left_out(instance: &Instance, name: &str) -> Result<(), CampaignError> {
    let mut tx = instance.store().read().await?;
    let (loaded, log) = seen(instance, &mut tx, name).await?;
    drop(log);
    refuse_untold(instance, &mut tx, &loaded).await?;
    let log = instance.proved(&mut tx).await?;
    agreed_tale(log, &mut tx, &loaded).await?;
    Ok(())
}

/// A campaign that runs says so better than its untold people do.
async fn refuse_untold(
    instance: &Instance,
    tx: &mut Tx,
    loaded: &Loaded,
) -> Result<(), CampaignError> {
    if mutant::is_on("close_untold") || matches!(loaded.campaign.state(), State::Running(_)) {
        return Ok(());
    }
    refuse_unsettled(instance, tx, loaded).await
}

async fn step_by_name(
    instance: &Instance,
    name: &str,
    event: Event<'_>,
) -> Result<CampaignView, CampaignError> {
    let mut tx = instance.store().begin().await?;
    let mut loaded: Loaded = held_by_name(instance, &mut tx, name).await?;
    let now = tx.now().await?;
    take_step(instance, &mut tx, &mut loaded, event, now).await?;
    tx.commit().await?;
    show_campaign(instance, name).await
}
