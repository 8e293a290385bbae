//! What is to be done now and then, whether or not a campaign has work.

use std::time::Duration;

use campaigns::{ResetWatch, WorkerContext, destroy_old_secrets, watch_round};
use recoveries::finish_resets;
use tokio::{sync::watch, time};

use crate::WorkError;

/// How often.
const INTERVAL: Duration = Duration::from_mins(1);

/// Maintains until the lanes have ended. What fails is logged and tried again.
pub(crate) async fn maintain(context: &WorkerContext<'_>, mut ended: watch::Receiver<bool>) {
    let mut watch = ResetWatch::default();
    while !*ended.borrow() {
        if let Err(error) = maintain_once(context, &mut watch).await {
            tracing::error!(%error, "maintenance failed");
        }
        tokio::select! {
            () = time::sleep(INTERVAL) => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
    }
}

/// Sees who has chosen a new password, finishes interrupted resets, destroys what has been kept
/// long enough, and holds on to the permission to send.
async fn maintain_once(
    context: &WorkerContext<'_>,
    watch: &mut ResetWatch,
) -> Result<(), WorkError> {
    let (instance, means) = (context.instance, context.means);
    watch_round(instance, &*means.directory, &means.verifier, watch).await?;
    finish_resets(context).await?;
    destroy_old_secrets(instance).await?;
    Ok(means.outbox.permission.confirm(instance).await?)
}
