use std::fmt;

use model::StoredHash;
use serde::Serialize;

/// How a stored hash begins, up to the first character that may be of its salt: enough to tell which
/// software writes such hashes, and nothing that helps to guess.
///
/// `$2b$12$`, `pbkdf2_sha256$600000$`, `{SSHA}`; of a text without such a beginning, what it is made of:
/// `32 hexadecimal digits`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HashHead(String);

/// Hashes that begin alike, whatever they cost: `$2b$*$`. Which forms they may have, their site has
/// decided once for all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HashShape(String);

impl HashHead {
    /// The beginning of this hash.
    #[must_use]
    pub fn of(hash: &StoredHash) -> Self {
        let text = hash.text();
        let mut end = 0;
        for piece in text.split_inclusive(is_end) {
            let rest = &text[end + piece.len()..];
            if rest.len() < REST_BYTES_MIN || !is_told(&text[..end], piece) {
                break;
            }
            end += piece.len();
        }
        Self(if end > 0 { text[..end].to_owned() } else { made_of(text) })
    }

    /// The same of every hash that differs in its costs alone.
    #[must_use]
    pub fn shape(&self) -> HashShape {
        // Their number says how long a salt is, unless all are digits of one digest.
        if let Some(kind) = FREE_KINDS.iter().find(|kind| self.0.ends_with(*kind)) {
            return HashShape((*kind).to_owned());
        }
        let mut shape = String::new();
        for piece in self.0.split_inclusive(is_end) {
            match without_end(piece) {
                // `$6$`: no cost, but the name of a function.
                _ if is_mark(&shape) => shape.push_str(piece),
                number if is_number(number) => shape.push_str(&piece.replace(number, "*")),
                setting if is_setting(setting) => {
                    let (name, _) = setting.split_once('=').unwrap_or_default();
                    shape.push_str(&piece.replace(setting, &format!("{name}=*")));
                }
                _ => shape.push_str(piece),
            }
        }
        HashShape(shape)
    }
}

impl HashShape {
    /// The shape of this hash.
    #[must_use]
    pub fn of(hash: &StoredHash) -> Self {
        HashHead::of(hash).shape()
    }

    /// All that are too few to be named one by one.
    #[must_use]
    pub fn others() -> Self {
        Self("other shapes".to_owned())
    }

    /// One that was kept.
    #[must_use]
    pub const fn kept(text: String) -> Self {
        Self(text)
    }

    /// As it is kept and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Behind its beginning a hash has at least as much as DES gives: a shorter text may be a password.
const REST_BYTES_MIN: usize = 11;

/// What ends a name or a number at the beginning of a hash.
const fn is_end(character: char) -> bool {
    matches!(character, '$' | ':' | '!' | '{' | '}' | ',' | '|' | '*')
}

fn without_end(piece: &str) -> &str {
    piece.strip_suffix(is_end).unwrap_or(piece)
}

/// Whether this piece behind what is told already is no salt for sure.
fn is_told(before: &str, piece: &str) -> bool {
    let text = without_end(piece);
    if text.is_empty() || !before.is_empty() && (is_number(text) || is_setting(text)) {
        return true;
    }
    is_name(text) && (is_mark(before) || before.is_empty() && names_a_digest(text))
}

/// Whether the name of a function comes next.
fn is_mark(before: &str) -> bool {
    matches!(before, "$" | "{" | "!")
}

/// Costs are short; a salt of digits alone is longer.
fn is_number(text: &str) -> bool {
    (1..=7).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `v=19`, `rounds=5000`.
fn is_setting(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| is_name(name) && is_number(value))
}

fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// The longest is `django_pbkdf2_sha256` and the like.
const NAME_BYTES_MAX: usize = 24;

/// A word in front of everything may be a salt, unless it is the name of a function.
fn names_a_digest(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    DIGEST_WORDS.iter().any(|word| text.contains(word))
}

const DIGEST_WORDS: &[&str] =
    &["md4", "md5", "sha", "pbkdf2", "scrypt", "crypt", "argon2", "plain", "hash"];

/// What a text without a beginning of its own is made of.
fn made_of(text: &str) -> String {
    let count = text.chars().count();
    let all = |is_in: fn(&u8) -> bool| text.as_bytes().iter().all(is_in);
    let characters = if all(u8::is_ascii_hexdigit) {
        "hexadecimal digits"
    } else if all(u8::is_ascii_alphanumeric) {
        FREE_KINDS[0]
    } else {
        FREE_KINDS[1]
    };
    format!("{count} {characters}")
}

/// Kinds of characters of which hashes of one form may have different numbers. No beginning ends so.
const FREE_KINDS: [&str; 2] = ["letters and digits", "characters"];

impl fmt::Display for HashHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HashShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::{SAMPLES, hash};

