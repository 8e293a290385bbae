use ledger::CheckpointVerifier;
use model::{KeyId, Randomness, Timestamp, canonical::micros};
use serde::{Deserialize, Serialize};
use store::RetiredKeyRow;

use crate::{DataKey, DecryptError, InstanceKey, secret_bytes::SecretBytes};

/// An instance key that was rotated, with what is still needed of it. The key itself is kept nowhere,
/// nor is what it has signed the log with.
#[derive(Clone)]
pub(crate) struct RetiredKey {
    /// Which one it was, from 1.
    pub(crate) number: u64,
    pub(crate) id: KeyId,
    pub(crate) kept: KeptKey,
}

impl RetiredKey {
    /// Reads what was kept under the key in force.
    pub(crate) fn read(row: &RetiredKeyRow, in_force: &InstanceKey) -> Result<Self, DecryptError> {
        let RetiredKeyRow { number, id, .. } = *row;
        let context = context(number, id);
        Ok(Self { number, id, kept: keeping(in_force).decrypt_json(&context, &row.kept)? })
    }

    /// What is kept of it under a key that is in force, or is about to be.
    pub(crate) fn to_row(
        &self,
        in_force: &InstanceKey,
        randomness: &dyn Randomness,
    ) -> Result<RetiredKeyRow, serde_json::Error> {
        let Self { number, id, .. } = *self;
        let context = context(number, id);
        let kept = keeping(in_force).encrypt_json(&context, &self.kept, randomness)?;
        Ok(RetiredKeyRow { number, id, kept })
    }
}

/// What retired keys are kept under.
fn keeping(in_force: &InstanceKey) -> DataKey {
    DataKey::new(in_force.derive("countersign/v1/retired-keys"))
}

fn context(number: u64, id: KeyId) -> String {
    format!("instance key {number} {id}")
}

/// What is needed of an instance key after its time.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptKey {
    /// Of the store's first key alone.
    pub(crate) lookup: Option<LookupKeys>,
    pub(crate) lasting: LastingKeys,
    /// Until every data key is wrapped by the key in force.
    pub(crate) wrapping: Option<DataKey>,
    /// Who checks what it has signed.
    verifier: String,
    /// The size of the last checkpoint that it has signed.
    pub(crate) signed_to: u64,
    /// Since when it is in force no more, by the database's clock.
    #[serde(with = "micros")]
    pub(crate) retired_at: Timestamp,
}

impl KeptKey {
    pub(crate) fn new(
        lookup: Option<LookupKeys>,
        lasting: LastingKeys,
        wrapping: DataKey,
        verifier: &CheckpointVerifier,
        (signed_to, retired_at): (u64, Timestamp),
    ) -> Self {
        let (verifier, wrapping) = (verifier.to_string(), Some(wrapping));
        Self { lookup, lasting, wrapping, verifier, signed_to, retired_at }
    }

    pub(crate) fn without_wrapping(&self) -> Self {
        Self { wrapping: None, ..self.clone() }
    }

    pub(crate) fn verifier(&self) -> Option<CheckpointVerifier> {
        self.verifier.parse().ok()
    }
}

/// What rows are found by and unique over: derived from the store's first key for ever, since a row
/// could not be found by a hash under another one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupKeys {
    pub(crate) version: SecretBytes,
    pub(crate) subject: SecretBytes,
    pub(crate) address: SecretBytes,
    pub(crate) tombstone: SecretBytes,
    pub(crate) source: SecretBytes,
}

impl LookupKeys {
    pub(crate) fn of(key: &InstanceKey) -> Self {
        Self {
            version: key.derive("countersign/v1/credential-version"),
            subject: key.derive("countersign/v1/subject"),
            address: key.derive("countersign/v1/campaign-address"),
            tombstone: key.derive("countersign/v1/tombstone"),
            source: key.derive("countersign/v1/request-source"),
        }
    }
}

/// What people or the site hold for longer than a key is in force: codes, links, and values in the
/// site's table. Each is of the key that was in force when it was made.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LastingKeys {
    pub(crate) sealed_secret: SecretBytes,
    pub(crate) notice: SecretBytes,
    pub(crate) link: SecretBytes,
}

impl LastingKeys {
    pub(crate) fn of(key: &InstanceKey) -> Self {
        Self {
            sealed_secret: key.derive("countersign/v1/sealed-secret"),
            notice: key.derive("countersign/v1/notice"),
            link: key.derive("countersign/v1/reset-link"),
        }
    }
}
