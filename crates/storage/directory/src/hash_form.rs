//! Hashes that a column does not hold as text: as bytes, or as the text that PostgreSQL makes of
//! bytes, which is what a text column holds once a program has given it some.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
/// What stands before the hexadecimal digits of bytes. No hash begins so.
const BYTES: &str = "\\x";

/// How a row holds its hash, so that another one can be put there in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashForm {
    /// As text.
    Text,
    /// As the bytes of that text, or of its digits where it is `\x` and hexadecimal digits.
    Bytes,
    /// As text with the hexadecimal digits of those bytes.
    HexText,
}

impl HashForm {
    /// The form of a value that was read as this text.
    pub(crate) fn of(raw: &str, is_bytes: bool) -> Self {
        match (is_bytes, decoded(raw)) {
            (true, _) => Self::Bytes,
            (false, Some(_)) => Self::HexText,
            (false, None) => Self::Text,
        }
    }

    /// The value that stands for a hash in this form.
    pub(crate) fn write(self, text: &str) -> HashValue {
        match self {
            Self::Text => HashValue::Text(text.to_owned()),
            Self::Bytes => HashValue::Bytes(bytes(text).unwrap_or_else(|| text.into())),
            Self::HexText => HashValue::Text(hex(text)),
        }
    }
}

/// A value for a hash column. It is a secret, so it has no `Debug`.
pub(crate) enum HashValue {
    Text(String),
    Bytes(Vec<u8>),
}

/// The hash that a text stands for. Bytes that are no printable text stay hexadecimal digits.
pub(crate) fn plain_hash(raw: String) -> String {
    decoded(&raw).unwrap_or(raw)
}

/// The text of bytes as they stand in a column of text, or are read from one of bytes.
pub(crate) fn hex(text: &str) -> String {
    format!("{BYTES}{}", HEXLOWER.encode(text.as_bytes()))
}

/// Without the NUL bytes that fill up a column of fixed length.
fn decoded(raw: &str) -> Option<String> {
    let mut bytes = bytes(raw)?;
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    let text = String::from_utf8(bytes).ok()?;
    let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    is_printable.then_some(text)
}

fn bytes(raw: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(raw.strip_prefix(BYTES)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "\\x24326224313024616263";

    #[test]
    fn bytes_are_read_as_the_hash_that_they_are() {
        assert_eq!(plain_hash(HEX.to_owned()), "$2b$10$abc");
        assert_eq!(hex("$2b$10$abc"), HEX);
        assert_eq!(plain_hash("\\x".to_owned()), "");
        assert_eq!(plain_hash(format!("{HEX}0000")), "$2b$10$abc");
        assert_eq!(plain_hash("\\x0000".to_owned()), "");
        for other in ["\\x2", "\\xzz", "\\x00ff", "\\X2432", "x2432", "$2b$10$abc", "\\x24320a"] {
            assert_eq!(plain_hash(other.to_owned()), other);
        }
    }

    #[test]
    fn another_hash_takes_the_form_of_the_one_before() {
        let written = |raw: &str, is_bytes: bool| HashForm::of(raw, is_bytes).write("$2b$10$abc");
        assert!(matches!(written("$2b$", false), HashValue::Text(text) if text == "$2b$10$abc"));
        assert!(matches!(written(HEX, false), HashValue::Text(text) if text == HEX));
        assert!(matches!(written(HEX, true), HashValue::Bytes(bytes) if bytes == b"$2b$10$abc"));
        let binary = HashForm::Bytes.write("\\x00ff");
        assert!(matches!(binary, HashValue::Bytes(bytes) if bytes == [0, 255]));
    }
}
