//! Arbitrary text as a stored hash: no panic, and two ways to name its format agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{StoredHash, Unverified};
use password::{CostLimits, format_of, recognise};

fuzz_target!(|input: String| {
    let Some(hash) = StoredHash::from_column(Some(input)) else {
        return;
    };
    let begins_like = format_of(&hash);
    match recognise(&hash, &CostLimits::default()) {
        Ok(format) => assert_eq!(Some(format), begins_like),
        Err(Unverified::UnknownFormat) => assert_eq!(None, begins_like),
        Err(Unverified::Malformed | Unverified::TooExpensive) => assert!(begins_like.is_some()),
    }
});
