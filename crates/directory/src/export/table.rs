use std::io::Read;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::{
    HeaderFault, LineFault, Row,
    head::{Head, known_columns},
};
use crate::row::RawRow;

/// What may stand between two fields, the likeliest first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The rows of a table whose first line is its header.
pub(super) fn rows<R: Read + Send>(
    header: &str,
    file: R,
) -> Result<impl Iterator<Item = Row> + Send + use<R>, HeaderFault> {
    let delimiter = delimiter(header);
    let columns = split(header, delimiter);
    if columns.is_empty() {
        return Err(HeaderFault::Empty);
    }
    let head = Head::new(&columns.iter().collect::<Vec<_>>())?;
    let reader = reader(delimiter).from_reader(file);
    Ok(Rows { reader, head })
}

struct Rows<R> {
    reader: Reader<R>,
    head: Head,
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let mut record = StringRecord::new();
        let read = self.reader.read_record(&mut record);
        let position = record.position().unwrap_or(self.reader.position());
        let line = position.line();
        match read {
            Ok(true) => Some((line, Ok(self.row(&record)))),
            Ok(false) => None,
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                Some((line, Err(fault(error))))
            }
        }
    }
}

impl<R> Rows<R> {
    fn row(&self, record: &StringRecord) -> RawRow {
        let mut row = RawRow::default();
        for (field, column) in self.head.columns() {
            row.set(field, record.get(column).map(str::to_owned));
        }
        row
    }
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
        // What is left of the kinds comes from serde, which is not used here.
        _ => LineFault::NotUtf8,
    }
}
