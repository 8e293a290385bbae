//! Wakes the lanes when there is something to do.

use std::{collections::BTreeSet, time::Duration};

use campaigns::{is_anything_under_way, is_campaign_due, is_sealing_left, moving_campaigns};
use instance::Instance;
use recoveries::is_request_due;
use tokio::{
    sync::{Notify, watch},
    time,
};

use crate::{Options, WorkError};

/// How often to look. Commands and pages of other processes, and other hosts, leave work in the
/// store and tell nobody.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) struct Alarm<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) options: Options,
    pub(crate) due: &'a Notify,
    pub(crate) over: &'a watch::Sender<bool>,
}

impl Alarm<'_> {
    /// Looks until the lanes have ended. It only reads, however many lanes there are.
    pub(crate) async fn keep_watch(&self) {
        let mut over = self.over.subscribe();
        while !*over.borrow() {
            if let Err(error) = self.look().await {
                tracing::error!(%error, "whether there is work cannot be told");
                // The lanes find out what is wrong, and report it.
                self.due.notify_waiters();
            }
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                _ = over.wait_for(|over| *over) => {}
            }
        }
    }

    async fn look(&self) -> Result<(), WorkError> {
        if self.is_anything_due().await? {
            self.due.notify_waiters();
        }
        if self.options.until_done
            && !is_anything_under_way(self.instance, &BTreeSet::new()).await?
        {
            self.over.send_replace(true);
        }
        Ok(())
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
