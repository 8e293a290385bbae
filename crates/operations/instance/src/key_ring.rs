use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use data_encoding::HEXLOWER_PERMISSIVE;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use ledger::CheckpointKey;
use model::{
    AccountId, CampaignId, CredentialVersion, KeyId, Randomness, Secret, VersionKey,
    canonical::hex_of,
};
use region::LockGuard;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// XChaCha20's nonce: long enough to be drawn at random for every message.
const NONCE_BYTES: usize = 24;

/// No campaign has this number: both databases count from 1.
const NO_CAMPAIGN: i64 = 0;

/// The secret that everything at rest is encrypted under. It comes from a file or the
/// environment, never from the database.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InstanceKey([u8; 32]);

impl InstanceKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(randomness: &dyn Randomness) -> Self {
        Self(randomness.array())
    }

    /// Reads 64 hexadecimal digits, with white space around them.
    ///
    /// # Errors
    /// [`InstanceKeyError`] says how the text is not a key, without showing it.
    pub fn parse(text: &str) -> Result<Self, InstanceKeyError> {
        let digits = text.trim();
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map(Zeroizing::new);
        let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        key.map(Self).ok_or(InstanceKeyError { length: digits.len() })
    }

    /// The text that [`InstanceKey::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER_PERMISSIVE.encode(&self.0))
    }

    /// The name of this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::from_bytes(*self.expand("countersign/v1/key-id"))
    }

    fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        self.expand(purpose)
    }

    fn expand<const N: usize>(&self, purpose: &str) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::new(None, &self.0)
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

/// What can be done with the instance key: one derived key a purpose, so that none serves twice.
pub struct KeyRing {
    keys: Box<Keys>,
    /// Keeps the keys out of the swap file; `None` where this process may lock no memory.
    _locked: Option<LockGuard>,
}

/// The keys that are kept: they lie together, in memory that does not move.
struct Keys {
    instance: InstanceKey,
    version: Zeroizing<[u8; 32]>,
    subject: Zeroizing<[u8; 32]>,
    wrapping: DataKey,
}

impl KeyRing {
    /// Derives the keys, and locks them in memory where that is permitted.
    #[must_use]
    pub fn new(key: InstanceKey) -> Self {
        let version = key.derive("countersign/v1/credential-version");
        let subject = key.derive("countersign/v1/subject");
        let wrapping = DataKey(key.derive("countersign/v1/wrapping"));
        let keys = Box::new(Keys { instance: key, version, subject, wrapping });
        let locked = region::lock(&raw const *keys, size_of::<Keys>());
        if let Err(error) = &locked {
            tracing::debug!(%error, "the instance's keys may be written to the swap file");
        }
        Self { keys, _locked: locked.ok() }
    }

    /// What the store keeps to recognise this key by.
    #[must_use]
    pub fn key_check(&self, instance: &str) -> Vec<u8> {
        let check = self.keys.instance.derive("countersign/v1/key-check");
        keyed_hash(&check, &[instance.as_bytes()]).to_vec()
    }

    /// Whether the store was made with this key.
    #[must_use]
    pub fn is_key_of(&self, instance: &str, key_check: &[u8]) -> bool {
        self.key_check(instance).ct_eq(key_check).into()
    }

    /// The key that signs the audit log's checkpoints.
    #[must_use]
    pub fn checkpoint_key(&self, instance: &str) -> CheckpointKey {
        let seed = self.keys.instance.derive("countersign/v1/audit-checkpoint");
        CheckpointKey::new(&format!("countersign/{instance}/audit"), &seed)
    }

    /// A keyed hash of an address, another one in each campaign, and one more for what people ask
    /// for themselves.
    #[must_use]
    pub fn address_key(&self, campaign: Option<CampaignId>, exact_address: &str) -> [u8; 32] {
        let key = self.keys.instance.derive("countersign/v1/campaign-address");
        let campaign = campaign.map_or(NO_CAMPAIGN, |campaign| campaign.0);
        keyed_hash(&key, &[&campaign.to_be_bytes(), exact_address.as_bytes()])
    }

    /// The secret that takes a password's place, as text, since bcrypt refuses a NUL. It depends on
    /// nothing but the account and the password that was stored, so that a value of ours is known
    /// again even if everything else about it was lost.
    #[must_use]
    pub fn sealed_secret(&self, account: &AccountId, replaced: CredentialVersion) -> Secret {
        let key = self.keys.instance.derive("countersign/v1/sealed-secret");
        let secret = keyed_hash(&key, &[account.as_str().as_bytes(), replaced.as_bytes()]);
        Secret::new(hex_of(&secret).into_bytes())
    }

    /// A keyed hash of an account's id, by which its subject is found.
    #[must_use]
    pub fn account_hash(&self, account: &AccountId) -> [u8; 32] {
        keyed_hash(&self.keys.subject, &[account.as_str().as_bytes()])
    }

    /// What is left of somebody who was told that this password is out of use, once they are
    /// forgotten.
    #[must_use]
    pub fn fingerprint(&self, account: &AccountId, version: CredentialVersion) -> [u8; 32] {
        let key = self.keys.instance.derive("countersign/v1/tombstone");
        keyed_hash(&key, &[version.as_bytes(), account.as_str().as_bytes()])
    }

