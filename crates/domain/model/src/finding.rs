//! That one account's password stands in a leak.

use serde::{Deserialize, Serialize};

use crate::{LeakId, Tier, Timestamp, canonical::micros, row_id::row_id, text_enum::text_enum};

/// Where a password was found, as its owner is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundIn {
    /// In which leak.
    pub leak: LeakId,
    /// By which of the account's identifiers.
    pub tier: Tier,
    /// When it was tried first.
    #[serde(with = "micros")]
    pub verified_at: Timestamp,
}

row_id! {
    /// The store's key of a finding. It is never used again for another one.
    FindingId
}

text_enum! {
    /// What has been done about a finding.
    pub enum FindingState {
        /// Nothing yet.
        Open = "open",
        /// Somebody has decided that nothing is to be done.
        Dismissed = "dismissed",
        /// The account has another password now.
        Reset = "reset",
    }
}
