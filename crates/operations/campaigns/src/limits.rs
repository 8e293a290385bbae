//! Every bound of this crate, in one place.

/// Accounts looked up at once while a campaign is frozen or watched.
pub const ACCOUNTS_PER_LOOK_UP: usize = 1000;

/// Addresses that a worker takes up at once: few, since all of them are finished after a halt.
pub const ADDRESSES_PER_CLAIM: u64 = 8;

/// Campaigns whose entries of the log a process remembers for their next reports. What it
/// remembers of one grows with its targets.
pub const FOLDS_KEPT: usize = 4;

/// Targets that an operator is shown before signing.
pub const SAMPLES_SHOWN: usize = 5;
