use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::LogEvent;
use model::{LeakName, LeakState};

use super::{LeakError, find, remove_kept};

/// Takes a leak out that should not have been registered: with its candidates, its counts, and what it says
/// of accounts that could not be verified.
///
/// # Errors
/// [`LeakError::HasFindings`] if it exposes somebody, and [`LeakError::InUse`] if it is being worked on or a
/// campaign is about it.
pub fn remove_leak<'a>(
    instance: &'a Instance,
    name: &'a LeakName,
) -> BoxFuture<'a, Result<(), LeakError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        let leak = find(instance, &mut tx, name).await?;
        if matches!(leak.state, LeakState::Screening | LeakState::Verifying) {
            let why = "it is being worked on: let `leak screen` or `leak verify` end first";
            return Err(LeakError::InUse { name: name.clone(), why });
        }
        if tx.campaigns_of_leak(leak.id).await? > 0 {
            let why = "a campaign is about it";
            return Err(LeakError::InUse { name: name.clone(), why });
        }
        let findings = tx.summary(leak.id).await?.findings;
        if findings > 0 {
            return Err(LeakError::HasFindings { name: name.clone(), findings });
        }
        let files = instance.leak_files(&mut tx, &leak).await?;
        tx.remove_leak(leak.id).await?;
        let removed = LogEvent::LeakRemoved { leak: leak.id, name: leak.name };
        instance.record(&mut tx, &[removed]).await?;
        tx.commit().await?;
        remove_kept(files.iter().filter_map(|file| file.kept.as_deref()))
    })
}
