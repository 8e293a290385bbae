//! Screens all files of all leaks on all cores; what it finds stays in memory.

use std::{
    io,
    path::{Path, PathBuf},
};

use leak::{AccountIndex, Candidate, Piece, ScreenError, Screened, Source};
use model::{AccountId, RecordRef, Tally};
use rayon::prelude::*;

use super::{AssessError, report::Sighting};
use instance::{Progress, Step, passing_on};

use crate::{judge::Claim, leaks::STANDARD_INPUT, limits::PIECE_BYTES};

/// One file, or standard input, of one of the leaks.
pub(super) enum Input {
    File { leak: usize, source: Source },
    StandardInput { leak: usize },
}

/// What a file says of our accounts.
pub(super) struct ScannedFile {
    pub(super) leak: usize,
    pub(super) path: String,
    pub(super) tally: Tally,
    pub(super) complete: bool,
    pub(super) claims: Vec<(AccountId, Claim<Sighting>)>,
}

/// Opens everything first, so that a misspelt name is told before hours of work.
pub(super) fn open(leaks: &[PathBuf]) -> Result<Vec<Input>, AssessError> {
    let mut inputs = Vec::new();
    for (leak, path) in leaks.iter().enumerate() {
        if path == Path::new(STANDARD_INPUT) {
            inputs.push(Input::StandardInput { leak });
            continue;
        }
        for file in leak::collect(std::slice::from_ref(path))? {
            inputs.push(Input::File { leak, source: Source::open(&file)? });
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
            Self::StandardInput { leak } => {
                let piece = Scanned::read(progress, |told, sink| {
                    leak::screen_reader(io::stdin().lock(), index, told, sink)
                })?;
                (leak, STANDARD_INPUT.to_owned(), vec![piece])
            }
        };
        Ok(ScannedFile::join(leak, path, pieces))
    }
}

fn scan_file(
    source: &Source,
    index: &AccountIndex,
    progress: &dyn Progress,
) -> Result<Vec<Scanned>, ScreenError> {
    let scan = |piece: &Piece| {
        Scanned::read(progress, |told, sink| {
            leak::screen_file(source.path(), piece, index, told, sink)
        })
    };
    source.pieces(PIECE_BYTES).par_iter().map(scan).collect()
}

/// One piece of a file, its lines numbered from 1.
struct Scanned {
    screened: Screened,
    candidates: Vec<Candidate>,
}

impl Scanned {
    fn read(
        progress: &dyn Progress,
        screen: impl FnOnce(&dyn Fn(u64), &mut dyn FnMut(Candidate)) -> Result<Screened, ScreenError>,
    ) -> Result<Self, ScreenError> {
        let tell = passing_on(progress);
        let mut candidates = Vec::new();
        let screened = screen(&tell, &mut |candidate| candidates.push(candidate))?;
        Ok(Self { screened, candidates })
    }
}

impl ScannedFile {
    fn join(leak: usize, path: String, pieces: Vec<Scanned>) -> Self {
        let mut file =
            Self { leak, path, tally: Tally::default(), complete: true, claims: Vec::new() };
        for piece in pieces {
            let lines_before = file.tally.lines;
            file.claims.reserve(piece.candidates.len());
            for candidate in piece.candidates {
                let claim = file.claim(candidate, lines_before);
                file.claims.push(claim);
            }
            file.tally += &piece.screened.tally;
            file.complete &= piece.screened.complete;
        }
        file
    }

    fn claim(&self, candidate: Candidate, lines_before: u64) -> (AccountId, Claim<Sighting>) {
        let record = RecordRef {
            file: self.path.clone(),
            member: None,
            line: lines_before + candidate.line,
            offset: candidate.offset,
        };
        let record = Sighting { leak: self.leak, record };
        (candidate.account, Claim { tier: candidate.tier, record, secrets: candidate.secrets })
    }
}
