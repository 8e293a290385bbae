//! Every bound of a campaign, in one place.

use std::time::Duration;

/// Bytes of a campaign's name.
pub const CAMPAIGN_NAME_BYTES_MAX: usize = 100;

/// Bytes of a template's name.
pub const TEMPLATE_NAME_BYTES_MAX: usize = 64;

/// Approvers of any plan, rehearsals included.
pub const APPROVERS_MIN: u32 = 2;

/// Approvers of a plan for more accounts than [`LARGE_PERMILLE_MAX`] of the directory.
pub const LARGE_APPROVERS_MIN: u32 = 3;

/// A policy may call no larger share of the accounts small, in thousandths.
pub const LARGE_PERMILLE_MAX: u32 = 10;

/// How far back other campaigns count when shares of the accounts are called small or large.
pub const SHARES_WINDOW: Duration = Duration::from_hours(30 * 24);

/// Targets of a plan, above which its text says that no witness looks on, if none does.
pub const UNWITNESSED_TARGETS_MAX: u64 = 1_000;

/// From freezing to the last signature, at most.
pub const SIGNING_MAX: Duration = Duration::from_hours(4);

/// From freezing to the start, at most.
pub const START_MAX: Duration = Duration::from_hours(24);

/// Addresses of a canary, at most: more of them would be no canary.
pub const CANARY_ADDRESSES_MAX: u64 = 500;

/// Time for the canary's people to complain, and between two steps of the ramp, at least.
pub const SOAK_MIN: Duration = Duration::from_hours(1);

/// Steps of a ramp.
pub const RAMP_STEPS_MAX: usize = 16;

/// Addresses taken up in a minute.
pub const RATE_PER_MINUTE_MAX: u64 = 600;

/// Addresses taken up in an hour.
pub const RATE_PER_HOUR_MAX: u64 = 20_000;

/// Accounts sealed whose notice is not final.
pub const SEALED_UNTOLD_MAX: u64 = 1_000;

/// Notices without an answer that a policy may put up with, in thousandths.
pub const UNCERTAIN_PERMILLE_MAX: u32 = 50;

/// Notices refused that a policy may put up with, in thousandths.
pub const REFUSED_PERMILLE_MAX: u32 = 200;

/// Notices that a threshold may let pass whatever the share.
pub const THRESHOLD_COUNT_MAX: u64 = 100;

/// Accounts of one campaign.
pub const TARGETS_MAX: usize = 50_000_000;

/// Findings of one target: one for each leak that its password stands in.
pub const FINDINGS_MAX: usize = 1_000;

/// Hashes of an inclusion proof: enough for 2^48 targets.
pub const PROOF_HASHES_MAX: usize = 48;

/// A finding's secret is kept this long after its campaign is done.
pub const SECRETS_KEPT: Duration = Duration::from_hours(30 * 24);

/// Before a notice that was put off is tried for the second time, at least: sooner, and a
/// greylisting server puts it off again.
pub const RETRY_MIN: Duration = Duration::from_mins(1);

/// And at most.
pub const RETRY_MAX: Duration = Duration::from_hours(1);
