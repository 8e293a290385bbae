use std::{
    io::{self, Read},
    ops::Range,
};

use memchr::memchr;
use zeroize::Zeroize;

use crate::{
    limits::{BLOCK_BYTES_MAX, BLOCK_BYTES_MIN, LINE_BYTES_MAX, TAIL_BYTES},
    source::is_unreadable,
};

/// Cuts a stream into lines, in blocks, without ever holding more than one line and one block.
///
/// A line ends with a newline or with the input. It belongs to the range in which it starts, and
/// is read to its end even beyond that range.
pub(crate) struct LineReader<'a> {
    reader: Box<dyn Read + 'a>,
    /// Lines of a leak, wiped when dropped as far as anything was ever read into it.
    buffer: Vec<u8>,
    used: usize,
    /// What is read and not yet passed on.
    unread: Range<usize>,
    /// Where the unread part stands in the text.
    offset: u64,
    /// Where the range ends.
    end: u64,
    /// Whether a NUL has been read. In most files there is none, and no line need be searched.
    nul_read: bool,
    bounds: Bounds,
}

impl<'a> LineReader<'a> {
    /// All lines from the reader's first byte on.
    pub(crate) fn whole(reader: Box<dyn Read + 'a>, bounds: Bounds) -> Self {
        Self::new(reader, 0..u64::MAX, bounds)
    }

    /// The lines that start within a range that is not the first.
    ///
    /// The reader must stand one byte before the range: if that byte is a newline, a line starts
    /// where the range does. If no line starts within the range, nothing beyond it is read.
    pub(crate) fn within(
        reader: Box<dyn Read + 'a>,
        range: &Range<u64>,
        bounds: Bounds,
    ) -> io::Result<Self> {
        let mut lines = Self::new(reader, range.start - 1..range.end, bounds);
        lines.skip_to_next()?;
        Ok(lines)
    }

    /// The lines from the start of a text that belong to its first range.
    pub(crate) fn first(reader: Box<dyn Read + 'a>, end: u64, bounds: Bounds) -> Self {
        Self::new(reader, 0..end, bounds)
    }

    /// The next line, or `None` behind the last one of the range.
    ///
    /// # Errors
    /// Only what the file or stream itself reports. A compressed stream that breaks is a line.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        if self.offset >= self.end {
            return Ok(None);
        }
        let extent = self.measure()?;
        let (offset, start) = (self.offset, self.unread.start);
        let length = extent.dropped + extent.kept as u64;
        let newline = usize::from(extent.ended == Ended::Newline);
        self.unread.start += extent.kept + newline;
        self.offset += length + newline as u64;
        let content = match extent.ended {
            Ended::Input if length == 0 => return Ok(None),
            Ended::Broken => {
                self.end = 0;
                Content::Broken
            }
            _ if length > self.bounds.line_bytes_max as u64 => Content::Overlong,
            _ => Content::Text(&self.buffer[start..start + extent.kept]),
        };
        Ok(Some(RawLine { offset, length, may_hold_nul: self.nul_read, content }))
    }

    /// The text that is in memory, from the next line on, as far as lines may start in it. Nothing
    /// if there may be a NUL in it.
    pub(crate) fn ahead(&self) -> &[u8] {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let length = if self.nul_read { 0 } else { left.min(self.unread.len()) };
        &self.buffer[self.unread.clone()][..length]
    }

    /// Passes over whole lines that [`Self::ahead`] has shown.
    pub(crate) fn pass_over(&mut self, bytes: usize) {
        self.unread.start += bytes;
        self.offset += bytes as u64;
    }

    /// Bytes of the longest line that is passed on as text.
    pub(crate) const fn line_bytes_max(&self) -> usize {
        self.bounds.line_bytes_max
    }

    fn new(reader: Box<dyn Read + 'a>, range: Range<u64>, bounds: Bounds) -> Self {
        let room = range.end.saturating_sub(range.start).saturating_add(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let buffer = vec![0; room.clamp(bounds.block_bytes_min, bounds.block_bytes_max)];
        Self {
            reader,
            buffer,
            used: 0,
            unread: 0..0,
            offset: range.start,
            end: range.end,
            nul_read: false,
            bounds,
        }
    }

    /// Finds the end of the line that starts at `offset`. A line that is not overlong then stands
    /// whole in the unread part.
    fn measure(&mut self) -> io::Result<Extent> {
        let mut dropped = 0;
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.unread.clone()];
            if let Some(at) = memchr(b'\n', &unread[searched..]) {
                return Ok(Extent { dropped, kept: searched + at, ended: Ended::Newline });
            }
            searched = unread.len();
            if searched > self.bounds.line_bytes_max || dropped > 0 {
                dropped += searched as u64;
                searched = 0;
                self.unread.start = self.unread.end;
            }
            if let Some(ended) = self.fill(self.offset + dropped)? {
                return Ok(Extent { dropped, kept: searched, ended });
            }
        }
    }

    /// Drops the rest of a line that belongs to an earlier range.
    fn skip_to_next(&mut self) -> io::Result<()> {
        while self.offset < self.end {
            if self.fill(self.offset)?.is_some() {
                self.end = 0;
            }
            let unread = &self.buffer[self.unread.clone()];
            let newline = memchr(b'\n', unread);
            let skipped = newline.map_or(unread.len(), |at| at + 1);
            self.unread.start += skipped;
            self.offset += skipped as u64;
            if newline.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Reads more behind the unread part, which stands at `offset`, or says why there is no more.
    fn fill(&mut self, offset: u64) -> io::Result<Option<Ended>> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let room = self.room(offset + self.unread.len() as u64);
        match self.reader.read(&mut self.buffer[self.unread.end..][..room]) {
            Ok(0) => Ok(Some(Ended::Input)),
            Ok(read) => {
                let new = &self.buffer[self.unread.end..][..read];
                self.nul_read |= memchr(0, new).is_some();
                self.unread.end += read;
                self.used = self.used.max(self.unread.end);
                Ok(None)
            }
            Err(error) if is_unreadable(&error) => Err(error),
            Err(_) => Ok(Some(Ended::Broken)),
        }
    }

    /// How many bytes to ask for: up to the end of the range, and behind it only a little at once.
    fn room(&self, read_to: u64) -> usize {
        let wanted = self.end.saturating_sub(read_to).max(self.bounds.tail_bytes as u64);
        let free = self.buffer.len() - self.unread.end;
        usize::try_from(wanted).unwrap_or(free).min(free)
    }
}

