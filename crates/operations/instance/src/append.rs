use ledger::{
    AuditError, CheckpointError, CheckpointKey, CheckpointVerifier, Entry, FoldRefusal, Hash,
    LogEvent, MissingHash, SnapshotError, Tree, frontier, hash_position,
};
use model::Timestamp;
use store::{GrowthUndone, NewLogEntry, StoreError, Tx};
use tracing::Level;

/// Writes events into the audit log and signs its new head, in the caller's transaction: what is
/// done and what is logged cannot differ.
pub(crate) async fn append(
    tx: &mut Tx,
    key: &CheckpointKey,
    at: Timestamp,
    events: &[LogEvent],
) -> Result<(), LogError> {
    append_signed(tx, key, at, events, |size, root| key.sign(size, root)).await?;
    Ok(())
}

/// The same with the last entry that a key signs, and that the next one signs as well. Returns how many
/// entries there are now.
pub(crate) async fn append_last(
    tx: &mut Tx,
    (last, next): (&CheckpointKey, &CheckpointKey),
    at: Timestamp,
    event: LogEvent,
) -> Result<u64, LogError> {
    append_signed(tx, last, at, &[event], |size, root| last.sign_last(next, size, root)).await
}

/// Whoever has written other entries, or their hashes, has no key to sign them by: what this key has not
/// signed before, it does not sign with something behind it either.
async fn append_signed(
    tx: &mut Tx,
    key: &CheckpointKey,
    at: Timestamp,
    events: &[LogEvent],
    sign: impl FnOnce(u64, Hash) -> Result<String, CheckpointError>,
) -> Result<u64, LogError> {
    tx.log_growths().check_known()?;
    follow(events);
    let size = tx.log_size_for_append().await?;
    let mut tree = Tree::resume(size, tx.log_hashes(&frontier(size)).await?);
    if size > 0 {
        check_signed(tx, &key.verifier(), size, tree.root()?).await?;
    }
    let (mut entries, mut hashes) = (Vec::new(), Vec::new());
    for event in events {
        let body = Entry::new(at, event).to_bytes()?;
        hashes.extend(tree.push(&body)?);
        entries.push(NewLogEntry { campaign: event.campaign(), body });
    }
    tx.append_log(size, at, &entries, hash_position(size), &hashes).await?;
    let (size, root) = (tree.size(), tree.root()?);
    tx.add_checkpoint(size, root, at, &sign(size, root)?).await?;
    Ok(size)
}

/// Passes a log of which somebody has signed this root over so many entries.
pub(crate) async fn check_signed(
    tx: &mut Tx,
    verifier: &CheckpointVerifier,
    size: u64,
    root: Hash,
) -> Result<(), LogError> {
    let Some(checkpoint) = tx.checkpoint_of(size).await? else {
        let signed = tx.latest_checkpoint().await?.map_or(0, |latest| latest.size);
        return Err(AuditError::Unsigned { entries: size, signed }.into());
    };
    let signed = verifier.read(&checkpoint.note)?;
    if (signed.size, signed.root) == (size, root) {
        return Ok(());
    }
    Err(AuditError::Contradicted { signed: Box::new(signed), size }.into())
}

/// Tells whoever wants a detailed log what is being done. Names alone: what an entry says of accounts
/// belongs into the audit log, and nowhere else.
fn follow(events: &[LogEvent]) {
    if tracing::enabled!(Level::DEBUG) {
        for entry in events.iter().filter_map(|event| serde_json::to_value(event).ok()) {
            tracing::debug!(event = entry["event"].as_str(), "recording");
        }
    }
}

/// The root over the first `size` entries, of a log that has as many.
pub(crate) async fn root_at(tx: &mut Tx, size: u64) -> Result<Hash, LogError> {
    Ok(Tree::resume(size, tx.log_hashes(&frontier(size)).await?).root()?)
}

/// What can be wrong with the audit log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// What the store says of itself is not what the log says.
    #[error(transparent)]
    Row(FoldRefusal),
    /// An entry would be missing among its campaign's, or stand among another's.
    #[error("entry {position} of the log is about another campaign than it is filed under")]
    Misfiled {
        /// Which entry.
        position: u64,
    },
    /// It contradicts itself or a checkpoint.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A checkpoint cannot be signed or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its stored hashes are incomplete.
    #[error(transparent)]
    Missing(#[from] MissingHash),
    /// It is all there; a transaction that began earlier does not see all of it.
    #[error("something was recorded while this was looked up: try again")]
    Overtaken,
    /// What this process has seen before is gone.
    #[error(
        "the audit log has {found} entries, and had {proved} before: the store was put back to what \
         it once was. `countersign sending status` tells what to do"
    )]
    Shorter {
        /// Entries present.
        found: u64,
        /// Entries that were proved before.
        proved: u64,
    },
    /// Something in the database takes back what is written to it.
    #[error(transparent)]
    Undone(#[from] GrowthUndone),
    /// This version does not know what an entry says.
    #[error("entry {position} of the audit log cannot be read: {source}")]
    Unreadable {
        /// Which entry.
        position: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// What the log says cannot be kept.
    #[error("what the audit log says cannot be kept: {0}")]
    Snapshot(#[from] SnapshotError),
    /// An event cannot be written down.
    #[error("an entry of the audit log cannot be written: {0}")]
    Entry(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LogError {
    /// Whether what is kept is not what only Countersign can have written.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Store(error) => error.is_of_strangers(),
            Self::Overtaken => false,
            _ => true,
        }
    }
}
