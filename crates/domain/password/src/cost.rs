use crate::limits;

/// How much time and memory one stored hash may ask for.
///
/// Cost parameters come from the site's table, where one odd row could otherwise hold up a run for
/// days or take all memory. A hash above a cap is `too_expensive`: reported, never tried. Each
/// thread may use as much memory as the dearest hash allowed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostLimits {
    /// bcrypt's cost: 2^cost rounds.
    pub bcrypt_cost_max: u32,
    /// Argon2's memory, in KiB.
    pub argon2_memory_kib_max: u32,
    /// Argon2's passes over that memory.
    pub argon2_passes_max: u32,
    /// Argon2's lanes ("parallelism").
    pub argon2_lanes_max: u32,
    /// PBKDF2's iterations.
    pub pbkdf2_iterations_max: u32,
    /// Rounds of a fast function: SHA-crypt's, NetBSD's, Sun's, phpass's and BSDi's.
    pub digest_rounds_max: u32,
    /// log2 of scrypt's and yescrypt's N. Both take 128 × N × r bytes of memory.
    pub scrypt_log_n_max: u8,
    /// scrypt's and yescrypt's r, the block size.
    pub scrypt_r_max: u32,
    /// scrypt's and yescrypt's p: how often the whole is done.
    pub scrypt_p_max: u32,
}

impl Default for CostLimits {
    fn default() -> Self {
        Self {
            bcrypt_cost_max: limits::BCRYPT_COST_MAX,
            argon2_memory_kib_max: limits::ARGON2_MEMORY_KIB_MAX,
            argon2_passes_max: limits::ARGON2_PASSES_MAX,
            argon2_lanes_max: limits::ARGON2_LANES_MAX,
            pbkdf2_iterations_max: limits::PBKDF2_ITERATIONS_MAX,
            digest_rounds_max: limits::DIGEST_ROUNDS_MAX,
            scrypt_log_n_max: limits::SCRYPT_LOG_N_MAX,
            scrypt_r_max: limits::SCRYPT_R_MAX,
            scrypt_p_max: limits::SCRYPT_P_MAX,
        }
    }
}
