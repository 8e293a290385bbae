use std::{collections::BTreeMap, time::Duration};

use model::CampaignId;
use tokio::time::{self, Instant};

/// How long something rests that has gone wrong.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// One part of the work, which can fail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WorkPart {
    /// People who wait for a mail.
    Requests,
    /// One campaign.
    Campaign(CampaignId),
    /// What other workers have left.
    Left,
    /// Whether every campaign of the log is still there.
    Kept,
    /// The store does not answer.
    All,
}

impl WorkPart {
    /// The campaign that it is.
    pub(crate) const fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::Campaign(campaign) => Some(*campaign),
            _ => None,
        }
    }
}

/// The parts that have failed lately.
#[derive(Debug, Default)]
pub(crate) struct Resting(BTreeMap<WorkPart, Instant>);

impl Resting {
    pub(crate) fn begin(&mut self, part: WorkPart) {
        self.0.insert(part, Instant::now() + AFTER_FAILURE);
    }

    /// Whether a part may be tried again.
    pub(crate) fn is_over(&self, part: WorkPart) -> bool {
        self.0.get(&part).is_none_or(|until| Instant::now() >= *until)
    }

    /// Waits after a failure, no longer than until somebody calls or a part may be tried again.
    pub(crate) async fn wait(&self, called: impl Future<Output = ()>) {
        let now = Instant::now();
        let next = self.0.values().filter(|until| **until > now).min();
        let next = next.copied().unwrap_or(now + AFTER_FAILURE);
        if !self.is_over(WorkPart::All) {
            return time::sleep_until(next).await;
        }
        tokio::select! {
            () = called => {}
            () = time::sleep_until(next) => {}
        }
    }
}
