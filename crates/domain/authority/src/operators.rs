use std::{fmt, str::FromStr};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use data_encoding::BASE64;
use ed25519_dalek::{Signature as Ed25519, Signer as _, SigningKey, VerifyingKey};
use model::{NameError, OperatorName, Randomness};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Which form a key file has. The cost of its scrypt goes with it and cannot be lowered.
const KEY_FILE_FORMAT: &str = "countersign operator key 1";

/// N = 2^17, r = 8, p = 1: 128 MiB, as OWASP lists it first.
const SCRYPT_LOG_N: u8 = 17;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;

/// The first word of an operator's public text.
const PUBLIC_FORMAT: &str = "countersign-operator-1";

/// What an operator signs with. It is wiped from memory when dropped.
pub struct OperatorKey {
    name: OperatorName,
    key: SigningKey,
}

impl OperatorKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(name: OperatorName, randomness: &dyn Randomness) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        randomness.fill(seed.as_mut());
        Self { name, key: SigningKey::from_bytes(&seed) }
    }

    /// Whose key it is.
    #[must_use]
    pub const fn name(&self) -> &OperatorName {
        &self.name
    }

    /// What others check its signatures by.
    #[must_use]
    pub fn public(&self) -> OperatorPublic {
        OperatorPublic { name: self.name.clone(), key: PublicKey(self.key.verifying_key()) }
    }

    /// The text of a key file: JSON, the key encrypted under the passphrase.
    ///
    /// # Errors
    /// [`KeyFileError::OutOfMemory`] where 128 MiB are not to be had.
    pub fn to_file(
        &self,
        passphrase: &str,
        randomness: &dyn Randomness,
    ) -> Result<String, KeyFileError> {
        let (salt, nonce) = (randomness.array(), randomness.array());
        let public = self.public().to_string();
        let cipher = cipher(passphrase, &salt)?;
        let payload = Payload { msg: self.key.as_bytes(), aad: public.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| KeyFileError::OutOfMemory)?;
        let file = KeyFile {
            format: KEY_FILE_FORMAT.to_owned(),
            public,
            salt: BASE64.encode(&salt),
            nonce: BASE64.encode(&nonce),
            sealed: BASE64.encode(&sealed),
        };
        Ok(serde_json::to_string_pretty(&file).map_err(|_| KeyFileError::Malformed)? + "\n")
    }

    /// Opens a key file.
    ///
    /// # Errors
    /// [`KeyFileError`] tells a wrong passphrase from a file that is none of ours.
    pub fn from_file(text: &str, passphrase: &str) -> Result<Self, KeyFileError> {
        let file: KeyFile = serde_json::from_str(text).map_err(|_| KeyFileError::Malformed)?;
        if file.format != KEY_FILE_FORMAT {
            return Err(KeyFileError::OtherFormat {
                found: file.format.escape_debug().to_string(),
            });
        }
        let public: OperatorPublic = file.public.parse().map_err(|_| KeyFileError::Malformed)?;
        let (salt, nonce): ([u8; 32], [u8; 24]) = (bytes(&file.salt)?, bytes(&file.nonce)?);
        let sealed = BASE64.decode(file.sealed.as_bytes()).map_err(|_| KeyFileError::Malformed)?;
        let payload = Payload { msg: &sealed, aad: file.public.as_bytes() };
        let seed = cipher(passphrase, &salt)?.decrypt(&XNonce::from(nonce), payload);
        let seed = seed.map(Zeroizing::new).map_err(|_| KeyFileError::Passphrase)?;
        let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| KeyFileError::Malformed)?;
        let opened = Self { name: public.name.clone(), key: SigningKey::from_bytes(seed) };
        if opened.public() == public { Ok(opened) } else { Err(KeyFileError::Malformed) }
    }

    pub(crate) fn sign(&self, text: &[u8]) -> Signature {
        Signature(self.key.sign(text))
    }
}

impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OperatorKey({}, ..)", self.name)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: String,
    public: String,
    salt: String,
    nonce: String,
    sealed: String,
}

fn cipher(passphrase: &str, salt: &[u8; 32]) -> Result<XChaCha20Poly1305, KeyFileError> {
    let params = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P);
    let params = params.map_err(|_| KeyFileError::OutOfMemory)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase.as_bytes(), salt, &params, key.as_mut())
        .map_err(|_| KeyFileError::OutOfMemory)?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], KeyFileError> {
    let mut bytes = BASE64.decode(text.as_bytes()).map_err(|_| KeyFileError::Malformed)?;
    let fixed = <[u8; N]>::try_from(bytes.as_slice());
    bytes.zeroize();
    fixed.map_err(|_| KeyFileError::Malformed)
}

