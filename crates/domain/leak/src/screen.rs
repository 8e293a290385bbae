use std::{
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use memchr::memchr;
use model::{AccountId, RejectReason, Secret, Tally, Tier, Unbalanced};

use crate::{
    AccountIndex, Piece, RejectSample, SourceError,
    ahead::Ahead,
    identifier::unquoted,
    index::Probe,
    lines::{Bounds, Content, Line, Lines},
    record::{Split, splits},
    reject::Samples,
    source::{Kind, Metered, open_file, rejoined},
};

/// Screens one piece of a file: every candidate goes to `sink`, in the order of the lines.
///
/// `progress` is told, about once for each block, how many bytes of the piece have been read so
/// far; in the end that is its length. The pieces of a file together give what the file as one
/// piece gives, except that lines are counted anew in each.
///
/// # Errors
/// [`ScreenError`] names the file. What `sink` has got until then is to be thrown away.
pub fn screen_file(
    path: &Path,
    piece: &Piece,
    index: &AccountIndex,
    progress: &dyn Fn(u64),
    sink: &mut dyn FnMut(Candidate),
) -> Result<Screened, ScreenError> {
    let file = open_file(path)?;
    let screened = screen_range(file, piece, Bounds::STANDARD, index, progress, sink);
    screened.map_err(|fault| fault.of(&format!("{:?}", path.to_string_lossy())))
}

/// As [`screen_file`], for what is no file but can be read like one.
///
/// # Errors
/// [`ScreenError`], which speaks of "the input".
pub fn screen_piece(
    input: impl Read + Seek,
    piece: &Piece,
    index: &AccountIndex,
    progress: &dyn Fn(u64),
    sink: &mut dyn FnMut(Candidate),
) -> Result<Screened, ScreenError> {
    let screened = screen_range(input, piece, Bounds::STANDARD, index, progress, sink);
    screened.map_err(|fault| fault.of(INPUT))
}

/// Screens a stream from its first byte to its last: standard input, or a decrypted copy.
///
/// Compression and UTF-16 are recognised as in a file. `progress` is told how many bytes have been
/// read from the stream so far.
///
/// # Errors
/// [`ScreenError`], which speaks of "the input".
pub fn screen_reader(
    reader: impl Read,
    index: &AccountIndex,
    progress: &dyn Fn(u64),
    sink: &mut dyn FnMut(Candidate),
) -> Result<Screened, ScreenError> {
    let screened = screen_stream(reader, Bounds::STANDARD, index, progress, sink);
    screened.map_err(|fault| fault.of(INPUT))
}

const INPUT: &str = "the input";

/// A line that names one of our accounts, with whatever may be the password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Whose identifier it is. A line that leads to several accounts gives a candidate for each.
    pub account: AccountId,
    /// By which identifier; the best, if several lead to the account.
    pub tier: Tier,
    /// Line number, from 1, within the piece.
    pub line: u64,
    /// Bytes from the start of the (decompressed) text to the start of the line. A byte order mark
    /// of UTF-8 counts, but is no part of the line. For UTF-16, bytes of the text as UTF-8.
    pub offset: u64,
    /// Bytes of the line, its end not counted.
    pub length: u32,
    /// At least one and at most [`SECRETS_MAX`](crate::limits::SECRETS_MAX) for each way to read
    /// the line, each once, the likeliest first.
    pub secrets: Vec<Secret>,
}

/// What became of the lines of one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A [`ScreenError`] of an input that has no name yet.
enum Fault {
    Read(io::Error),
    Shortened { length: u64, piece_end: u64 },
    Unbalanced(Unbalanced),
}

impl Fault {
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

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

fn screen_range(
    mut file: impl Read + Seek,
    piece: &Piece,
    bounds: Bounds,
    index: &AccountIndex,
    progress: &dyn Fn(u64),
    sink: &mut dyn FnMut(Candidate),
) -> Result<Screened, Fault> {
    check_length(&mut file, piece)?;
    let progress = |read: u64| progress(read.min(piece.length()));
    let lines = piece_lines(file, piece, bounds, &progress)?;
    let screened = Screening::new(index, sink).run(lines)?;
    progress(piece.length());
    Ok(screened)
}

fn check_length(file: &mut impl Seek, piece: &Piece) -> Result<(), Fault> {
    let length = file.seek(SeekFrom::End(0))?;
    let piece_end = piece.range().end;
    if length < piece_end {
        return Err(Fault::Shortened { length, piece_end });
    }
    Ok(())
}

fn piece_lines<'a>(
    mut file: impl Read + Seek + 'a,
    piece: &Piece,
    bounds: Bounds,
    progress: &'a dyn Fn(u64),
) -> io::Result<Lines<'a>> {
    let kind = Kind::sniff(&mut file)?;
    let range = piece.range();
    match (kind.is_splittable(), range.start) {
        (true, 0) => Ok(Lines::first(Box::new(Metered::new(file, progress)), range.end, bounds)),
        (true, start) => {
            file.seek(SeekFrom::Start(start - 1))?;
            Lines::within(Box::new(Metered::new(file, progress)), range, bounds)
        }
        (false, 0) => Ok(Lines::whole(kind.text(Metered::new(file, progress))?, bounds)),
        (false, _) => Ok(Lines::whole(Box::new(io::empty()), bounds)),
    }
}

