use sha2::{Digest as _, Sha256};

/// Takes one part of what is hashed. Its length goes before it, so that no two lists of parts are one.
pub(crate) fn put(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_be_bytes());
    hash.update(part);
}
