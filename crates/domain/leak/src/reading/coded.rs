//! Lines in which an address or a quote is written in another way: `a%40example.org`, `o\'brien@x.org`.

use std::ops::Range;

use memchr::memmem;

/// A line as it is meant, and where each of its bytes stands in the line as it is written.
pub(crate) struct DecodedLine {
    pub(crate) text: Vec<u8>,
    /// For each byte of the text, and for its end, where it begins in the line.
    starts: Vec<usize>,
}

impl DecodedLine {
    /// Where a part of the text stands in the line.
    pub(crate) fn written_at(&self, place: &Range<usize>) -> Range<usize> {
        self.starts[place.start]..self.starts[place.end]
    }

    fn of(line: &[u8], coding: &LineCoding) -> Self {
        let mut decoded = Self { text: Vec::with_capacity(line.len()), starts: Vec::new() };
        let mut at = 0;
        while at < line.len() {
            let (byte, length) = (coding.decode)(&line[at..]).unwrap_or((line[at], 1));
            decoded.text.push(byte);
            decoded.starts.push(at);
            at += length;
        }
        decoded.starts.push(at);
        decoded
    }
}

/// Each way in which a line may be coded, decoded once; nothing for nearly all lines.
pub(crate) fn decoded_lines(line: &[u8]) -> impl Iterator<Item = DecodedLine> {
    CODINGS.iter().filter(|coding| coding.is_in(line)).map(|coding| DecodedLine::of(line, coding))
}

/// Whether a line may be coded in any way.
pub(crate) fn is_coded(line: &[u8]) -> bool {
    CODINGS.iter().any(|coding| coding.is_in(line))
}

/// One way to write bytes.
struct LineCoding {
    /// What tells of it: an address that would not be found, or a quote within one.
    marks: &'static [&'static str],
    /// The byte that stands at the start of a text, and bytes that it takes, if it is coded.
    decode: fn(&[u8]) -> Option<(u8, usize)>,
}

impl LineCoding {
    fn is_in(&self, line: &[u8]) -> bool {
        self.marks.iter().any(|mark| memmem::find(line, mark.as_bytes()).is_some())
    }
}

const CODINGS: &[LineCoding] = &[
    LineCoding { marks: &["%40"], decode: percent },
    LineCoding { marks: &["&#64;", "&#x40;", "&commat;"], decode: entity },
    LineCoding { marks: &["\\u0040"], decode: unicode },
    LineCoding { marks: &["\\'", "\\\""], decode: backslash },
    LineCoding { marks: &["''"], decode: doubled },
];

fn percent(text: &[u8]) -> Option<(u8, usize)> {
    let digits = text.strip_prefix(b"%")?.get(..2)?;
    hex_byte(digits).map(|byte| (byte, 3))
}

/// A text with each `%` and its two digits as the byte that they are.
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    DecodedLine::of(text, &CODINGS[0]).text
}

/// Only those that stand for one byte: others are a matter of the secret.
fn entity(text: &[u8]) -> Option<(u8, usize)> {
    let named = ENTITIES.iter().find(|(written, _)| text.starts_with(written.as_bytes()));
    named.map(|(written, byte)| (*byte, written.len()))
}

const ENTITIES: [(&str, u8); 9] = [
    ("&#64;", b'@'),
    ("&#x40;", b'@'),
    ("&commat;", b'@'),
    ("&amp;", b'&'),
    ("&quot;", b'"'),
    ("&#39;", b'\''),
    ("&#039;", b'\''),
    ("&lt;", b'<'),
    ("&gt;", b'>'),
];

fn unicode(text: &[u8]) -> Option<(u8, usize)> {
    let digits = text.strip_prefix(b"\\u00")?.get(..2)?;
    hex_byte(digits).filter(u8::is_ascii).map(|byte| (byte, 6))
}

fn backslash(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'\\', quoted @ (b'\'' | b'"' | b'\\'), ..] => Some((*quoted, 2)),
        _ => None,
    }
}

fn doubled(text: &[u8]) -> Option<(u8, usize)> {
    text.starts_with(b"''").then_some((b'\'', 2))
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let decoded: Vec<_> = decoded_lines(line.as_bytes())
            .map(|decoded| String::from_utf8_lossy(&decoded.text).into_owned())
            .collect();
        assert_eq!(decoded, expected, "{line}");
        assert_eq!(is_coded(line.as_bytes()), !expected.is_empty());
    }

    #[test]
    fn each_way_to_write_an_address_is_read() {
        check("h%40example.org:p%26w", &["h@example.org:p&w"]);
        check("h&#64;example.org:p&amp;w", &["h@example.org:p&w"]);
        check(r"h\u0040example.org:pw", &["h@example.org:pw"]);
        check(r"('o\'neil@example.org','p\\a')", &[r"('o'neil@example.org','p\a')"]);
        check("'o''neil@example.org'", &["'o'neil@example.org'"]);
        check("a@example.org:100%", &[]);
        check("a@example.org:p&w", &[]);
    }

    #[test]
    fn a_place_is_known_in_the_line_as_it_is_written() {
        let line = b"x:h%40example.org:p%26w";
        let decoded = decoded_lines(line).next().unwrap();
        let at = 2..2 + b"h@example.org".len();
        assert_eq!(&decoded.text[at.clone()], b"h@example.org");
        assert_eq!(&line[decoded.written_at(&at)], b"h%40example.org");
        let end = decoded.text.len();
        assert_eq!(decoded.written_at(&(end..end)), line.len()..line.len());
    }
}
