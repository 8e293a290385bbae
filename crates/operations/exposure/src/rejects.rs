//! Where lines stand that could not be read as records.

use std::collections::HashMap;

use futures_util::future::BoxFuture;
use instance::Instance;
use model::{LeakName, RejectReason};
use serde::Serialize;

use crate::{
    leaks::{LeakError, find},
    limits::REJECTS_SHOWN_MAX,
};

/// A rejected line: where it stands, and why. What it says is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedLine {
    /// The file as it was registered.
    pub file: String,
    /// Line number, from 1.
    pub line: u64,
    /// Bytes from the start of the (decompressed) file to its start.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Why it was rejected.
    pub reason: RejectReason,
}

/// Some rejected lines of a leak, in the order of its files; none before it is screened.
///
/// # Errors
/// [`LeakError::Unknown`] if there is none of that name.
pub fn rejected_lines<'a>(
    instance: &'a Instance,
    name: &'a LeakName,
) -> BoxFuture<'a, Result<Vec<RejectedLine>, LeakError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let leak = find(instance, &mut tx, name).await?.id;
        let files = tx.leak_files(leak).await?.into_iter();
        let files: HashMap<_, _> = files.map(|file| (file.id, file.path)).collect();
        let samples = tx.reject_samples(leak, REJECTS_SHOWN_MAX).await?.into_iter();
        let line = |sample: store::LocatedReject| RejectedLine {
            file: files.get(&sample.file).cloned().unwrap_or_default(),
            line: sample.line,
            offset: sample.offset,
            bytes: sample.length,
            reason: sample.reason,
        };
        Ok(samples.map(line).collect())
    })
}
