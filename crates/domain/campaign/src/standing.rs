use model::{CampaignId, CredentialVersion, SwapId, SwapPurpose, SwapState, TargetState};

/// One replacement of an account's stored password, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedSwap {
    /// Which.
    pub id: SwapId,
    /// What for.
    pub purpose: SwapPurpose,
    /// How far it is.
    pub state: SwapState,
    /// On behalf of which campaign, if of one.
    pub campaign: Option<CampaignId>,
    /// What had to stand in the site's row.
    pub expected: CredentialVersion,
    /// The same password as it was found in the leak: the site may have hashed it anew since.
    pub found: Option<CredentialVersion>,
    /// What takes its place.
    pub made: CredentialVersion,
    /// How far the campaign is with the account.
    pub target: Option<TargetState>,
}

/// What an account's row tells of the replacements of its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStanding {
    /// Nothing but what is kept.
    Agrees,
    /// A worker is at it: what the row holds is its to judge.
    InHand,
    /// The value that this replacement made stands there, and what is kept says otherwise.
    FoundSealed(RecordedSwap),
    /// What this replacement had taken out of use stands there again.
    PutBack(RecordedSwap),
    /// A value that no replacement of the account's knows.
    Foreign,
}

/// Judges the row of an account that holds this. Everything that is kept must have been read after
/// the row was: what is written there is on record before.
#[must_use]
pub fn judge_standing(now: CredentialVersion, swaps: &[RecordedSwap]) -> RowStanding {
    if swaps.iter().any(|swap| swap.state == SwapState::Intended) {
        return RowStanding::InHand;
    }
    if let Some(swap) = swaps.iter().rev().find(|swap| swap.made == now) {
        return if is_known_to_stand(swap) {
            RowStanding::Agrees
        } else {
            RowStanding::FoundSealed(*swap)
        };
    }
    if let Some(swap) = swaps.iter().rev().find(|swap| swap.is_of(now) && keeps_out(swap)) {
        return RowStanding::PutBack(*swap);
    }
    // What stood there when a person chose another password was tried for nothing.
    let is_tried = |swap: &&RecordedSwap| !matches!(swap.purpose, SwapPurpose::Choose);
    let is_old = swaps.iter().filter(is_tried).any(|swap| swap.is_of(now));
    if is_old { RowStanding::Agrees } else { RowStanding::Foreign }
}

impl RecordedSwap {
    /// Whether this is the password that it took out of use.
    fn is_of(&self, now: CredentialVersion) -> bool {
        self.expected == now || self.found == Some(now)
    }
}

/// Whether what is kept says that the value which it made stands in the row.
const fn is_known_to_stand(swap: &RecordedSwap) -> bool {
    let is_done = matches!(swap.state, SwapState::Done);
    match (swap.purpose, swap.target) {
        (SwapPurpose::Seal, Some(target)) => is_done && matches!(target, TargetState::Sealed),
        _ => is_done,
    }
}

