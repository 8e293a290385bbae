//! What stands in a column beside a hash: a text, or bytes as a directory reads them.

use std::borrow::Cow;

use super::fields::HashField;
use crate::coding::Coding;

/// What a column holds that begins with `\x`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BytesAs {
    /// Bytes, as they are read of a column that holds such.
    Digits,
    /// A text that looks so.
    Text,
}

/// Bytes are read from a column as `\x` and their hexadecimal digits. Where they are plain text, they
/// are read as that: it may be digits, or a number.
pub(super) fn column_field(column: &str, text: &str) -> HashField {
    match bytes_of(text) {
        Some(bytes) if is_plain(&bytes) => HashField::text(column, &plain_text(text)),
        Some(bytes) => HashField::coded(column, text, bytes),
        None => HashField::text(column, text),
    }
}

pub(super) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    Coding::Hex.decode(text.strip_prefix(BYTES)?)
}

/// The plain text of a column that holds it as bytes, or else what stands there.
pub(super) fn plain_text(text: &str) -> Cow<'_, str> {
    let plain = bytes_of(text).filter(|bytes| is_plain(bytes));
    plain.and_then(|bytes| String::from_utf8(bytes).ok()).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// What a column holds once a field is another one than `old`; `None` for what it cannot hold.
pub(super) fn column_text(field: &HashField, old: &str, read_as: BytesAs) -> Option<String> {
    match bytes_of(old).filter(|_| read_as == BytesAs::Digits) {
        Some(_) => Some(format!("{BYTES}{}", Coding::LowerHex.encode(&field.bytes))),
        None => Some(with_blanks_of(old, field.as_text()?.to_owned())),
    }
}

const BYTES: &str = "\\x";

/// A column of a fixed length stays filled up with blanks.
fn with_blanks_of(old: &str, mut text: String) -> String {
    let blanks = &old[old.trim_end_matches(' ').len()..];
    if !text.ends_with(blanks) {
        text.push_str(blanks);
    }
    text
}
