//! Campaigns for whose people nothing is done.

use std::time::Duration;

use campaigns::{CampaignError, StandingStill, standing_still};
use instance::Instance;
use tokio::time::Instant;

/// Looks for them once this process has had the time to do something: what nobody did before it began is
/// nothing that keeps it from working.
#[derive(Clone, Copy)]
pub(crate) struct StandstillWatch<'a> {
    instance: &'a Instance,
    patience: Duration,
    began: Instant,
}

impl<'a> StandstillWatch<'a> {
    pub(crate) fn begin(instance: &'a Instance, patience: Duration) -> Self {
        Self { instance, patience, began: Instant::now() }
    }

    pub(crate) async fn find(&self) -> Result<Vec<StandingStill>, CampaignError> {
        if self.began.elapsed() < self.patience {
            return Ok(Vec::new());
        }
        standing_still(self.instance, self.patience).await
    }
}
