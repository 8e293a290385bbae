//! Every bound of the operations, in one place.

use std::time::Duration;

/// Plain files are screened in pieces of this many bytes: seconds of work, so that little is lost
/// with a worker.
pub const PIECE_BYTES: u64 = 64 * 1024 * 1024;

/// Accounts verified together: enough to keep all cores busy, few enough to repeat.
pub const ACCOUNTS_PER_BATCH: usize = 64;

/// Candidates held before they are written down.
pub const CANDIDATES_PER_WRITE: usize = 8192;

/// Rows imported in one transaction.
pub const ACCOUNTS_PER_IMPORT: usize = 5000;

/// Accounts looked up at once while a campaign is frozen or watched.
pub const ACCOUNTS_PER_LOOK_UP: usize = 1000;

/// Addresses that a worker takes up at once: few, since all of them are finished after a halt.
pub const ADDRESSES_PER_CLAIM: u64 = 8;

/// Targets that an operator is shown before signing.
pub const SAMPLES_SHOWN: usize = 5;

/// Characters of a mail server's answer that are kept.
pub const ANSWER_CHARS_MAX: usize = 300;

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

/// Entries of the audit log read at once.
pub const LOG_ENTRIES_PER_READ: u64 = 4096;

/// How long a piece of work stays with a worker that does not say it is alive.
pub const LEASE: Duration = Duration::from_secs(20);

/// A lease is renewed this many times before it could end.
pub const RENEWALS_PER_LEASE: u32 = 3;

/// How long to wait before asking again for work that another worker holds.
pub const LEASE_POLL: Duration = Duration::from_millis(500);
