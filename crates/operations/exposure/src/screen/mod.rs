//! Looks for the site's accounts in the files of a leak.
//!
//! A thread reads a piece and encrypts what it finds; a task of its own writes that down. Between
//! them is a channel of few places, so that memory stays bounded however much a piece holds.

mod error;
mod files;
mod read;
mod write;

use std::sync::Arc;

use directory::Directory;
use futures_util::future::BoxFuture;
use instance::{Instance, Progress, Step};
use ledger::LogEvent;
use model::{LeakId, LeakName, LeakState};
use store::{JobKind, Leak, Lease, StoreError, Work};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::{
    LeakReport, LeakWorkError,
    accounts::{Indexed, index_accounts},
    contexts::SPOOL,
    leaks::{find, show_leak},
    limits::PORTIONS_WAITING,
    work::{cores, work_off},
};

pub use error::ScreenLeakError;
use files::pieces_of;
use read::PieceReader;
use write::PieceWriter;

/// Looks for the site's accounts in a leak. What it finds is kept, encrypted, until it is
/// verified; every line is accounted for.
///
/// It can be stopped at any moment, in any way, and called again: the counts will be the same.
///
/// # Errors
/// [`ScreenLeakError`] if the leak or the accounts cannot be read, or lines are unaccounted for.
pub fn screen_leak<'a>(
    instance: &'a Instance,
    name: &'a LeakName,
    directory: &'a dyn Directory,
    progress: Arc<dyn Progress>,
) -> BoxFuture<'a, Result<LeakReport, ScreenLeakError>> {
    Box::pin(async move {
        let leak = find(instance, &mut instance.store().read().await?, name).await?;
        if leak.state == LeakState::Added {
            begin(instance, &leak).await?;
        }
        if matches!(leak.state, LeakState::Added | LeakState::Screening) {
            let id = leak.id;
            let reader = Arc::new(open(instance, leak, directory, &progress).await?);
            let job = |lease| screen_piece(instance, id, Arc::clone(&reader), lease);
            work_off(instance, JobKind::Screen, id, cores(), progress.as_ref(), job).await?;
            progress.end();
            finish(instance, id).await?;
        }
        Ok(show_leak(instance, name, None).await?)
    })
}

/// Cuts the files into pieces. Another worker may have done so just before.
async fn begin(instance: &Instance, leak: &Leak) -> Result<(), ScreenLeakError> {
    let mut tx = instance.store().begin().await?;
    let mut pieces = Vec::new();
    for file in instance.leak_files(&mut tx, leak).await? {
        pieces.extend(pieces_of(&file, instance.options().piece_bytes)?);
    }
    match tx.advance_leak(leak.id, LeakState::Added, LeakState::Screening).await {
        Err(StoreError::LeakMoved { .. }) => return Ok(()),
        advanced => advanced?,
    }
    tx.begin_looking(leak.id, instance.clock().now()).await?;
    tx.add_pieces(leak.id, &pieces).await?;
    Ok(tx.commit().await?)
}

/// What every piece of a leak needs: the files, their key, the index of all accounts.
async fn open(
    instance: &Instance,
    leak: Leak,
    directory: &dyn Directory,
    progress: &Arc<dyn Progress>,
) -> Result<PieceReader, ScreenLeakError> {
    let files = instance.leak_files(&mut instance.store().read().await?, &leak).await?;
    let wrapped = leak.spool_key.ok_or(LeakWorkError::NoKey)?;
    let Indexed { index, read } = index_accounts(directory, progress.as_ref()).await?;
    let mut tx = instance.store().begin().await?;
    tx.note_accounts(leak.id, read.into()).await?;
    tx.commit().await?;
    progress.begin(Step::Screen, files.iter().map(|file| file.bytes).sum());
    Ok(PieceReader {
        leak: leak.id,
        files: files.into_iter().map(|file| (file.id, file)).collect(),
        key: instance.keys().data_key(SPOOL, &wrapped)?,
        index,
        randomness: instance.shared_randomness(),
        progress: Arc::clone(progress),
    })
}

/// Reads a piece in a thread and writes down here what the thread finds.
async fn screen_piece(
    instance: &Instance,
    leak: LeakId,
    reader: Arc<PieceReader>,
    lease: Lease,
) -> Result<(), ScreenLeakError> {
    let Work::Screen(piece) = lease.work else {
        return Ok(());
    };
    let writer = PieceWriter { instance, leak, lease: &lease };
    let (sender, portions) = mpsc::channel(PORTIONS_WAITING);
    let reading = spawn_blocking(move || reader.read(piece, &sender));
    // If this fails, the channel is gone, and the thread ends soon.
    writer.write_all(portions).await?;
    match reading.await?? {
        Some(read) => Ok(writer.finish(read).await?),
        None => Ok(()),
    }
}

/// When all pieces are done: numbers the lines, and holds the sums against each other.
async fn finish(instance: &Instance, leak: LeakId) -> Result<(), ScreenLeakError> {
    let mut tx = instance.store().begin().await?;
    match tx.advance_leak(leak, LeakState::Screening, LeakState::Screened).await {
        Err(StoreError::LeakMoved { .. }) => return Ok(()),
        advanced => advanced?,
    }
    tx.number_lines(leak).await?;
    let summary = tx.summary(leak).await?;
    let (tally, candidates) = (summary.tally.balanced()?, summary.candidates);
    let looked_at = tx.looked_at(leak).await?;
    let screened = LogEvent::LeakScreened { leak, tally, candidates, looked_at };
    instance.record(&mut tx, &[screened]).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests;
