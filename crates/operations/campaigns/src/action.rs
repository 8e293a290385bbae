use std::collections::BTreeMap;

use campaign::SwapEnd;
use exposure::Evidence;
use model::{AccountId, SkipReason, StoredHash, TargetState};
use outbox::Kept;

/// What is to be done with one account.
pub(crate) enum Action {
    /// Put our hash in the place of the one that was verified.
    Seal(Box<Sealing>),
    /// Our hash is there.
    Sealed,
    /// Leave it alone.
    Skip(SkipReason),
    /// Leave it alone, and stop: what was frozen as evidence is none.
    SkipAndHalt(SkipReason),
    /// Somebody else's password is there, and nobody can tell whether ours was.
    Overtaken,
    /// Its row is as it was: it can be taken up again.
    Untouched,
    /// Its row is as it was, and somebody else holds it: it is taken up again later.
    Held,
    /// Its sealing was begun; whether the site's row was written is for another attempt to see.
    Open,
}

impl Action {
    /// How far it is with the account once this is done; `None` if that is for others to find out.
    pub(crate) const fn end(&self) -> Option<TargetState> {
        match self {
            Self::Sealed => Some(TargetState::Sealed),
            Self::Skip(_) | Self::SkipAndHalt(_) => Some(TargetState::Skipped),
            Self::Overtaken => Some(TargetState::Overtaken),
            Self::Untouched | Self::Held => Some(TargetState::Pending),
            Self::Seal(_) | Self::Open => None,
        }
    }

    /// Whether the campaign must not go on.
    pub(crate) const fn halts(&self) -> bool {
        matches!(self, Self::SkipAndHalt(_))
    }

    /// Why the account is left alone.
    pub(crate) const fn skipped(&self) -> Option<SkipReason> {
        match self {
            Self::Skip(reason) | Self::SkipAndHalt(reason) => Some(*reason),
            _ => None,
        }
    }
}

impl From<SwapEnd> for Action {
    fn from(end: SwapEnd) -> Self {
        match end {
            SwapEnd::Done => Self::Sealed,
            SwapEnd::Untouched => Self::Untouched,
            SwapEnd::Held => Self::Held,
            SwapEnd::Spared(reason) => Self::Skip(reason),
            SwapEnd::Overtaken => Self::Overtaken,
        }
    }
}

/// An account that is exposed at this moment, and what takes its password's place.
pub(crate) struct Sealing {
    pub(crate) evidence: Evidence,
    pub(crate) sealed: StoredHash,
    pub(crate) kept: Kept,
}

/// By account. One that is missing was lost to another worker.
pub(crate) type Actions = BTreeMap<AccountId, Action>;
