use sql::Misfit;

/// A row holds what no column of ours can mean: this version has not written it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the store's column `{column}` cannot be read: {reason}. If no newer version of Countersign has run \
     on it, somebody else has written to the store"
)]
pub struct UnreadableRow {
    /// The column.
    pub column: String,
    /// What does not fit.
    pub reason: Misfit,
}
