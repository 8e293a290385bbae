use futures_util::future::BoxFuture;
use instance::Instance;
use model::Timestamp;
use serde::Serialize;
use store::Tx;

use super::found::Reconciled;
use crate::ReconcileError;

/// When the site's table was last compared with what is kept, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReconciliationView {
    /// When the table was last read to its end; none if it never was.
    pub ended_at: Option<Timestamp>,
    /// When it could not be, if that was later.
    pub failed_at: Option<Timestamp>,
    /// Whether somebody is comparing now.
    pub is_under_way: bool,
    /// What was found the last time; none if it was never compared.
    pub result: Option<Reconciled>,
}

/// What the last comparison of the site's table has found.
///
/// # Errors
/// [`ReconcileError`] if the store fails.
pub fn last_reconciliation(
    instance: &Instance,
) -> BoxFuture<'_, Result<ReconciliationView, ReconcileError>> {
    Box::pin(async move { last(&mut instance.store().read().await?).await })
}

/// The same, in a transaction.
pub(crate) async fn last(tx: &mut Tx) -> Result<ReconciliationView, ReconcileError> {
    let kept = tx.reconciliation().await?;
    let result = kept.result.map(|body| serde_json::from_slice(&body)).transpose()?;
    Ok(ReconciliationView {
        ended_at: kept.ended_at,
        failed_at: kept.failed_at,
        is_under_way: kept.is_under_way,
        result,
    })
}
