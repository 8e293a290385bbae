//! Arbitrary text as a stored hash: no panic, no endless work, and two ways to name its form agree.
#![no_main]

#[path = "../../crates/domain/password/tests/it/cheap.rs"]
mod cheap;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use model::{Secret, StoredHash, Unverified, Verdict};
use password::{HashForms, TriedHash, Verifier};

use cheap::CHEAP;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(CHEAP, HashForms::known()));

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
