use std::{
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use model::{RejectSample, Tally, Unbalanced};
use serde::{Deserialize, Serialize};

use crate::{
    hit::Hit,
    index::IdentifierIndex,
    limits::{BATCH_BYTES, HITS_PER_BATCH},
    lines::{Bounds, LineReader},
    sieve::Sieve,
    source::{BytesRead, FilePiece, Metered, SourceError, SourceKind, open_file, rejoined},
};

/// Begins to screen one piece of a file.
///
/// The pieces of a file together give what the file as one piece gives, except that lines are
/// counted anew in each.
///
/// # Errors
/// [`ScreenError`] names the file.
pub fn screen_file<'a>(
    path: &Path,
    piece: &FilePiece,
    index: &'a dyn IdentifierIndex,
) -> Result<PieceScreening<'a>, ScreenError> {
    let file = open_file(path)?;
    let input = format!("{:?}", path.to_string_lossy());
    match screen_range(file, piece, Bounds::STANDARD, index) {
        Ok(screening) => Ok(PieceScreening { input, ..screening }),
        Err(fault) => Err(fault.of(&input)),
    }
}

/// As [`screen_file`], for what is no file but can be read like one.
///
/// # Errors
/// [`ScreenError`], which speaks of "the input".
pub fn screen_piece<'a>(
    input: impl Read + Seek + 'a,
    piece: &FilePiece,
    index: &'a dyn IdentifierIndex,
) -> Result<PieceScreening<'a>, ScreenError> {
    screen_range(input, piece, Bounds::STANDARD, index).map_err(|fault| fault.of(INPUT))
}

/// Begins to screen a stream from its first byte to its last: standard input, or a decrypted copy.
///
/// Compression and UTF-16 are recognised as in a file.
///
/// # Errors
/// [`ScreenError`], which speaks of "the input".
pub fn screen_reader<'a>(
    reader: impl Read + 'a,
    index: &'a dyn IdentifierIndex,
) -> Result<PieceScreening<'a>, ScreenError> {
    screen_stream(reader, Bounds::STANDARD, index).map_err(|fault| fault.of(INPUT))
}

const INPUT: &str = "the input";

/// A piece on its way through screening: an iterator over its hits, in the order of the lines, in
/// batches of bounded size. What became of all lines is known at the [end](Self::finish).
///
/// A batch may be without hits: it then tells how far the reading has come.
pub struct PieceScreening<'a> {
    input: String,
    lines: LineReader<'a>,
    sieve: Sieve<'a>,
    bytes_read: BytesRead,
    bytes_told: u64,
    /// Of the piece, where that is known.
    length: Option<u64>,
    ended: bool,
}

/// Some hits of a piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HitBatch {
    /// Those found since the batch before.
    pub hits: Vec<Hit>,
    /// Bytes of the input, compressed if it is, read since the batch before. Over all batches of a
    /// piece they add up to its length.
    pub bytes_read: u64,
}

/// What became of the lines of one piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screened {
    /// Every line, counted. It balances.
    pub tally: Tally,
    /// Where the first rejected lines of each reason stand.
    pub rejects: Vec<RejectSample>,
    /// Whether the input was read to its end. If not, a compressed file is truncated, corrupt or
    /// asks for too much memory: what follows its last readable line counts as one line, rejected
    /// as `truncated_member`, and nobody knows how many there are.
    pub complete: bool,
}

impl Iterator for PieceScreening<'_> {
    type Item = Result<HitBatch, ScreenError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.next_batch();
        Some(batch.map_err(|error| UnnamedFault::Read(error).of(&self.input)))
    }
}

impl<'a> PieceScreening<'a> {
    /// The counts of the whole piece. Hits that nobody has taken yet are lost.
    ///
    /// # Errors
    /// [`ScreenError`] if the rest of the piece cannot be read, or a line is unaccounted for.
    pub fn finish(mut self) -> Result<Screened, ScreenError> {
        for rest in self.by_ref() {
            rest?;
        }
        let (tally, rejects, complete) = self.sieve.into_counts();
        let tally =
            tally.balanced().map_err(|sums| UnnamedFault::Unbalanced(sums).of(&self.input))?;
        Ok(Screened { tally, rejects, complete })
    }

    fn new(lines: LineReader<'a>, index: &'a dyn IdentifierIndex, bytes_read: BytesRead) -> Self {
        Self {
            input: INPUT.to_owned(),
            lines,
            sieve: Sieve::new(index),
            bytes_read,
            bytes_told: 0,
            length: None,
            ended: false,
        }
    }

    fn next_batch(&mut self) -> io::Result<HitBatch> {
        let full_at = self.bytes_read.get().saturating_add(BATCH_BYTES);
        while self.sieve.hit_count() < HITS_PER_BATCH && self.bytes_read.get() < full_at {
            self.sieve.pass_over_strangers(&mut self.lines);
            let Some(line) = self.lines.next()? else {
                self.ended = true;
                break;
            };
            self.sieve.take(line);
        }
        Ok(HitBatch { hits: self.sieve.take_hits(), bytes_read: self.newly_read() })
    }

