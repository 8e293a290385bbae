//! Arbitrary text as a stored hash: no panic, no endless work, and two ways to name its form agree.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use model::{Secret, StoredHash, Unverified, Verdict};
use password::{CostLimits, HashForms, TriedHash, Verifier};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(CHEAP, HashForms::known()));

/// Small enough that whatever can be read is verified at once.
const CHEAP: CostLimits = CostLimits {
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

fuzz_target!(|input: String| {
    let Some(hash) = StoredHash::from_column(Some(input)) else {
        return;
    };
    let secrets = [Secret::from(&b"wrong"[..])];
    let TriedHash { verdict, format, .. } = VERIFIER.verify(&hash, &secrets);
    match VERIFIER.recognise(&hash) {
        // A shape that many sites share says nothing.
        Err(Unverified::UnknownFormat) => {}
        Ok(_) | Err(_) => assert!(format.is_some()),
    }
    if let Verdict::Match { .. } = verdict {
        // Nobody guesses a hash of this, unless it stands there as it is.
        assert!(hash.expose().contains("wrong") || hash.expose().contains("d3Jvbmc"));
    }
});
