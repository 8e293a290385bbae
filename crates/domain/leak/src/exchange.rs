//! The form in which the pieces of a file, and what became of their lines, go to another program
//! and come back: JSON that names its version.

use model::Unbalanced;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    screen::Screened,
    source::{Compression, FilePiece, pieces},
};

/// The version that this program writes and reads. Raise it whenever an older reader would
/// misunderstand what the newer program writes.
const VERSION: u32 = 1;

/// A file cut into pieces, for whoever screens them elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceList {
    length: u64,
    compression: Compression,
    pieces: Vec<FilePiece>,
}

impl PieceList {
    /// Cuts a file, as [`pieces`] does.
    #[must_use]
    pub fn of(length: u64, compression: Compression, piece_bytes: u64) -> Self {
        Self { length, compression, pieces: pieces(length, compression, piece_bytes) }
    }

    /// The pieces, in their order. Every byte of the file is in one of them.
    #[must_use]
    pub fn pieces(&self) -> &[FilePiece] {
        &self.pieces
    }

    /// Bytes of the file, compressed if it is.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The list as JSON.
    ///
    /// # Errors
    /// [`ExchangeError::Json`], which a list in memory never gives.
    pub fn to_json(&self) -> Result<String, ExchangeError> {
        write(self)
    }

    /// Reads what [`to_json`](Self::to_json) has written.
    ///
    /// # Errors
    /// [`ExchangeError`] if another version wrote it, or the pieces do not make up the file.
    pub fn from_json(json: &str) -> Result<Self, ExchangeError> {
        let list: Self = read(json)?;
        let mut end = 0;
        let adjoining = list.pieces.iter().all(|piece| {
            let range = piece.range();
            std::mem::replace(&mut end, range.end) == range.start && range.start <= range.end
        });
        if !adjoining || end != list.length || list.pieces.is_empty() {
            return Err(ExchangeError::Pieces { length: list.length });
        }
        Ok(list)
    }
}

/// A piece and what became of its lines, from whoever has screened it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenedPiece {
    piece: FilePiece,
    screened: Screened,
}

impl ScreenedPiece {
    /// What screening has counted for a piece.
    #[must_use]
    pub const fn new(piece: FilePiece, screened: Screened) -> Self {
        Self { piece, screened }
    }

    /// Which piece.
    #[must_use]
    pub const fn piece(&self) -> &FilePiece {
        &self.piece
    }

    /// Its counts. They balance.
    #[must_use]
    pub const fn screened(&self) -> &Screened {
        &self.screened
    }

    /// Piece and counts as JSON.
    ///
    /// # Errors
    /// [`ExchangeError::Json`], which counts in memory never give.
    pub fn to_json(&self) -> Result<String, ExchangeError> {
        write(self)
    }

    /// Reads what [`to_json`](Self::to_json) has written.
    ///
    /// # Errors
    /// [`ExchangeError`] if another version wrote it, or a line is unaccounted for.
    pub fn from_json(json: &str) -> Result<Self, ExchangeError> {
        let read: Self = read(json)?;
        read.screened.tally.clone().balanced()?;
        Ok(read)
    }
}

/// Why a form cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// It is no JSON, or not of this form.
    #[error("it cannot be read as pieces of a leak: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version of the program wrote it.
    #[error(
        "it has version {found}, and this program reads version {VERSION}: run one version everywhere"
    )]
    Version {
        /// The version that it names.
        found: u32,
    },
    /// Bytes of the file are in no piece, or in two.
    #[error("its pieces do not make up a file of {length} bytes")]
    Pieces {
        /// The file's length, as the list names it.
        length: u64,
    },
    /// Lines went missing.
    #[error(transparent)]
    Unbalanced(#[from] Unbalanced),
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: u32,
    content: T,
}

/// What every version of the form has.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

fn write<T: Serialize>(content: &T) -> Result<String, ExchangeError> {
    Ok(serde_json::to_string(&Envelope { version: VERSION, content })?)
}

/// The version is read first, since only that tells what the rest means.
fn read<T: DeserializeOwned>(json: &str) -> Result<T, ExchangeError> {
    let AnyVersion { version: found } = serde_json::from_str(json)?;
    if found != VERSION {
        return Err(ExchangeError::Version { found });
    }
    Ok(serde_json::from_str::<Envelope<T>>(json)?.content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountIndex, screen_reader};

    #[test]
    fn pieces_come_back_as_they_went() {
        let list = PieceList::of(10, Compression::Plain, 4);
        let json = list.to_json().unwrap();
        assert_eq!(
            json,
            "{\"version\":1,\"content\":{\"length\":10,\"compression\":\"plain\",\"pieces\":\
             [{\"start\":0,\"end\":4},{\"start\":4,\"end\":8},{\"start\":8,\"end\":10}]}}"
        );
        assert_eq!(PieceList::from_json(&json).unwrap(), list);
        let empty = PieceList::of(0, Compression::Gzip, 4);
        assert_eq!(PieceList::from_json(&empty.to_json().unwrap()).unwrap(), empty);
    }

    #[test]
    fn pieces_that_leave_bytes_out_or_share_them_are_refused() {
        let json = PieceList::of(10, Compression::Plain, 4).to_json().unwrap();
        for (part, other) in [("\"start\":4", "\"start\":5"), ("\"end\":8", "\"end\":9")] {
            let refused = PieceList::from_json(&json.replace(part, other)).unwrap_err();
            assert!(matches!(refused, ExchangeError::Pieces { length: 10 }), "{refused}");
        }
        let refused = PieceList::from_json(&json.replace("\"length\":10", "\"length\":11"));
        assert!(matches!(refused, Err(ExchangeError::Pieces { .. })));
    }

    #[test]
    fn counts_come_back_as_they_went_and_must_balance() {
        let index = AccountIndex::default();
        let screening = screen_reader(&b"a:b\nc\n\n"[..], &index);
        let screened = screening.unwrap().finish().unwrap();
        let piece = ScreenedPiece::new(FilePiece::new(0..7), screened);
        let json = piece.to_json().unwrap();
        assert_eq!(ScreenedPiece::from_json(&json).unwrap(), piece);
        let refused = ScreenedPiece::from_json(&json.replace("\"lines\":3", "\"lines\":4"));
        assert!(matches!(refused, Err(ExchangeError::Unbalanced(_))));
    }

    #[test]
    fn another_version_is_refused_whatever_it_holds() {
        let refused = PieceList::from_json("{\"version\":2,\"shards\":[]}").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "it has version 2, and this program reads version 1: run one version everywhere"
        );
    }
}
