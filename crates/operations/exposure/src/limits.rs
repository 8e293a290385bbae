//! Every bound of this crate, in one place.

use std::time::Duration;

/// More accounts in a leak than this that could not be verified make "not exposed" worth nothing.
pub const UNVERIFIED_PERMILLE_MAX: u64 = 10;

/// Shapes of hashes that more accounts in a leak have than this are named if no password has proved how
/// they are computed.
pub const UNPROVED_PERMILLE_MAX: u64 = 10;

/// A leak more of whose lines are no record is not what it was taken for.
pub const REJECTED_PERMILLE_MAX: u64 = 500;

/// Stored hashes looked at to say what forms a site's have, at most: spread over all accounts.
pub const HASHES_SAMPLED_MAX: u64 = 10_000;

/// Plain files are screened in pieces of this many bytes: seconds of work, so that little is lost
/// with a worker.
pub const PIECE_BYTES: u64 = 64 * 1024 * 1024;

/// Accounts verified together: enough to keep all cores busy, few enough to repeat.
pub const ACCOUNTS_PER_BATCH: usize = 64;

/// Rejected lines shown of a leak, at most: enough to see what is wrong with its files.
pub const REJECTS_SHOWN_MAX: u64 = 1000;

/// Candidates held before they are written down.
pub const CANDIDATES_PER_WRITE: usize = 8192;

/// Portions of candidates that wait to be written while the next one is read. With the one that is
/// being written and the one that is being read, a piece holds three at most.
pub const PORTIONS_WAITING: usize = 1;

/// Rows imported in one transaction.
pub const ACCOUNTS_PER_IMPORT: usize = 5000;

/// How long to wait before asking again for work that another worker holds.
pub const LEASE_POLL: Duration = Duration::from_millis(500);
