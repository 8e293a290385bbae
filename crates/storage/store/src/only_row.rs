//! Tables of one row: the schema allows no second one, but whoever owns the database can drop that
//! rule.

use sql::{Query, Record};

use crate::StoreError;

/// The row of a table that always has one.
///
/// # Errors
/// [`StoreError::NotOneRow`] if it has none, or several.
pub(crate) async fn one_row<R: Record>(
    query: Query<'_>,
    table: &'static str,
) -> Result<R, StoreError> {
    row_at_most(query, table).await?.ok_or_else(|| NotOneRow { table, found: 0 }.into())
}

/// The row of a table that has one or none.
///
/// # Errors
/// [`StoreError::NotOneRow`] if it has several.
pub(crate) async fn row_at_most<R: Record>(
    query: Query<'_>,
    table: &'static str,
) -> Result<Option<R>, StoreError> {
    let mut rows = query.all().await?;
    match rows.len() {
        0 | 1 => Ok(rows.pop()),
        found => Err(NotOneRow { table, found }.into()),
    }
}

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
