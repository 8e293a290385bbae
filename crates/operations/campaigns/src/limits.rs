//! Every bound of this crate, in one place.

use std::time::Duration;

/// Accounts looked up at once while a campaign is frozen or watched.
pub const ACCOUNTS_PER_LOOK_UP: usize = 1000;

/// Addresses that a worker takes up at once: few, since all of them are finished after a halt.
pub const ADDRESSES_PER_CLAIM: u64 = 8;

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

/// Swaps that are read and compared with the audit log at once.
pub const SWAPS_PER_READ: u64 = 5000;

/// Targets that an operator is shown before signing.
pub const SAMPLES_SHOWN: usize = 5;

/// Accounts that are sealed and not told, as they are listed. What settles one settles all.
pub const UNSETTLED_LISTED_MAX: u64 = 1000;

/// Accounts of unknown passwords that one comparison of the site's table tries for a value of ours,
/// unless somebody asks for more: each costs as much as a sign-in, and the next comparison goes on
/// with others.
pub const VALUES_TRIED: usize = 256;

/// Old passwords of one account that are tried for it.
pub const OLD_VERSIONS_TRIED: usize = 8;

/// Accounts that disagree with what is kept, as they are listed.
pub const FOUND_LISTED_MAX: usize = 10_000;

/// Accounts that hold a value of ours unexpectedly and that wait until the table is read to its end.
pub const FOUND_SEALED_KEPT: usize = 100_000;

/// How long an address may be in the hands of a campaign that runs before its people count as left
/// untold.
pub const STUCK_AFTER: Duration = Duration::from_hours(1);

/// When a comparison that failed is begun again, unless the next one is due sooner.
pub const RECONCILE_AGAIN_AFTER: Duration = Duration::from_mins(5);

/// How often what campaigns have done to somebody's passwords is looked at before it differs from the
/// log for sure.
pub const LOOKS_AT_RESETS: usize = 3;

/// When an address is taken up again of which somebody else holds a row in the site's database.
pub const HELD_ROW_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How long nothing may be done for the people of a campaign that runs: no mail that was put off waits so
/// long.
pub const STANDSTILL_AFTER: Duration = Duration::from_hours(5);
