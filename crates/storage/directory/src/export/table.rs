use std::io::{Chain, Read};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::{
    fault::{ExportRow, HeaderFault, LineFault},
    head::{Head, known_columns},
};
use crate::{mapped_field::MappedField, row::RawRow};

/// What may stand between two fields, the likeliest first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The rows of a table whose first line is its header.
pub(super) fn rows<R: Read + Send>(
    header: &str,
    file: R,
) -> Result<impl Iterator<Item = ExportRow> + Send + use<R>, HeaderFault> {
    let delimiter = delimiter(header);
    let columns = split(header, delimiter);
    if columns.is_empty() {
        return Err(HeaderFault::Empty);
    }
    let head = Head::new(&columns.iter().collect::<Vec<_>>())?;
    let from_windows = header.ends_with("\r\n");
    // So that the last line is counted like every other, it ends like every other.
    let end = if from_windows { "\r\n" } else { "\n" };
    let reader = reader(delimiter).from_reader(file.chain(end.as_bytes()));
    Ok(Rows { reader, head, from_windows })
}

struct Rows<R> {
    reader: Reader<Chain<R, &'static [u8]>>,
    head: Head,
    from_windows: bool,
}

impl<R: Read> Iterator for Rows<R> {
    type Item = ExportRow;

    fn next(&mut self) -> Option<ExportRow> {
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => Some((self.line(&record), self.row(record))),
            Ok(false) => None,
            Err(error) => Some((self.line(&record), Err(fault(error)))),
        }
    }
}

impl<R: Read> Rows<R> {
    /// The line where the record just read begins.
    ///
    /// The reader's own word for it counts from the end of the record before, blank lines and all.
    /// It stands behind the record now: in the next line, but for the files of Windows, where it
    /// has seen the CR and not yet the LF.
    fn line(&self, record: &ByteRecord) -> u64 {
        let lines = record.as_slice().split(|byte| *byte == b'\n').count() as u64;
        let here = self.reader.position().line() + u64::from(self.from_windows);
        here.saturating_sub(lines)
    }

    fn row(&self, record: ByteRecord) -> Result<RawRow, LineFault> {
        let record = StringRecord::from_byte_record(record).map_err(|_| LineFault::NotUtf8)?;
        let mut row = RawRow::default();
        for (field, column) in self.head.columns() {
            let told = record.get(column).filter(|text| !is_nothing(field, text));
            row.set(field, told.map(str::to_owned));
        }
        Ok(row)
    }
}

/// What databases and their clients write where a value is missing.
const NOTHING: [&str; 2] = ["NULL", "\\N"];

/// The same of programs; somebody may be called so.
const NOTHING_OF_PROGRAMS: [&str; 3] = ["null", "None", "nil"];

fn is_nothing(field: MappedField, text: &str) -> bool {
    let is_name = field == MappedField::Username;
    NOTHING.contains(&text) || (!is_name && NOTHING_OF_PROGRAMS.contains(&text))
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
