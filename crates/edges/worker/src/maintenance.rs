//! What is to be done now and then, whether or not a campaign has work.

use std::{fmt, time::Duration};

use campaigns::{
    CampaignError, ResetWatch, StandingStill, WorkerContext, destroy_old_secrets,
    halt_contradicted, watch_round,
};
use instance::{CheckpointWatch, Instance, InstanceFault, keep_proved, watch_checkpoints};
use outbox::{CodeWatch, watch_codes};
use recoveries::finish_resets;
use store::StoreError;
use tokio::{sync::watch, time};

use crate::standstill::StandstillWatch;

/// How often.
const INTERVAL: Duration = Duration::from_mins(1);

/// Maintains until the lanes have ended. What is being done then is broken off, as a crash would:
/// each chore waits half a minute for a database that does not answer.
pub(crate) async fn maintain(
    context: &WorkerContext<'_>,
    standstill: StandstillWatch<'_>,
    mut ended: watch::Receiver<bool>,
) {
    tokio::select! {
        () = maintain_always(context, standstill) => {}
        _ = ended.wait_for(|ended| *ended) => {}
    }
}

async fn maintain_always(context: &WorkerContext<'_>, standstill: StandstillWatch<'_>) {
    let (mut watch, mut codes) = (ResetWatch::default(), CodeWatch::default());
    let mut checkpoints = CheckpointWatch::default();
    loop {
        maintain_once(context, standstill, &mut watch).await;
        report("comparing codes", tell_denied(context.instance, &mut codes).await);
        let forged = tell_forged(context.instance, &mut checkpoints).await;
        report("comparing checkpoints", forged);
        time::sleep(INTERVAL).await;
    }
}

/// Sees who has chosen a new password, finishes interrupted resets, destroys what has been kept
/// long enough, keeps what the log says, tells which rows are not as it says and which campaigns stand
/// still, and holds on to the permission to send. What fails is logged, tried again in the next round, and
/// keeps nothing else from being done.
async fn maintain_once(
    context: &WorkerContext<'_>,
    standstill: StandstillWatch<'_>,
    watch: &mut ResetWatch,
) {
    let (instance, means) = (context.instance, context.means);
    let watched = watch_round(instance, &*means.directory, &means.verifier, watch).await;
    report("watching who came back", watched);
    report("finishing resets", finish_resets(context).await);
    report("destroying old secrets", destroy_old_secrets(instance).await);
    report("keeping what the log says", keep_proved(instance).await);
    report("comparing rows with the log", tell_contradictions(instance).await);
    report("looking for campaigns that stand still", tell_standstill(standstill).await);
    report("ending waits that are not ours", end_overlong_waits(instance).await);
    let confirmed = means.outbox.permission.confirm(instance).await;
    report("confirming the permission to send", confirmed);
}

/// What is not as the log says may be looked for in vain by whoever would refuse it.
async fn tell_contradictions(instance: &Instance) -> Result<(), CampaignError> {
    for contradiction in halt_contradicted(instance).await? {
        tracing::error!(%contradiction, "a row is refused");
    }
    Ok(())
}

/// Nobody would look for them before somebody is told that a true mail is none of ours.
async fn tell_denied(instance: &Instance, codes: &mut CodeWatch) -> Result<(), InstanceFault> {
    for denied in watch_codes(instance, codes).await? {
        tracing::error!(%denied, "a row is refused");
    }
    Ok(())
}

/// A process reads the newest one alone; whoever looks at an older one is another program.
async fn tell_forged(
    instance: &Instance,
    checkpoints: &mut CheckpointWatch,
) -> Result<(), InstanceFault> {
    for forged in watch_checkpoints(instance, checkpoints).await? {
        tracing::error!(%forged, "a row is refused");
    }
    Ok(())
}

/// Whatever keeps everybody waiting is no error that a worker comes upon.
async fn tell_standstill(standstill: StandstillWatch<'_>) -> Result<(), CampaignError> {
    for StandingStill { name, since } in standstill.find().await? {
        tracing::error!(
            campaign = name,
            %since,
            "nothing was done for the people of a campaign that runs. If other workers log no error either, \
             look at the store for triggers and locks, and at its rows for waits that nobody of ours has begun"
        );
    }
    Ok(())
}

/// Whoever wrote them kept somebody waiting.
async fn end_overlong_waits(instance: &Instance) -> Result<(), StoreError> {
    let mut tx = instance.store().begin().await?;
    for (table, rows) in tx.end_overlong_waits().await? {
        tracing::warn!(
            table,
            rows,
            "rows were to wait longer than any of ours: somebody else has written to the store, or its \
             clock was set back. They wait no more"
        );
    }
    tx.commit().await
}

fn report<T>(chore: &str, done: Result<T, impl fmt::Display>) {
    if let Err(error) = done {
        tracing::error!(chore, %error, "maintenance failed");
    }
}
