//! What sites do with the text of a password before they hash it.

use encoding_rs::{Encoding, WINDOWS_1252};
use stringprep::tables;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// A step on text. Bytes that are no UTF-8 pass unchanged: a site that takes text never had them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextStep {
    Trim,
    TrimEnd,
    Lower,
    AsciiLower,
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
    /// `SASLprep` (RFC 4013); what it forbids passes unchanged.
    SaslPrep,
    /// The same as PostgreSQL has it: what it forbids is looked for before characters are normalised,
    /// and what would leave nothing passes unchanged, too.
    PgSaslPrep,
    /// `&`, `<`, `>` and `"` as entities.
    Html,
    /// The same with `'` as `&#039;`, as PHP escapes them unless it is told otherwise, from 8.1 on.
    HtmlQuotes,
    /// More of them, as IP.Board 3 writes whatever a form sends.
    Ipb,
    /// A backslash before quotes, backslashes and NUL.
    Slashes,
    Utf8,
    Latin1,
    Cp1252,
    Utf16Le,
    /// Each byte as two.
    Widened,
}

const NAMES: &[(&str, TextStep)] = &[
    ("trim", TextStep::Trim),
    ("rtrim", TextStep::TrimEnd),
    ("lower", TextStep::Lower),
    ("asciilower", TextStep::AsciiLower),
    ("nfc", TextStep::Nfc),
    ("nfd", TextStep::Nfd),
    ("nfkc", TextStep::Nfkc),
    ("nfkd", TextStep::Nfkd),
    ("saslprep", TextStep::SaslPrep),
    ("pgsaslprep", TextStep::PgSaslPrep),
    ("html", TextStep::Html),
    ("htmlquotes", TextStep::HtmlQuotes),
    ("ipb", TextStep::Ipb),
    ("slashes", TextStep::Slashes),
    ("utf8", TextStep::Utf8),
    ("latin1", TextStep::Latin1),
    ("cp1252", TextStep::Cp1252),
    ("utf16le", TextStep::Utf16Le),
    ("widen", TextStep::Widened),
];

impl TextStep {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, step)| *step)
    }

    /// Whether it says in which encoding a text goes on.
    pub(super) const fn encodes(self) -> bool {
        matches!(self, Self::Utf8 | Self::Latin1 | Self::Cp1252 | Self::Utf16Le | Self::Widened)
    }

    pub(super) fn apply(self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        if self == Self::Widened {
            return Zeroizing::new(bytes.iter().flat_map(|byte| [*byte, 0]).collect());
        }
        let Ok(text) = str::from_utf8(bytes) else { return Zeroizing::new(bytes.to_owned()) };
        Zeroizing::new(self.applied(text))
    }

    fn applied(self, text: &str) -> Vec<u8> {
        match self {
            Self::Trim => text.trim_matches(is_php_blank).into(),
            Self::TrimEnd => text.trim_end_matches(is_php_blank).into(),
            Self::Lower => text.to_lowercase().into(),
            Self::AsciiLower => text.to_ascii_lowercase().into(),
            Self::Nfc => text.nfc().collect::<String>().into(),
            Self::Nfd => text.nfd().collect::<String>().into(),
            Self::Nfkc => text.nfkc().collect::<String>().into(),
            Self::Nfkd => text.nfkd().collect::<String>().into(),
            Self::SaslPrep => saslprep(text).unwrap_or_else(|| text.into()),
            Self::PgSaslPrep => pg_saslprep(text).unwrap_or_else(|| text.into()),
            Self::Html => escaped(text, html).into(),
            Self::HtmlQuotes => escaped(text, html_quotes).into(),
            Self::Ipb => ipb(text).into(),
            Self::Slashes => escaped(text, slashes).into(),
            Self::Latin1 => latin1(text),
            Self::Cp1252 => encoded(WINDOWS_1252, text),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf8 | Self::Widened => text.into(),
        }
    }
}

fn saslprep(text: &str) -> Option<Vec<u8>> {
    stringprep::saslprep(text).ok().map(|prepared| prepared.as_bytes().into())
}

fn pg_saslprep(text: &str) -> Option<Vec<u8>> {
    let is_space = tables::non_ascii_space_character;
    let mut kept = text.chars().filter(|c| !tables::commonly_mapped_to_nothing(*c) || is_space(*c));
    let is_refused = text.chars().any(|c| !is_space(c) && is_forbidden(c));
    let prepared = saslprep(text).filter(|_| kept.next().is_some() && !is_refused)?;
    (!prepared.is_empty()).then_some(prepared)
}

/// What no text may hold by RFC 4013, and no normal form replaces in PostgreSQL.
fn is_forbidden(c: char) -> bool {
    tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::non_character_code_point(c)
        || tables::unassigned_code_point(c)
}

