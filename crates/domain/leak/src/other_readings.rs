use encoding_rs::{Encoding, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252};
use model::Secret;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::{hex, limits::OTHER_READINGS_MAX};

/// What a secret may have been before the leaked site, or whoever passed it on, changed its characters: the
/// likeliest first, at most [`OTHER_READINGS_MAX`]. Most secrets have none.
///
/// They are worth trying only after the secret itself has failed: each may cost a slow hash.
#[must_use]
pub fn other_readings(secret: &Secret) -> Vec<Secret> {
    let mut readings = OtherReadings { secret, found: Vec::new() };
    let bytes = secret.expose();
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        readings.add(&bytes[..end]);
    }
    match str::from_utf8(bytes) {
        Ok(text) => readings.add_all_of(text),
        Err(_) => readings.add_all_decoded(),
    }
    readings.found
}

struct OtherReadings<'a> {
    secret: &'a Secret,
    found: Vec<Secret>,
}

impl OtherReadings<'_> {
    fn add_all_of(&mut self, text: &str) {
        let plain = &*Zeroizing::new(without_entities(text));
        self.add_text(plain);
        if !plain.is_ascii() {
            self.add_encodings_of(plain);
        }
        self.add_text(without_entities(plain));
        self.add_text(without_slashes(plain));
        self.add_all_coded(text);
    }

    /// What a URL or a dump had as digits.
    fn add_all_coded(&mut self, text: &str) {
        if let Some(decoded) = without_percents(text) {
            self.add_text(decoded.replace('+', " "));
            self.add_text(decoded);
        }
        if let Some(decoded) = without_digits(text) {
            self.add_text(decoded);
        }
    }

    fn add_encodings_of(&mut self, text: &str) {
        self.add_text(text.replace(NO_BREAK_SPACES, " "));
        self.add_all_repaired(text);
        self.add_text(text.nfc().collect::<String>());
        self.add_text(text.nfkc().collect::<String>());
        self.add_text(text.nfd().collect::<String>());
        // A site that was moved to UTF-8 has kept the hashes of before.
        for encoding in OLDER_ENCODINGS {
            if let Some(encoded) = encoded(encoding, text) {
                self.add(&encoded);
            }
        }
    }

    /// UTF-8 that was read as an older encoding and written as UTF-8 again: `GrÃ¼n`.
    fn add_all_repaired(&mut self, text: &str) {
        let older = OLDER_ENCODINGS.into_iter().filter_map(|encoding| encoded(encoding, text));
        for bytes in latin_1(text).into_iter().chain(older) {
            if let Ok(repaired) = str::from_utf8(&bytes) {
                self.add_text(repaired);
            }
        }
    }

    /// Whoever reads a record has taken bytes that are no UTF-8 for windows-1252 already.
    fn add_all_decoded(&mut self) {
        for encoding in [WINDOWS_1251, WINDOWS_1250] {
            let bytes = self.secret.expose();
            if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
            {
                self.add_text(text);
            }
        }
    }

    fn add_text(&mut self, text: impl Into<String>) {
        let text = Zeroizing::new(text.into());
        self.add(text.as_bytes());
    }

    fn add(&mut self, reading: &[u8]) {
        let is_known = |known: &Secret| known.expose() == reading;
        let is_new = !reading.is_empty() && !is_known(self.secret);
        if is_new && self.found.len() < OTHER_READINGS_MAX && !self.found.iter().any(is_known) {
            self.found.push(Secret::from(reading));
        }
    }
}

/// Spaces that word processors and phones write.
const NO_BREAK_SPACES: [char; 2] = ['\u{a0}', '\u{202f}'];

/// Those of Western, Eastern and Central Europe, by how many people have used them.
const OLDER_ENCODINGS: [&Encoding; 3] = [WINDOWS_1252, WINDOWS_1251, WINDOWS_1250];

fn encoded(encoding: &'static Encoding, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (bytes, _, has_failed) = encoding.encode(text);
    (!has_failed).then(|| Zeroizing::new(bytes.into_owned()))
}

/// Unlike windows-1252, it has control characters where that has quotes and dashes.
fn latin_1(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.map(Zeroizing::new)
}

/// Reads each entity once: what comes of it is none.
fn without_entities(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').filter(|end| *end <= ENTITY_BYTES_MAX);
        let character = entity.and_then(|end| character_of(&rest[1..end]));
        let (taken, character) = match (entity, character) {
            (Some(end), Some(character)) => (end + 1, character),
            _ => (1, '&'),
        };
        out.push(character);
        rest = &rest[taken..];
    }
    out + rest
}

/// The longest have nine characters, and numbers may begin with zeros.
const ENTITY_BYTES_MAX: usize = 12;

/// `amp`, `uuml`, `#39`, `#x27`.
fn character_of(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return number.ok().and_then(char::from_u32).filter(|character| *character != '\0');
    }
    let of_markup =
        MARKUP.iter().find(|(name, _)| *name == entity).map(|(_, character)| *character);
    let latin = || LATIN_1.split_whitespace().position(|name| name == entity);
    of_markup.or_else(|| char::from_u32(u32::try_from(latin()?).ok()? + u32::from('\u{a0}')))
}

