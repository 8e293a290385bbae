//! What the unit tests share: people, and a document for them to approve.

use std::{
    fmt::{self, Write as _},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use model::{
    Approvable, Document, InstanceId, OperatorName, Randomness, Timestamp, canonical::micros,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{OperatorKey, OperatorPublic, RosterDocument, SignedRoster};

/// Counts instead of drawing, from a start of its own.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Randomness for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let drawn = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&Sha256::digest(drawn)[..chunk.len()]);
        }
    }
}

/// The key of somebody: the same for the same name.
pub(crate) fn key(name: &str) -> OperatorKey {
    let start = name.bytes().fold(0, |sum, byte| sum * 256 + u64::from(byte));
    OperatorKey::generate(name.parse().unwrap(), &Counter(AtomicU64::new(start)))
}

pub(crate) fn public(name: &str) -> OperatorPublic {
    key(name).public()
}

pub(crate) fn instance() -> InstanceId {
    "0123456789abcdef".parse().unwrap()
}

/// The first roster, signed by everybody in it.
pub(crate) fn founding(names: &[&str]) -> SignedRoster {
    let operators = names.iter().map(|name| public(name)).collect();
    let document = RosterDocument::founding(instance(), operators, Timestamp::from_micros(0));
    let sign = |signed: SignedRoster, name: &&str| signed.signed_by(&key(name));
    names.iter().fold(SignedRoster::new(document), sign)
}

/// Stands for whatever operators approve: by `ana`, to be signed within four hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paper {
    needed: usize,
    instance: InstanceId,
    author: OperatorName,
    author_signs: bool,
    accounts: u64,
    round: u32,
    #[serde(with = "micros")]
    at: Timestamp,
}

impl Paper {
    pub(crate) fn new(accounts: u64, round: u32, at: Timestamp) -> Self {
        let author = "ana".parse().unwrap();
        Self { needed: 2, instance: instance(), author, author_signs: false, accounts, round, at }
    }

    pub(crate) fn with_its_author(self) -> Self {
        Self { author_signs: true, ..self }
    }

    pub(crate) fn needing(self, needed: usize) -> Self {
        Self { needed, ..self }
    }
}

impl Document for Paper {
    const FORMAT: &'static str = "countersign paper 1";
    const NOUN: &'static str = "plan";

    fn instance(&self) -> &InstanceId {
        &self.instance
    }

    fn signers_needed(&self) -> usize {
        self.needed
    }

    fn author(&self) -> Option<&OperatorName> {
        Some(&self.author)
    }

    fn author_signs(&self) -> bool {
        self.author_signs
    }

    fn write_terms(&self, to: &mut String) -> fmt::Result {
        writeln!(to, "round: {}", self.round)
    }
}

impl Approvable for Paper {
    const EFFECT: &'static str = "resets";

    fn round(&self) -> u32 {
        self.round
    }

    fn accounts(&self) -> u64 {
        self.accounts
    }

    fn opened_at(&self) -> Timestamp {
        self.at
    }

    fn sign_by(&self) -> Timestamp {
        self.at.after(Duration::from_hours(4))
    }
}