fn screen_stream(
    reader: impl Read,
    bounds: Bounds,
    index: &AccountIndex,
    progress: &dyn Fn(u64),
    sink: &mut dyn FnMut(Candidate),
) -> Result<Screened, Fault> {
    let mut reader = Metered::new(reader, progress);
    let (kind, head) = Kind::peek(&mut reader)?;
    let lines = Lines::whole(kind.text(rejoined(head, reader))?, bounds);
    Screening::new(index, sink).run(lines)
}

/// The screening of one piece.
struct Screening<'a> {
    index: &'a AccountIndex,
    sink: &'a mut dyn FnMut(Candidate),
    tally: Tally,
    samples: Samples,
    complete: bool,
    ahead: Ahead,
    probe: Probe,
    /// Of the present line.
    candidates: Vec<Candidate>,
}

impl<'a> Screening<'a> {
    fn new(index: &'a AccountIndex, sink: &'a mut dyn FnMut(Candidate)) -> Self {
        Self {
            index,
            sink,
            tally: Tally::default(),
            samples: Samples::default(),
            complete: true,
            ahead: Ahead::default(),
            probe: Probe::default(),
            candidates: Vec::new(),
        }
    }

    fn run(mut self, mut lines: Lines<'_>) -> Result<Screened, Fault> {
        loop {
            self.pass_over_strangers(&mut lines);
            let Some(line) = lines.next()? else {
                break;
            };
            self.take(line);
        }
        Ok(Screened {
            tally: self.tally.balanced().map_err(Fault::Unbalanced)?,
            rejects: self.samples.into_vec(),
            complete: self.complete,
        })
    }

    /// Counts the lines of others that stand before the next one to be read with care.
    fn pass_over_strangers(&mut self, lines: &mut Lines<'_>) {
        loop {
            if self.ahead.is_empty() {
                self.ahead.look(lines.ahead(), lines.line_bytes_max(), self.index);
            }
            let (count, bytes) = self.ahead.strangers();
            self.tally.lines += count as u64;
            self.tally.misses += count as u64;
            lines.pass_over(bytes);
            if self.ahead.suspect() || count == 0 {
                return;
            }
        }
    }

    fn take(&mut self, line: Line<'_>) {
        self.tally.lines += 1;
        let line = line.without_mark();
        match self.judge(&line) {
            Outcome::Hit => self.tally.hits += 1,
            Outcome::Miss => self.tally.misses += 1,
            Outcome::Blank => self.tally.blank += 1,
            Outcome::Reject(reason) => self.reject(reason, &line),
        }
    }

    fn judge(&mut self, line: &Line<'_>) -> Outcome {
        match line.content {
            Content::Text(text) if line.may_hold_nul && memchr(0, text).is_some() => {
                Outcome::Reject(RejectReason::Nul)
            }
            Content::Text(text) => self.judge_text(without_return(text), line.offset),
            Content::Overlong => Outcome::Reject(RejectReason::Overlong),
            Content::Broken => {
                self.complete = false;
                Outcome::Reject(RejectReason::TruncatedMember)
            }
        }
    }

    fn judge_text(&mut self, text: &[u8], offset: u64) -> Outcome {
        if text.trim_ascii_start().is_empty() {
            return Outcome::Blank;
        }
        let mut ways = splits(text);
        let Some(first) = ways.next() else {
            return Outcome::Reject(RejectReason::NoDelimiter);
        };
        let place = Place { line: self.tally.lines, offset, length: text.len() };
        let mut found = self.try_split(&first, place);
        for split in ways {
            found |= self.try_split(&split, place);
        }
        self.pass_on().unwrap_or_else(|| judge_stranger(&first, found))
    }

    /// Adds the candidates that one way to read the line gives; whether it names an account.
    fn try_split(&mut self, split: &Split<'_>, place: Place) -> bool {
        self.index.find(split.identifier, &mut self.probe);
        if self.probe.found.is_empty() {
            return false;
        }
        let secrets = split.secrets();
        if !secrets.is_empty() {
            self.add(place, &secrets);
        }
        true
    }

    /// Adds a candidate for each account just found, or to the one that an earlier split gave it.
    fn add(&mut self, place: Place, secrets: &[Secret]) {
        let earlier = self.candidates.len();
        for &(account, tier) in &self.probe.found {
            let account = self.index.account_id(account);
            let known = &mut self.candidates[..earlier];
            match known.iter_mut().find(|known| known.account == account) {
                Some(known) => known.join(tier, secrets),
                None => self.candidates.push(place.candidate(account, tier, secrets.to_vec())),
            }
        }
    }

