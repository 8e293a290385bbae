use std::{
    fmt,
    fs::{self, File},
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    str::FromStr,
};

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::MultiGzDecoder;
use zeroize::Zeroizing;

use crate::limits::{COMPRESSED_BLOCK_BYTES, TRANSCODE_BLOCK_BYTES};

/// One file of a leak, looked at but not yet read.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    length: u64,
    kind: Kind,
}

impl Source {
    /// Looks at a file's first bytes. What it is called does not matter.
    ///
    /// # Errors
    /// [`SourceError`] names the file.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
        let mut file = open_file(path)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let kind = Kind::sniff(&mut file).map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), length, kind })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file, compressed if it is.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// How the file is compressed.
    #[must_use]
    pub const fn compression(&self) -> Compression {
        self.kind.compression
    }

    /// The pieces in which to screen the file: as [`pieces`], and one for UTF-16.
    #[must_use]
    pub fn pieces(&self, piece_bytes: u64) -> Vec<Piece> {
        if self.kind.is_splittable() {
            pieces(self.length, self.kind.compression, piece_bytes)
        } else {
            vec![Piece::new(0..self.length)]
        }
    }
}

/// The pieces of a file: byte ranges of `piece_bytes` (at least 1), or one for a compressed file.
///
/// There is always one, if only an empty one. [`crate::screen_file`] reads a file that cannot be
/// cut as part of its first piece, and finds nothing in the others. So pieces of a UTF-16 file,
/// which this cannot know of, are screened correctly too, if not in parallel.
#[must_use]
pub fn pieces(length: u64, compression: Compression, piece_bytes: u64) -> Vec<Piece> {
    if compression != Compression::Plain || length == 0 {
        return vec![Piece::new(0..length)];
    }
    let size = piece_bytes.max(1);
    let count = length.div_ceil(size);
    (0..count).map(|at| Piece::new(at * size..length.min((at + 1).saturating_mul(size)))).collect()
}

/// A range of a file's bytes. To it belong the lines that start within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece(Range<u64>);

impl Piece {
    /// From the range that [`pieces`] gave and the store has kept.
    #[must_use]
    pub const fn new(range: Range<u64>) -> Self {
        Self(range)
    }

    /// Bytes of the file, from the first to behind the last.
    #[must_use]
    pub const fn range(&self) -> &Range<u64> {
        &self.0
    }

    /// Bytes in the range.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.0.end.saturating_sub(self.0.start)
    }
}

/// How a file is compressed, recognised by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952), of one member or many.
    Gzip,
    /// Zstandard (RFC 8878), of one frame or many. Windows above 128 MiB (`zstd --long=28` and up)
    /// are not read, since a hostile file could ask for any amount of memory.
    Zstd,
}

impl Compression {
    /// The one word that stands for it everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or a skippable frame as `pzstd` puts first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let all = [Self::Plain, Self::Gzip, Self::Zstd];
        let found = all.into_iter().find(|compression| compression.as_str() == word);
        found.ok_or_else(|| UnknownCompression { found: word.escape_debug().to_string() })
    }
}

/// A word for no compression that we know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is none of plain, gzip, zstd")]
pub struct UnknownCompression {
    found: String,
}

/// Opens a file that can be read in pieces.
pub(crate) fn open_file(path: &Path) -> Result<File, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SourceError::NoFile { path: path.to_owned() });
    }
    File::open(path).map_err(unreadable)
}

/// Why a file cannot be a source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A folder, a pipe or a device: it has no length and cannot be read twice.
    #[error("{path:?} is no regular file: name a file, or pass the content to standard input")]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// Not there, not for us to read, or failing.
    #[error("cannot read {path:?}: check that it is there and that you may read it")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What a file's first bytes tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    compression: Compression,
    utf16: bool,
}

impl Kind {
    /// Reads the head of a file, and leaves it at its start.
    pub(crate) fn sniff(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        file.rewind()?;
        let (kind, _) = Self::peek(file)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(kind)
    }

