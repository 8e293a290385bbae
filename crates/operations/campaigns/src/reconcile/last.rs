use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::Reconciled;
use model::Timestamp;
use serde::Serialize;

use crate::ReconcileError;

/// When the site's table was last compared with what is kept, and what was found, as the audit log says.
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
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let last = instance.proved(&mut tx).await?.last_reconciled().cloned();
        let (ended_at, result) = last.unzip();
        let kept = tx.reconciliation().await?;
        let (failed_at, is_under_way) = (kept.failed_at, kept.is_under_way);
        Ok(ReconciliationView { ended_at, failed_at, is_under_way, result })
    })
}
