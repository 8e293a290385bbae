use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use directory::{Directory, ReadError};
use leak::{AccountIndex, Candidate, Piece, ScreenError, Screened, Source, SourceError};
use ledger::Event;
use model::{AccountId, FileId, LeakId, LeakName, Randomness, Unbalanced};
use store::{
    JobKind, Leak, LeakFile, LeakState, Lease, NewCandidate, NewPiece, RejectSample, Store,
    StoreError, Work,
};
use tokio::{
    runtime::Handle,
    task::{JoinError, spawn_blocking},
};

use instance::{DataKey, DecryptError, Instance, LogError, Progress, Step, passing_on};

use crate::{
    LeakError, LeakReport,
    accounts::index_accounts,
    leaks::{SPOOL, find, modified_at, show_leak},
    limits::CANDIDATES_PER_WRITE,
    spool,
    work::{LostLease, cores, work_off},
};

/// Looks for the site's accounts in a leak. What it finds is kept, encrypted, until it is
/// verified; every line is accounted for.
///
/// It can be stopped at any moment, in any way, and called again: the counts will be the same.
///
/// # Errors
/// [`ScreenLeakError`] if the leak or the accounts cannot be read, or lines are unaccounted for.
pub async fn screen_leak(
    site: &Instance,
    name: &LeakName,
    directory: &dyn Directory,
    progress: Arc<dyn Progress>,
) -> Result<LeakReport, ScreenLeakError> {
    let leak = find(&mut site.store().read().await?, name).await?;
    if leak.state == LeakState::Added {
        begin(site, &leak).await?;
    }
    if matches!(leak.state, LeakState::Added | LeakState::Screening) {
        let id = leak.id;
        let screening = Arc::new(Screening::new(site, leak, directory, &progress).await?);
        let job = |lease| screen_piece(Arc::clone(&screening), lease);
        work_off(site, JobKind::Screen, id, cores(), progress.as_ref(), job).await?;
        progress.end();
        finish(site, id).await?;
    }
    Ok(show_leak(site, name).await?)
}

/// Cuts the files into pieces. Another worker may have done so just before.
async fn begin(site: &Instance, leak: &Leak) -> Result<(), ScreenLeakError> {
    let mut tx = site.store().begin().await?;
    let mut pieces = Vec::new();
    for file in tx.leak_files(leak.id).await? {
        pieces.extend(pieces_of(&file, site.options().piece_bytes)?);
    }
    match tx.advance_leak(leak.id, LeakState::Added, LeakState::Screening).await {
        Err(StoreError::LeakMoved { .. }) => return Ok(()),
        advanced => advanced?,
    }
    tx.add_pieces(leak.id, &pieces).await?;
    Ok(tx.commit().await?)
}

fn pieces_of(file: &LeakFile, piece_bytes: u64) -> Result<Vec<NewPiece>, ScreenLeakError> {
    let pieces = if file.kept.is_some() {
        vec![Piece::new(0..file.bytes)]
    } else {
        require_unchanged(file)?;
        Source::open(Path::new(&file.path))?.pieces(piece_bytes)
    };
    let new = |piece: &Piece| NewPiece {
        file: file.id,
        start: piece.range().start,
        end: piece.range().end,
    };
    Ok(pieces.iter().map(new).collect())
}

/// A file that was written to since it was fingerprinted is another file.
fn require_unchanged(file: &LeakFile) -> Result<(), ScreenLeakError> {
    let path = PathBuf::from(&file.path);
    let found =
        File::open(&path).and_then(|open| Ok((open.metadata()?.len(), modified_at(&open)?)));
    match found {
        Ok(found) if found == (file.bytes, file.modified_at) => Ok(()),
        Ok((found, _)) => Err(ScreenLeakError::Changed { path, added: file.bytes, found }),
        Err(source) => Err(ScreenLeakError::Open { path, source }),
    }
}

/// When all pieces are done: numbers the lines, and holds the sums against each other.
async fn finish(site: &Instance, leak: LeakId) -> Result<(), ScreenLeakError> {
    let mut tx = site.store().begin().await?;
    match tx.advance_leak(leak, LeakState::Screening, LeakState::Screened).await {
        Err(StoreError::LeakMoved { .. }) => return Ok(()),
        advanced => advanced?,
    }
    tx.number_lines(leak).await?;
    let summary = tx.summary(leak).await?;
    let (tally, candidates) = (summary.tally.balanced()?, summary.candidates);
    site.record(&mut tx, &[Event::LeakScreened { leak, tally, candidates }]).await?;
    Ok(tx.commit().await?)
}

/// What every piece of a leak needs.
struct Screening {
    store: Store,
    leak: LeakId,
    files: HashMap<FileId, LeakFile>,
    key: DataKey,
    index: AccountIndex,
    lease: std::time::Duration,
    randomness: Arc<dyn Randomness>,
    progress: Arc<dyn Progress>,
}

