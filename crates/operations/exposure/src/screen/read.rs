use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use instance::{DataKey, Progress};
use leak::{AccountIndex, FilePiece, Hit, PieceScreening, Screened};
use model::{FileId, LeakId, Randomness};
use store::{LeakFile, NewCandidate, Piece};
use tokio::sync::mpsc::Sender;

use super::{error::ScreenLeakError, files::require_unchanged};
use crate::{contexts::candidate_context, limits::CANDIDATES_PER_WRITE, spool};

/// Reads pieces of one leak and encrypts what they say of our accounts. It writes nothing.
pub(super) struct PieceReader {
    pub(super) leak: LeakId,
    pub(super) files: HashMap<FileId, LeakFile>,
    pub(super) key: DataKey,
    pub(super) index: AccountIndex,
    pub(super) randomness: Arc<dyn Randomness>,
    pub(super) progress: Arc<dyn Progress>,
}

/// A piece that has been read to its end.
pub(super) struct ReadPiece {
    /// What became of its lines.
    pub(super) screened: Screened,
    /// The candidates that no portion has held.
    pub(super) rest: Vec<NewCandidate>,
}

impl PieceReader {
    /// Reads one piece, passing its candidates on in portions but for the last few. `None` once
    /// nobody takes the portions any longer.
    ///
    /// It blocks: on the file, and on a channel that is full.
    pub(super) fn read(
        &self,
        piece: Piece,
        portions: &Sender<Vec<NewCandidate>>,
    ) -> Result<Option<ReadPiece>, ScreenLeakError> {
        let file =
            self.files.get(&piece.file).ok_or(ScreenLeakError::NoFile { file: piece.file })?;
        let mut screening = self.open(file, &piece)?;
        let mut rows = Vec::new();
        for batch in screening.by_ref() {
            let batch = batch?;
            rows.extend(batch.hits.iter().map(|hit| self.encrypt(hit)));
            let passed_on = rows.len() < CANDIDATES_PER_WRITE
                || portions.blocking_send(std::mem::take(&mut rows)).is_ok();
            if !passed_on || portions.is_closed() {
                return Ok(None);
            }
            self.progress.advance(batch.bytes_read);
        }
        let screened = screening.finish()?;
        if file.kept.is_none() {
            require_unchanged(file)?;
        }
        Ok(Some(ReadPiece { screened, rest: rows }))
    }

    fn open(&self, file: &LeakFile, piece: &Piece) -> Result<PieceScreening<'_>, ScreenLeakError> {
        if let Some(kept) = &file.kept {
            let path = PathBuf::from(kept);
            let copy = spool::open(&path, self.key.clone());
            let copy = copy.map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => ScreenLeakError::NoCopy { path },
                _ => ScreenLeakError::Open { path, source },
            })?;
            return Ok(leak::screen_reader(copy, &self.index)?);
        }
        require_unchanged(file)?;
        let range = FilePiece::new(piece.start..piece.end);
        Ok(leak::screen_file(Path::new(&file.path), &range, &self.index)?)
    }

    fn encrypt(&self, hit: &Hit) -> NewCandidate {
        let context = candidate_context(self.leak, &hit.account);
        let sealed = self.key.encrypt_secrets(&context, &hit.secrets, self.randomness.as_ref());
        NewCandidate {
            account: hit.account.clone(),
            tier: hit.tier,
            line: hit.line,
            offset: hit.offset,
            length: hit.length,
            sealed,
        }
    }
}
