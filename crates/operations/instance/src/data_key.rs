use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use model::{KeyId, Randomness, Secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret_bytes::SecretBytes;

/// XChaCha20's nonce: long enough to be drawn at random for every message.
const NONCE_BYTES: usize = 24;

/// A nonce, a data key, and Poly1305's tag.
const WRAPPED_BYTES: usize = NONCE_BYTES + 32 + 16;

/// The form of a wrapped data key that names the key that wraps it.
const WRAPPED_FORM: u8 = 1;

/// The form, and the key's id.
const PREFIX_BYTES: usize = 1 + KeyId::BYTES;

/// Encrypts the secrets of one leak's spool, or of one finding.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DataKey(SecretBytes);

impl DataKey {
    pub(crate) const fn new(bytes: SecretBytes) -> Self {
        Self(bytes)
    }

    /// This key under another one, which has the id: form, id, nonce, ciphertext.
    pub(crate) fn wrapped_under(
        &self,
        (id, wrapping): (KeyId, &Self),
        purpose: &str,
        randomness: &dyn Randomness,
    ) -> Vec<u8> {
        let wrapped = wrapping.encrypt(purpose, self.0.expose(), randomness);
        [wrapped_prefix(id).as_slice(), &wrapped].concat()
    }

    /// The data key that this one wraps, of the bytes behind the prefix.
    pub(crate) fn unwrap(&self, purpose: &str, wrapped: &[u8]) -> Result<Self, DecryptError> {
        let bytes = self.decrypt(purpose, wrapped)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice());
        bytes.map(|bytes| Self(SecretBytes::new(bytes))).map_err(|_| DecryptError::new(purpose))
    }

    /// XChaCha20-Poly1305; the answer is nonce and ciphertext. `context` must be named again to
    /// decrypt, so that no ciphertext can be moved to another place.
    ///
    /// # Panics
    /// Never: only a message of 256 GiB cannot be encrypted.
    #[must_use]
    pub fn encrypt(&self, context: &str, plain: &[u8], randomness: &dyn Randomness) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = randomness.array();
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let encrypted = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let encrypted = encrypted.expect("no message of ours comes near XChaCha20's 256 GiB");
        [nonce.as_slice(), &encrypted].concat()
    }

    /// The reverse of [`DataKey::encrypt`].
    ///
    /// # Errors
    /// [`DecryptError`] if the key or the context is another one, or a bit has changed.
    pub fn decrypt(
        &self,
        context: &str,
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let (nonce, encrypted) = encrypted
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(|| DecryptError::new(context))?;
        let payload = Payload { msg: encrypted, aad: context.as_bytes() };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| DecryptError::new(context))
    }

    /// Encrypts a candidate's plausible secrets together.
    ///
    /// # Panics
    /// Never: a secret is part of a line, and a line is shorter than 4 GiB.
    #[must_use]
    pub fn encrypt_secrets(
        &self,
        context: &str,
        secrets: &[Secret],
        randomness: &dyn Randomness,
    ) -> Vec<u8> {
        let capacity = secrets.iter().map(|secret| secret.expose().len() + 4).sum();
        let mut plain = Zeroizing::new(Vec::with_capacity(capacity));
        for secret in secrets {
            let length = u32::try_from(secret.expose().len()).expect("a line is under 4 GiB");
            plain.extend_from_slice(&length.to_le_bytes());
            plain.extend_from_slice(secret.expose());
        }
        self.encrypt(context, &plain, randomness)
    }

    /// The reverse of [`DataKey::encrypt_secrets`].
    ///
    /// # Errors
    /// As [`DataKey::decrypt`].
    pub fn decrypt_secrets(
        &self,
        context: &str,
        encrypted: &[u8],
    ) -> Result<Vec<Secret>, DecryptError> {
        let plain = self.decrypt(context, encrypted)?;
        let mut rest = plain.as_slice();
        let mut secrets = Vec::new();
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            let (secret, tail) =
                tail.split_at_checked(length).ok_or_else(|| DecryptError::new(context))?;
            secrets.push(Secret::from(secret));
            rest = tail;
        }
        Ok(secrets)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose().into())
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// Which instance key wraps a data key, as its wrapped form says.
pub(crate) struct WrappedUnder<'a> {
    /// `None` of before keys had ids: the store's first one.
    pub(crate) key: Option<KeyId>,
    /// Nonce and ciphertext.
    pub(crate) rest: &'a [u8],
}

