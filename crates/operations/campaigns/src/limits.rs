//! Every bound of this crate, in one place.

use std::time::Duration;

/// Accounts looked up at once while a campaign is frozen or watched.
pub const ACCOUNTS_PER_LOOK_UP: usize = 1000;

/// Addresses that a worker takes up at once: few, since all of them are finished after a halt.
pub const ADDRESSES_PER_CLAIM: u64 = 8;

/// Campaigns whose entries of the log a process remembers for their next reports. What it
/// remembers of one grows with its targets.
pub const FOLDS_KEPT: usize = 4;

/// Shares into which sealed accounts are dealt to be read in turn: so many that what a minute asks
/// for, of an hour too, is several of them, and rounding up costs little.
pub const WATCH_SHARES: u64 = 480;

/// How often each sealed account is read from a directory that cannot tell what has changed.
pub const READ_WITHIN: Duration = Duration::from_mins(10);

/// How often each sealed account is read although the directory tells what has changed. The site's
/// programs need not set the change column with the hash, and a transaction may commit later than
/// the directory looks back: such a reset is seen this much later, for a sixtieth of the accounts
/// a minute.
pub const READ_ANYWAY_WITHIN: Duration = Duration::from_hours(1);

/// Changed accounts that one round takes in, however few are sealed. A site that sets the change
/// column at every visit tells so many that those sealed are sooner read in turn.
pub const CHANGES_PER_ROUND_MAX: u64 = 100_000;

/// Swaps that a worker has left and that another one judges in one go.
pub const SWAPS_PER_ROUND: u64 = 32;

/// Targets that an operator is shown before signing.
pub const SAMPLES_SHOWN: usize = 5;

/// Accounts that are sealed and not told, as they are listed. What settles one settles all.
pub const UNSETTLED_LISTED_MAX: u64 = 1000;
