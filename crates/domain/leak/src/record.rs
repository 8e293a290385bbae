use encoding_rs::WINDOWS_1252;
use memchr::memchr;
use model::Secret;

use crate::{
    hex,
    limits::{SECRETS_MAX, SPLITS_MAX},
    words::{WORD_BYTES, byte_of, each, equal, word_at},
};

/// One way to read a line: an identifier, a delimiter and what stands behind it.
#[derive(Clone, Copy)]
pub(crate) struct Split<'a> {
    pub(crate) identifier: &'a [u8],
    delimiter: u8,
    rest: &'a [u8],
}

/// The ways to read a line, one for each of its first few delimiters.
pub(crate) fn splits(line: &[u8]) -> impl Iterator<Item = Split<'_>> {
    Delimiters::of(line).take(SPLITS_MAX).map(|at| Split {
        identifier: &line[..at],
        delimiter: line[at],
        rest: &line[at + 1..],
    })
}

/// Where `:` `;` `,` `|` and tabs stand in a line, found eight bytes at a time.
struct Delimiters<'a> {
    line: &'a [u8],
    /// Where the word stands that is being looked at.
    at: usize,
    /// The top bit of each of its bytes that is a delimiter not yet passed on.
    found: u64,
}

impl<'a> Delimiters<'a> {
    fn of(line: &'a [u8]) -> Self {
        let found = delimiters_in(word_at(line, 0));
        Self { line, at: 0, found }
    }
}

impl Iterator for Delimiters<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.at += WORD_BYTES;
            if self.at >= self.line.len() {
                return None;
            }
            self.found = delimiters_in(word_at(self.line, self.at));
        }
        let byte = byte_of(self.found.trailing_zeros());
        self.found &= self.found - 1;
        Some(self.at + byte)
    }
}

/// The top bit of each byte that is a delimiter.
pub(crate) const fn delimiters_in(word: u64) -> u64 {
    // `:` and `;` differ in their lowest bit only.
    let colons = equal(word & each(0xfe), b':');
    colons | equal(word, b',') | equal(word, b'|') | equal(word, b'\t')
}

impl Split<'_> {
    /// Whether nothing stands behind the delimiter that could be a password.
    pub(crate) const fn is_without_secret(&self) -> bool {
        self.rest.is_empty()
    }

    /// What may be the password, the likeliest first, at most [`SECRETS_MAX`], each once.
    ///
    /// Delimiters, quotes and spaces may or may not be part of a password: only verification can
    /// tell. A field that is quoted from end to end comes first, then everything behind the
    /// delimiter, then what stands before the same delimiter again, as where columns follow.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Plausible(Vec::new());
        if let Some(field) = self.quoted_field() {
            secrets.add(field.expose());
        }
        for field in [Some(self.rest), self.first_column()].into_iter().flatten() {
            let trimmed = field.trim_ascii();
            secrets.add(field);
            secrets.add(trimmed);
            secrets.add(self.unquoted(trimmed));
        }
        secrets.0
    }

    fn first_column(&self) -> Option<&[u8]> {
        let end = memchr(self.delimiter, self.rest)?;
        Some(&self.rest[..end])
    }

    /// A field quoted as in CSV. Its closing quote must stand before the delimiter or at the end.
    fn quoted_field(&self) -> Option<Secret> {
        let quoted = self.rest.trim_ascii_start().strip_prefix(b"\"")?;
        let length = closing_quote(quoted)?;
        let mut behind = quoted[length + 1..].iter();
        let next = behind.find(|&&byte| byte != b' ');
        let closed = next.is_none_or(|&byte| byte == self.delimiter);
        closed.then(|| undoubled(&quoted[..length]))
    }

    fn unquoted<'a>(&self, field: &'a [u8]) -> &'a [u8] {
        let pair = |quote: &[u8]| field.strip_prefix(quote)?.strip_suffix(quote);
        let bare = pair(b"\"").or_else(|| pair(b"'")).or_else(|| self.before_last_quote(field));
        bare.unwrap_or(field)
    }

    /// The end of a line that is quoted as a whole, as in `"a@x.com:secret"`.
    fn before_last_quote<'a>(&self, field: &'a [u8]) -> Option<&'a [u8]> {
        let opened = self.identifier.trim_ascii_start().starts_with(b"\"");
        field.strip_suffix(b"\"").filter(|_| opened)
    }
}

