//! Every bound on what is read from the site's table, and the cost of what is made.

/// Longest stored hash that is looked at. The longest that any of the formats needs has about 250
/// bytes; this bound keeps every later allocation small.
pub const HASH_TEXT_BYTES_MAX: usize = 1024;

/// Shortest digest that counts as evidence, from the PHC string format. A digest of 4 bytes, which
/// libargon2 would take, matches a wrong password by chance once in 2^32 tries.
pub const DIGEST_BYTES_MIN: usize = 10;

/// Longest digest, from the PHC string format. PBKDF2 pays its iterations again for every further
/// block of output.
pub const DIGEST_BYTES_MAX: usize = 64;

/// Shortest salt that Argon2 takes (RFC 9106).
pub const ARGON2_SALT_BYTES_MIN: usize = 8;

/// Bytes of a password that bcrypt reads.
pub const BCRYPT_SECRET_BYTES_MAX: usize = 72;

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

/// Default of [`CostLimits::scrypt_log_n_max`](crate::CostLimits).
pub const SCRYPT_LOG_N_MAX: u8 = 17;

/// Default of [`CostLimits::scrypt_r_max`](crate::CostLimits). Most software writes 8, but
/// libxcrypt, and so every `mkpasswd -m scrypt`, writes 32.
pub const SCRYPT_R_MAX: u32 = 32;

/// Default of [`CostLimits::scrypt_p_max`](crate::CostLimits): twice what Django writes.
pub const SCRYPT_P_MAX: u32 = 10;

/// Salt of a new hash in a binary salt field.
pub const SALT_BYTES: usize = 16;

/// Salt of a new hash in a text field: Django's length, about 131 bits of letters and digits.
pub const SALT_CHARS: usize = 22;

/// Argon2id as the OWASP Password Storage Cheat Sheet lists it: 19 MiB, 2 passes, 1 lane.
pub const ARGON2_DEFAULT: [u32; 3] = [19 * 1024, 2, 1];

/// Argon2id as Django sets it: 100 MiB, 2 passes, 8 lanes.
pub const DJANGO_ARGON2_DEFAULT: [u32; 3] = [100 * 1024, 2, 8];

/// Above OWASP's 10; Django's and PHP 8.4's default.
pub const BCRYPT_DEFAULT: u32 = 12;

/// scrypt as OWASP lists it first: N = 2^17, r = 8, p = 1.
pub const SCRYPT_DEFAULT: (u8, u32, u32) = (17, 8, 1);

/// scrypt as libxcrypt sets it: N = 2^14, r = 32, p = 1.
pub const SCRYPT_CRYPT_DEFAULT: (u8, u32, u32) = (14, 32, 1);

/// scrypt as Django sets it: N = 2^14, r = 8, p = 5.
pub const DJANGO_SCRYPT_DEFAULT: (u8, u32, u32) = (14, 8, 5);

/// PBKDF2-HMAC-SHA256 as OWASP lists it.
pub const PBKDF2_DEFAULT: u32 = 600_000;

/// PBKDF2-HMAC-SHA256 as Django 5.2 sets it.
pub const DJANGO_PBKDF2_DEFAULT: u32 = 1_000_000;