    /// Bytes read that no batch has told of. The last line of a piece is read beyond its end, and
    /// a piece of a file that cannot be cut may need no reading at all.
    fn newly_read(&mut self) -> u64 {
        let read = match self.length {
            Some(length) if self.ended => length,
            Some(length) => self.bytes_read.get().min(length),
            None => self.bytes_read.get(),
        };
        let before = std::mem::replace(&mut self.bytes_told, read);
        read.saturating_sub(before)
    }
}

/// Why a piece could not be screened.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// It could not be opened.
    #[error(transparent)]
    Open(#[from] SourceError),
    /// It failed on the way.
    #[error("cannot read on in {input}: check the disk or the connection, then screen it again")]
    Read {
        /// The file, or "the input".
        input: String,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody has changed the file since it was cut into pieces.
    #[error(
        "{input} has {length} bytes, but a piece of it ends at {piece_end}: \
         it has changed, so register it again"
    )]
    Shortened {
        /// The file, or "the input".
        input: String,
        /// Bytes that it has now.
        length: u64,
        /// Bytes that it must have had.
        piece_end: u64,
    },
    /// A fault of ours.
    #[error("the lines of {input} do not add up")]
    Unbalanced {
        /// The file, or "the input".
        input: String,
        /// Both sums.
        source: Unbalanced,
    },
}

/// A [`ScreenError`] of an input whose name is added later.
enum UnnamedFault {
    Read(io::Error),
    Shortened { length: u64, piece_end: u64 },
    Unbalanced(Unbalanced),
}

impl UnnamedFault {
    fn of(self, input: &str) -> ScreenError {
        let input = input.to_owned();
        match self {
            Self::Read(source) => ScreenError::Read { input, source },
            Self::Shortened { length, piece_end } => {
                ScreenError::Shortened { input, length, piece_end }
            }
            Self::Unbalanced(source) => ScreenError::Unbalanced { input, source },
        }
    }
}

impl From<io::Error> for UnnamedFault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn screen_range<'a>(
    mut file: impl Read + Seek + 'a,
    piece: &FilePiece,
    bounds: Bounds,
    index: &'a dyn IdentifierIndex,
) -> Result<PieceScreening<'a>, UnnamedFault> {
    check_length(&mut file, piece)?;
    let bytes_read = BytesRead::default();
    let lines = piece_lines(file, piece, bounds, &bytes_read)?;
    let screening = PieceScreening::new(lines, index, bytes_read);
    Ok(PieceScreening { length: Some(piece.length()), ..screening })
}

fn check_length(file: &mut impl Seek, piece: &FilePiece) -> Result<(), UnnamedFault> {
    let length = file.seek(SeekFrom::End(0))?;
    let piece_end = piece.range().end;
    if length < piece_end {
        return Err(UnnamedFault::Shortened { length, piece_end });
    }
    Ok(())
}

pub(crate) fn piece_lines<'a>(
    mut file: impl Read + Seek + 'a,
    piece: &FilePiece,
    bounds: Bounds,
    bytes_read: &BytesRead,
) -> io::Result<LineReader<'a>> {
    let kind = SourceKind::sniff(&mut file)?;
    let (range, counted) = (piece.range(), bytes_read.clone());
    match (kind.is_splittable(), range.start) {
        (true, 0) => {
            Ok(LineReader::first(Box::new(Metered::new(file, counted)), range.end, bounds))
        }
        (true, start) => {
            file.seek(SeekFrom::Start(start - 1))?;
            LineReader::within(Box::new(Metered::new(file, counted)), range, bounds)
        }
        (false, 0) => Ok(LineReader::whole(kind.text(Metered::new(file, counted))?, bounds)),
        (false, _) => Ok(LineReader::whole(Box::new(io::empty()), bounds)),
    }
}

