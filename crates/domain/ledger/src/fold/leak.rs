use std::collections::HashMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FoundFold, NotedFold};
use crate::{Hash, LeakAdded, Whom, tree::leaf_hash};

/// What the log says of one leak.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LeakFold {
    /// A hash of what it was registered as.
    pub(super) digest: Hash,
    /// When the accounts were read that were looked for in it; when it was registered, before.
    pub(super) looked_at: Option<Timestamp>,
    /// When all accounts that it names were verified.
    pub(super) verified_at: Option<Timestamp>,
    /// What is noted of these.
    pub(super) noted: NotedFold,
    /// Whose passwords stand in it.
    pub(super) found: HashMap<Whom, FoundFold>,
}

impl LeakFold {
    pub(super) fn added(leak: &LeakAdded, at: Timestamp) -> Self {
        Self { digest: digest(leak), looked_at: Some(at), ..Self::default() }
    }

    pub(super) fn screen(&mut self, looked_at: Option<Timestamp>) {
        self.looked_at = looked_at.or(self.looked_at);
    }

    pub(super) const fn note(&mut self, NotedFold { tried, unverified }: NotedFold) {
        self.noted.tried += tried;
        self.noted.unverified += unverified;
    }
}

/// Of the same form for rows and log.
pub(super) fn digest(leak: &LeakAdded) -> Hash {
    // Names and numbers can always be written.
    leaf_hash(&serde_json::to_vec(leak).unwrap_or_default())
}