    fn head(text: &str) -> String {
        HashHead::of(&hash(text)).to_string()
    }

    #[test]
    fn a_beginning_ends_before_the_salt() {
        for (text, expected) in [
            ("$2b$12$tHVJ.c1qLoiqCzqFPxuAu.ny6.MoFlMyGljeNBYmKmdybQrQe6OUy", "$2b$12$"),
            (
                "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$AAAAAAAA",
                "$argon2id$v=19$m=65536,t=3,p=4$",
            ),
            ("pbkdf2_sha256$600000$seasalt$Zm9vYmFyYmF6", "pbkdf2_sha256$600000$"),
            ("scrypt:32768:8:1$Em69jtXv$9435b74e", "scrypt:32768:8:1$"),
            ("$P$BRzu5nR2nZqyw9ZbqUq4ZMzZ1", "$P$"),
            ("$S$DzUj3Q8bR0N5", "$S$"),
            ("{SSHA}NLxuVXeVZXcd", "{SSHA}"),
            ("{CRYPT}$6$rounds=5000$salt$hash", "{CRYPT}$6$"),
            ("!bcrypt!12!tHVJ.c1qLoiqCzqF", "!bcrypt!12!"),
            ("!sha512!salt!Zm9vYmFy", "!sha512!"),
            ("$6$rounds=5000$saltstring$svn8U", "$6$rounds=5000$"),
            ("sha1$Em69jtXv$9435b74e", "sha1$"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "32 hexadecimal digits"),
            ("5f4dcc3b5aa765d61d8327deb882cf99:Ab3dE7xY", "41 characters"),
            ("Ab3dE7xY:1197d9785", "18 characters"),
            ("rqXexS6ZhobKA", "13 letters and digits"),
            ("*A4B6157319038724E3560894F7F932C8886EBFCF", "*"),
            ("password", "8 letters and digits"),
            ("$ecret$word", "11 characters"),
            ("1234:Zm9vYmFyYmF6Zm9v", "21 characters"),
        ] {
            assert_eq!(head(text), expected, "{text}");
        }
    }

    #[test]
    fn costs_make_no_other_shape() {
        let shape = |text: &str| HashShape::of(&hash(text)).to_string();
        assert_eq!(shape("$2b$12$tHVJ.c1qLoiqCzqF"), "$2b$*$");
        assert_eq!(
            shape("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$AAAA"),
            "$argon2id$v=*$m=*,t=*,p=*$"
        );
        assert_eq!(shape("$6$rounds=5000$saltstring$svn8UoSVapNtMuq1"), "$6$rounds=*$");
        assert_eq!(shape("pbkdf2_sha256$600000$salt$Zm9vYmFyYmF6"), "pbkdf2_sha256$*$");
        assert_eq!(shape("5f4dcc3b5aa765d61d8327deb882cf99"), "32 hexadecimal digits");
        for salt in ["x", "kF3\"x9", "longer than others"] {
            assert_eq!(shape(&format!("{salt}:5f4dcc3b5aa765d61d8327deb882cf99")), "characters");
        }
        assert_eq!(shape("rqXexS6ZhobKA"), "letters and digits");
    }

    /// The end of a text is where hashes keep what is to be guessed.
    #[test]
    fn no_beginning_holds_the_end() {
        for (_, text) in SAMPLES {
            let end = &text[text.len() - 12..];
            assert!(!head(text).contains(end), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_beginning(text in ".{1,60}") {
            prop_assume!(StoredHash::from_column(Some(text.clone())).is_some(), "no password");
            let head = head(&text);
            prop_assert!(!head.is_empty());
            prop_assert!(head != text || text.chars().count() < 2, "{}", text);
        }
    }
}