/// Whether what is kept says that the password which it replaced works no longer.
const fn keeps_out(swap: &RecordedSwap) -> bool {
    let was_made = matches!(swap.state, SwapState::Done | SwapState::Overtaken);
    let out = matches!(
        swap.target,
        Some(TargetState::Sealed | TargetState::Reset | TargetState::Overtaken)
    );
    matches!(swap.purpose, SwapPurpose::Seal) && was_made && out
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: CredentialVersion = CredentialVersion::from_bytes([1; 32]);
    const OURS: CredentialVersion = CredentialVersion::from_bytes([2; 32]);
    const OWN: CredentialVersion = CredentialVersion::from_bytes([3; 32]);

    const SEAL: RecordedSwap = RecordedSwap {
        id: SwapId(7),
        purpose: SwapPurpose::Seal,
        state: SwapState::Done,
        campaign: Some(CampaignId(1)),
        expected: OLD,
        found: None,
        made: OURS,
        target: Some(TargetState::Sealed),
    };

    fn seal(state: SwapState, target: TargetState) -> RecordedSwap {
        RecordedSwap { state, target: Some(target), ..SEAL }
    }

    #[test]
    fn a_sealed_account_holds_our_value() {
        assert_eq!(judge_standing(OURS, &[SEAL]), RowStanding::Agrees);
        assert_eq!(judge_standing(OLD, &[SEAL]), RowStanding::PutBack(SEAL));
        assert_eq!(judge_standing(OWN, &[SEAL]), RowStanding::Foreign);
        assert_eq!(judge_standing(OWN, &[]), RowStanding::Foreign);
    }

    #[test]
    fn our_value_is_accounted_for_whatever_was_recorded() {
        for (state, target) in [
            (SwapState::Undone, TargetState::Pending),
            (SwapState::Undone, TargetState::Skipped),
            (SwapState::Overtaken, TargetState::Overtaken),
            (SwapState::Done, TargetState::Reset),
            (SwapState::Done, TargetState::PutBack),
        ] {
            let swap = seal(state, target);
            assert_eq!(judge_standing(OURS, &[swap]), RowStanding::FoundSealed(swap), "{swap:?}");
        }
    }

    #[test]
    fn an_old_password_is_put_back_only_where_it_was_taken_out_of_use() {
        for (state, target) in
            [(SwapState::Done, TargetState::Reset), (SwapState::Overtaken, TargetState::Overtaken)]
        {
            let swap = seal(state, target);
            assert_eq!(judge_standing(OLD, &[swap]), RowStanding::PutBack(swap), "{swap:?}");
        }
        for (state, target) in [
            (SwapState::Undone, TargetState::Pending),
            (SwapState::Undone, TargetState::Skipped),
            (SwapState::Done, TargetState::Reinstated),
            (SwapState::Done, TargetState::PutBack),
        ] {
            assert_eq!(
                judge_standing(OLD, &[seal(state, target)]),
                RowStanding::Agrees,
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_site_restored_to_before_it_hashed_anew_has_put_the_old_password_back() {
        let found = CredentialVersion::from_bytes([4; 32]);
        let rehashed = RecordedSwap { found: Some(found), ..SEAL };
        assert_eq!(judge_standing(found, &[rehashed]), RowStanding::PutBack(rehashed));
        assert_eq!(judge_standing(found, &[SEAL]), RowStanding::Foreign);
    }

    #[test]
    fn the_last_of_several_counts() {
        let first = seal(SwapState::Undone, TargetState::Sealed);
        let again = RecordedSwap { id: SwapId(8), made: OWN, ..SEAL };
        assert_eq!(judge_standing(OWN, &[first, again]), RowStanding::Agrees);
        assert_eq!(judge_standing(OLD, &[first, again]), RowStanding::PutBack(again));
    }

    #[test]
    fn a_worker_at_work_is_left_to_it() {
        let intended = seal(SwapState::Intended, TargetState::Sealing);
        for now in [OLD, OURS, OWN] {
            assert_eq!(judge_standing(now, &[SEAL, intended]), RowStanding::InHand);
        }
    }

    #[test]
    fn what_a_person_chose_stands_without_a_target() {
        let choose = |state| RecordedSwap {
            purpose: SwapPurpose::Choose,
            campaign: None,
            target: None,
            ..seal(state, TargetState::Sealed)
        };
        let done = choose(SwapState::Done);
        assert_eq!(judge_standing(OURS, &[done]), RowStanding::Agrees);
        assert_eq!(
            judge_standing(OLD, &[RecordedSwap { target: None, ..done }]),
            RowStanding::Foreign
        );
        let overtaken = RecordedSwap { target: None, ..choose(SwapState::Overtaken) };
        assert_eq!(judge_standing(OURS, &[overtaken]), RowStanding::FoundSealed(overtaken));
    }
}