impl Drop for LineReader<'_> {
    fn drop(&mut self) {
        self.buffer[..self.used].zeroize();
    }
}

/// One line, its newline not counted.
pub(crate) struct RawLine<'a> {
    /// Bytes from the start of the text to the start of the line.
    pub(crate) offset: u64,
    /// Bytes of the line, however long.
    pub(crate) length: u64,
    pub(crate) may_hold_nul: bool,
    pub(crate) content: Content<'a>,
}

/// What is known of a line.
pub(crate) enum Content<'a> {
    Text(&'a [u8]),
    /// Too long to be held.
    Overlong,
    /// The compressed stream broke within this line. It is the last one.
    Broken,
}

/// How much is held and read at once. Tests take small bounds, to meet every edge of a block.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) line_bytes_max: usize,
    /// More than the longest line.
    pub(crate) block_bytes_min: usize,
    pub(crate) block_bytes_max: usize,
    pub(crate) tail_bytes: usize,
}

impl Bounds {
    pub(crate) const STANDARD: Self = Self {
        line_bytes_max: LINE_BYTES_MAX,
        block_bytes_min: BLOCK_BYTES_MIN,
        block_bytes_max: BLOCK_BYTES_MAX,
        tail_bytes: TAIL_BYTES,
    };
}

struct Extent {
    /// Bytes of an overlong line that are no longer held.
    dropped: u64,
    /// Bytes of the line that stand in the unread part.
    kept: usize,
    ended: Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Newline,
    Input,
    Broken,
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const SMALL: Bounds =
        Bounds { line_bytes_max: 4, block_bytes_min: 5, block_bytes_max: 7, tail_bytes: 1 };

    fn shown(mut lines: LineReader<'_>) -> Vec<String> {
        let mut shown = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let text = match line.content {
                Content::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Content::Overlong => format!("overlong {}", line.length),
                Content::Broken => format!("broken {}", line.length),
            };
            shown.push(format!("{}:{text}", line.offset));
        }
        shown
    }

    #[track_caller]
    fn check(text: &'static str, expected: &[&str]) {
        let reader = Box::new(text.as_bytes());
        assert_eq!(shown(LineReader::whole(reader, SMALL)), expected, "{text:?}");
        for size in 1..=text.len() {
            assert_eq!(in_ranges_of(size, text), expected, "{text:?} in ranges of {size}");
        }
    }

    fn in_ranges_of(size: usize, text: &'static str) -> Vec<String> {
        let starts = (0..text.len()).step_by(size);
        starts.flat_map(|start| shown(range(text, start..(start + size).min(text.len())))).collect()
    }

    fn range(text: &'static str, range: Range<usize>) -> LineReader<'static> {
        let reader = Box::new(&text.as_bytes()[range.start.saturating_sub(1)..]);
        if range.start == 0 {
            return LineReader::first(reader, range.end as u64, SMALL);
        }
        LineReader::within(reader, &(range.start as u64..range.end as u64), SMALL).unwrap()
    }

    #[test]
    fn a_line_ends_with_a_newline_or_with_the_input() {
        check("", &[]);
        check("ab", &["0:ab"]);
        check("ab\n", &["0:ab"]);
        check("ab\ncd", &["0:ab", "3:cd"]);
        check("\n\na\rb\r\n", &["0:", "1:", "2:a\rb\r"]);
    }

    #[test]
    fn an_overlong_line_is_measured_and_passed_over() {
        check("abcd\nx", &["0:abcd", "5:x"]);
        check("abcde\nx", &["0:overlong 5", "6:x"]);
        check("abcdefghijklmnopqrstuvwxyz\nx", &["0:overlong 26", "27:x"]);
        check("x\nabcdefghijklmnopqrstuvwxyz", &["0:x", "2:overlong 26"]);
        check("abcdefgh\nabcdefghi\n", &["0:overlong 8", "9:overlong 9"]);
    }

    #[test]
    fn a_range_without_a_line_start_reads_nothing_beyond_it() {
        let mut reader = Cursor::new([b'x'; 100]);
        let lines = LineReader::within(Box::new(&mut reader), &(1..11), SMALL);
        assert_eq!(shown(lines.unwrap()).len(), 0);
        assert_eq!(reader.position(), 11);
    }

    #[test]
    fn one_byte_at_a_time_gives_the_same_lines() {
        struct Slow(&'static [u8]);
        impl Read for Slow {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0.read(&mut buffer[..1])
            }
        }
        let lines = LineReader::whole(Box::new(Slow(b"ab\nabcdefgh\n\nc")), SMALL);
        assert_eq!(shown(lines), ["0:ab", "3:overlong 8", "12:", "13:c"]);
    }
}
