//! Tables of one row: the schema allows no second one, but whoever owns the database can drop that
//! rule.

use sql::{Query, Record};

use crate::{NotOneRow, StoreError};

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
