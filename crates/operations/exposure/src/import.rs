use std::path::Path;

use directory::{Export, ExportError, take_no_password};
use futures_util::future::BoxFuture;
use ledger::LogEvent;
use model::Account;

use instance::{Instance, InstanceFault, Progress, Step};

use crate::limits::ACCOUNTS_PER_IMPORT;

/// Fills the embedded directory from an export, in bounded memory. An account whose id is there
/// already is replaced; nothing is deleted. `no_password` are texts that stand for no password, besides
/// those that do so everywhere. Returns the number of accounts written.
///
/// # Errors
/// [`ImportError`] names the line that is wrong; the lines before it may have been written.
pub fn import_accounts<'a>(
    instance: &'a Instance,
    export: &'a Path,
    no_password: &'a [String],
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Result<u64, ImportError>> {
    Box::pin(async move {
        progress.begin(Step::ReadAccounts, 0);
        let (mut written, mut batch) = (0, Vec::with_capacity(ACCOUNTS_PER_IMPORT));
        for account in Export::stream(export, instance.clock().now()) {
            let mut account = account?;
            take_no_password(&mut account, no_password);
            batch.push(account);
            if batch.len() == ACCOUNTS_PER_IMPORT {
                written += write(instance, &batch, progress).await?;
                batch.clear();
            }
        }
        written += write(instance, &batch, progress).await?;
        progress.end();
        Ok(written)
    })
}

async fn write(
    instance: &Instance,
    batch: &[Account],
    progress: &dyn Progress,
) -> Result<u64, ImportError> {
    if batch.is_empty() {
        return Ok(0);
    }
    let mut tx = instance.store().begin().await?;
    let accounts = tx.import_accounts(batch).await?;
    instance.record(&mut tx, &[LogEvent::AccountsImported { accounts }]).await?;
    tx.commit().await?;
    progress.advance(accounts);
    Ok(accounts)
}

/// Why accounts could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The export cannot be read.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

instance::from_faults!(ImportError);
