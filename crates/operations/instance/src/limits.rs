//! Every bound of this crate, in one place.

use std::time::Duration;

/// Entries of the audit log read at once.
pub const LOG_ENTRIES_PER_READ: u64 = 4096;

/// What the log says is kept anew whenever so many entries were added.
pub const LOG_ENTRIES_PER_SNAPSHOT: u64 = 100_000;

/// How long a piece of work stays with a worker that does not say it is alive.
pub const LEASE: Duration = Duration::from_secs(20);

/// A lease is renewed this many times before it could end.
pub const RENEWALS_PER_LEASE: u32 = 3;

/// Accounts that version 0.1.0 has named are encrypted in portions of so many.
pub(crate) const SUBJECTS_PER_TRANSACTION: u64 = 4096;

/// Data keys that are wrapped anew in one transaction: on SQLite nobody else writes meanwhile.
pub(crate) const DATA_KEYS_PER_TRANSACTION: u64 = 500;

/// Checkpoints that are compared at once, between two rounds of other work.
pub(crate) const CHECKPOINTS_PER_ROUND: u64 = 1_000;

/// How often a witness is asked to sign one checkpoint: whoever asks learns from the first answer how
/// far it has seen the log, and others may ask meanwhile.
pub const COSIGN_TRIES_MAX: u32 = 4;

/// Rows of a backup that are written at once, at most.
pub(crate) const RESTORED_ROWS_PER_WRITE: usize = 4096;

/// The same, in bytes.
pub(crate) const RESTORED_BYTES_PER_WRITE: u64 = 1024 * 1024;
