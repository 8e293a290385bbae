//! Every bound of this crate, in one place.

use std::time::Duration;

/// How long to wait until the store is tried again, which has to keep what the relay answered.
pub(crate) const RECORD_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How often it is tried: for about as long as a server takes to start again. A worker that is to
/// stop ends no earlier.
pub(crate) const RECORD_TRIES_MAX: u32 = 60;

/// Characters of a mail server's answer that are kept.
pub const ANSWER_CHARS_MAX: usize = 300;

/// When a notice whose row is not as the log says is looked at again.
pub const FALSE_ROW_AGAIN_AFTER: Duration = Duration::from_mins(5);

/// Codes that are compared at once, between two rounds of other work.
pub(crate) const CODES_PER_ROUND: u64 = 10_000;

/// Notices that people have asked for, and that are final by the log, that are looked for at once.
pub(crate) const ENDED_PER_ROUND: usize = 10_000;
