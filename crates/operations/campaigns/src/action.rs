use std::collections::BTreeMap;

use exposure::Evidence;
use model::{AccountId, SkipReason, StoredHash, TargetState};
use outbox::Kept;

use crate::claim::Member;

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
    /// Its sealing was begun and can be neither finished nor taken back.
    Stuck,
    /// Its sealing was begun; whether the site's row was written is for another attempt to see.
    Open,
}

impl Action {
    /// Whether it settles the account.
    pub(crate) const fn ends(&self) -> bool {
        matches!(self, Self::Sealed | Self::Skip(_) | Self::SkipAndHalt(_))
    }

    /// Whether the campaign must not go on.
    pub(crate) const fn halts(&self) -> bool {
        matches!(self, Self::SkipAndHalt(_) | Self::Stuck)
    }

    /// Why the account is left alone.
    pub(crate) const fn skipped(&self) -> Option<SkipReason> {
        match self {
            Self::Skip(reason) | Self::SkipAndHalt(reason) => Some(*reason),
            _ => None,
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

/// How far it is with an account once its action is done.
pub(crate) fn end_of(member: &Member, actions: &Actions) -> TargetState {
    match actions.get(&member.row.account) {
        Some(Action::Sealed) => TargetState::Sealed,
        Some(Action::Skip(_) | Action::SkipAndHalt(_)) => TargetState::Skipped,
        _ => member.row.state,
    }
}
