//! What the texts of crypt(3) have in common: salts that stand for themselves, and digests whose
//! bytes are written in another order than they are computed in.

use model::Unverified::{self, Malformed};

use super::text::decode;
use crate::{
    MakeHashError,
    coding::{CRYPT_ALPHABET, Coding},
    limits::REHASHED_SECRET_BYTES_MAX,
};

/// A digest as text: its bytes in this order, one of them perhaps twice.
pub(super) fn shuffled(digest: &[u8], order: &[usize]) -> String {
    let bytes: Vec<u8> = order.iter().map(|place| digest[*place]).collect();
    Coding::Crypt.encode(&bytes)
}

/// The digest of `bytes` bytes that [`shuffled`] makes this text of.
pub(super) fn unshuffled(text: &str, order: &[usize], bytes: usize) -> Result<Vec<u8>, Unverified> {
    let found = decode(text, Coding::Crypt)?;
    if found.len() != order.len() {
        return Err(Malformed);
    }
    let mut digest = vec![0; bytes];
    for (place, byte) in order.iter().zip(found) {
        digest[*place] = byte;
    }
    // A byte that is written twice has to be the same in both places.
    if shuffled(&digest, order) == text { Ok(digest) } else { Err(Malformed) }
}

/// What crypt(3) refuses in a salt is refused here. Of a salt that is too long it reads the
/// beginning, and gives that back in the text of the hash.
pub(super) fn salt(text: &str, chars_max: usize) -> Result<Vec<u8>, Unverified> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"!$*:;\\".contains(&byte)) {
        return Err(Malformed);
    }
    Ok(text.as_bytes()[..text.len().min(chars_max)].to_vec())
}

/// A salt of which crypt(3) wants something, and nothing but the characters of its own alphabet.
pub(super) fn plain_salt(text: &str) -> Result<Vec<u8>, Unverified> {
    let plain = text.bytes().all(|byte| CRYPT_ALPHABET.contains(&byte));
    if plain && !text.is_empty() { Ok(text.into()) } else { Err(Malformed) }
}

/// crypt(3) ends a secret at its first NUL byte and other software does not.
pub(super) fn without_nul(secret: &[u8]) -> Result<(), MakeHashError> {
    if secret.contains(&0) { Err(MakeHashError::Nul) } else { Ok(()) }
}

/// A leak may hold lines of any length, so this bounds what one of them costs.
pub(super) fn of_bearable_length(secret: &[u8]) -> Result<(), MakeHashError> {
    if secret.len() > REHASHED_SECRET_BYTES_MAX { Err(MakeHashError::TooLong) } else { Ok(()) }
}