fn screen_stream<'a>(
    reader: impl Read + 'a,
    bounds: Bounds,
    index: &'a dyn IdentifierIndex,
) -> Result<PieceScreening<'a>, UnnamedFault> {
    let bytes_read = BytesRead::default();
    let mut reader = Metered::new(reader, bytes_read.clone());
    let (kind, head) = SourceKind::peek(&mut reader)?;
    let lines = LineReader::whole(kind.text(rejoined(head, reader))?, bounds);
    Ok(PieceScreening::new(lines, index, bytes_read))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use model::{AccountId, Secret};
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::{AccountIndex, Compression, IndexBuilder, pieces};

    /// Lines just over and under the bound, and blocks that end within them.
    const SMALL: Bounds =
        Bounds { line_bytes_max: 24, block_bytes_min: 25, block_bytes_max: 32, tail_bytes: 3 };

    const FRAGMENTS: &[&[u8]] = &[
        b"\n",
        b"\n\n",
        b"\r\n",
        b"\r",
        b"\0",
        b" ",
        b"\"",
        b"'",
        b":",
        b"::",
        b";",
        b"|",
        b"\t",
        b",",
        b"a@x.com",
        b"A@X.com:pw",
        b"\"a@x.com\",\"p\"\"w\"",
        b"a+t@x.com:pw",
        b"bo@y.com:pw\n",
        b"bo:x\r\n",
        b"joe",
        b"joe:$HEX[e9]",
        b"https://h.x/:joe:p",
        b"h.x/y|joe|p",
        b"a%40x.com:p%26",
        b"{\"e\":\"a@x.com\",\"p\":\"w\"}",
        b"p:a@x.com",
        b"o'brien@x.com",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xe9",
        "m\u{131}ke@\u{fc}.de".as_bytes(),
        b"0123456789abcdefghijklmnopqrstuvwxyz",
    ];

    fn index() -> AccountIndex {
        let mut builder = IndexBuilder::default();
        for (id, email, username) in [
            ("1", Some("a@x.com"), Some("joe")),
            ("2", Some("A@x.com"), None),
            ("3", Some("o'brien@x.com"), Some("a")),
        ] {
            builder.add(&AccountId::new(id).unwrap(), email, username);
        }
        builder.build()
    }

    fn read_all(screening: Result<PieceScreening<'_>, UnnamedFault>) -> (Vec<Hit>, Screened, u64) {
        let mut screening = screening.map_err(|fault| fault.of(INPUT)).unwrap();
        let (mut hits, mut bytes_read) = (Vec::new(), 0);
        for batch in screening.by_ref().map(Result::unwrap) {
            hits.extend(batch.hits);
            bytes_read += batch.bytes_read;
        }
        (hits, screening.finish().unwrap(), bytes_read)
    }

    /// What the pieces of a text give together, its lines numbered throughout.
    fn in_pieces_of(size: u64, text: &[u8]) -> (Vec<Hit>, Screened) {
        let mut hits = Vec::new();
        let (mut tally, mut rejects) = (Tally::default(), Vec::new());
        for piece in pieces(text.len() as u64, Compression::Plain, size) {
            let (index, before) = (index(), tally.lines);
            let (found, screened, bytes_read) =
                read_all(screen_range(Cursor::new(text), &piece, SMALL, &index));
            assert_eq!(bytes_read, piece.length());
            hits.extend(found.into_iter().map(|hit| Hit { line: hit.line + before, ..hit }));
            tally += &screened.tally;
            let numbered =
                |reject: RejectSample| RejectSample { line: reject.line + before, ..reject };
            rejects.extend(screened.rejects.into_iter().map(numbered));
        }
        (hits, Screened { tally, rejects, complete: true })
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(fragments in vec(select(FRAGMENTS), 0..30)) {
            let text = fragments.concat();
            let whole = in_pieces_of(u64::MAX, &text);
            for size in 1..=text.len() as u64 {
                prop_assert_eq!(&in_pieces_of(size, &text), &whole, "in pieces of {}", size);
            }
        }

        #[test]
        fn looking_ahead_changes_nothing(fragments in vec(select(FRAGMENTS), 0..30)) {
            let text = fragments.concat();
            let (ahead, looked) = in_pieces_of(u64::MAX, &[b"0\n", &*text].concat());
            // After a NUL, every line is read with care.
            let (careful, read) = in_pieces_of(u64::MAX, &[b"\0\n", &*text].concat());
            prop_assert_eq!(&ahead, &careful);
            let counts = |tally: &Tally| (tally.lines, tally.hits, tally.misses, tally.blank);
            prop_assert_eq!(counts(&looked.tally), counts(&read.tally));
        }

        #[test]
        fn a_stream_gives_what_the_file_gives(fragments in vec(select(FRAGMENTS), 0..30)) {
            let text = fragments.concat();
            let index = index();
            let (hits, screened, bytes_read) = read_all(screen_stream(&*text, SMALL, &index));
            prop_assert_eq!(bytes_read, text.len() as u64);
            prop_assert_eq!((hits, screened), in_pieces_of(u64::MAX, &text));
        }

        #[test]
        fn a_secret_is_always_among_the_plausible_ones(
            secret in vec(any::<u8>().prop_filter("ends a line", |byte| !b"\0\n\r".contains(byte)), 1..17),
            delimiter in select(&b":;,|\t"[..]),
        ) {
            let line = [b"a@x.com", &[delimiter][..], &secret].concat();
            let (hits, _) = in_pieces_of(u64::MAX, &line);
            let secret = Secret::new(secret);
            prop_assert_eq!(hits.len(), 2);
            prop_assert!(hits.iter().all(|hit| hit.secrets.contains(&secret)));
        }
    }
}
