//! Every bound on what is read from the site's table, and the cost of what is made.

/// Longest stored hash that is looked at. The longest that any of the formats needs has about 250
/// bytes; this bound keeps every later allocation small.
pub const HASH_TEXT_BYTES_MAX: usize = 1024;

/// Longest description of a form of hash.
pub const DESCRIPTION_BYTES_MAX: usize = 1024;

/// How deep parentheses stand within each other in a description.
pub const DESCRIPTION_DEPTH_MAX: usize = 8;

/// Longest value that a step of a description works on: some times the longest line of a leak.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// What the steps of a description may work on for one secret, all in all: some seconds of a digest.
pub const WORK_BYTES_MAX: u64 = 2 << 30;

/// What the shortest value counts for in that: a digest takes whole blocks.
pub const STEP_WORK_BYTES: u64 = 64;

/// Shortest digest that counts as evidence, from the PHC string format. A digest of 4 bytes, which
/// libargon2 would take, matches a wrong password by chance once in 2^32 tries.
pub const DIGEST_BYTES_MIN: usize = 10;

/// Longest digest: that of 389 Directory Server. PBKDF2 pays its iterations again for every further
/// block of output.
pub const DIGEST_BYTES_MAX: usize = 256;

/// Shortest salt that Argon2 takes (RFC 9106).
pub const ARGON2_SALT_BYTES_MIN: usize = 8;

/// Bytes of a password that bcrypt reads.
pub const BCRYPT_SECRET_BYTES_MAX: usize = 72;

/// Longest secret that SHA-crypt and phpass are tried with, as passlib and phpass have it. They hash
/// the whole in every round, and SHA-crypt as often again as the secret has bytes.
pub const REHASHED_SECRET_BYTES_MAX: usize = 4096;

/// The costs that bcrypt knows: 2^cost rounds.
pub const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// scrypt's r × p stays below this (RFC 7914).
pub const SCRYPT_R_TIMES_P_END: u64 = 1 << 30;

/// Default of [`CostLimits::bcrypt_cost_max`](crate::CostLimits): about 2 seconds.
pub const BCRYPT_COST_MAX: u32 = 15;

/// Default of [`CostLimits::argon2_memory_kib_max`](crate::CostLimits): 1 GiB.
pub const ARGON2_MEMORY_KIB_MAX: u32 = 1 << 20;

/// Default of [`CostLimits::argon2_passes_max`](crate::CostLimits).
pub const ARGON2_PASSES_MAX: u32 = 10;

/// Default of [`CostLimits::argon2_lanes_max`](crate::CostLimits).
pub const ARGON2_LANES_MAX: u32 = 16;

/// Default of [`CostLimits::pbkdf2_iterations_max`](crate::CostLimits).
pub const PBKDF2_ITERATIONS_MAX: u32 = 10_000_000;

/// Default of [`CostLimits::digest_rounds_max`](crate::CostLimits): 5 to 10 seconds.
pub const DIGEST_ROUNDS_MAX: u32 = 10_000_000;

/// Default of [`CostLimits::scrypt_log_n_max`](crate::CostLimits).
pub const SCRYPT_LOG_N_MAX: u8 = 17;

/// Default of [`CostLimits::scrypt_r_max`](crate::CostLimits). Most software writes 8, but
/// libxcrypt, and so every `mkpasswd -m scrypt`, writes 32.
pub const SCRYPT_R_MAX: u32 = 32;

/// Default of [`CostLimits::scrypt_p_max`](crate::CostLimits): twice what Django writes.
pub const SCRYPT_P_MAX: u32 = 10;