    /// Reads the head of a stream, which is returned with the kind.
    pub(crate) fn peek(reader: &mut impl Read) -> io::Result<(Self, Vec<u8>)> {
        let mut head = Vec::new();
        reader.take(HEAD_BYTES).read_to_end(&mut head)?;
        let compression = Compression::of(&head);
        let utf16 = matches!(*head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        Ok((Self { compression, utf16 }, head))
    }

    /// Whether a reader may start in the middle.
    pub(crate) fn is_splittable(self) -> bool {
        self.compression == Compression::Plain && !self.utf16
    }

    /// The text of a file, given all of its bytes.
    pub(crate) fn text<'a>(self, raw: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self.compression {
            Compression::Plain if !self.utf16 => Box::new(raw),
            Compression::Plain => transcoded(raw)?,
            Compression::Gzip => transcoded(MultiGzDecoder::new(buffered(raw)))?,
            Compression::Zstd => transcoded(zstd::Decoder::with_buffer(buffered(raw))?)?,
        })
    }
}

/// As many as any of the magic numbers has.
const HEAD_BYTES: u64 = 4;

fn buffered<R: Read>(raw: R) -> BufReader<R> {
    BufReader::with_capacity(COMPRESSED_BLOCK_BYTES, raw)
}

/// UTF-8 where a byte order mark announces UTF-16, and everything else unchanged.
fn transcoded<'a>(text: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let buffer = Zeroizing::new(vec![0; TRANSCODE_BLOCK_BYTES]);
    let mut decoder = DecodeReaderBytesBuilder::new();
    Ok(Box::new(decoder.utf8_passthru(true).build_with_buffer(text, buffer)?))
}

/// The head of a stream that was peeked at, and what follows.
pub(crate) fn rejoined<R: Read>(head: Vec<u8>, rest: R) -> impl Read {
    Cursor::new(Zeroizing::new(head)).chain(rest)
}

/// Counts what is read of a file or stream, and marks its failures as its own: a decoder's are the
/// content's fault, and are counted instead.
pub(crate) struct Metered<'a, R> {
    inner: R,
    consumed: u64,
    progress: &'a dyn Fn(u64),
}

impl<'a, R> Metered<'a, R> {
    pub(crate) const fn new(inner: R, progress: &'a dyn Fn(u64)) -> Self {
        Self { inner, consumed: 0, progress }
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Ok(read) => {
                    self.consumed += read as u64;
                    (self.progress)(self.consumed);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io::Error::new(error.kind(), Unreadable(error))),
            }
        }
    }
}

/// Whether an error is the file's or the stream's own.
pub(crate) fn is_unreadable(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Unreadable>)
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Unreadable(io::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_recognised_by_their_content() {
        #[track_caller]
        fn check(head: &[u8], expected: Compression, splittable: bool) {
            let kind = Kind::sniff(&mut Cursor::new(head)).unwrap();
            assert_eq!((kind.compression, kind.is_splittable()), (expected, splittable));
        }
        check(b"", Compression::Plain, true);
        check(b"a@x.com:pw", Compression::Plain, true);
        check(b"\xef\xbb\xbfa@x", Compression::Plain, true);
        check(b"\xff\xfea\0", Compression::Plain, false);
        check(b"\xfe\xff\0a", Compression::Plain, false);
        check(b"\x1f\x8b\x08\0", Compression::Gzip, false);
        check(b"\x28\xb5\x2f\xfd", Compression::Zstd, false);
        check(b"\x50\x2a\x4d\x18", Compression::Zstd, false);
    }

    #[test]
    fn a_plain_file_is_cut_and_a_compressed_one_is_not() {
        let ranges = |length, compression, size| -> Vec<Range<u64>> {
            pieces(length, compression, size).into_iter().map(|piece| piece.0).collect()
        };
        assert_eq!(ranges(10, Compression::Plain, 4), [0..4, 4..8, 8..10]);
        assert_eq!(ranges(8, Compression::Plain, 4), [0..4, 4..8]);
        assert_eq!(ranges(2, Compression::Plain, 0), [0..1, 1..2]);
        assert_eq!(ranges(u64::MAX, Compression::Plain, u64::MAX - 1).len(), 2);
        let empty: Range<u64> = 0..0;
        assert_eq!(ranges(0, Compression::Plain, 4), [empty]);
        let whole: Range<u64> = 0..10;
        assert_eq!(ranges(10, Compression::Gzip, 4), [whole]);
    }

    #[test]
    fn what_is_no_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = Source::open(folder.path()).unwrap_err();
        assert!(matches!(error, SourceError::NoFile { .. }));
        let error = Source::open(&folder.path().join("gone")).unwrap_err();
        assert!(error.to_string().contains("gone"));
    }

    #[test]
    fn a_word_stands_for_each_compression() {
        for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
        let error = "lz\n4".parse::<Compression>().unwrap_err();
        assert_eq!(error.to_string(), "`lz\\n4` is none of plain, gzip, zstd");
    }
}
