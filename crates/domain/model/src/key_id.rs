use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::canonical::{hex, hex_of};

/// Names an instance key and tells nothing about it. Every MAC and every wrapped data key carries the
/// id of its key.
///
/// Shown, and written as JSON, as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(#[serde(with = "hex")] [u8; Self::BYTES]);

impl KeyId {
    /// How long it is where it stands as bytes.
    pub const BYTES: usize = 8;

    /// Wraps bytes that were derived from a key, or read back from the store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_of(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(KeyIdError)
    }
}

/// A text that names no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key is 16 lower-case hexadecimal digits")]
pub struct KeyIdError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_shown() {
        let id = KeyId::from_bytes([0, 1, 2, 3, 0xa4, 0xb5, 0xc6, 0xd7]);
        assert_eq!(id.to_string(), "00010203a4b5c6d7");
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(
            (json.as_str(), serde_json::from_str(&json).ok()),
            (r#""00010203a4b5c6d7""#, Some(id))
        );
        for wrong in ["00010203A4B5C6D7", "00010203a4b5c6", ""] {
            assert_eq!(wrong.parse::<KeyId>(), Err(KeyIdError), "{wrong:?}");
            assert!(serde_json::from_str::<KeyId>(&format!("{wrong:?}")).is_err());
        }
    }
}
