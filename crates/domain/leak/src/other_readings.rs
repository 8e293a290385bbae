use encoding_rs::{Encoding, WINDOWS_1251, WINDOWS_1252};
use model::Secret;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::limits::OTHER_READINGS_MAX;

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
        Err(_) => readings.add_decoded(WINDOWS_1251),
    }
    readings.found
}

struct OtherReadings<'a> {
    secret: &'a Secret,
    found: Vec<Secret>,
}

impl OtherReadings<'_> {
    fn add_all_of(&mut self, text: &str) {
        let text = &*Zeroizing::new(without_entities(text));
        self.add_text(text);
        if text.is_ascii() {
            return;
        }
        self.add_text(text.replace(NO_BREAK_SPACES, " "));
        self.add_text(repaired(text));
        self.add_text(text.nfc().collect::<String>());
        self.add_text(text.nfkc().collect::<String>());
        self.add_text(text.nfd().collect::<String>());
        // A site that was moved to UTF-8 has kept the hashes of before.
        for encoding in [WINDOWS_1252, WINDOWS_1251] {
            let (encoded, _, has_failed) = encoding.encode(text);
            if !has_failed {
                self.add(&encoded);
            }
        }
    }

    fn add_decoded(&mut self, encoding: &'static Encoding) {
        let decoded =
            encoding.decode_without_bom_handling_and_without_replacement(self.secret.expose());
        if let Some(text) = decoded {
            self.add_text(text);
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

/// UTF-8 that was read as windows-1252 and written as UTF-8 again: `GrÃ¼n`.
fn repaired(text: &str) -> String {
    let (bytes, _, has_failed) = WINDOWS_1252.encode(text);
    match str::from_utf8(&bytes) {
        Ok(repaired) if !has_failed => repaired.to_owned(),
        _ => text.to_owned(),
    }
}

/// What HTML writes for these characters; the last one is `&`, so that no entity arises anew.
const ENTITIES: [(&str, &str); 8] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#039;", "'"),
    ("&#39;", "'"),
    ("&apos;", "'"),
    ("&amp;", "&"),
];

fn without_entities(text: &str) -> String {
    let decode = |text: String, (entity, character): &(&str, &str)| text.replace(entity, character);
    ENTITIES.iter().fold(text.to_owned(), decode)
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
        check(b"before\0behind", b"before");
    }

    #[test]
    fn the_bytes_of_an_older_encoding_are_tried() {
        assert!(readings("пароль".as_bytes()).contains(&b"\xef\xe0\xf0\xee\xeb\xfc".to_vec()));
        assert!(readings("Grün".as_bytes()).contains(&b"Gr\xfcn".to_vec()));
    }

    #[test]
    fn most_secrets_cost_nothing_more() {
        for plain in ["", "Tr0ub4dor&3", "correct horse", "&<>'\""] {
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
