//! What a file is, by its first bytes: text is read, whatever it is wrapped in, and all else is called by
//! its name.

use std::io::{self, BufRead, BufReader};

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::MultiGzDecoder;
use model::Wrapping;

use super::no_table::NoTable;

/// A file's text: unpacked, as UTF-8, without the mark that Windows sets before it.
pub(super) fn text(
    file: impl BufRead + Send + 'static,
) -> io::Result<Result<Box<dyn BufRead + Send>, NoTable>> {
    let mut file = file;
    if Wrapping::of(file.fill_buf()?) == Some(Wrapping::Gzip) {
        return plain_text(BufReader::new(MultiGzDecoder::new(file)));
    }
    plain_text(file)
}

fn plain_text(
    mut file: impl BufRead + Send + 'static,
) -> io::Result<Result<Box<dyn BufRead + Send>, NoTable>> {
    let first = file.fill_buf()?;
    if let Some(other) = other_than_text(first) {
        return Ok(Err(other));
    }
    // Of what is no UTF-8 the line has to be named, so that only UTF-16 is converted.
    if Wrapping::of(first) == Some(Wrapping::Utf16) {
        let decoder = DecodeReaderBytesBuilder::new();
        return Ok(Ok(Box::new(BufReader::new(decoder.build(file)))));
    }
    let mark = if first.starts_with(UTF_8_MARK) { UTF_8_MARK.len() } else { 0 };
    file.consume(mark);
    Ok(Ok(Box::new(file)))
}

const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";

fn other_than_text(first: &[u8]) -> Option<NoTable> {
    match Wrapping::of(first) {
        Some(Wrapping::Utf16) => return None,
        Some(Wrapping::Zip) => return Some(NoTable::Zip),
        Some(_) => return Some(NoTable::Packed),
        None => {}
    }
    let known = BINARIES.iter().find(|(begin, _)| first.starts_with(begin)).map(|(_, kind)| *kind);
    known.or_else(|| is_utf16_without_mark(first).then_some(NoTable::Utf16WithoutMark))
}

/// The bytes that files of other kinds begin with.
const BINARIES: &[(&[u8], NoTable)] = &[
    (b"SQLite format 3\0", NoTable::Sqlite),
    (b"PGDMP", NoTable::SqlDump),
    (b"%PDF", NoTable::Binary),
    (b"\xd0\xcf\x11\xe0", NoTable::Spreadsheet),
];

/// Of Latin letters every second byte is zero.
fn is_utf16_without_mark(first: &[u8]) -> bool {
    matches!(first, [0, a, 0, b, ..] | [a, 0, b, 0, ..] if *a != 0 && *b != 0)
}

/// What the first two lines are, if they are text and no table with a header.
pub(super) fn no_table([first, second]: &[String; 2]) -> Option<NoTable> {
    let first = first.trim();
    let is_one_of = |words: &[&str]| words.iter().any(|word| begins(first, word));
    if first.starts_with('[') {
        Some(NoTable::JsonArray)
    } else if is_one_of(&["--", "/*", "INSERT INTO ", "CREATE TABLE ", "COPY ", "SET "]) {
        Some(NoTable::SqlDump)
    } else if first.starts_with("+-") || is_rule(second) {
        Some(NoTable::Drawn)
    } else if is_one_of(&["<?xml", "<!doctype", "<html", "<table"]) {
        Some(NoTable::Markup)
    } else {
        None
    }
}

fn begins(line: &str, word: &str) -> bool {
    line.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

/// Whether somebody's client has drawn this below a header: `----+-----`, `|---|---|`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.contains("--") && line.chars().all(|c| matches!(c, '-' | '+' | '|' | ' ' | ':'))
}