impl Screening {
    async fn new(
        site: &Instance,
        leak: Leak,
        directory: &dyn Directory,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, ScreenLeakError> {
        let wrapped = leak.spool_key.ok_or(ScreenLeakError::NoKey)?;
        let files = site.store().read().await?.leak_files(leak.id).await?;
        let index = index_accounts(directory, progress.as_ref()).await?.index;
        progress.begin(Step::Screen, files.iter().map(|file| file.bytes).sum());
        Ok(Self {
            store: site.store().clone(),
            leak: leak.id,
            files: files.into_iter().map(|file| (file.id, file)).collect(),
            key: site.keys().data_key(SPOOL, &wrapped)?,
            index,
            lease: site.options().lease,
            randomness: site.shared_randomness(),
            progress: Arc::clone(progress),
        })
    }

    /// Reads one piece, writing candidates down as they come, so that memory stays bounded.
    fn read(&self, lease: &Lease, piece: store::Piece) -> Result<Read, ScreenLeakError> {
        let mut writer = Writer { screening: self, lease, rows: Vec::new(), failed: None };
        let tell = passing_on(&*self.progress);
        let screened = self.screen(piece, &tell, &mut |candidate| writer.take(&candidate))?;
        match writer.failed {
            Some(failed) => Err(failed.into()),
            None => Ok(Read { screened, rows: writer.rows }),
        }
    }

    fn screen(
        &self,
        piece: store::Piece,
        tell: &dyn Fn(u64),
        sink: &mut dyn FnMut(Candidate),
    ) -> Result<Screened, ScreenLeakError> {
        let file =
            self.files.get(&piece.file).ok_or(ScreenLeakError::NoFile { file: piece.file })?;
        if let Some(kept) = &file.kept {
            let reader = spool::open(Path::new(kept), self.key.clone());
            let reader =
                reader.map_err(|source| ScreenLeakError::Open { path: kept.into(), source })?;
            return Ok(leak::screen_reader(reader, &self.index, tell, sink)?);
        }
        let range = Piece::new(piece.start..piece.end);
        require_unchanged(file)?;
        let screened = leak::screen_file(Path::new(&file.path), &range, &self.index, tell, sink)?;
        require_unchanged(file)?;
        Ok(screened)
    }

    fn seal(&self, candidate: &Candidate) -> NewCandidate {
        let context = candidate_context(self.leak, &candidate.account);
        let sealed =
            self.key.encrypt_secrets(&context, &candidate.secrets, self.randomness.as_ref());
        NewCandidate {
            account: candidate.account.clone(),
            tier: candidate.tier,
            line: candidate.line,
            offset: candidate.offset,
            length: candidate.length,
            sealed,
        }
    }

    /// Writes candidates before their piece is done. A piece that is read again writes the same.
    async fn write(&self, lease: &Lease, rows: Vec<NewCandidate>) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        if !tx.renew(lease, self.lease).await? {
            let Lease { job, attempt, owner, .. } = lease.clone();
            return Err(StoreError::LeaseLost { job, owner, attempt });
        }
        tx.add_candidates(self.leak, lease.job, rows).await?;
        tx.commit().await
    }
}

/// What a candidate's ciphertext is bound to.
pub(crate) fn candidate_context(leak: LeakId, account: &AccountId) -> String {
    format!("candidate of leak {leak} for account {account}")
}

/// A piece that has been read.
struct Read {
    screened: Screened,
    rows: Vec<NewCandidate>,
}

struct Writer<'a> {
    screening: &'a Screening,
    lease: &'a Lease,
    rows: Vec<NewCandidate>,
    failed: Option<StoreError>,
}

impl Writer<'_> {
    fn take(&mut self, candidate: &Candidate) {
        if self.failed.is_some() {
            return;
        }
        self.rows.push(self.screening.seal(candidate));
        if self.rows.len() == CANDIDATES_PER_WRITE {
            let rows = std::mem::take(&mut self.rows);
            let written = Handle::current().block_on(self.screening.write(self.lease, rows));
            self.failed = written.err();
        }
    }
}

async fn screen_piece(screening: Arc<Screening>, lease: Lease) -> Result<(), ScreenLeakError> {
    let Work::Screen(piece) = lease.work else {
        return Ok(());
    };
    let (reader, held) = (Arc::clone(&screening), lease.clone());
    let read = spawn_blocking(move || reader.read(&held, piece)).await??;

    let samples: Vec<_> = read.screened.rejects.iter().map(reject_sample).collect();
    let mut tx = screening.store.begin().await?;
    tx.finish(&lease).await?;
    tx.add_candidates(screening.leak, lease.job, read.rows).await?;
    tx.record_screened(lease.job, &read.screened.tally, read.screened.complete, &samples).await?;
    Ok(tx.commit().await?)
}

fn reject_sample(reject: &leak::RejectSample) -> RejectSample {
    let leak::RejectSample { reason, line, offset, length } = *reject;
    RejectSample { reason, line, offset, length }
}

/// Why a leak cannot be screened.
#[derive(Debug, thiserror::Error)]
pub enum ScreenLeakError {
    /// The leak is not there, or cannot be shown.
    #[error(transparent)]
    Leak(#[from] LeakError),
    /// A file has been written to since it was registered.
    #[error(
        "{} has changed since it was added: it had {added} bytes and has {found}; \
         add it again under another name",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its length when it was added.
        added: u64,
        /// Its length now.
        found: u64,
    },
    /// A file cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be recognised.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be read, or not every line is accounted for.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// The pieces together do not account for every line.
    #[error(transparent)]
    Unbalanced(#[from] Unbalanced),
    /// The accounts cannot be read.
    #[error(transparent)]
    Directory(#[from] ReadError),
    /// The leak's candidates have been destroyed.
    #[error("the key of the leak's candidates has been destroyed: add the leak again")]
    NoKey,
    /// The store names a file that it does not hold.
    #[error("the store holds no file {file}")]
    NoFile {
        /// Its key.
        file: FileId,
    },
    /// The leak's key cannot be read.
    #[error(transparent)]
    KeyRing(#[from] DecryptError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A thread of ours died.
    #[error("a worker thread died: {0}")]
    Thread(#[from] JoinError),
}

impl LostLease for ScreenLeakError {
    fn is_lost_lease(&self) -> bool {
        matches!(self, Self::Store(StoreError::LeaseLost { .. }))
    }
}
