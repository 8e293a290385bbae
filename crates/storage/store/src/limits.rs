//! Every bound of this crate, in one place.

use std::time::Duration;

/// Jobs made by one statement. More rows in one made both databases slower.
pub(crate) const JOBS_PER_STATEMENT: usize = 200;

/// The longest that sending can pause from one probe to the next. Ours pause for less.
pub(crate) const SENDING_PAUSE_STEP_MAX: Duration = Duration::from_hours(1);

/// The longest that a piece of work may stay with a worker that no longer says that it is alive.
pub const LEASE_MAX: Duration = Duration::from_hours(1);

/// The longest that a notice can have to wait: an address that puts it off is asked again within 4 hours.
pub(crate) const NOTICE_WAIT_MAX: Duration = Duration::from_hours(5);

/// Hashes of the log asked for by one statement.
pub(crate) const HASHES_PER_STATEMENT: usize = 500;

/// Accounts asked for by one statement, in the embedded directory or among those sealed.
pub(crate) const IDS_PER_STATEMENT: usize = 500;

/// Accounts of the embedded directory that one address or username leads to.
pub(crate) const ACCOUNTS_PER_NAME_MAX: usize = 50;

/// Entries of the log that are read with its head: what others do at a few addresses between two questions.
pub(crate) const ENTRIES_WITH_HEAD: u64 = 64;
