use std::{
    cell::Cell,
    fs::{self, File},
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    rc::Rc,
};

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::MultiGzDecoder;
use model::{Wrapping, text_enum};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::limits::{COMPRESSED_BLOCK_BYTES, TRANSCODE_BLOCK_BYTES};

/// One file of a leak, looked at but not yet read.
#[derive(Debug, Clone)]
pub struct LeakSource {
    path: PathBuf,
    length: u64,
    kind: SourceKind,
}

impl LeakSource {
    /// Looks at a file's first bytes. What it is called does not matter.
    ///
    /// # Errors
    /// [`SourceError`] names the file.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
        let mut file = open_file(path)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut head = Zeroizing::new(Vec::new());
        (&mut file).take(LOOKED_AT_BYTES).read_to_end(&mut head).map_err(unreadable)?;
        refuse_other(path, &head)?;
        let kind = SourceKind::sniff(&mut file).map_err(unreadable)?;
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

    /// Whether its text is UTF-16.
    #[must_use]
    pub const fn is_utf16(&self) -> bool {
        self.kind.utf16
    }

    /// Whether a reader may start in the middle of it.
    pub(crate) fn is_splittable(&self) -> bool {
        self.kind.is_splittable()
    }

    /// The pieces in which to screen the file: as [`pieces`], and one for UTF-16.
    #[must_use]
    pub fn pieces(&self, piece_bytes: u64) -> Vec<FilePiece> {
        if self.kind.is_splittable() {
            pieces(self.length, self.kind.compression, piece_bytes)
        } else {
            vec![FilePiece::new(0..self.length)]
        }
    }
}

/// The pieces of a file: byte ranges of `piece_bytes` (at least 1), or one for a compressed file.
///
/// There is always one, if only an empty one. [`crate::screen_file`] reads a file that cannot be
/// cut as part of its first piece, and finds nothing in the others. So pieces of a UTF-16 file,
/// which this cannot know of, are screened correctly too, if not in parallel.
#[must_use]
pub fn pieces(length: u64, compression: Compression, piece_bytes: u64) -> Vec<FilePiece> {
    if compression != Compression::Plain || length == 0 {
        return vec![FilePiece::new(0..length)];
    }
    let size = piece_bytes.max(1);
    let count = length.div_ceil(size);
    (0..count)
        .map(|at| FilePiece::new(at * size..length.min((at + 1).saturating_mul(size))))
        .collect()
}

/// A range of a file's bytes. To it belong the lines that start within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilePiece(Range<u64>);

impl FilePiece {
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

text_enum! {
    /// How a file is compressed, recognised by its first bytes.
    pub enum Compression {
        /// Not at all.
        Plain = "plain",
        /// gzip (RFC 1952), of one member or many.
        Gzip = "gzip",
        /// Zstandard (RFC 8878), of one frame or many. Windows above 128 MiB (`zstd --long=28` and
        /// up) are not read, since a hostile file could ask for any amount of memory.
        Zstd = "zstd",
    }
}

/// How a file's first bytes say that it is compressed.
fn compression_of(head: &[u8]) -> Compression {
    match Wrapping::of(head) {
        Some(Wrapping::Gzip) => Compression::Gzip,
        Some(Wrapping::Zstd) => Compression::Zstd,
        _ => Compression::Plain,
    }
}

/// Looks at the first bytes of standard input, as at a file's. What is read of it comes again.
///
/// # Errors
/// [`SourceError`] for what would be one line, or none, but for its form.
pub fn open_standard_input<R: Read>(mut input: R) -> Result<impl Read + use<R>, SourceError> {
    let path = Path::new(STANDARD_INPUT);
    let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
    let mut head = Zeroizing::new(Vec::new());
    (&mut input).take(LOOKED_AT_BYTES).read_to_end(&mut head).map_err(unreadable)?;
    refuse_other(path, &head)?;
    Ok(rejoined(std::mem::take(&mut *head), input))
}

/// What errors call it.
const STANDARD_INPUT: &str = "standard input";

/// Opens a file that can be read in pieces.
pub(crate) fn open_file(path: &Path) -> Result<File, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SourceError::NoFile { path: path.to_owned() });
    }
    File::open(path).map_err(unreadable)
}