/// A text in windows-1252, if that has all of its characters.
pub(super) fn windows_1252(text: &str) -> Option<Vec<u8>> {
    let (bytes, _, has_failed) = WINDOWS_1252.encode(text);
    (!has_failed).then(|| bytes.into_owned())
}

/// What PHP's `trim` takes away.
fn is_php_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\0' | '\u{b}')
}

fn escaped(text: &str, escape: fn(char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match escape(c) {
            Some(words) => escaped.push_str(words),
            None => escaped.push(c),
        }
    }
    escaped
}

fn html(c: char) -> Option<&'static str> {
    Some(match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        _ => return None,
    })
}

fn html_quotes(c: char) -> Option<&'static str> {
    if c == '\'' { Some("&#039;") } else { html(c) }
}

/// Some of its words are several characters: they come before these.
fn ipb(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace("<!--", "&#60;&#33;--").replace("-->", "--&#62;");
    escaped(&without_script(&text), ipb_character)
}

/// A script's beginning, in whatever case.
fn without_script(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.to_ascii_lowercase().find(SCRIPT) {
        out.push_str(&rest[..at]);
        out.push_str("&#60;script");
        rest = &rest[at + SCRIPT.len()..];
    }
    out + rest
}

const SCRIPT: &str = "<script";

fn ipb_character(c: char) -> Option<&'static str> {
    Some(match c {
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\n' => "<br />",
        '$' => "&#036;",
        '!' => "&#33;",
        '\'' => "&#39;",
        '\\' => "&#092;",
        _ => return None,
    })
}

fn slashes(c: char) -> Option<&'static str> {
    Some(match c {
        '\'' => "\\'",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\0' => "\\0",
        _ => return None,
    })
}

/// Characters beyond it are written as `?`, as PHP's `utf8_decode` does.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// The same of another encoding. What it does not have, databases and languages write as `?`, where
/// browsers would write an entity.
fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut character = [0; 4];
    for c in text.chars() {
        let (one, _, has_failed) = encoding.encode(c.encode_utf8(&mut character));
        bytes.extend_from_slice(if has_failed { b"?" } else { &one });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_gives(step: &str, text: &str, expected: &[u8]) {
        assert_eq!(TextStep::named(step).unwrap().apply(text.as_bytes()).as_slice(), expected);
    }

    #[test]
    fn each_step_does_what_its_sites_do() {
        assert_gives("trim", " \ta b\0\n", b"a b");
        assert_gives("rtrim", " a ", b" a");
        assert_gives("lower", "ÄB", "äb".as_bytes());
        assert_gives("asciilower", "ÄB", "Äb".as_bytes());
        assert_gives("nfd", "ü", "u\u{308}".as_bytes());
        assert_gives("nfc", "u\u{308}", "ü".as_bytes());
        assert_gives("nfkc", "ﬁ", b"fi");
        assert_gives("saslprep", "a\u{a0}b\u{ad}", b"a b");
        assert_gives("saslprep", "a\u{7}", b"a\x07");
        assert_gives("saslprep", "x\u{340}y", "x\u{300}y".as_bytes());
        assert_gives("pgsaslprep", "x\u{340}y", "x\u{340}y".as_bytes());
        assert_gives("pgsaslprep", "\u{200d}", "\u{200d}".as_bytes());
        assert_gives("pgsaslprep", "a\u{a0}b\u{ad}", b"a b");
        assert_gives("html", "<a&\"'>", b"&lt;a&amp;&quot;'&gt;");
        assert_gives("ipb", "a!b$c'd\\e&f", b"a&#33;b&#036;c&#39;d&#092;e&amp;f");
        assert_gives("ipb", "<a>\"\n", b"&lt;a&gt;&quot;<br />");
        assert_gives("ipb", "<!--a--><SCRIPT", b"&#60;&#33;--a--&#62;&#60;script");
        assert_gives("htmlquotes", "a<b'c&d\"", b"a&lt;b&#039;c&amp;d&quot;");
        assert_gives("slashes", "O'Neil\\", b"O\\'Neil\\\\");
        assert_gives("latin1", "ü€", &[0xfc, b'?']);
        assert_gives("cp1252", "ü€Š", &[0xfc, 0x80, 0x8a]);
        assert_gives("cp1252", "aп😀b", b"a??b");
        assert_gives("utf16le", "ü", &[0xfc, 0]);
        assert_gives("widen", "ü", &[0xc3, 0, 0xbc, 0]);
    }

    #[test]
    fn bytes_that_are_no_text_pass() {
        assert_eq!(TextStep::Trim.apply(&[b' ', 0xff]).as_slice(), [b' ', 0xff]);
    }
}