/// Why a key file does not open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// No key file at all, or a damaged one.
    #[error("this is no operator's key file, or it is damaged")]
    Malformed,
    /// Of another version.
    #[error("the key file's format is `{found}`, only `{KEY_FILE_FORMAT}` is known")]
    OtherFormat {
        /// What it calls itself.
        found: String,
    },
    /// Not the passphrase, or the file was changed.
    #[error("the passphrase is wrong, or the key file was changed")]
    Passphrase,
    /// scrypt needs memory.
    #[error("there is not enough memory to open a key file: it takes 128 MiB")]
    OutOfMemory,
}

/// An operator as others know them: a name and a public key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperatorPublic {
    name: OperatorName,
    key: PublicKey,
}

#[derive(Clone, PartialEq, Eq)]
struct PublicKey(VerifyingKey);

impl OperatorPublic {
    /// What they are called.
    #[must_use]
    pub const fn name(&self) -> &OperatorName {
        &self.name
    }

    pub(crate) fn has_key_of(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Strict: no signature verifies in two spellings.
    pub(crate) fn verifies(&self, text: &[u8], signature: &Signature) -> bool {
        self.key.0.verify_strict(text, &signature.0).is_ok()
    }
}

/// `countersign-operator-1 NAME KEY`, the key in base64: one line to hand to colleagues.
impl fmt::Display for OperatorPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_FORMAT} {} {}", self.name, BASE64.encode(self.key.0.as_bytes()))
    }
}

impl fmt::Debug for OperatorPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for OperatorPublic {
    type Err = OperatorPublicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<_> = text.trim_end_matches('\n').split(' ').collect();
        let [PUBLIC_FORMAT, name, key] = words[..] else {
            return Err(OperatorPublicError::Form { words: words.len() });
        };
        let bytes = BASE64.decode(key.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        let strong = key.filter(|key| !key.is_weak()).map(PublicKey);
        Ok(Self { name: name.parse()?, key: strong.ok_or(OperatorPublicError::Key)? })
    }
}

impl TryFrom<String> for OperatorPublic {
    type Error = OperatorPublicError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OperatorPublic> for String {
    fn from(public: OperatorPublic) -> Self {
        public.to_string()
    }
}

/// Why a text is no operator's public key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorPublicError {
    /// Not three words that begin as they should.
    #[error("`{PUBLIC_FORMAT} NAME KEY` is expected, these are {words} words")]
    Form {
        /// Words found.
        words: usize,
    },
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The key is none, or one under which anything verifies.
    #[error("the key is not 32 bytes of Ed25519 in base64")]
    Key,
}

/// An Ed25519 signature, in base64.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature(Ed25519);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0.to_bytes()))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for Signature {
    type Error = SignatureError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = BASE64.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        let bytes = bytes.ok_or(SignatureError { length: text.len() })?;
        Ok(Self(Ed25519::from_bytes(&bytes)))
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        signature.to_string()
    }
}

/// A text that is no signature.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signature is 64 bytes in base64, these are {length} characters")]
pub struct SignatureError {
    length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Counter, key};

    #[test]
    fn a_key_file_opens_with_its_passphrase_alone() {
        let randomness = Counter::default();
        let file = key("ana").to_file("correct horse", &randomness).unwrap();
        let opened = OperatorKey::from_file(&file, "correct horse").unwrap();
        assert_eq!(opened.public(), key("ana").public());
        let wrong = OperatorKey::from_file(&file, "correct horsE").unwrap_err();
        assert_eq!(wrong, KeyFileError::Passphrase);
        let renamed = file.replace("-1 ana ", "-1 bob ");
        let renamed = OperatorKey::from_file(&renamed, "correct horse").unwrap_err();
        assert_eq!(renamed, KeyFileError::Passphrase);
    }

    #[test]
    fn what_is_no_key_file_says_so() {
        let none = OperatorKey::from_file("{}", "x").unwrap_err();
        assert_eq!(none, KeyFileError::Malformed);
    }

    #[test]
    fn a_public_key_survives_being_written_down() {
        let public = key("ana").public();
        assert_eq!(format!("{public}\n").parse(), Ok(public));
        let form = "countersign-operator-1 ana".parse::<OperatorPublic>();
        assert_eq!(form, Err(OperatorPublicError::Form { words: 2 }));
        let zero = format!("{PUBLIC_FORMAT} ana {}", BASE64.encode(&[0; 32]));
        assert_eq!(zero.parse::<OperatorPublic>(), Err(OperatorPublicError::Key));
    }
}
