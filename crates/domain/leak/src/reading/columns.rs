//! Columns of a line, and what stands between quotes.

use std::ops::Range;

use model::Secret;

use super::web_address::length_at_start;

/// What parts the columns of most leaks.
pub(super) const DELIMITERS: [u8; 5] = *b":;,|\t";

pub(super) fn is_delimiter(byte: u8) -> bool {
    DELIMITERS.contains(&byte)
}

/// Where the columns of a text stand. A quoted field is one, and so is a web address, whatever delimiters
/// they hold. There is always one, if only an empty one, and at most [`COLUMNS_MAX`].
pub(super) fn columns(text: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let (mut columns, mut start) = (Vec::new(), 0);
    loop {
        let end = start + column_length(&text[start..], delimiter);
        columns.push(start..end);
        if end == text.len() {
            return columns;
        }
        start = end + 1;
        if columns.len() + 1 == COLUMNS_MAX {
            columns.push(start..text.len());
            return columns;
        }
    }
}

/// The last one holds whatever follows.
const COLUMNS_MAX: usize = 64;

fn column_length(text: &[u8], delimiter: u8) -> usize {
    let blanks = text.len() - without_blanks(text).len();
    let held = match quoted(&text[blanks..]) {
        Some(field) => field.length,
        None => length_at_start(&text[blanks..], delimiter),
    };
    let from = if held > 0 { blanks + held } else { 0 };
    // Behind a closing quote comes the next delimiter, blanks aside; else the quote was no quote.
    let rest = &text[from..];
    let next = rest.iter().position(|byte| *byte == delimiter).unwrap_or(rest.len());
    from + next
}

fn without_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    &text[blanks..]
}

/// A field that is quoted, with what ends it.
pub(super) struct QuotedField {
    /// Bytes of it, both quotes included.
    pub(super) length: usize,
    /// Without its quotes, and with what they had doubled or escaped as it is meant.
    pub(super) value: Secret,
}

/// The field at the start of a text, if it is quoted from end to end: behind its closing quote comes nothing
/// but blanks up to a delimiter, a closing bracket or the text's end.
pub(super) fn quoted(text: &[u8]) -> Option<QuotedField> {
    let quote = *text.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let (mut value, mut at) = (Vec::with_capacity(text.len()), 1);
    loop {
        match (*text.get(at)?, text.get(at + 1)) {
            (b'\\', Some(next)) if *next == quote || *next == b'\\' => {
                value.push(*next);
                at += 2;
            }
            (byte, Some(next)) if byte == quote && *next == quote => {
                value.push(quote);
                at += 2;
            }
            (byte, _) if byte == quote => break,
            (byte, _) => {
                value.push(byte);
                at += 1;
            }
        }
    }
    let next = without_blanks(&text[at + 1..]).first();
    let is_closed =
        next.is_none_or(|byte| is_delimiter(*byte) || matches!(byte, b')' | b']' | b'}'));
    is_closed.then(|| QuotedField { length: at + 1, value: Secret::new(value) })
}

/// A field without the pair of quotes around it, whatever they have doubled or escaped.
pub(super) fn unquoted(field: &[u8]) -> &[u8] {
    let pair = |quote: &[u8]| field.strip_prefix(quote)?.strip_suffix(quote);
    pair(b"\"").or_else(|| pair(b"'")).unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, delimiter: u8, expected: &[&str]) {
        let found: Vec<_> = columns(text.as_bytes(), delimiter)
            .into_iter()
            .map(|range| String::from_utf8_lossy(&text.as_bytes()[range]).into_owned())
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn quotes_and_web_addresses_are_one_column() {
        check("", b':', &[""]);
        check("a:b:", b':', &["a", "b", ""]);
        check("a:https://h.example:8443/p:b", b':', &["a", "https://h.example:8443/p", "b"]);
        check("\"7\",\"ann\",\"p,w\"\"1\"", b',', &["\"7\"", "\"ann\"", "\"p,w\"\"1\""]);
        check("'a:b' : \"c:d\" :e", b':', &["'a:b' ", " \"c:d\" ", "e"]);
        check("\"a:b\"c:d", b':', &["\"a", "b\"c", "d"]);
        check("it's:fine", b':', &["it's", "fine"]);
    }

    #[test]
    fn a_quoted_value_is_read_as_it_is_meant() {
        for (text, expected) in [
            (r#""p,w""1",x"#, Some(r#"p,w"1"#)),
            (r#""p\"w" ;x"#, Some(r#"p"w"#)),
            (r"'o\'neil'", Some("o'neil")),
            (r#""open"#, None),
            (r#""a"b"#, None),
            ("a", None),
        ] {
            let found = quoted(text.as_bytes()).map(|field| field.value.expose().to_vec());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn columns_have_an_end() {
        assert_eq!(columns(&[b':'; 1000], b':').len(), COLUMNS_MAX);
    }
}
