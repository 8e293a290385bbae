use std::{convert::Infallible, io, pin::pin, time::Duration};

use campaigns::{CampaignView, Means, campaigns_in};
use instance::{Instance, Progress, Step};
use model::CampaignState;
use store::StoreError;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time,
};
use worker::Options;

use super::{CommandContext, CommandFailure, Refused};
use crate::{
    cli::WorkerArguments,
    config::Config,
    output::{Done, Output},
    wiring,
};

/// How often to look whether the instance key is still in force.
const KEY_POLL: Duration = Duration::from_secs(1);

/// How often to look how far campaigns are.
const PROGRESS_POLL: Duration = Duration::from_millis(500);

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &WorkerArguments,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let instance = wiring::instance(&config).await?;
    let means = wiring::means(&config, &instance).await.map_err(Refused::if_disarmed)?;
    let stop = stop_signal()?;
    if arguments.until_done {
        work_until_done(context, &config, &instance, &means, stop).await?;
        return tell_unsettled(&instance).await;
    }
    work(&config, &instance, &means, false, stop).await?;
    Ok(Done::Whole)
}

/// Nobody who was sealed is forgotten because nothing runs any more.
async fn tell_unsettled(instance: &Instance) -> Result<Done, CommandFailure> {
    let left = campaigns::halted_unsettled(instance).await?;
    left.iter().for_each(Output::tell);
    Ok(Done::whole_if(left.is_empty()))
}

/// Runs campaigns until none runs, and shows how far they are.
pub(super) async fn work_until_done(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
    means: &Means,
    stop: watch::Receiver<bool>,
) -> Result<(), CommandFailure> {
    let progress = context.progress();
    let done = tokio::select! {
        done = work(config, instance, means, true, stop) => done,
        never = watch_progress(instance, &*progress) => match never {},
    };
    progress.end();
    done
}

/// Looks now and then how many addresses are settled. That the store does not answer is for those
/// to say who work with it.
async fn watch_progress(instance: &Instance, progress: &dyn Progress) -> Infallible {
    let mut shown = None;
    loop {
        if let Ok(running) = campaigns_in(instance, CampaignState::RUNNING).await {
            let (total, settled) = settled(&running);
            if shown.is_none() {
                progress.begin(Step::Tell, total);
            }
            progress.advance(settled.saturating_sub(shown.unwrap_or_default()));
            shown = Some(settled);
        }
        time::sleep(PROGRESS_POLL).await;
    }
}

/// Addresses of the campaigns' signed plans, and how many of them have their notice.
fn settled(running: &[CampaignView]) -> (u64, u64) {
    running.iter().fold((0, 0), |(total, settled), view| {
        let addresses = view.plan.as_ref().map_or(0, |plan| plan.addresses);
        let finals = view.notices.iter().filter(|(state, _)| state.is_final());
        (total + addresses, settled + finals.map(|(_, count)| count).sum::<u64>())
    })
}

/// Runs campaigns until it is told to stop.
pub(super) async fn work(
    config: &Config,
    instance: &Instance,
    means: &Means,
    until_done: bool,
    stop: watch::Receiver<bool>,
) -> Result<(), CommandFailure> {
    let concurrency = usize::try_from(config.settings.worker.concurrency).unwrap_or(1);
    let reconcile_every = config.settings.reconcile.every.get();
    let standstill_after = config.settings.worker.standstill_after.get();
    let options = Options { concurrency, until_done, reconcile_every, standstill_after };
    while_key_holds(instance, stop, |stop| async move {
        Ok(Box::pin(worker::run(instance, means, options, stop)).await?)
    })
    .await
}

/// Lets something go on until it ends or is told to stop. Once another instance key is in force, it is
/// told to: nothing that it does would be committed.
pub(super) async fn while_key_holds<F>(
    instance: &Instance,
    mut stop: watch::Receiver<bool>,
    begin: impl FnOnce(watch::Receiver<bool>) -> F,
) -> Result<(), CommandFailure>
where
    F: Future<Output = Result<(), CommandFailure>>,
{
    let (stopping, stopped) = watch::channel(*stop.borrow());
    let mut work = pin!(begin(stopped));
    tokio::select! {
        done = &mut work => done,
        _ = stop.wait_for(|stop| *stop) => {
            stopping.send_replace(true);
            work.await
        }
        rotated = key_rotated(instance) => {
            tracing::error!(error = %rotated, "stopping");
            stopping.send_replace(true);
            // Whatever else it ends with, this is why.
            drop(work.await);
            Err(rotated.into())
        }
    }
}

/// Ends once another instance key is in force. That the store does not answer is for those to say who
/// work with it.
async fn key_rotated(instance: &Instance) -> StoreError {
    loop {
        time::sleep(KEY_POLL).await;
        if let Err(rotated @ StoreError::KeyRotated(_)) = instance.check_key().await {
            return rotated;
        }
    }
}

/// Becomes true with SIGTERM or Ctrl-C.
pub(super) fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping after what is in hand");
        // Nobody listens any more when everything has ended by itself.
        let _ = stop.send(true);
    });
    Ok(stopped)
}
