//! Comparing the site's table with what is kept, on one host at a time.

use std::time::Duration;

use campaigns::{Reconciled, Reconciling, WorkerContext, reconcile_if_due};
use instance::Unseen;
use tokio::{sync::watch, time};

/// How often to look whether it is due.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Compares now and then until the lanes have ended. What is being compared then is broken off; what was
/// found is recorded and remembered.
pub(crate) async fn keep_comparing(
    context: &WorkerContext<'_>,
    every: Duration,
    mut ended: watch::Receiver<bool>,
) {
    while !*ended.borrow() {
        compare_once(context, every, ended.clone()).await;
        tokio::select! {
            () = time::sleep(LOOK_EVERY.min(every)) => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
    }
}

/// What fails is logged, and tried again.
async fn compare_once(
    context: &WorkerContext<'_>,
    every: Duration,
    mut ended: watch::Receiver<bool>,
) {
    let (instance, means) = (context.instance, context.means);
    let (directory, verifier) = (&*means.directory, &means.verifier);
    let reconciling = Reconciling { instance, directory, verifier, progress: &Unseen };
    let ended = Box::pin(async move {
        // Whoever says so has ended itself if it is gone.
        let _ = ended.wait_for(|ended| *ended).await;
    });
    match reconcile_if_due(&reconciling, every, ended).await {
        Ok(Some(result)) => tell(&result),
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "the site's table could not be compared"),
    }
    if let Err(error) = means.outbox.permission.keep_up(instance).await {
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
