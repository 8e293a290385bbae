use std::array;

use model::{CredentialVersion, HashFormat, RecordRef, SubjectId, Tier};
use serde::{Deserialize, Serialize};

use crate::tree::leaf_hash;

/// What the log is asked about one finding's row.
#[derive(Debug, Clone, Copy)]
pub struct FindingRow {
    /// Whose password it is.
    pub subject: SubjectId,
    /// As what it was stored.
    pub version: CredentialVersion,
    /// How it was stored.
    pub hash_format: HashFormat,
    /// What led from the record to the account.
    pub tier: Tier,
}

/// What was found of somebody in a leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundFold {
    row: HalfHash,
    records: HalfHash,
}

impl FoundFold {
    pub(super) fn new(
        version: &CredentialVersion,
        hash_format: &str,
        tier: &str,
        mut records: Vec<RecordRef>,
    ) -> Self {
        records.sort();
        Self { row: found_as(version, hash_format, tier), records: found_at(&records) }
    }

    pub(super) fn is_of(&self, row: &FindingRow) -> bool {
        self.row == found_as(&row.version, row.hash_format.as_str(), row.tier.as_str())
    }

    pub(super) fn is_in(&self, records: &[RecordRef]) -> bool {
        self.records == found_at(records)
    }
}

/// Half a SHA-256: millions of findings are kept.
type HalfHash = [u8; 16];

fn found_as(version: &CredentialVersion, hash_format: &str, tier: &str) -> HalfHash {
    half_hash(&(version, hash_format, tier))
}

fn found_at(records: &[RecordRef]) -> HalfHash {
    half_hash(&records)
}

fn half_hash(value: &impl Serialize) -> HalfHash {
    // Words, numbers and paths can always be written.
    let hash = leaf_hash(&serde_json::to_vec(value).unwrap_or_default());
    array::from_fn(|at| hash[at])
}
