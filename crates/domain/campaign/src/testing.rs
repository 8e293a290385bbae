//! What the unit tests share: people, targets and a plan.

use std::sync::atomic::{AtomicU64, Ordering};

use authority::{Approval, OperatorKey, Roster, RosterDocument, SignedRoster, verify_approvals};
use model::{
    AccountId, CampaignId, CredentialVersion, InstanceId, LeakId, Provenance, Randomness, Timestamp,
};
use sha2::{Digest, Sha256};

use crate::{
    AddressKey, Draft, Place, Plan, Policy, Reason, SignedPlan, StoreKind, Target, Targets,
    TemplateDigest,
};

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

pub(crate) fn instance() -> InstanceId {
    "0123456789abcdef".parse().unwrap()
}

/// What these operators have signed together with its author.
pub(crate) fn signed(plan: &Plan, approvers: &[&str], now: Timestamp) -> SignedPlan {
    let sign = |name: &&str| Approval::sign(plan, plan.counts().targets, &key(name), now).unwrap();
    let approvals: Vec<_> = approvers.iter().chain([&"ana"]).map(sign).collect();
    verify_approvals(plan, &approvals, &roster(), now).unwrap().into()
}

pub(crate) fn roster() -> Roster {
    let keys = ["ana", "bob", "cleo", "dan"].map(key);
    let operators = keys.iter().map(OperatorKey::public).collect();
    let document = RosterDocument::founding(instance(), operators, Timestamp::from_micros(0));
    let digest = document.digest();
    let signed = keys.iter().fold(SignedRoster::new(document), SignedRoster::signed_by);
    Roster::founding(&signed, digest, &instance()).unwrap()
}

pub(crate) fn target(account: &str, address: u8) -> Target {
    Target {
        account: AccountId::new(account).unwrap(),
        findings: vec![7],
        credential_version: CredentialVersion::from_bytes([0; 32]),
        address: AddressKey::from_bytes([address; 32]),
        place: Place { address: 0, accounts: 0 },
    }
}

/// So many accounts, each with an address of its own.
pub(crate) fn targets(count: u64) -> Targets {
    let numbered = |n: u64| {
        let [low, high, ..] = n.to_le_bytes();
        let mut address = [low; 32];
        address[0] = low.wrapping_add(high);
        Target { address: AddressKey::from_bytes(address), ..target(&format!("account-{n}"), 0) }
    };
    Targets::new((0..count).map(numbered).collect()).unwrap()
}

/// A plan by `ana` for so many of 10,000 accounts.
pub(crate) fn draft(targets: u64) -> Draft {
    let reason = Reason {
        leak: LeakId(3),
        name: "Example Books".parse().unwrap(),
        date: "2016-05".parse().unwrap(),
        public_name: None,
        provenance: Provenance::Circulating,
        is_suspect: false,
        targets,
    };
    let template = ("reset_required/en".parse().unwrap(), TemplateDigest::from_bytes([9; 32]));
    Draft {
        instance: instance(),
        store: StoreKind::Site,
        campaign: CampaignId(7),
        name: "Spring".parse().unwrap(),
        author: "ana".parse().unwrap(),
        accounts: 10_000,
        others: None,
        skipped: [(model::SkipReason::Unreachable, 1)].into(),
        reasons: vec![reason],
        policy: Policy::default(),
        templates: [template].into(),
        mails: [].into(),
        is_witnessed: false,
    }
}
