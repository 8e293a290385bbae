use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use ledger::{Checkpoint, Tree, frontier};
use store::{CheckpointRow, Tx};

use crate::{Instance, InstanceFault, limits::CHECKPOINTS_PER_ROUND};

/// How far a look at all checkpoints has come. Behind the last one it begins anew.
#[derive(Debug, Default)]
pub struct CheckpointWatch {
    after: u64,
}

/// A checkpoint that nobody of ours has signed, or that signs another log.
#[derive(Debug, thiserror::Error)]
#[error(
    "the checkpoint of {0} entries is not one that was signed for this audit log: somebody else has written \
     to the store; `countersign log verify` says more. Find out who, and put the row back from a backup"
)]
pub struct ForgedCheckpoint(u64);

/// Looks at the checkpoints whose turn it is.
///
/// # Errors
/// [`InstanceFault`] if the store fails, or a hash of the log is gone.
pub fn watch_checkpoints<'a>(
    instance: &'a Instance,
    watch: &'a mut CheckpointWatch,
) -> BoxFuture<'a, Result<Vec<ForgedCheckpoint>, InstanceFault>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let end = tx.log_size().await?;
        let rows = tx.checkpoints_after(watch.after, CHECKPOINTS_PER_ROUND).await?;
        watch.after = rows.last().map_or(0, |last| last.size);
        // One beyond the log's end is told of by itself.
        let rows: Vec<_> = rows.into_iter().filter(|row| row.size <= end).collect();
        let forged = forged(instance, &mut tx, &rows).await?;
        if !forged.is_empty() {
            // What a newer key has signed is no forgery.
            tx.check_key().await?;
        }
        Ok(forged)
    })
}

/// Looks at all checkpoints.
///
/// # Errors
/// As [`watch_checkpoints`].
pub fn check_checkpoints(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<ForgedCheckpoint>, InstanceFault>> {
    Box::pin(async move {
        let (mut watch, mut forged) = (CheckpointWatch::default(), Vec::new());
        loop {
            forged.extend(watch_checkpoints(instance, &mut watch).await?);
            if watch.after == 0 {
                return Ok(forged);
            }
        }
    })
}

/// Neighbours share most hashes, so that these are read once for all.
async fn forged(
    instance: &Instance,
    tx: &mut Tx,
    rows: &[CheckpointRow],
) -> Result<Vec<ForgedCheckpoint>, InstanceFault> {
    let positions: BTreeSet<_> = rows.iter().flat_map(|row| frontier(row.size)).collect();
    let positions: Vec<_> = positions.into_iter().collect();
    let hashes = tx.log_hashes(&positions).await?;
    let hashes: BTreeMap<_, _> = positions.into_iter().zip(hashes).collect();
    let verifiers = instance.checkpoint_verifiers();
    let is_ours = |row: &&CheckpointRow| {
        let edge = frontier(row.size).iter().filter_map(|at| hashes.get(at).copied()).collect();
        let root = Tree::resume(row.size, edge).root();
        let read = verifiers.read(&row.note);
        matches!((read, root), (Ok(Checkpoint { size, root: signed, .. }), Ok(root))
            if (size, signed) == (row.size, root))
    };
    let forged = rows.iter().filter(|row| !is_ours(row));
    Ok(forged.map(|row| ForgedCheckpoint(row.size)).collect())
}
