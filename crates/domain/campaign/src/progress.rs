use serde::{Deserialize, Serialize};

/// What has been done so far, counted in the transaction that takes the step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageProgress {
    /// Addresses, from the start of the order without a gap, of which every account is sealed or
    /// skipped and whose notice, if one is due, is `sent`, `refused` or `uncertain`.
    pub settled_addresses: u64,
    /// What has become of notices.
    pub notices: NoticeEnds,
    /// Who is not settled.
    pub unsettled: Unsettled,
}

/// How many notices have ended, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeEnds {
    /// Notices that are `sent`, `refused` or `uncertain`.
    pub ended: u64,
    /// Of these, `refused`.
    pub refused: u64,
    /// Of these, `uncertain`.
    pub uncertain: u64,
}

impl NoticeEnds {
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            ended: self.ended.saturating_sub(before.ended),
            refused: self.refused.saturating_sub(before.refused),
            uncertain: self.uncertain.saturating_sub(before.uncertain),
        }
    }
}

/// Accounts that a campaign must not leave as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Their sealing was begun, and nobody knows yet how it ended.
    pub sealing: u64,
    /// They are sealed, and the notice to their address is not final.
    pub untold: u64,
}

impl Unsettled {
    /// Whether there are any.
    #[must_use]
    pub const fn is_anybody(self) -> bool {
        self.accounts() > 0
    }

    /// How many.
    #[must_use]
    pub const fn accounts(self) -> u64 {
        self.sealing + self.untold
    }
}
