use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{
    APPROVERS_MIN, CANARY_ADDRESSES_MAX, LARGE_APPROVERS_MIN, LARGE_PERMILLE_MAX, RAMP_STEPS_MAX,
    RATE_PER_HOUR_MAX, RATE_PER_MINUTE_MAX, REFUSED_PERMILLE_MAX, RETRY_MAX, RETRY_MIN,
    SEALED_UNTOLD_MAX, SIGNING_MAX, SOAK_MIN, START_MAX, THRESHOLD_COUNT_MAX,
    UNCERTAIN_PERMILLE_MAX,
};

/// How a campaign goes about it: stages, speed, and when it stops by itself.
///
/// It is part of what is signed. Durations are whole seconds, shares are thousandths: there is no
/// float whose spelling could differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Addresses taken up before anybody else.
    pub canary_addresses: u64,
    /// From the last of them being settled to the first step of the ramp.
    pub canary_soak_seconds: u64,
    /// The steps after the canary. The last one reaches everybody.
    pub ramp: Vec<RampStep>,
    /// From one step being settled to the next.
    pub step_soak_seconds: u64,
    /// Addresses taken up in one minute of the clock.
    pub rate_per_minute_max: u64,
    /// Addresses taken up in one hour of the clock.
    pub rate_per_hour_max: u64,
    /// Sealing waits while more accounts than this are sealed and their notice is not final.
    pub sealed_untold_max: u64,
    /// Notices whose answer was lost.
    pub uncertain: Threshold,
    /// Notices that were refused or came back.
    pub refused: Threshold,
    /// Before a notice that was put off is tried again; it doubles with each attempt.
    pub retry_seconds: u64,
    /// Approvers needed; the author is never one of them.
    pub approvers: u32,
    /// Above this share of all accounts, in thousandths, a plan is large.
    pub large_permille: u32,
    /// Approvers that a large plan needs.
    pub large_approvers: u32,
    /// From freezing to the last signature.
    pub signing_seconds: u64,
    /// From freezing to the start.
    pub start_seconds: u64,
}

/// One step of a ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RampStep {
    /// How far it goes.
    pub reach: Reach,
    /// Whether the campaign halts before this step, until it is signed again.
    pub reapproval: bool,
}

/// How many addresses, counted from the start of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// This many, all earlier ones counted.
    Addresses(u64),
    /// This share of all, in thousandths, rounded down.
    Permille(u32),
}

/// When a campaign halts by itself: above both the number and the share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// So many are no sign of anything yet.
    pub count: u64,
    /// Share of the notices that are final, in thousandths.
    pub permille: u32,
}

impl Threshold {
    /// Whether `bad` of `all` are too many.
    #[must_use]
    pub const fn is_exceeded(self, bad: u64, all: u64) -> bool {
        let share = all.saturating_mul(self.permille as u64) / THOUSAND;
        bad > self.count && bad > share
    }
}

const THOUSAND: u64 = 1000;

impl Policy {
    /// Whether its stages are those of another one.
    pub(crate) fn has_stages_of(&self, other: &Self) -> bool {
        (self.canary_addresses, &self.ramp) == (other.canary_addresses, &other.ramp)
    }

    /// Passes a policy that keeps the floors, or, in a rehearsal, one that makes sense.
    ///
    /// # Errors
    /// [`PolicyError`] names the number found and its bound.
    pub fn check(&self, kind: StoreKind) -> Result<(), PolicyError> {
        self.check_sense()?;
        match kind {
            StoreKind::Site => self.check_floors(),
            StoreKind::Rehearsal => Ok(()),
        }
    }

    /// Addresses that may have been taken up by the end of a step; by the end of the canary for
    /// `None`. It never shrinks from step to step, and never exceeds `addresses`.
    #[must_use]
    pub fn reach(&self, step: Option<usize>, addresses: u64) -> u64 {
        let steps = step.map_or(0, |step| step + 1);
        let reached = self.ramp.iter().take(steps).map(|step| step.reach.of(addresses));
        reached.fold(self.canary_addresses, u64::max).min(addresses)
    }

    /// The first step after `step` that reaches anybody new; `None` when everybody was reached.
    #[must_use]
    pub fn step_after(&self, step: Option<usize>, addresses: u64) -> Option<usize> {
        let reached = self.reach(step, addresses);
        let mut later = step.map_or(0, |step| step + 1)..self.ramp.len();
        later.find(|step| self.reach(Some(*step), addresses) > reached)
    }

    /// Approvers that a plan needs for so many of so many accounts.
    #[must_use]
    pub fn approvers_for(&self, targets: u64, accounts: u64) -> u32 {
        let share = u128::from(targets) * u128::from(THOUSAND);
        let large = share > u128::from(accounts) * u128::from(self.large_permille);
        if large { self.large_approvers.max(self.approvers) } else { self.approvers }
    }

