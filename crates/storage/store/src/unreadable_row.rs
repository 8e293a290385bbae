use sql::Misfit;

/// A row holds what no column of ours can mean: nothing of Countersign's has written it.
#[derive(Debug, thiserror::Error)]
#[error(
    "somebody else has written to the store: its column `{column}` holds what Countersign does not \
     write, and cannot be read: {reason}"
)]
pub struct UnreadableRow {
    /// The column.
    pub column: String,
    /// What does not fit.
    pub reason: Misfit,
}