    fn pass_on(&mut self) -> Option<Outcome> {
        if self.candidates.is_empty() {
            return None;
        }
        self.candidates.drain(..).for_each(&mut *self.sink);
        Some(Outcome::Hit)
    }

    fn reject(&mut self, reason: RejectReason, line: &Line<'_>) {
        self.tally.rejects.add(reason, 1);
        self.samples.add(RejectSample {
            reason,
            line: self.tally.lines,
            offset: line.offset,
            length: line.length,
        });
    }
}

/// What a line without a candidate is. Its first split decides, as that is how most would read it,
/// unless another one names an account of ours and then breaks off.
fn judge_stranger(first: &Split<'_>, named: bool) -> Outcome {
    let fault = unreadable(first.identifier);
    let without = named || first.is_without_secret();
    match fault.or(without.then_some(RejectReason::NoSecret)) {
        Some(reason) => Outcome::Reject(reason),
        None => Outcome::Miss,
    }
}

/// What is wrong with an identifier.
fn unreadable(identifier: &[u8]) -> Option<RejectReason> {
    if identifier.first().is_some_and(u8::is_ascii_alphanumeric) && identifier.is_ascii() {
        return None;
    }
    let Ok(identifier) = str::from_utf8(identifier) else {
        return Some(RejectReason::Encoding);
    };
    // What a converter puts where it could not read the text either.
    if identifier.contains(char::REPLACEMENT_CHARACTER) {
        return Some(RejectReason::Encoding);
    }
    unquoted(identifier).is_empty().then_some(RejectReason::NoIdentifier)
}

impl Candidate {
    fn join(&mut self, tier: Tier, secrets: &[Secret]) {
        self.tier = self.tier.min(tier);
        for secret in secrets {
            if !self.secrets.contains(secret) {
                self.secrets.push(secret.clone());
            }
        }
    }
}

enum Outcome {
    Hit,
    Miss,
    Blank,
    Reject(RejectReason),
}

/// Where the present line stands.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    offset: u64,
    length: usize,
}

impl Place {
    fn candidate(self, account: AccountId, tier: Tier, secrets: Vec<Secret>) -> Candidate {
        let length = u32::try_from(self.length).unwrap_or(u32::MAX);
        Candidate { account, tier, line: self.line, offset: self.offset, length, secrets }
    }
}

impl Line<'_> {
    /// The first line of a text may begin with a byte order mark, which is no part of it.
    fn without_mark(mut self) -> Self {
        if self.offset == 0
            && let Content::Text(text) = self.content
            && let Some(bare) = text.strip_prefix(b"\xef\xbb\xbf")
        {
            self.offset = 3;
            self.length -= 3;
            self.content = Content::Text(bare);
        }
        self
    }
}

fn without_return(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::{Compression, IndexBuilder, pieces};

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

    /// What the pieces of a text give together, its lines numbered throughout.
    fn in_pieces_of(size: u64, text: &[u8]) -> (Vec<Candidate>, Screened) {
        let mut candidates = Vec::new();
        let (mut tally, mut rejects) = (Tally::default(), Vec::new());
        for piece in pieces(text.len() as u64, Compression::Plain, size) {
            let before = tally.lines;
            let mut sink = |mut found: Candidate| {
                found.line += before;
                candidates.push(found);
            };
            let screened =
                screen_range(Cursor::new(text), &piece, SMALL, &index(), &|_| (), &mut sink);
            let screened = screened.map_err(|fault| fault.of(INPUT)).unwrap();
            tally += &screened.tally;
            rejects.extend(screened.rejects.into_iter().map(|mut sample| {
                sample.line += before;
                sample
            }));
        }
        let complete = true;
        (candidates, Screened { tally, rejects, complete })
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
            let mut candidates = Vec::new();
            let mut sink = |found| candidates.push(found);
            let screened = screen_stream(&*text, SMALL, &index(), &|_| (), &mut sink);
            let screened = screened.map_err(|fault| fault.of(INPUT)).unwrap();
            prop_assert_eq!((candidates, screened), in_pieces_of(u64::MAX, &text));
        }

        #[test]
        fn a_secret_is_always_among_the_plausible_ones(
            secret in vec(any::<u8>().prop_filter("ends a line", |byte| !b"\0\n\r".contains(byte)), 1..17),
            delimiter in select(&b":;,|\t"[..]),
        ) {
            let line = [b"a@x.com", &[delimiter][..], &secret].concat();
            let (candidates, _) = in_pieces_of(u64::MAX, &line);
            let secret = Secret::new(secret);
            prop_assert_eq!(candidates.len(), 2);
            prop_assert!(candidates.iter().all(|found| found.secrets.contains(&secret)));
        }
    }
}