/// Bytes before the first quote that is not doubled.
fn closing_quote(quoted: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(b'"', &quoted[at..])?;
        if quoted.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn undoubled(field: &[u8]) -> Secret {
    // Of the full capacity from the start, so that no copy is left behind by growing.
    let mut bytes = Vec::with_capacity(field.len());
    let mut after_quote = false;
    for &byte in field {
        let second = byte == b'"' && after_quote;
        after_quote = byte == b'"' && !second;
        if !second {
            bytes.push(byte);
        }
    }
    Secret::new(bytes)
}

/// Distinct secrets in order of likelihood.
struct Plausible(Vec<Secret>);

impl Plausible {
    /// Adds a field as it may be meant. `$HEX[..]` is how crackers write what would break a line;
    /// older ones also wrote passwords that begin so as they are.
    fn add(&mut self, field: &[u8]) {
        if let Some(decoded) = from_hex(field) {
            self.add_encodings(decoded);
        }
        self.add_encodings(field.into());
    }

    /// What is not UTF-8 is most likely windows-1252, and the site most likely got it as UTF-8.
    fn add_encodings(&mut self, secret: Secret) {
        let converted = from_windows_1252(secret.expose());
        self.push(secret);
        if let Some(converted) = converted {
            self.push(converted);
        }
    }

    fn push(&mut self, secret: Secret) {
        let Self(secrets) = self;
        let new = !secret.expose().is_empty() && !secrets.contains(&secret);
        if new && secrets.len() < SECRETS_MAX {
            secrets.push(secret);
        }
    }
}

fn from_hex(field: &[u8]) -> Option<Secret> {
    let digits = field.strip_prefix(b"$HEX[")?.strip_suffix(b"]")?;
    hex::bytes_of(digits).map(Secret::new)
}

fn from_windows_1252(bytes: &[u8]) -> Option<Secret> {
    if str::from_utf8(bytes).is_ok() {
        return None;
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    Some(Secret::new(text.into_owned().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secrets of a line split at its first delimiter.
    #[track_caller]
    fn check(line: &[u8], expected: &[&[u8]]) {
        let split = splits(line).next().unwrap();
        let secrets = split.secrets();
        let shown: Vec<_> = secrets.iter().map(|secret| secret.expose().escape_ascii()).collect();
        let shown: Vec<_> = shown.into_iter().map(|secret| secret.to_string()).collect();
        let expected: Vec<_> = expected.iter().map(|s| s.escape_ascii().to_string()).collect();
        assert_eq!(shown, expected, "{}", line.escape_ascii());
    }

    #[test]
    fn a_password_may_hold_the_delimiter_or_columns_may_follow() {
        check(b"a@x:pw", &[b"pw"]);
        check(b"a@x:pa:ss", &[b"pa:ss", b"pa"]);
        check(b"a@x:pa;ss", &[b"pa;ss"]);
        check(b"a@x::", &[b":"]);
        check(b"a@x::pw", &[b":pw"]);
        check(b"a@x:", &[]);
    }

    #[test]
    fn spaces_and_quotes_are_kept_and_stripped() {
        check(b"a@x: pw ", &[b" pw ", b"pw"]);
        check(b"a@x:'pw'", &[b"'pw'", b"pw"]);
        check(b"a@x: ", &[b" "]);
        check(b"a@x:\"\"", &[b"\"\""]);
        check(b"\"a@x:pw\"", &[b"pw\"", b"pw"]);
    }

    #[test]
    fn a_quoted_field_is_read_as_csv_does() {
        check(b"\"a@x\",\"pw\"", &[b"pw", b"\"pw\""]);
        check(b"a@x:\"p\"\"w\"", &[b"p\"w", b"\"p\"\"w\"", b"p\"\"w"]);
        let columns: &[&[u8]] = &[b"p,w", b"\"p,w\",1", b"\"p"];
        check(b"\"a@x\",\"p,w\",1", columns);
        check(b"a@x:\"p\"w", &[b"\"p\"w"]);
        check(b"a@x:\"p", &[b"\"p"]);
        check(b"a@x:\"\"\"", &[b"\"\"\"", b"\""]);
    }

    #[test]
    fn hex_is_decoded_and_literal() {
        check(b"a@x:$HEX[70773A]", &[b"pw:", b"$HEX[70773A]"]);
        check(b"a@x:$HEX[e9]", &[b"\xe9", b"\xc3\xa9", b"$HEX[e9]"]);
        check(b"a@x:$HEX[707]", &[b"$HEX[707]"]);
        check(b"a@x:$HEX[70", &[b"$HEX[70"]);
        check(b"a@x:$HEX[]", &[b"$HEX[]"]);
        check(b"a@x:$HEX[zz]", &[b"$HEX[zz]"]);
    }

    #[test]
    fn other_encodings_are_raw_and_converted() {
        check(b"a@x:caf\xe9\x80", &[b"caf\xe9\x80", "caf\u{e9}\u{20ac}".as_bytes()]);
        check("a@x:é".as_bytes(), &["é".as_bytes()]);
    }

    #[test]
    fn each_delimiter_is_found_and_nothing_else() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut line = [b'x'; 20];
                line[at] = byte;
                let found: Vec<_> = Delimiters::of(&line).collect();
                let expected = if b":;,|\t".contains(&byte) { vec![at] } else { vec![] };
                assert_eq!(found, expected, "{byte}");
            }
        }
        assert_eq!(Delimiters::of(&[b':'; 20]).count(), 20);
        assert_eq!(Delimiters::of(b"").count(), 0);
    }

    #[test]
    fn a_secret_list_has_an_end() {
        let split = splits(b"a:\" $HEX[e9]\" : \xe9 : \xe8").next().unwrap();
        assert!(split.secrets().len() <= SECRETS_MAX);
        assert_eq!(splits(b"a:b;c,d|e\tf").count(), SPLITS_MAX);
    }
}