const MARKUP: [(&str, char); 6] =
    [("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("amp", '&'), ("euro", '€')];

/// The characters from U+00A0 to U+00FF, in their order.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr \
    deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest \
    Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml \
    ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig \
    agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml \
    eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// `O\'Neil`, as PHP once gave whatever a form had sent.
fn without_slashes(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.chars().next() {
            Some(quoted @ ('\'' | '"' | '\\')) => {
                out.push(quoted);
                rest = &rest[1..];
            }
            _ => out.push('\\'),
        }
    }
    out + rest
}

/// What is written in a URL: `%26` for `&`. In none of it stands a `%` for itself.
fn without_percents(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = Zeroizing::new(parts.next()?.as_bytes().to_owned());
    let mut is_coded = false;
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.extend(hex::bytes_of(digits.as_bytes())?);
        bytes.extend_from_slice(rest.as_bytes());
        is_coded = true;
    }
    is_coded.then(|| typed_text(&bytes))?
}

/// A whole secret as hexadecimal digits, as databases show bytes.
fn without_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("\\x")).unwrap_or(text);
    let bytes = hex::bytes_of(digits.as_bytes()).map(Zeroizing::new);
    let bytes = bytes.filter(|bytes| bytes.len() >= SECRET_BYTES_MIN)?;
    str::from_utf8(&bytes).is_ok().then(|| typed_text(&bytes))?
}

/// Fewer digits are a word or a number much more often.
const SECRET_BYTES_MIN: usize = 4;

/// The text of bytes, in UTF-8 or an older encoding, if somebody may have typed it.
fn typed_text(bytes: &[u8]) -> Option<String> {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling_and_without_replacement(bytes)?.into(),
    };
    (!text.contains(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn readings(secret: &[u8]) -> Vec<Vec<u8>> {
        let found = other_readings(&Secret::from(secret));
        found.iter().map(|reading| reading.expose().to_vec()).collect()
    }

    #[track_caller]
    fn check(secret: &[u8], first: &[u8]) {
        let found = readings(secret);
        assert_eq!(found.first().map(Vec::as_slice), Some(first), "{found:?}");
    }

    #[test]
    fn a_changed_secret_is_read_as_it_was() {
        check(b"a&amp;b&#039;c", b"a&b'c");
        check("one\u{a0}two".as_bytes(), b"one two");
        check("GrÃ¼n".as_bytes(), "Grün".as_bytes());
        check("Gru\u{308}n".as_bytes(), "Grün".as_bytes());
        check("ﬁre".as_bytes(), b"fire");
        check("Grün".as_bytes(), "Gru\u{308}n".as_bytes());
        check(b"\xef\xe0\xf0\xee\xeb\xfc", "пароль".as_bytes());
        check(b"\xbf\xf3\xb3w \xb9", "їуіw №".as_bytes());
        check(b"before\0behind", b"before");
    }

    /// As Python's `encode("utf-8").decode(OLDER).encode("utf-8")` writes it.
    #[test]
    fn utf8_that_was_read_as_an_older_encoding_is_repaired() {
        for (written, typed) in [
            ("РїР°СЂРѕР»СЊ1", "пароль1"),
            ("ÐºÐ»ÑŽÑ‡", "ключ"),
            ("Ã\u{9c}bergrÃ¶Ã\u{9f}e", "Übergröße"),
            ("Ãœber", "Über"),
            ("ĹĽĂłĹ‚w", "żółw"),
        ] {
            let found = readings(written.as_bytes());
            assert!(found.contains(&typed.as_bytes().to_vec()), "{written}: {found:?}");
        }
    }

    /// As PHP, Django, Go and browsers write it.
    #[test]
    fn each_way_of_writing_a_character_is_read() {
        for written in [
            "ü & 'x'",
            "&uuml; &amp; &#039;x&#039;",
            "&#252; &amp; &#39;x&apos;",
            "&#xfc;&nbsp;&#38; &#x27;x&#X27;",
            "&amp;uuml; &amp;amp; 'x'",
            "ü & \\'x\\'",
            "%C3%BC+%26+%27x%27",
            "%c3%bc%20%26%20'x'",
            "%FC%20%26%20%27x%27",
            "c3bc2026202778 27",
            "0xC3BC20262027782 7",
        ] {
            let written = written.replace("78 27", "7827").replace("2 7", "27");
            let found = readings(written.as_bytes());
            let is_known = written == "ü & 'x'" || found.contains(&"ü & 'x'".as_bytes().to_vec());
            assert!(is_known, "{written}: {found:?}");
        }
    }

    #[test]
    fn the_bytes_of_an_older_encoding_are_tried() {
        assert!(readings("пароль".as_bytes()).contains(&b"\xef\xe0\xf0\xee\xeb\xfc".to_vec()));
        assert!(readings("Grün".as_bytes()).contains(&b"Gr\xfcn".to_vec()));
        assert!(readings("żółw".as_bytes()).contains(&b"\xbf\xf3\xb3w".to_vec()));
        assert!(readings(b"\xbf\xf3\xb3w").contains(&"żółw".as_bytes().to_vec()));
    }

    #[test]
    fn most_secrets_cost_nothing_more() {
        for plain in [
            "",
            "Tr0ub4dor&3",
            "correct horse",
            "&<>'\"",
            "&nix;",
            "100%",
            "5%zz",
            "12345678",
            "cafe",
            "a+b",
            "deadbeef",
            "&#0;",
            "a\\b",
            "&#x110000;",
        ] {
            assert!(readings(plain.as_bytes()).is_empty(), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn readings_are_few_distinct_and_other(secret in prop::collection::vec(any::<u8>(), 0..40)) {
            let found = readings(&secret);
            prop_assert!(found.len() <= OTHER_READINGS_MAX);
            prop_assert!(!found.contains(&secret));
            let distinct: std::collections::HashSet<_> = found.iter().collect();
            prop_assert_eq!(distinct.len(), found.len());
        }
    }
}
