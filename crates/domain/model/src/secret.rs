use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A password read from a leak: bytes, since old sites did not all speak UTF-8.
///
/// Wiped from memory when dropped. It has no `Display`, no serialiser and a mute `Debug`, so that
/// it can reach neither a log nor an error nor a page by accident.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes ownership; the caller's copy is gone.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for verifying and encrypting.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