    /// Time to wait once everybody up to the end of `step` is settled.
    #[must_use]
    pub const fn soak(&self, step: Option<usize>) -> Duration {
        Duration::from_secs(match step {
            None => self.canary_soak_seconds,
            Some(_) => self.step_soak_seconds,
        })
    }

    /// Time before a notice that was put off is tried again for the first time.
    #[must_use]
    pub const fn retry(&self) -> Duration {
        Duration::from_secs(self.retry_seconds)
    }

    fn check_sense(&self) -> Result<(), PolicyError> {
        let at_least = [
            ("canary_addresses", self.canary_addresses, 1),
            ("rate_per_minute_max", self.rate_per_minute_max, 1),
            ("rate_per_hour_max", self.rate_per_hour_max, 1),
            ("sealed_untold_max", self.sealed_untold_max, 1),
            ("retry_seconds", self.retry_seconds, 1),
            ("signing_seconds", self.signing_seconds, 1),
            ("start_seconds", self.start_seconds, self.signing_seconds),
            ("approvers", self.approvers.into(), APPROVERS_MIN.into()),
            ("large_approvers", self.large_approvers.into(), self.approvers.into()),
        ];
        at_least.into_iter().try_for_each(|(name, found, min)| not_below(name, found, min))?;
        not_above("ramp steps", self.ramp.len() as u64, RAMP_STEPS_MAX as u64)?;
        self.ramp.iter().try_for_each(|step| step.reach.check())?;
        match self.ramp.last() {
            Some(RampStep { reach: Reach::Permille(1000), .. }) => Ok(()),
            _ => Err(PolicyError::NotEverybody),
        }
    }

    fn check_floors(&self) -> Result<(), PolicyError> {
        let soak = SOAK_MIN.as_secs();
        not_below("canary_soak_seconds", self.canary_soak_seconds, soak)?;
        not_below("step_soak_seconds", self.step_soak_seconds, soak)?;
        not_below("retry_seconds", self.retry_seconds, RETRY_MIN.as_secs())?;
        not_below("large_approvers", self.large_approvers.into(), LARGE_APPROVERS_MIN.into())?;
        let at_most = [
            ("canary_addresses", self.canary_addresses, CANARY_ADDRESSES_MAX),
            ("rate_per_minute_max", self.rate_per_minute_max, RATE_PER_MINUTE_MAX),
            ("rate_per_hour_max", self.rate_per_hour_max, RATE_PER_HOUR_MAX),
            ("sealed_untold_max", self.sealed_untold_max, SEALED_UNTOLD_MAX),
            ("uncertain.count", self.uncertain.count, THRESHOLD_COUNT_MAX),
            ("uncertain.permille", self.uncertain.permille.into(), UNCERTAIN_PERMILLE_MAX.into()),
            ("refused.count", self.refused.count, THRESHOLD_COUNT_MAX),
            ("refused.permille", self.refused.permille.into(), REFUSED_PERMILLE_MAX.into()),
            ("large_permille", self.large_permille.into(), LARGE_PERMILLE_MAX.into()),
            ("retry_seconds", self.retry_seconds, RETRY_MAX.as_secs()),
            ("signing_seconds", self.signing_seconds, SIGNING_MAX.as_secs()),
            ("start_seconds", self.start_seconds, START_MAX.as_secs()),
        ];
        at_most.into_iter().try_for_each(|(name, found, max)| not_above(name, found, max))
    }
}

/// 100 addresses for a day, then 500, 5,000 and a quarter with half a day between; the rest is
/// signed for again.
impl Default for Policy {
    fn default() -> Self {
        let step = |reach| RampStep { reach, reapproval: false };
        Self {
            canary_addresses: 100,
            canary_soak_seconds: 24 * 3600,
            ramp: vec![
                step(Reach::Addresses(500)),
                step(Reach::Addresses(5_000)),
                step(Reach::Permille(250)),
                RampStep { reach: Reach::Permille(1000), reapproval: true },
            ],
            step_soak_seconds: 12 * 3600,
            rate_per_minute_max: RATE_PER_MINUTE_MAX,
            rate_per_hour_max: RATE_PER_HOUR_MAX,
            sealed_untold_max: 100,
            uncertain: Threshold { count: 3, permille: 10 },
            refused: Threshold { count: 10, permille: 50 },
            retry_seconds: 5 * 60,
            approvers: APPROVERS_MIN,
            large_permille: LARGE_PERMILLE_MAX,
            large_approvers: LARGE_APPROVERS_MIN,
            signing_seconds: SIGNING_MAX.as_secs(),
            start_seconds: START_MAX.as_secs(),
        }
    }
}

