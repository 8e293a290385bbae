use std::{
    fs::File,
    path::{Path, PathBuf},
};

use leak::{FilePiece, LeakSource};
use store::{LeakFile, NewPiece};

use super::error::ScreenLeakError;
use crate::leaks::modified_at;

/// The pieces in which to screen a file. The encrypted copy of standard input is one.
pub(super) fn pieces_of(
    file: &LeakFile,
    piece_bytes: u64,
) -> Result<Vec<NewPiece>, ScreenLeakError> {
    let pieces = if file.kept.is_some() {
        vec![FilePiece::new(0..file.bytes)]
    } else {
        require_unchanged(file)?;
        LeakSource::open(Path::new(&file.path))?.pieces(piece_bytes)
    };
    let new = |piece: &FilePiece| NewPiece {
        file: file.id,
        start: piece.range().start,
        end: piece.range().end,
    };
    Ok(pieces.iter().map(new).collect())
}

/// A file that was written to since it was fingerprinted is another file.
pub(super) fn require_unchanged(file: &LeakFile) -> Result<(), ScreenLeakError> {
    let path = PathBuf::from(&file.path);
    let found =
        File::open(&path).and_then(|open| Ok((open.metadata()?.len(), modified_at(&open)?)));
    match found {
        Ok(found) if found == (file.bytes, file.modified_at) => Ok(()),
        Ok((found, _)) => Err(ScreenLeakError::Changed { path, added: file.bytes, found }),
        Err(source) => Err(ScreenLeakError::Open { path, source }),
    }
}
