//! Arbitrary text as a stored hash: no panic, and two ways to name its form agree.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use model::{StoredHash, Unverified};
use password::{CostLimits, HashForms, Verifier};

static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new(CostLimits::default(), HashForms::known()));

fuzz_target!(|input: String| {
    let Some(hash) = StoredHash::from_column(Some(input)) else {
        return;
    };
    let looks_like = VERIFIER.format_of(&hash, None);
    match VERIFIER.recognise(&hash) {
        Ok(_) => assert!(looks_like.is_some()),
        // A shape that many sites share says nothing.
        Err(Unverified::UnknownFormat) => {}
        Err(_) => assert!(looks_like.is_some()),
    }
});
