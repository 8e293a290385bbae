//! Wakes the lanes when there is something to do.

use std::{collections::BTreeSet, time::Duration};

use campaigns::{
    CampaignError, StandingStill, is_campaign_due, is_sealing_left, moving_campaigns,
    standing_still,
};
use instance::Instance;
use recoveries::is_request_due;
use tokio::{
    sync::{Notify, watch},
    time::{self, Instant},
};

use crate::{Options, WorkError, left::is_anything_left};

/// How often to look. Commands and pages of other processes, and other hosts, leave work in the
/// store and tell nobody.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) struct Alarm<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) options: Options,
    pub(crate) due: &'a Notify,
    pub(crate) over: &'a watch::Sender<bool>,
    /// When this process began: what nobody did before is nothing that keeps it from working.
    pub(crate) began: Instant,
}

impl Alarm<'_> {
    /// Looks until the lanes have ended, which it has them do once it is of no use that they go on; an error
    /// if somebody is left for whom nobody does anything. It only reads, however many lanes there are.
    pub(crate) async fn keep_watch(&self) -> Result<(), WorkError> {
        let (mut over, mut left) = (self.over.subscribe(), Ok(()));
        while !*over.borrow() {
            if let Err(error) = self.look(&mut left).await {
                tracing::error!(%error, "whether there is work cannot be told");
                // The lanes find out what is wrong, and report it.
                self.due.notify_waiters();
            }
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                _ = over.wait_for(|over| *over) => {}
            }
        }
        left
    }

    async fn look(&self, left: &mut Result<(), WorkError>) -> Result<(), WorkError> {
        if self.is_anything_due().await? {
            self.due.notify_waiters();
        }
        if !self.options.until_done {
            return Ok(());
        }
        *left = self.find_standstill().await?;
        if left.is_err() || !is_anything_left(self.instance, &BTreeSet::new()).await? {
            self.over.send_replace(true);
        }
        Ok(())
    }

    async fn find_standstill(&self) -> Result<Result<(), WorkError>, WorkError> {
        let patience = self.options.standstill_after;
        if self.began.elapsed() < patience {
            return Ok(Ok(()));
        }
        let found = standing_still(self.instance, patience).await?;
        Ok(found.into_iter().next().map_or(Ok(()), |StandingStill { name, since }| {
            Err(CampaignError::StandsStill { name, since }.into())
        }))
    }

    async fn is_anything_due(&self) -> Result<bool, WorkError> {
        if is_request_due(self.instance).await? || is_sealing_left(self.instance).await? {
            return Ok(true);
        }
        for campaign in moving_campaigns(self.instance).await? {
            if is_campaign_due(self.instance, campaign).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
