//! That one account's password stands in a leak.

use crate::{row_id::row_id, text_enum::text_enum};

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
