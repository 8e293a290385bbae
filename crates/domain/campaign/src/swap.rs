use model::{SiteRow, SkipReason, SwapState};

/// What the site's database says of the last attempt that was let through to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedAttempt {
    /// No attempt was ever let through.
    None,
    /// It has committed.
    Committed,
    /// It was taken back.
    Aborted,
    /// The database cannot tell.
    Unknown,
}

/// What became of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapEnd {
    /// Our value stands in the site's row, or stood there.
    Done,
    /// Our value never stood in the row. What stands there is looked at anew: it may be the old
    /// password still, also in another form, since sites hash anew when somebody signs in.
    Untouched,
    /// The row is as it was, and stays so: it must not be written, or its database will not have it.
    Spared(SkipReason),
    /// Somebody else holds the row, and did not let go in time: it was not even read.
    Held,
    /// Somebody else's change stands, and whether ours stood there before cannot be known.
    Overtaken,
}

/// Judges a swap that another attempt has left, by the site's row. The row must be read over the
/// connection that writes, while its lock is held and after the attempt was taken over: then no
/// earlier attempt can still commit, and this answer stays right.
#[must_use]
pub const fn judge_swap(row: SiteRow, passed: PassedAttempt) -> SwapEnd {
    match (row, passed) {
        (SiteRow::Old, _) => SwapEnd::Untouched,
        (SiteRow::Ours, _) | (_, PassedAttempt::Committed) => SwapEnd::Done,
        (_, PassedAttempt::Unknown) => SwapEnd::Overtaken,
        (SiteRow::Other | SiteRow::Empty | SiteRow::Gone, _) => SwapEnd::Untouched,
    }
}

impl SwapEnd {
    /// How it is kept.
    #[must_use]
    pub const fn state(self) -> SwapState {
        match self {
            Self::Done => SwapState::Done,
            Self::Untouched | Self::Held | Self::Spared(_) => SwapState::Undone,
            Self::Overtaken => SwapState::Overtaken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [SiteRow; 5] =
        [SiteRow::Old, SiteRow::Ours, SiteRow::Other, SiteRow::Empty, SiteRow::Gone];
    const PASSED: [PassedAttempt; 4] = [
        PassedAttempt::None,
        PassedAttempt::Committed,
        PassedAttempt::Aborted,
        PassedAttempt::Unknown,
    ];

    #[test]
    fn the_old_value_means_try_again_and_ours_done_whatever_passed() {
        for passed in PASSED {
            assert_eq!(judge_swap(SiteRow::Old, passed), SwapEnd::Untouched);
            assert_eq!(judge_swap(SiteRow::Ours, passed), SwapEnd::Done);
        }
    }

    #[test]
    fn nobody_who_may_have_been_sealed_is_called_untouched() {
        for row in [SiteRow::Other, SiteRow::Empty, SiteRow::Gone] {
            assert_eq!(judge_swap(row, PassedAttempt::Unknown), SwapEnd::Overtaken);
            assert_eq!(judge_swap(row, PassedAttempt::Committed), SwapEnd::Done);
            for passed in [PassedAttempt::None, PassedAttempt::Aborted] {
                assert_eq!(judge_swap(row, passed), SwapEnd::Untouched, "{row:?}");
            }
        }
    }

    #[test]
    fn a_swap_ends_one_way() {
        for (row, passed) in ROWS.into_iter().flat_map(|row| PASSED.map(|passed| (row, passed))) {
            assert_ne!(judge_swap(row, passed).state(), SwapState::Intended);
        }
    }
}
