//! Every bound on who may sign, in one place.

use std::time::Duration;

/// Operators who sign the first roster, and the fewest that any roster may be left with: an
/// author and two approvers.
pub const OPERATORS_MIN: usize = 3;

/// Existing operators who sign a change of the roster.
pub const ROSTER_SIGNERS_MIN: usize = 2;

/// Operators who sign before anything can be sent from a database.
pub const ARMING_SIGNERS_MIN: usize = 2;

/// Bytes of what a database calls itself.
pub const DATABASE_IDENTITY_BYTES_MAX: usize = 200;

/// Bytes of the lines that name witnesses.
pub const WITNESS_TERMS_BYTES_MAX: usize = 8_000;

/// Without anything sent for so long, two operators must arm again.
pub const ARMING_LEASE: Duration = Duration::from_hours(24);

/// A lease is renewed only once this little of it is left, so that not every notice writes it.
pub const ARMING_RENEWAL: Duration = Duration::from_hours(23);

/// From proposing to arming, at most: an old file with two signatures cannot start a new lease.
pub const ARMING_SIGNING_MAX: Duration = Duration::from_hours(4);

/// How far the clock of the host where somebody signs may run ahead of ours.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_mins(5);
