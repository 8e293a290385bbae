use password::CostLimits;

/// Small enough that whatever can be read is verified at once: for the fuzz targets, and for the test that
/// tries again what they have found.
pub(crate) const CHEAP: CostLimits = CostLimits {
    bcrypt_cost_max: 4,
    argon2_memory_kib_max: 256,
    argon2_passes_max: 2,
    argon2_lanes_max: 4,
    pbkdf2_iterations_max: 100,
    digest_rounds_max: 1000,
    scrypt_log_n_max: 4,
    scrypt_r_max: 8,
    scrypt_p_max: 2,
};