    /// By which a snapshot of what the log says is known to be ours: of so many entries with this
    /// root.
    #[must_use]
    pub(crate) fn snapshot_mac(&self, size: u64, root: &[u8; 32], body: &[u8]) -> [u8; 32] {
        let key = self.keys.instance.derive("countersign/v1/fold-snapshot");
        keyed_hash(&key, &[&size.to_be_bytes(), root, body])
    }

    /// A keyed hash of where a request came from.
    #[must_use]
    pub fn source_key(&self, source: &[u8]) -> [u8; 32] {
        keyed_hash(&self.keys.instance.derive("countersign/v1/request-source"), &[source])
    }

    /// What reset links are made with.
    #[must_use]
    pub fn link_key(&self) -> Zeroizing<[u8; 32]> {
        self.keys.instance.derive("countersign/v1/reset-link")
    }

    /// What notices' codes and tokens are derived from.
    #[must_use]
    pub fn notice_key(&self) -> Zeroizing<[u8; 32]> {
        self.keys.instance.derive("countersign/v1/notice")
    }

    /// Makes a data key and its wrapped form. Without the wrapped form the data is gone.
    #[must_use]
    pub fn new_data_key(&self, purpose: &str, randomness: &dyn Randomness) -> (DataKey, Vec<u8>) {
        let key = DataKey(Zeroizing::new(randomness.array()));
        let wrapped = self.keys.wrapping.encrypt(purpose, key.0.as_slice(), randomness);
        (key, wrapped)
    }

    /// Unwraps a data key.
    ///
    /// # Errors
    /// [`DecryptError`] if it was wrapped by another instance, for another purpose, or changed.
    pub fn data_key(&self, purpose: &str, wrapped: &[u8]) -> Result<DataKey, DecryptError> {
        let bytes = self.keys.wrapping.decrypt(purpose, wrapped)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice());
        key.map(|key| DataKey(Zeroizing::new(key))).map_err(|_| DecryptError::new(purpose))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(..)")
    }
}

impl VersionKey for KeyRing {
    fn version_of(&self, credential: &[u8]) -> CredentialVersion {
        CredentialVersion::from_bytes(keyed_hash(&self.keys.version, &[credential]))
    }
}

fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Encrypts the secrets of one leak's spool, or of one finding.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
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
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
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
    use model::{Credential, StoredHash};

    use super::*;
    use crate::testing::Counter;

    fn keys(seed: u8) -> KeyRing {
        KeyRing::new(InstanceKey([seed; 32]))
    }

    #[test]
    fn a_key_survives_being_written_down() {
        let key = InstanceKey([0xa7; 32]);
        let read = InstanceKey::parse(&format!("{}\n", *key.to_text())).unwrap();
        assert_eq!(read.0, key.0);
        let short = InstanceKey::parse("abc").unwrap_err();
        assert_eq!(short, InstanceKeyError { length: 3 });
    }

    #[test]
    fn an_id_names_one_key() {
        let id = |seed: u8| InstanceKey([seed; 32]).id();
        assert_eq!(id(1), id(1));
        assert_ne!(id(1), id(2));
    }

    #[test]
    fn a_store_knows_its_key() {
        let check = keys(1).key_check("instance");
        assert!(keys(1).is_key_of("instance", &check));
        assert!(!keys(2).is_key_of("instance", &check));
        assert!(!keys(1).is_key_of("other", &check));
    }

    #[test]
    fn secrets_come_back_only_with_their_key_and_context() {
        let randomness = Counter::default();
        let (key, wrapped) = keys(1).new_data_key("spool", &randomness);
        let secrets = vec![Secret::from(&b"pa:ss"[..]), Secret::from(&b""[..])];
        let encrypted = key.encrypt_secrets("account 7", &secrets, &randomness);

        let unwrapped = keys(1).data_key("spool", &wrapped).unwrap();
        assert_eq!(unwrapped.decrypt_secrets("account 7", &encrypted).unwrap(), secrets);
        assert!(unwrapped.decrypt_secrets("account 8", &encrypted).is_err());
        assert!(keys(2).data_key("spool", &wrapped).is_err());
        assert!(keys(1).data_key("finding", &wrapped).is_err());
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let randomness = Counter::default();
        let (key, _) = keys(1).new_data_key("spool", &randomness);
        let mut encrypted = key.encrypt("here", b"secret", &randomness);
        encrypted[NONCE_BYTES] ^= 1;
        assert!(key.decrypt("here", &encrypted).is_err());
        assert!(key.decrypt("here", &encrypted[..5]).is_err());
    }

    #[test]
    fn a_credential_version_changes_with_the_hash_and_with_the_key() {
        let version = |key: u8, hash: &str| {
            let hash = StoredHash::from_column(Some(hash.to_owned())).unwrap();
            Credential::from(hash).version(&keys(key))
        };
        assert_eq!(version(1, "$2b$10$a"), version(1, "$2b$10$a"));
        assert_ne!(version(1, "$2b$10$a"), version(1, "$2b$10$b"));
        assert_ne!(version(1, "$2b$10$a"), version(2, "$2b$10$a"));
    }
}
