//! What the texts of stored hashes are made of: digests, numbers, parameters.

use model::Unverified::{self, Malformed, TooExpensive};

use crate::{
    coding::Coding,
    limits::{DIGEST_BYTES_MAX, DIGEST_BYTES_MIN},
};

pub(super) fn decode(text: &str, coding: Coding) -> Result<Vec<u8>, Unverified> {
    coding.decode(text).ok_or(Malformed)
}

/// A digest of the only length that the format has.
pub(super) fn of_length(bytes: Vec<u8>, length: usize) -> Result<Vec<u8>, Unverified> {
    if bytes.len() == length { Ok(bytes) } else { Err(Malformed) }
}

/// A digest long enough to prove something, and no longer than it is worth computing.
pub(super) fn of_fair_length(bytes: Vec<u8>) -> Result<Vec<u8>, Unverified> {
    match bytes.len() {
        ..DIGEST_BYTES_MIN => Err(Malformed),
        DIGEST_BYTES_MIN..=DIGEST_BYTES_MAX => Ok(bytes),
        _ => Err(TooExpensive),
    }
}

/// A number as every writer writes it: digits only, no leading zero.
pub(super) fn decimal(text: &str) -> Result<u32, Unverified> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(Malformed);
    }
    // All that can be wrong with digits is that they are too many.
    text.parse().map_err(|_| TooExpensive)
}

/// A cost of which nothing can come when it is 0.
pub(super) fn positive(text: &str) -> Result<u32, Unverified> {
    match decimal(text)? {
        0 => Err(Malformed),
        number => Ok(number),
    }
}
