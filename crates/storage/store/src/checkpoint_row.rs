use model::Timestamp;

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
