use std::io::{BufRead, Chain, Read};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::{
    fault::{ExportRow, HeaderFault, LineFault},
    head::{Head, known_columns},
    unsaid::Unsaid,
};
use crate::{mapped_field::MappedField, row::RawRow};

/// What may stand between two fields, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The rows of a table whose first line is its header, or says what stands between two fields, as Excel
/// has it: `sep=;`.
pub(super) fn rows<R: BufRead + Send>(
    [first, second]: &[String; 2],
    mut table: R,
) -> Result<impl Iterator<Item = ExportRow> + Send + use<R>, HeaderFault> {
    let named = named_delimiter(first);
    let (header, lines_before) = if named.is_some() { (second, 1) } else { (first, 0) };
    if named.is_some() {
        table.consume(first.len());
    }
    let delimiter = named.unwrap_or_else(|| delimiter(header));
    let columns = split(header, delimiter);
    if columns.is_empty() {
        return Err(HeaderFault::Empty);
    }
    let head = Head::new(&columns.iter().collect::<Vec<_>>())?;
    let from_windows = header.ends_with("\r\n");
    // So that the last line is counted like every other, it ends like every other.
    let end = if from_windows { "\r\n" } else { "\n" };
    let table = Unsaid::new(table, delimiter).chain(end.as_bytes());
    Ok(Rows { reader: reader(delimiter).from_reader(table), head, from_windows, lines_before })
}

struct Rows<R> {
    reader: Reader<Chain<Unsaid<R>, &'static [u8]>>,
    head: Head,
    from_windows: bool,
    lines_before: u64,
}

fn named_delimiter(line: &str) -> Option<u8> {
    match line.trim_end_matches(['\r', '\n']).strip_prefix("sep=")?.as_bytes() {
        [delimiter] => Some(*delimiter),
        _ => None,
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = ExportRow;

    fn next(&mut self) -> Option<ExportRow> {
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let (line, place) = (self.line(&record), self.place(&record));
                let row = self.row(record);
                Some(row.map_or_else(|fault| place.with(fault), |row| (line, Ok(row))))
            }
            Err(_) if is_footer(&record) => Some((self.line(&record), Err(LineFault::Footer))),
            Err(error) => Some(self.place(&record).with(fault(error))),
        }
    }
}

impl<R: BufRead> Rows<R> {
    /// The line where the record just read begins.
    ///
    /// The reader's own word for it counts from the end of the record before, blank lines and all.
    /// It stands behind the record now: in the next line, but for the files of Windows, where it
    /// has seen the CR and not yet the LF.
    fn line(&self, record: &ByteRecord) -> u64 {
        let lines = lines_of(record);
        let here = self.reader.position().line() + u64::from(self.from_windows);
        (here + self.lines_before).saturating_sub(lines)
    }

    /// Where a record stands that may be at fault. One without an end takes the end of the last line with it,
    /// and the one that is added there.
    fn place(&self, record: &ByteRecord) -> RecordPlace {
        let is_open = record.as_slice().ends_with(b"\n");
        let lines = lines_of(record) - u64::from(is_open);
        RecordPlace { line: self.line(record) + u64::from(is_open), lines }
    }

    fn row(&self, record: ByteRecord) -> Result<RawRow, LineFault> {
        let record = StringRecord::from_byte_record(record).map_err(|_| LineFault::NotUtf8)?;
        let mut row = RawRow::default();
        for (field, column) in self.head.columns() {
            let text = record.get(column);
            if field == MappedField::Hash && text.is_some_and(holds_other_rows) {
                return Err(LineFault::OtherRows);
            }
            row.set(field, text.map(str::to_owned));
        }
        Ok(row)
    }
}

/// A hash may be wrapped, and no wrapped one has what stands between fields.
fn holds_other_rows(hash: &str) -> bool {
    hash.contains('\n') && hash.contains(DELIMITERS.map(char::from))
}

fn lines_of(record: &ByteRecord) -> u64 {
    record.as_slice().split(|byte| *byte == b'\n').count() as u64
}

struct RecordPlace {
    line: u64,
    lines: u64,
}

impl RecordPlace {
    /// A record of one line is one account's. Of one that has more, nobody knows how many are in it.
    fn with(self, fault: LineFault) -> ExportRow {
        let Self { line, lines } = self;
        let fault = match fault {
            LineFault::Io(_) => fault,
            fault if lines > 1 => LineFault::Unclosed { lines, fault: Box::new(fault) },
            fault => fault,
        };
        (line, Err(fault))
    }
}

/// `(2 rows)`.
fn is_footer(record: &ByteRecord) -> bool {
    let text = record.get(0).map(<[u8]>::trim_ascii).filter(|_| record.len() == 1);
    let words = text.and_then(|text| text.strip_prefix(b"(")?.strip_suffix(b")"));
    let words =
        words.and_then(|words| words.strip_suffix(b" rows").or(words.strip_suffix(b" row")));
    words.is_some_and(|number| number.iter().all(u8::is_ascii_digit))
}

/// The delimiter that makes the most of the header.
fn delimiter(header: &str) -> u8 {
    let known = |delimiter: &u8| {
        let columns = split(header, *delimiter);
        known_columns(&columns.iter().collect::<Vec<_>>())
    };
    // Of several equals the last is taken.
    let best = DELIMITERS.into_iter().rev().max_by_key(known);
    best.unwrap_or(b',')
}

fn split(header: &str, delimiter: u8) -> StringRecord {
    let mut reader = reader(delimiter).from_reader(header.as_bytes());
    reader.headers().cloned().unwrap_or_default()
}

fn reader(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter);
    builder
}

fn fault(error: csv::Error) -> LineFault {
    match error.into_kind() {
        ErrorKind::Io(error) => LineFault::Io(error),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            LineFault::Fields { found: len, expected: expected_len }
        }
        // What is left of the kinds comes from reading text, or from serde.
        _ => LineFault::NotUtf8,
    }
}
