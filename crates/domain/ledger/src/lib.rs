//! The audit log: what was done, in an order that nobody can change unseen.
//!
//! Entries are leaves of a Merkle tree (RFC 6962, section 2.1); its head is signed as a C2SP
//! `tlog-checkpoint`, so that programs that we did not write can check both. Nothing here stores
//! anything: [`Tree`] says which hashes it needs and which ones to keep.

mod audit;
mod campaign;
mod checkpoint;
mod entry;
mod fold;
mod growth;
mod history;
mod notice;
mod reconciled;
mod recovery;
#[cfg(test)]
mod testing;
mod tree;
mod whom;
mod witness;

pub use audit::{Audit, AuditError, Audited};
pub use campaign::{CampaignEvent, campaign_of};
pub use checkpoint::{
    Checkpoint, CheckpointError, CheckpointKey, CheckpointVerifier, CheckpointVerifiers,
};
pub use entry::{Entry, FileAdded, LeakAdded, LogEvent};
pub use fold::{
    ArmedFold, CampaignFold, CampaignStanding, FindingRow, Fold, FoldEntry, FoldRefusal, FoundFold,
    HOUR, MINUTE, NotedFold, NoticeFold, Pace, SettledAddresses, SnapshotError, StatementFold,
    SwapRow,
};
pub use growth::{GrowthError, check_growth, growth_positions, prove_growth};
pub use history::{History, HistoryCounts, HistoryFault, HistoryReport, HistoryRule};
pub use notice::NoticeStep;
pub use reconciled::Reconciled;
pub use recovery::RecoveryEvent;
pub use tree::{MissingHash, Tree, frontier, hash_position};
pub use whom::{Whom, account_of, subject_of};
pub use witness::{
    AddCheckpoint, AddCheckpointError, CosignRefusal, CosignatureError, Cosigned, PolicyFault,
    PolicyWitness, WitnessKey, WitnessName, WitnessPolicy, WitnessPolicyError, WitnessVerifier,
    decide_cosign,
};

/// A SHA-256 node of the tree.
pub type Hash = [u8; 32];
