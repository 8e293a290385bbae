use ledger::{
    Audit, AuditError, CheckpointError, CheckpointKey, Entry, Event, MissingHash, Tree, frontier,
    hash_position,
};
use model::Timestamp;
use serde::Serialize;
use store::{LogEntry, StoreError, Tx};

use crate::{Site, limits::LOG_ENTRIES_PER_READ};

/// Writes events into the audit log and signs its new head, in the caller's transaction: what is
/// done and what is logged cannot differ.
pub(crate) async fn append(
    tx: &mut Tx,
    key: &CheckpointKey,
    at: Timestamp,
    events: &[Event],
) -> Result<(), LogError> {
    let size = tx.log_size_for_append().await?;
    let mut tree = Tree::resume(size, tx.log_hashes(&frontier(size)).await?);
    let (mut bodies, mut hashes) = (Vec::new(), Vec::new());
    for event in events {
        let body = Entry::new(at, event).to_bytes()?;
        hashes.extend(tree.push(&body)?);
        bodies.push(body);
    }
    tx.append_log(size, at, &bodies, hash_position(size), &hashes).await?;
    let note = key.sign(tree.size(), tree.root()?)?;
    tx.add_checkpoint(tree.size(), at, &note).await?;
    Ok(())
}

impl Site {
    pub(crate) async fn record(&self, tx: &mut Tx, events: &[Event]) -> Result<(), LogError> {
        append(tx, &self.checkpoint_key(), self.clock.now(), events).await
    }
}

/// A log that agrees with itself.
#[derive(Debug, Serialize)]
pub struct LogReport {
    /// Entries in it.
    pub entries: u64,
    /// Signed checkpoints that were held against it.
    pub checkpoints: u64,
    /// The latest checkpoint, signed.
    pub checkpoint: String,
    /// Who can check it: a C2SP verifier key.
    pub verifier: String,
}

/// Computes the whole log again and holds it against every checkpoint, and against one that was
/// kept elsewhere.
///
/// # Errors
/// [`LogError::Audit`] says where the log contradicts itself.
pub async fn verify_log(site: &Site, kept: Option<&str>) -> Result<LogReport, LogError> {
    let verifier = site.checkpoint_key().verifier();
    let mut tx = site.store.read().await?;
    let mut notes = tx.checkpoints().await?;
    let latest = notes.last().map(|checkpoint| checkpoint.note.clone()).unwrap_or_default();
    let signed = notes.last().map_or(0, |checkpoint| checkpoint.size);
    if let Some(kept) = kept {
        notes.push(store::Checkpoint {
            size: verifier.read(kept)?.size,
            at: site.clock.now(),
            note: kept.to_owned(),
        });
        notes.sort_by_key(|checkpoint| checkpoint.size);
    }
    let mut notes = notes.into_iter().peekable();
    let mut audit = Audit::new(&verifier);
    loop {
        let entries = tx.log_entries(audit.size(), LOG_ENTRIES_PER_READ).await?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            let positions: Vec<_> =
                (hash_position(entry.position)..hash_position(entry.position + 1)).collect();
            audit.entry(&entry.body, &tx.log_hashes(&positions).await?)?;
            while let Some(checkpoint) = notes.next_if(|checkpoint| checkpoint.size == audit.size())
            {
                audit.checkpoint(&checkpoint.note)?;
            }
        }
    }
    if let Some(beyond) = notes.next() {
        return Err(AuditError::Unsigned { entries: audit.size(), signed: beyond.size }.into());
    }
    let audited = audit.finish(signed)?;
    Ok(LogReport {
        entries: audited.entries,
        checkpoints: audited.checkpoints,
        checkpoint: latest,
        verifier: verifier.to_string(),
    })
}

/// The latest signed checkpoint.
///
/// # Errors
/// [`LogError`] if the store fails.
pub async fn log_checkpoint(site: &Site) -> Result<Option<String>, LogError> {
    let latest = site.store.read().await?.latest_checkpoint().await?;
    Ok(latest.map(|checkpoint| checkpoint.note))
}

/// Some entries of the log, from one on.
///
/// # Errors
/// [`LogError`] if the store fails.
pub async fn log_entries(site: &Site, from: u64) -> Result<Vec<LogEntry>, LogError> {
    Ok(site.store.read().await?.log_entries(from, LOG_ENTRIES_PER_READ).await?)
}

/// What can be wrong with the audit log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It contradicts itself or a checkpoint.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A checkpoint cannot be signed or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its stored hashes are incomplete.
    #[error(transparent)]
    Missing(#[from] MissingHash),
    /// An event cannot be written down.
    #[error("an entry of the audit log cannot be written: {0}")]
    Entry(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
