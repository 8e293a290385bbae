/// A table that always has one row has none, or several.
#[derive(Debug, thiserror::Error)]
#[error(
    "the store's table `{table}` has {found} rows, where it must have one: somebody else has written to \
     the store. Put it back as a backup of the store has it"
)]
pub struct NotOneRow {
    /// Which table.
    pub table: &'static str,
    /// How many it has.
    pub found: usize,
}
