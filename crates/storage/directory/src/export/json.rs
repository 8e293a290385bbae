use std::io::{BufRead, Read};

use serde_json::{Map, Value};

use super::{
    fault::{ExportRow, LineFault},
    head::Head,
};
use crate::{limits::EXPORT_LINE_BYTES_MAX, mapped_field::MappedField, row::RawRow};

/// The objects of a file that holds one on each line.
pub(super) fn rows(file: impl BufRead + Send) -> impl Iterator<Item = ExportRow> + Send {
    JsonLines { file, number: 0 }.filter_map(|(number, line)| match line {
        Ok(line) if line.trim_ascii().is_empty() => None,
        line => Some((number, line.and_then(|line| row(line.trim_ascii_end())))),
    })
}

fn row(line: &[u8]) -> Result<RawRow, LineFault> {
    let mut object = object(line)?;
    let keys: Vec<_> = object.keys().cloned().collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let head = Head::new(&keys).map_err(LineFault::Keys)?;
    let mut row = RawRow::default();
    for (field, key) in head.columns() {
        let value = object.remove(keys[key]).unwrap_or_default();
        row.set(field, text(field, value)?);
    }
    Ok(row)
}

/// The parser's own message could show part of a hash, so only its place is kept.
fn object(line: &[u8]) -> Result<Map<String, Value>, LineFault> {
    let line = str::from_utf8(line).map_err(|_| LineFault::NotUtf8)?;
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(LineFault::Json { column: 1 }),
        Err(error) => Err(LineFault::Json { column: error.column() }),
    }
}

fn text(field: MappedField, value: Value) -> Result<Option<String>, LineFault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(truth) => Ok(Some(truth.to_string())),
        // A great number is not exact unless it is whole, and an id must be.
        Value::Number(number) if field != MappedField::Id || !number.is_f64() => {
            Ok(Some(number.to_string()))
        }
        Value::Array(_) if field == MappedField::OtherEmails => Ok(Some(value.to_string())),
        _ => Err(LineFault::Kind { field }),
    }
}

/// Lines with their numbers, none longer than the limit.
struct JsonLines<R> {
    file: R,
    number: u64,
}

impl<R: BufRead> Iterator for JsonLines<R> {
    type Item = (u64, Result<Vec<u8>, LineFault>);

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        let mut line = Vec::new();
        let mut limited = (&mut self.file).take(EXPORT_LINE_BYTES_MAX + 1);
        match limited.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(read) if read as u64 > EXPORT_LINE_BYTES_MAX => {
                let rest = if line.ends_with(b"\n") { Ok(0) } else { self.file.skip_until(b'\n') };
                Some((self.number, Err(rest.map_or_else(LineFault::Io, |_| LineFault::TooLong))))
            }
            Ok(_) => Some((self.number, Ok(line))),
            Err(error) => Some((self.number, Err(error.into()))),
        }
    }
}