impl Reach {
    fn of(self, addresses: u64) -> u64 {
        match self {
            Self::Addresses(count) => count,
            Self::Permille(share) => {
                let reached = u128::from(addresses) * u128::from(share) / u128::from(THOUSAND);
                u64::try_from(reached).unwrap_or(addresses)
            }
        }
    }

    fn check(self) -> Result<(), PolicyError> {
        match self {
            Self::Addresses(count) => not_below("addresses of a ramp step", count, 1),
            Self::Permille(share) => {
                not_below("share of a ramp step", share.into(), 1)?;
                not_above("share of a ramp step", share.into(), THOUSAND)
            }
        }
    }
}

model::text_enum! {
    /// Whether a store is a site's, or was made to rehearse and is marked so for ever.
    pub enum StoreKind {
        /// Real accounts: the floors hold.
        Site = "site",
        /// Mails only to loopback or a folder; durations are free.
        Rehearsal = "rehearsal",
    }
}

const fn not_below(name: &'static str, found: u64, min: u64) -> Result<(), PolicyError> {
    if found < min { Err(PolicyError::Below { name, found, min }) } else { Ok(()) }
}

const fn not_above(name: &'static str, found: u64, max: u64) -> Result<(), PolicyError> {
    if found > max { Err(PolicyError::Above { name, found, max }) } else { Ok(()) }
}

/// Why a policy is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Too small a number.
    #[error("the policy's {name} is {found}, it must be at least {min}")]
    Below {
        /// Which one.
        name: &'static str,
        /// The number found.
        found: u64,
        /// The least taken.
        min: u64,
    },
    /// Too large a number.
    #[error("the policy's {name} is {found}, it may be at most {max}")]
    Above {
        /// Which one.
        name: &'static str,
        /// The number found.
        found: u64,
        /// The most taken.
        max: u64,
    },
    /// Some would wait for ever.
    #[error("the last step of the policy's ramp must reach everybody: write {{\"permille\":1000}}")]
    NotEverybody,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_keeps_the_floors() {
        assert_eq!(Policy::default().check(StoreKind::Site), Ok(()));
    }

    #[test]
    fn only_a_rehearsal_goes_below_the_floors() {
        let hasty = Policy { canary_soak_seconds: 0, ..Policy::default() };
        assert_eq!(hasty.check(StoreKind::Rehearsal), Ok(()));
        let error = hasty.check(StoreKind::Site).unwrap_err().to_string();
        assert_eq!(error, "the policy's canary_soak_seconds is 0, it must be at least 3600");
        let slow = Policy { start_seconds: 86_401, ..Policy::default() };
        assert!(slow.check(StoreKind::Site).is_err());
    }

    #[test]
    fn nobody_rehearses_with_one_approver() {
        let alone = Policy { approvers: 1, ..Policy::default() };
        assert!(alone.check(StoreKind::Rehearsal).is_err());
    }

    #[test]
    fn a_ramp_reaches_everybody() {
        let short = Policy { ramp: Vec::new(), ..Policy::default() };
        assert_eq!(short.check(StoreKind::Rehearsal), Err(PolicyError::NotEverybody));
    }

    #[test]
    fn a_small_campaign_skips_the_steps_that_reach_nobody_new() {
        let policy = Policy::default();
        assert_eq!(policy.step_after(None, 80), None);
        assert_eq!(policy.step_after(None, 300), Some(0));
        assert_eq!(policy.step_after(Some(0), 300), None);
        assert_eq!(policy.step_after(Some(1), 10_000), Some(3));
    }

    #[test]
    fn more_than_one_in_a_hundred_is_large() {
        let policy = Policy::default();
        assert_eq!(policy.approvers_for(100, 10_000), 2);
        assert_eq!(policy.approvers_for(101, 10_000), 3);
    }

    #[test]
    fn a_threshold_is_a_count_and_a_share() {
        let threshold = Threshold { count: 3, permille: 10 };
        assert!(!threshold.is_exceeded(3, 3));
        assert!(threshold.is_exceeded(4, 100));
        assert!(!threshold.is_exceeded(10, 1000));
        assert!(threshold.is_exceeded(11, 1000));
    }

    proptest! {
        #[test]
        fn a_ramp_never_shrinks(addresses in 1_u64..100_000) {
            let policy = Policy::default();
            let mut step = None;
            let mut reached = policy.reach(step, addresses);
            while let Some(next) = policy.step_after(step, addresses) {
                prop_assert!(policy.reach(Some(next), addresses) > reached);
                reached = policy.reach(Some(next), addresses);
                step = Some(next);
            }
            prop_assert_eq!(reached, addresses);
        }
    }
}
