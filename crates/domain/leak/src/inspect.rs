//! What the lines of a file look like, before anything is registered or looked for.

use std::{
    collections::HashMap,
    io::{self, Read, Seek},
    path::Path,
};

use serde::Serialize;

use crate::{
    limits::{INSPECTED_BYTES, LAYOUTS_SHOWN_MAX},
    line_form::LineForm,
    lines::{Bounds, Content},
    reading::{LineShape, shape_of},
    screen::piece_lines,
    source::{BytesRead, Compression, FilePiece, LeakSource, SourceError, open_file},
};

/// What a file looks like, by some of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Bytes of the file, compressed if it is.
    pub bytes: u64,
    /// How it is compressed.
    pub compression: Compression,
    /// Whether it is text in UTF-16, which has a byte order mark.
    pub is_utf16: bool,
    /// Lines that were looked at: at the beginning, and of a plain file also in its middle and at its end.
    pub lines: u64,
    /// Those of them that are blank.
    pub blank: u64,
    /// Those that are too long for a record, or break off.
    pub unreadable: u64,
    /// Those that are no UTF-8: of an older encoding, or damaged.
    pub not_utf8: u64,
    /// Lines in the whole file, if they go on as those that were looked at; `None` if it is compressed.
    pub lines_estimated: Option<u64>,
    /// How many have each form, the most frequent first.
    pub forms: Vec<FormCount>,
    /// How lines are laid out, the most frequent first: each column by its kind, such as
    /// `<address>:<text>`. Nothing that stands in the file is shown.
    pub layouts: Vec<LayoutCount>,
    /// Lines with an address and something that may be its password.
    pub with_secret: u64,
    /// Of those, lines in which nothing but a digest, a date or the like may be one.
    pub unlikely: u64,
    /// Of those, lines that can be read in more ways than are tried.
    pub cut: u64,
}

/// How many lines have a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormCount {
    /// The form.
    pub form: LineForm,
    /// Lines of it.
    pub lines: u64,
}

/// How many lines are laid out in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayoutCount {
    /// Each column by its kind.
    pub layout: String,
    /// Lines that have it.
    pub lines: u64,
}

/// Looks at some lines of a file, without an account to look for.
///
/// # Errors
/// [`SourceError`] names the file.
pub fn inspect(path: &Path) -> Result<Inspection, SourceError> {
    let unreadable = |source| SourceError::Unreadable { path: path.to_owned(), source };
    let source = LeakSource::open(path)?;
    let mut seen = SeenLines::default();
    for piece in places(&source) {
        let file = open_file(path)?;
        seen.look_at(file, &piece).map_err(unreadable)?;
    }
    Ok(seen.inspection(&source))
}

/// Where to look: at the beginning, and in a file that can be cut also in the middle and at the end.
fn places(source: &LeakSource) -> Vec<FilePiece> {
    let length = source.length();
    if !source.is_splittable() || length <= 3 * INSPECTED_BYTES {
        return vec![FilePiece::new(0..length)];
    }
    let starts = [0, (length - INSPECTED_BYTES) / 2, length - INSPECTED_BYTES];
    starts.map(|start| FilePiece::new(start..start + INSPECTED_BYTES)).into()
}

#[derive(Default)]
struct SeenLines {
    lines: u64,
    bytes: u64,
    blank: u64,
    unreadable: u64,
    not_utf8: u64,
    with_secret: u64,
    unlikely: u64,
    cut: u64,
    forms: HashMap<LineForm, u64>,
    layouts: HashMap<String, u64>,
}

impl SeenLines {
    fn look_at(&mut self, file: impl Read + Seek, piece: &FilePiece) -> io::Result<()> {
        let mut lines = piece_lines(file, piece, Bounds::STANDARD, &BytesRead::default())?;
        let until = self.bytes + INSPECTED_BYTES;
        while self.bytes < until
            && let Some(line) = lines.next()?
        {
            self.lines += 1;
            self.bytes += line.length + 1;
            match line.content {
                Content::Text(text) => self.add(text.strip_suffix(b"\r").unwrap_or(text)),
                Content::Overlong | Content::Broken => self.unreadable += 1,
            }
        }
        Ok(())
    }