impl<'a> WrappedUnder<'a> {
    /// Both forms have one length each, so none can pass for the other.
    pub(crate) fn read(wrapped: &'a [u8]) -> Option<Self> {
        if wrapped.len() == WRAPPED_BYTES {
            return Some(Self { key: None, rest: wrapped });
        }
        let (prefix, rest) = wrapped.split_first_chunk::<PREFIX_BYTES>()?;
        let [WRAPPED_FORM, id @ ..] = *prefix else { return None };
        let key = Some(KeyId::from_bytes(id));
        (rest.len() == WRAPPED_BYTES).then_some(Self { key, rest })
    }
}

/// How every data key begins that an instance key wraps.
pub(crate) fn wrapped_prefix(id: KeyId) -> [u8; PREFIX_BYTES] {
    let mut prefix = [WRAPPED_FORM; PREFIX_BYTES];
    prefix[1..].copy_from_slice(id.as_bytes());
    prefix
}

/// Something encrypted cannot be read. It never shows what.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// The wrong key or place, or changed bytes.
    #[error(
        "what is encrypted as `{context}` cannot be decrypted: another instance key, or damaged"
    )]
    Damaged {
        /// What it is encrypted as.
        context: String,
    },
    /// It names an instance key that is neither in force nor kept.
    #[error(
        "what is encrypted as `{context}` names instance key {key}, which this process does not hold. \
         If the key was rotated, put the new key file in place and restart; `countersign key list` \
         names the store's keys"
    )]
    UnknownKey {
        /// What it is encrypted as.
        context: String,
        /// The key's id.
        key: KeyId,
    },
    /// Another version of Countersign wrote it.
    #[error(
        "what is encrypted as `{context}` has form {found}, this version of Countersign reads \
         form 1: run one version on all hosts"
    )]
    Form {
        /// What it is encrypted as.
        context: String,
        /// The form that it says it has.
        found: u8,
    },
}

impl DecryptError {
    pub(crate) fn new(context: &str) -> Self {
        Self::Damaged { context: context.to_owned() }
    }

    pub(crate) fn of_form(context: &str, found: Option<u8>) -> Self {
        let context = context.to_owned();
        found.map_or(Self::Damaged { context: context.clone() }, |found| Self::Form {
            context,
            found,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counter;

    fn key(byte: u8) -> DataKey {
        DataKey::new(SecretBytes::new([byte; 32]))
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let mut encrypted = key(1).encrypt("here", b"secret", &Counter::default());
        encrypted[NONCE_BYTES] ^= 1;
        assert!(key(1).decrypt("here", &encrypted).is_err());
        assert!(key(1).decrypt("here", &encrypted[..5]).is_err());
    }

    #[test]
    fn a_wrapped_key_names_the_one_that_wraps_it() {
        let id = KeyId::from_bytes([7; 8]);
        let wrapped = key(1).wrapped_under((id, &key(2)), "spool", &Counter::default());
        assert!(wrapped.starts_with(&wrapped_prefix(id)));
        let WrappedUnder { key: named, rest } = WrappedUnder::read(&wrapped).unwrap();
        assert_eq!(named, Some(id));
        let unwrapped = key(2).unwrap("spool", rest).unwrap();
        assert_eq!(unwrapped.0.expose(), key(1).0.expose());
        // As it was wrapped before keys had ids; and what is neither.
        assert_eq!(WrappedUnder::read(rest).unwrap().key, None);
        for wrong in [&wrapped[1..], &rest[1..], &[&[2], &wrapped[1..]].concat()] {
            assert!(WrappedUnder::read(wrong).is_none());
        }
    }
}
