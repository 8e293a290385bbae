use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use hkdf::Hkdf;
use model::{KeyId, Randomness};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret_bytes::SecretBytes;

/// The secret that everything at rest is encrypted under. It comes from a file or the
/// environment, never from the database.
#[derive(Clone)]
pub struct InstanceKey(SecretBytes);

impl InstanceKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(randomness: &dyn Randomness) -> Self {
        Self(SecretBytes::new(randomness.array()))
    }

    /// Reads 64 hexadecimal digits, with white space around them.
    ///
    /// # Errors
    /// [`InstanceKeyError`] says how the text is not a key, without showing it.
    pub fn parse(text: &str) -> Result<Self, InstanceKeyError> {
        let digits = text.trim();
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map(Zeroizing::new);
        let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        key.map(|key| Self(SecretBytes::new(key))).ok_or(InstanceKeyError { length: digits.len() })
    }

    /// The text that [`InstanceKey::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER_PERMISSIVE.encode(self.0.expose()))
    }

    /// The name of this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::from_bytes(*self.expand("countersign/v1/key-id"))
    }

    pub(crate) fn derive(&self, purpose: &str) -> SecretBytes {
        SecretBytes::new(*self.expand(purpose))
    }

    fn expand<const N: usize>(&self, purpose: &str) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::new(None, self.0.expose())
            .expand(purpose.as_bytes(), key.as_mut())
            .expect("a key is within HKDF-SHA256's limit of 8160 bytes");
        key
    }
}

impl fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstanceKey(..)")
    }
}

/// A text that is no instance key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an instance key is 64 hexadecimal digits, these are {length} characters")]
pub struct InstanceKeyError {
    length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> InstanceKey {
        InstanceKey(SecretBytes::new([seed; 32]))
    }

    #[test]
    fn a_key_survives_being_written_down() {
        let read = InstanceKey::parse(&format!("{}\n", *key(0xa7).to_text())).unwrap();
        assert_eq!(read.0.expose(), key(0xa7).0.expose());
        let short = InstanceKey::parse("abc").unwrap_err();
        assert_eq!(short, InstanceKeyError { length: 3 });
    }

    #[test]
    fn an_id_names_one_key() {
        assert_eq!(key(1).id(), key(1).id());
        assert_ne!(key(1).id(), key(2).id());
    }
}
