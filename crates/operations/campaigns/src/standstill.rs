use std::time::Duration;

use campaign::may_work_since;
use futures_util::future::BoxFuture;
use instance::Instance;
use model::{CampaignState, Timestamp};
use serde::Serialize;
use store::StoreError;

use crate::{CampaignError, loaded::seen};

/// A campaign that runs, and of which nobody does anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingStill {
    /// Its name.
    pub name: String,
    /// Since when something could have been done.
    pub since: Timestamp,
}

/// Campaigns that run, and for whose people nothing was done for so long, by the audit log. Whatever keeps
/// workers from it need not be an error that they see: they may have ended, or rows may say that everybody
/// is to wait.
///
/// # Errors
/// [`CampaignError`] if the store fails. A campaign whose row is not as the log says is left out: that is
/// told by itself.
pub fn standing_still(
    instance: &Instance,
    patience: Duration,
) -> BoxFuture<'_, Result<Vec<StandingStill>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let running = tx.campaign_names_in(CampaignState::RUNNING).await?;
        drop(tx);
        let mut still = Vec::new();
        for (_, name) in running {
            still.extend(stands_still(instance, name, patience).await?);
        }
        Ok(still)
    })
}

async fn stands_still(
    instance: &Instance,
    name: String,
    patience: Duration,
) -> Result<Option<StandingStill>, StoreError> {
    let mut tx = instance.store().read().await?;
    let Ok((loaded, log)) = seen(instance, &mut tx, &name).await else { return Ok(None) };
    let worked_at = log.campaign(loaded.id()).and_then(|fold| fold.worked_at);
    drop(log);
    let now = tx.now().await?;
    let since = may_work_since(&loaded.campaign, worked_at);
    let since = since.filter(|since| since.after(patience) < now);
    Ok(since.map(|since| StandingStill { name, since }))
}
