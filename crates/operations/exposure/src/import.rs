use std::path::Path;

use directory::{Export, ExportError, limits::EXPORT_FAULTS_MAX, take_no_password};
use futures_util::future::BoxFuture;
use ledger::LogEvent;
use model::Account;

use instance::{Instance, InstanceFault, Progress, Step};

use crate::limits::ACCOUNTS_PER_IMPORT;

/// Fills the embedded directory from an export, in bounded memory. An account whose id is there
/// already is replaced; nothing is deleted. `no_password` are texts that stand for no password, besides
/// those that do so everywhere. A line at fault is left out.
///
/// # Errors
/// [`ImportError`] if the export cannot be read on, or hardly any line of it; the lines before may have been
/// written.
pub fn import_accounts<'a>(
    instance: &'a Instance,
    export: &'a Path,
    no_password: &'a [String],
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Result<AccountImport, ImportError>> {
    Box::pin(async move {
        progress.begin(Step::ReadAccounts, 0);
        let (mut import, mut batch) = (AccountImport::default(), Vec::new());
        let mut first = None;
        for account in Export::stream(export, instance.clock().now()) {
            let mut account = match account {
                Err(fault) if fault.is_of_row() && import.left_out.len() < EXPORT_FAULTS_MAX => {
                    import.left_out.push(fault.to_string());
                    first.get_or_insert(fault);
                    continue;
                }
                account => account?,
            };
            take_no_password(&mut account, no_password);
            batch.push(account);
            if batch.len() == ACCOUNTS_PER_IMPORT {
                import.accounts += write(instance, &batch, progress).await?;
                batch.clear();
            }
        }
        import.accounts += write(instance, &batch, progress).await?;
        progress.end();
        match first {
            Some(fault) if import.accounts == 0 => Err(fault.into()),
            _ => Ok(import),
        }
    })
}

/// What came of an import.
#[derive(Debug, Default)]
pub struct AccountImport {
    /// Accounts written.
    pub accounts: u64,
    /// What is wrong with the lines that were left out, each with its number.
    pub left_out: Vec<String>,
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
