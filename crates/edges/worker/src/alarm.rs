//! Wakes the lanes when there is something to do.

use std::{collections::BTreeSet, time::Duration};

use campaigns::{StandingStill, is_campaign_due, is_sealing_left, moving_campaigns};
use instance::Instance;
use recoveries::is_request_due;
use tokio::{
    sync::{Notify, watch},
    time,
};

use crate::{Options, WorkError, left::is_anything_left, standstill::StandstillWatch};

/// How often to look. Commands and pages of other processes, and other hosts, leave work in the
/// store and tell nobody.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) struct Alarm<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) options: Options,
    pub(crate) due: &'a Notify,
    pub(crate) over: &'a watch::Sender<bool>,
    pub(crate) standstill: StandstillWatch<'a>,
}

impl Alarm<'_> {
    /// Looks until the lanes have ended, which it has them do once it is of no use that they go on; returns the
    /// campaign that stands still, if that is why. It only reads, however many lanes there are.
    pub(crate) async fn keep_watch(&self) -> Option<StandingStill> {
        let (mut over, mut still) = (self.over.subscribe(), None);
        while !*over.borrow() {
            match self.look().await {
                Ok(found) => still = found,
                Err(error) => {
                    tracing::error!(%error, "whether there is work cannot be told");
                    // The lanes find out what is wrong, and report it.
                    self.due.notify_waiters();
                }
            }
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                _ = over.wait_for(|over| *over) => {}
            }
        }
        still
    }

    async fn look(&self) -> Result<Option<StandingStill>, WorkError> {
        if self.is_anything_due().await? {
            self.due.notify_waiters();
        }
        if !self.options.until_done {
            return Ok(None);
        }
        let still = self.standstill.find().await?.into_iter().next();
        if still.is_some() || !is_anything_left(self.instance, &BTreeSet::new()).await? {
            self.over.send_replace(true);
        }
        Ok(still)
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
