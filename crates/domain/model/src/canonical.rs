//! The one byte form of what is signed: JSON on one line, fields in the order of the type.
//!
//! It is what the operator's host reads, so nothing has to be translated between what is shown
//! and what is hashed. It is stable because no float, no map of foreign order and no optional
//! white space can stand in it, and because reading refuses every other spelling of a value.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error};
use sha2::{Digest as _, Sha256};

/// The form itself.
///
/// # Panics
/// If a type has keys that are no text; ours have none.
pub fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("our types have text keys and no float")
}

/// Reads what [`to_bytes`] wrote, with at most a line end behind it.
///
/// # Errors
/// [`CanonicalError`] if it is no such value, or spelt in another way.
pub fn parse<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let value = serde_json::from_slice(bytes)?;
    if to_bytes(&value) == bytes { Ok(value) } else { Err(CanonicalError::OtherSpelling) }
}

/// SHA-256 over what it is for and the parts, so that no digest can stand for another kind.
#[must_use]
pub fn digest(purpose: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(purpose.as_bytes());
    hash.update(b"\n");
    hash.update(body);
    hash.finalize().into()
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex_of(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// For `serde(with)`: moments as the integers that the store keeps.
pub mod micros {
    use super::{Deserialize, Deserializer, Serializer};
    use crate::Timestamp;

    /// Writes it.
    ///
    /// # Errors
    /// Whatever the serialiser answers.
    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(at.as_micros())
    }

    /// Reads it.
    ///
    /// # Errors
    /// If anything else stands there.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp::from_micros)
    }
}

/// For `serde(with)`: fixed bytes as lower-case hexadecimal digits.
pub mod hex {
    use super::{Deserialize, Deserializer, Error, HEXLOWER, Serializer, hex_of};

    /// Writes it.
    ///
    /// # Errors
    /// Whatever the serialiser answers.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex_of(bytes))
    }

    /// Reads it.
    ///
    /// # Errors
    /// If anything else stands there.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        let digits = String::deserialize(from)?;
        let bytes = HEXLOWER.decode(digits.as_bytes()).map_err(D::Error::custom)?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| D::Error::custom(format!("{length} bytes, not {N}")))
    }
}

/// Why bytes are not the one form of a value.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// No such value.
    #[error("it is not in the format of this version: {0}")]
    Format(#[from] serde_json::Error),
    /// A value, but spelt in a way that nobody signed.
    #[error("it is spelt in another way than it was written: white space, order or escapes differ")]
    OtherSpelling,
}

/// Defines a SHA-256 with a meaning of its own, shown as hexadecimal digits.
///
/// The crate that uses it needs `serde`.
#[macro_export]
macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "model::canonical::hex")] [u8; 32]);

        impl $name {
            /// Wraps bytes that were computed elsewhere, or read back from the store.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes to store.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::canonical::hex_of(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::canonical::DigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::canonical::digest_from_text(text).map(Self)
            }
        }
    };
}
/// Reads the digits of a SHA-256.
///
/// # Errors
/// [`DigestError`] if they are none.
pub fn digest_from_text(text: &str) -> Result<[u8; 32], DigestError> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(DigestError { length: text.len() })
}

/// A text that is no SHA-256.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 lower-case hexadecimal digits, these are {length} bytes")]
pub struct DigestError {
    length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_a_value_is_read() {
        assert_eq!(parse::<Vec<u8>>(b"[1,2]").unwrap(), [1, 2]);
        assert_eq!(parse::<Vec<u8>>(b"[1,2]\n").unwrap(), [1, 2]);
        for other in ["[1, 2]", "[1,2]\n\n", "[1,2] ", "[01,2]"] {
            assert!(parse::<Vec<u8>>(other.as_bytes()).is_err(), "{other}");
        }
        let escaped = parse::<String>(br#""\u0061""#);
        assert!(matches!(escaped, Err(CanonicalError::OtherSpelling)));
    }

    #[test]
    fn a_digest_is_of_one_kind() {
        assert_ne!(digest("a", b"x"), digest("b", b"x"));
    }
}
