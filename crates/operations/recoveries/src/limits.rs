//! Every bound of this crate, in one place.

use std::time::Duration;

/// Requests for mails that may wait for a worker. More come from machines.
pub const REQUESTS_WAITING_MAX: u64 = 10_000;

/// How old a request may become before a worker sees to it. Whoever asked has gone by then.
pub const REQUEST_AGE_MAX: Duration = Duration::from_hours(1);

/// Characters of what somebody types to ask for a mail. No address or username has more.
pub const TYPED_CHARS_MAX: usize = 320;

/// How long the first retry of a mail that somebody waits for waits.
pub const REQUESTED_RETRY: Duration = Duration::from_secs(30);

/// How long a password that was taken out of use is refused as a new one.
pub const OLD_HASH_KEPT: Duration = Duration::from_hours(365 * 24);

/// Interrupted resets that a worker finishes in one go.
pub(crate) const RESETS_PER_ROUND: u64 = 100;