    fn add(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            self.blank += 1;
            return;
        }
        let LineShape { form, layout, candidates } = shape_of(line);
        self.not_utf8 += u64::from(str::from_utf8(line).is_err());
        self.with_secret += u64::from(!candidates.secrets.is_empty());
        self.unlikely += u64::from(candidates.is_unlikely);
        self.cut += u64::from(candidates.is_cut);
        *self.forms.entry(form).or_default() += 1;
        *self.layouts.entry(layout).or_default() += 1;
    }

    fn inspection(self, source: &LeakSource) -> Inspection {
        let line_bytes = self.bytes.checked_div(self.lines).filter(|bytes| *bytes > 0);
        let is_counted = self.bytes >= source.length();
        let lines_estimated = match line_bytes {
            _ if source.compression() != Compression::Plain => None,
            _ if is_counted => Some(self.lines),
            bytes => bytes.map(|bytes| source.length() / bytes),
        };
        let forms = by_count(self.forms).map(|(form, lines)| FormCount { form, lines });
        let layouts = by_count(self.layouts).map(|(layout, lines)| LayoutCount { layout, lines });
        Inspection {
            bytes: source.length(),
            compression: source.compression(),
            is_utf16: source.is_utf16(),
            lines: self.lines,
            blank: self.blank,
            unreadable: self.unreadable,
            not_utf8: self.not_utf8,
            lines_estimated,
            forms: forms.collect(),
            layouts: layouts.take(LAYOUTS_SHOWN_MAX).collect(),
            with_secret: self.with_secret,
            unlikely: self.unlikely,
            cut: self.cut,
        }
    }
}

/// The most frequent first, and those of equal counts in their own order.
fn by_count<T: Ord>(counts: HashMap<T, u64>) -> impl Iterator<Item = (T, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(one, count), (other, others)| others.cmp(count).then_with(|| one.cmp(other)));
    counts.into_iter()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn inspected(content: &[u8]) -> Inspection {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leak");
        fs::write(&path, content).unwrap();
        inspect(&path).unwrap()
    }

    #[test]
    fn the_form_of_a_file_is_told_and_nothing_that_stands_in_it() {
        let found =
            inspected(b"a@x.org:hunter2\n\nb@x.org:pa:ss\r\njust-a-word\nb\xe9@x.org:secret\n");
        assert_eq!((found.lines, found.blank, found.not_utf8), (5, 1, 1));
        let forms: Vec<_> = found.forms.iter().map(|count| (count.form, count.lines)).collect();
        assert_eq!(forms, [(LineForm::AddressSecret, 3), (LineForm::NoRecord, 1)]);
        let LayoutCount { layout, lines } = &found.layouts[0];
        assert_eq!((layout.as_str(), *lines), ("<address>:<text>", 2));
        assert_eq!((found.with_secret, found.unlikely, found.cut), (3, 0, 0));
        assert_eq!(found.lines_estimated, Some(5));
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn a_large_file_is_looked_at_in_three_places() {
        let half = b"a@example.org:password\n".repeat(40_000);
        let other = b"password;b@example.org\n".repeat(40_000);
        let found = inspected(&[half, other].concat());
        let [one, other] = &found.forms[..] else { panic!("{:?}", found.forms) };
        assert!(one.lines.abs_diff(other.lines) < 100, "{one:?} {other:?}");
        let estimated = found.lines_estimated.unwrap();
        assert!((79_000..81_000).contains(&estimated), "{estimated}");
        assert!(found.lines < 10_000);
    }

    #[test]
    fn what_is_compressed_is_read_and_not_estimated() {
        let frames = include_bytes!("../tests/data/frames.zst");
        let found = inspected(frames);
        assert_eq!((found.compression, found.lines_estimated), (Compression::Zstd, None));
        assert!(found.lines > 2);
        assert!(inspected(include_bytes!("../tests/data/utf16be.txt")).is_utf16);
    }

    #[test]
    fn an_empty_file_has_no_form() {
        let found = inspected(b"");
        assert_eq!((found.lines, found.lines_estimated, found.forms.len()), (0, Some(0), 0));
    }
}
