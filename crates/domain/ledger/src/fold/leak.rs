use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{Hash, LeakAdded, Whom, tree::leaf_hash};

/// What the log says of one leak.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LeakFold {
    /// A hash of what it was registered as.
    pub(super) digest: Hash,
    /// Whose passwords stand in it.
    pub(super) found: HashSet<Whom>,
}

impl LeakFold {
    pub(super) fn added(leak: &LeakAdded) -> Self {
        Self { digest: digest(leak), found: HashSet::new() }
    }
}

/// Of the same form for rows and log.
pub(super) fn digest(leak: &LeakAdded) -> Hash {
    // Names and numbers can always be written.
    leaf_hash(&serde_json::to_vec(leak).unwrap_or_default())
}
