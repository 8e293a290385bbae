//! The audit log's rows.

use model::{CampaignId, Timestamp};

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place, from 0.
    pub position: u64,
    /// When it was appended.
    pub at: Timestamp,
    /// The campaign that it is about. It is no part of what is signed.
    pub campaign: Option<CampaignId>,
    /// What it says.
    pub body: Vec<u8>,
}

record!(LogEntry { position, at, campaign, body });

/// A signed statement of what the log held at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// How many entries it covers.
    pub size: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note.
    pub note: String,
}

record!(CheckpointRow { size, at, note });
