use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    StoredHash,
    canonical::{hex, hex_of},
};

/// What an account signs in with, as its directory shows it at one moment.
///
/// Directories make it, each of what it has: a table, of the stored hash. To everybody else it is
/// opaque, but for whoever tries passwords on it or puts another one in its place.
#[derive(Debug, Clone)]
pub struct Credential(StoredHash);

impl Credential {
    /// Tells it from every other credential of the account.
    ///
    /// It is computed anew each time, so that whoever only reads accounts does not pay for it.
    #[must_use]
    pub fn version(&self, key: &impl VersionKey) -> CredentialVersion {
        key.version_of(self.0.expose().as_bytes())
    }

    /// The hash that passwords are tried on.
    #[must_use]
    pub const fn hash(&self) -> &StoredHash {
        &self.0
    }

    /// The hash that passwords are tried on.
    #[must_use]
    pub fn into_hash(self) -> StoredHash {
        self.0
    }
}

/// For the hashes of a table.
impl From<StoredHash> for Credential {
    fn from(hash: StoredHash) -> Self {
        Self(hash)
    }
}

/// What credential versions are computed under: the instance key, or one derived from it.
pub trait VersionKey {
    /// The version of a credential that consists of these bytes.
    fn version_of(&self, credential: &[u8]) -> CredentialVersion;
}

/// "This password, as stored now": the HMAC of a credential under the instance key.
///
/// It tells whether a password has changed, and tells a thief of the database nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialVersion([u8; 32]);

impl CredentialVersion {
    /// Wraps a computed HMAC, or one read back from the store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store or to log.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 hexadecimal digits.
impl Serialize for CredentialVersion {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        hex::serialize(&self.0, to)
    }
}

impl<'de> Deserialize<'de> for CredentialVersion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        hex::deserialize(from).map(Self)
    }
}

impl fmt::Display for CredentialVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_of(&self.0))
    }
}

impl fmt::Debug for CredentialVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