/// Refuses what would be one line, or none, but for its form.
fn refuse_other(path: &Path, head: &[u8]) -> Result<(), SourceError> {
    if let Some(kind) = Wrapping::of(head).and_then(Wrapping::unread) {
        return Err(SourceError::Packed { path: path.to_owned(), kind });
    }
    let lines_of_old = head.split(|byte| *byte == b'\r').count();
    let is_binary = head.contains(&0) || compression_of(head) != Compression::Plain;
    if !is_binary && !head.contains(&b'\n') && lines_of_old > 2 {
        return Err(SourceError::OldLineEnds { path: path.to_owned() });
    }
    Ok(())
}

/// Enough to tell a file without line ends from others.
const LOOKED_AT_BYTES: u64 = 64 * 1024;

/// Why a file cannot be a source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A folder, a pipe or a device: it has no length and cannot be read twice.
    #[error("{path:?} is no regular file: name a file, or pass the content to standard input")]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// Its lines are hidden in it.
    #[error("{path:?} is {kind}: unpack it, or use gzip or zstd")]
    Packed {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// It would be read as one line.
    #[error("the lines of {path:?} end in CR alone: write LF, as `tr '\\r' '\\n'` does")]
    OldLineEnds {
        /// The file.
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
pub(crate) struct SourceKind {
    compression: Compression,
    utf16: bool,
}

impl SourceKind {
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
        let compression = compression_of(&head);
        let utf16 = Wrapping::of(&head) == Some(Wrapping::Utf16);
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

/// As many as tell how a text is wrapped that is read.
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
pub(crate) struct Metered<R> {
    inner: R,
    bytes_read: BytesRead,
}

/// How many bytes have been read by now. Whoever reads and whoever asks share it.
pub(crate) type BytesRead = Rc<Cell<u64>>;

impl<R> Metered<R> {
    pub(crate) const fn new(inner: R, bytes_read: BytesRead) -> Self {
        Self { inner, bytes_read }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Ok(read) => {
                    self.bytes_read.set(self.bytes_read.get() + read as u64);
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
            let kind = SourceKind::sniff(&mut Cursor::new(head)).unwrap();
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
    fn what_would_be_one_line_is_refused_by_its_name() {
        let tar = [&[b'x'; 257][..], b"ustar\0"].concat();
        let refused: [(&[u8], &str); 7] = [
            (b"PK\x03\x04\n", "a zip archive"),
            (b"\xfd7zXZ\0\n", "compressed by xz"),
            (b"BZh91AY&SY\n", "compressed by bzip2"),
            (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
            (b"Rar!\x1a\x07\0", "a RAR archive"),
            (&tar, "a tar archive"),
            (b"a@x.com:p\rb@x.com:q\r", "CR alone"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leak");
        for (content, expected) in refused {
            fs::write(&path, content).unwrap();
            let error = LeakSource::open(&path).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("leak\""), "{error}");
            let error = open_standard_input(content).map(drop).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("\"standard input\""), "{error}");
        }
        for content in [&b"BZh@x.com:p"[..], b"PK:p", b"a@x.com:p\r", b"a:p\rq\rr\n", b""] {
            fs::write(&path, content).unwrap();
            assert!(LeakSource::open(&path).is_ok());
            let mut read = Vec::new();
            open_standard_input(content).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, content);
        }
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
        let error = LeakSource::open(folder.path()).unwrap_err();
        assert!(matches!(error, SourceError::NoFile { .. }));
        let error = LeakSource::open(&folder.path().join("gone")).unwrap_err();
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
