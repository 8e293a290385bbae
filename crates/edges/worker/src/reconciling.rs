//! Comparing the site's table with what is kept, on one host at a time.

use std::time::Duration;

use campaigns::{Reconciled, Reconciling, WorkerContext, reconcile_if_due};
use instance::Unseen;
use tokio::{sync::watch, time};

/// How often to look whether it is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Compares now and then until the lanes have ended. What is being done then is broken off, as a
/// crash would: another worker begins anew.
pub(crate) async fn keep_comparing(
    context: &WorkerContext<'_>,
    every: Duration,
    mut ended: watch::Receiver<bool>,
) {
    tokio::select! {
        () = compare_always(context, every) => {}
        _ = ended.wait_for(|ended| *ended) => {}
    }
}

async fn compare_always(context: &WorkerContext<'_>, every: Duration) {
    loop {
        compare_once(context, every).await;
        time::sleep(LOOK_EVERY.min(every)).await;
    }
}

/// What fails is logged, and tried again.
async fn compare_once(context: &WorkerContext<'_>, every: Duration) {
    let (instance, means) = (context.instance, context.means);
    let (directory, verifier) = (&*means.directory, &means.verifier);
    let reconciling = Reconciling { instance, directory, verifier, progress: &Unseen };
    match reconcile_if_due(&reconciling, every).await {
        Ok(Some(result)) => tell(&result),
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "the site's table could not be compared"),
    }
    remember(context).await;
}

/// Has what was logged last remembered outside the store.
pub(crate) async fn remember(context: &WorkerContext<'_>) {
    if let Err(error) = context.means.outbox.permission.keep_up(context.instance).await {
        tracing::error!(%error, "what was found is not remembered outside the store");
    }
}

fn tell(result: &Reconciled) {
    let Reconciled { accounts, found, repaired, not_tried, unjudged, .. } = result;
    if result.agrees() {
        tracing::info!(accounts, not_tried, "the site's table agrees with what is kept");
        return;
    }
    let found = found.iter().map(|(what, count)| format!("{what}: {count}"));
    tracing::error!(
        accounts,
        found = found.collect::<Vec<_>>().join(", "),
        repaired,
        not_tried,
        unjudged,
        "the site's table does not agree with what is kept: `countersign reconcile --list` says \
         whose rows, and what to do"
    );
}
