//! Sizes, shares and costs, in one place.

/// Accounts of a site, at least: enough that somebody is exposed.
pub const ACCOUNTS_MIN: u32 = 50;

/// Accounts of a site, at most: the records of so many still fit into memory.
pub const ACCOUNTS_MAX: u32 = 100_000;

/// Accounts of a thousand whose password of today stands in a leak.
pub const EXPOSED_PER_MILLE: usize = 150;

/// Accounts of a thousand of which a leak knows an earlier password.
pub const OUTDATED_PER_MILLE: usize = 80;

/// Accounts of a thousand that have no password, since their people sign in elsewhere.
pub const SINGLE_SIGN_ON_PER_MILLE: usize = 40;

/// Addresses of a thousand accounts that two or three of them share.
pub const FAMILIES_PER_MILLE: usize = 15;

/// Accounts of a thousand whose password others have, too.
pub const COMMON_PASSWORDS_PER_MILLE: usize = 6;

/// Accounts of a hundred whose people have not proved to own the address.
pub const UNVERIFIED_PER_CENT: usize = 7;

/// Accounts of a hundred whose people read German; all others read English.
pub const GERMAN_PER_CENT: usize = 25;

/// Accounts of a hundred that nobody has signed in to.
pub const NEVER_SIGNED_IN_PER_CENT: usize = 4;

/// Accounts of a hundred with a second factor.
pub const SECOND_FACTOR_PER_CENT: usize = 12;

/// Strangers of a hundred whose password others have, too.
pub const COMMON_PASSWORDS_PER_CENT: usize = 10;

/// Old passwords of a hundred that are those of today but for the case of a letter.
pub const OTHER_CASE_PER_CENT: usize = 30;

/// Broken lines of each kind in a thousand of a file. There is at least one.
pub const BROKEN_PER_MILLE: usize = 1;

/// Bytes of a line that is longer than any record.
pub const OVERLONG_BYTES: usize = 70_000;

/// Argon2id: KiB of memory. This and the costs below are far too low for a real site; here, what
/// they keep safe is invented, and a demonstration should not take long.
pub const ARGON2_MEMORY_KIB: u32 = 64;

/// Argon2id: passes over the memory.
pub const ARGON2_PASSES: u32 = 1;

/// Argon2id: lanes.
pub const ARGON2_LANES: u32 = 1;

/// bcrypt: 2^4 rounds, the fewest that there are.
pub const BCRYPT_COST: u32 = 4;

/// PBKDF2: iterations.
pub const PBKDF2_ITERATIONS: u32 = 100;

/// scrypt: log2 of N.
pub const SCRYPT_LOG_N: u8 = 6;

/// scrypt: block size.
pub const SCRYPT_R: u32 = 8;

/// scrypt: how often the whole is done.
pub const SCRYPT_P: u32 = 1;
