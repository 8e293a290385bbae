use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::HASH_FORMAT_BYTES_MAX;

/// The name of a form of stored hash, as reports show it: `bcrypt`, `django_pbkdf2`, or a name that a
/// site has given to a form of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HashFormat([u8; HASH_FORMAT_BYTES_MAX]);

impl HashFormat {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        // Only lower-case letters, digits and `_` come in.
        str::from_utf8(&self.0[..len]).unwrap_or_default()
    }
}

impl FromStr for HashFormat {
    type Err = HashFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let mut name = [0; HASH_FORMAT_BYTES_MAX];
        match name.get_mut(..text.len()) {
            Some(start) if !text.is_empty() && text.bytes().all(is_name) => {
                start.copy_from_slice(text.as_bytes());
                Ok(Self(name))
            }
            _ => Err(HashFormatError { found: text.escape_debug().to_string() }),
        }
    }
}

/// A text that is no name of a form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` cannot be the name of a form of stored hash: write a to z, 0 to 9 and `_`, at most \
     {HASH_FORMAT_BYTES_MAX} of them"
)]
pub struct HashFormatError {
    found: String,
}

impl fmt::Display for HashFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for HashFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for HashFormat {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for HashFormat {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_word() {
        let named = |text: &str| text.parse::<HashFormat>();
        assert_eq!(named("django_pbkdf2").unwrap().to_string(), "django_pbkdf2");
        assert_eq!(named(&"a".repeat(32)).unwrap().as_str().len(), 32);
        for wrong in ["", "Bcrypt", "a b", "ä", &"a".repeat(33)] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
        assert!(named("argon2").unwrap() < named("bcrypt").unwrap());
        assert_eq!(serde_json::to_string(&named("md5").unwrap()).unwrap(), "\"md5\"");
    }
}
