//! Screens all files of all leaks on all cores; what it finds stays in memory.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use instance::{Progress, Step};
use leak::{AccountIndex, FilePiece, Hit, LeakSource, PieceScreening, ScreenError, Screened};
use model::{AccountId, RecordRef, Tally};
use rayon::prelude::*;

use super::{error::AssessError, report::LocatedRecord};
use crate::{leaks::STANDARD_INPUT, limits::PIECE_BYTES, verify_accounts::LeakClaim};

/// One file, or standard input, of one of the leaks.
pub(super) enum Input {
    File { leak: usize, source: LeakSource },
    StandardInput { leak: usize, text: Box<dyn Read + Send> },
}

/// What a file says of our accounts.
pub(super) struct ScannedFile {
    pub(super) leak: usize,
    pub(super) path: String,
    pub(super) tally: Tally,
    pub(super) complete: bool,
    pub(super) claims: Vec<(AccountId, LeakClaim<LocatedRecord>)>,
}

/// Opens everything first, so that a misspelt name is told before hours of work.
pub(super) fn open(leaks: &[PathBuf]) -> Result<Vec<Input>, AssessError> {
    let mut inputs = Vec::new();
    for (leak, path) in leaks.iter().enumerate() {
        if path == Path::new(STANDARD_INPUT) {
            let text = Box::new(leak::open_standard_input(io::stdin())?);
            inputs.push(Input::StandardInput { leak, text });
            continue;
        }
        for file in leak::collect(std::slice::from_ref(path))? {
            inputs.push(Input::File { leak, source: LeakSource::open(&file)? });
        }
    }
    Ok(inputs)
}

/// Screens every input; the answer keeps their order.
pub(super) fn scan(
    inputs: Vec<Input>,
    index: &AccountIndex,
    progress: &dyn Progress,
) -> Result<Vec<ScannedFile>, ScreenError> {
    progress.begin(Step::Screen, inputs.iter().map(Input::length).sum());
    let scanned = inputs.into_par_iter().map(|input| input.scan(index, progress)).collect();
    progress.end();
    scanned
}

impl Input {
    fn length(&self) -> u64 {
        match self {
            Self::File { source, .. } => source.length(),
            Self::StandardInput { .. } => 0,
        }
    }

    fn scan(
        self,
        index: &AccountIndex,
        progress: &dyn Progress,
    ) -> Result<ScannedFile, ScreenError> {
        let (leak, path, pieces) = match self {
            Self::File { leak, source } => {
                let path = source.path().display().to_string();
                (leak, path, scan_file(&source, index, progress)?)
            }
            Self::StandardInput { leak, text } => {
                let screening = leak::screen_reader(text, index)?;
                let piece = ScannedPiece::read(screening, progress)?;
                (leak, STANDARD_INPUT.to_owned(), vec![piece])
            }
        };
        Ok(ScannedFile::join(leak, path, pieces))
    }
}

fn scan_file(
    source: &LeakSource,
    index: &AccountIndex,
    progress: &dyn Progress,
) -> Result<Vec<ScannedPiece>, ScreenError> {
    let scan = |piece: &FilePiece| {
        ScannedPiece::read(leak::screen_file(source.path(), piece, index)?, progress)
    };
    source.pieces(PIECE_BYTES).par_iter().map(scan).collect()
}

/// One piece of a file, its lines numbered from 1.
struct ScannedPiece {
    screened: Screened,
    hits: Vec<Hit>,
}

impl ScannedPiece {
    fn read(
        mut screening: PieceScreening<'_>,
        progress: &dyn Progress,
    ) -> Result<Self, ScreenError> {
        let mut hits = Vec::new();
        for batch in screening.by_ref() {
            let batch = batch?;
            hits.extend(batch.hits);
            progress.advance(batch.bytes_read);
        }
        Ok(Self { screened: screening.finish()?, hits })
    }
}

impl ScannedFile {
    fn join(leak: usize, path: String, pieces: Vec<ScannedPiece>) -> Self {
        let mut file =
            Self { leak, path, tally: Tally::default(), complete: true, claims: Vec::new() };
        for piece in pieces {
            let lines_before = file.tally.lines;
            file.claims.reserve(piece.hits.len());
            for hit in piece.hits {
                let claim = file.claim(hit, lines_before);
                file.claims.push(claim);
            }
            file.tally += &piece.screened.tally;
            file.complete &= piece.screened.complete;
        }
        file
    }

    fn claim(&self, hit: Hit, lines_before: u64) -> (AccountId, LeakClaim<LocatedRecord>) {
        let record = RecordRef {
            file: self.path.clone(),
            member: None,
            line: lines_before + hit.line,
            offset: hit.offset,
        };
        let record = LocatedRecord { leak: self.leak, record };
        (hit.account, LeakClaim { tier: hit.tier, record, secrets: hit.secrets })
    }
}
