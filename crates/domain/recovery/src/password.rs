use std::fmt;

use model::Secret;
use zeroize::Zeroizing;

use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PASSWORD_CHARS_MIN_MAX};

/// A password that a person has chosen, as they typed it.
///
/// It is not changed in any way. NIST SP 800-63B-4, section 3.1.1.2, recommends (SHOULD) NFC before
/// hashing; we do not apply it, because the verifier at every later sign-in is the site's own
/// software, and Django, for one, hashes the UTF-8 bytes as they come. A password normalised here
/// alone would lock out whose keyboard writes NFD. For the same reason white space at its ends
/// stays. There are no rules of composition (NIST 3.1.1.2, ASVS 6.2.5).
///
/// Wiped from memory when dropped. It has no `Display`, and its `Debug` is mute.
#[derive(Clone)]
pub struct NewPassword(Zeroizing<String>);

impl NewPassword {
    /// Takes what was typed, if all of it can be hashed and it is long enough.
    ///
    /// # Errors
    /// [`NewPasswordError`] says what to do about it. The text is wiped either way.
    pub fn parse(typed: Zeroizing<String>, rules: &LengthRules) -> Result<Self, NewPasswordError> {
        let (chars, bytes) = (typed.chars().count(), typed.len());
        if chars < rules.chars_min {
            return Err(NewPasswordError::TooShort { found: chars, limit: rules.chars_min });
        }
        if bytes > rules.bytes_max {
            return Err(NewPasswordError::TooLong { found: bytes, limit: rules.bytes_max });
        }
        if typed.contains('\0') {
            return Err(NewPasswordError::Nul);
        }
        Ok(Self(typed))
    }

    /// The text, for judging it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// What is to be hashed.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::from(self.0.as_bytes())
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

/// Why what was typed is no password. None of these shows any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NewPasswordError {
    /// Guessed too soon.
    #[error("the password has {found} characters: choose one of at least {limit}")]
    TooShort {
        /// Unicode code points found; NIST 3.1.1.2 counts these.
        found: usize,
        /// The fewest taken.
        limit: usize,
    },
    /// The site's hash would not read the end of it (ASVS 6.2.8), or it is no password at all.
    #[error("the password has {found} bytes: choose one of at most {limit}")]
    TooLong {
        /// Bytes of UTF-8 found.
        found: usize,
        /// The most taken.
        limit: usize,
    },
    /// Some hashes end at it, and no keyboard has it.
    #[error("the password holds a NUL character: leave it out")]
    Nul,
}

/// How long a password must and may be. By default, at least eight characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LengthRules {
    chars_min: usize,
    bytes_max: usize,
}

impl LengthRules {
    /// The fewest characters that a password may have.
    #[must_use]
    pub const fn chars_min(&self) -> usize {
        self.chars_min
    }

    /// Another minimum: [`PASSWORD_CHARS_MIN_ALONE`](crate::limits::PASSWORD_CHARS_MIN_ALONE)
    /// where the password is the only factor.
    ///
    /// # Errors
    /// [`LengthRulesError`] if it is too weak, or more than people can be asked for.
    pub const fn with_chars_min(self, chars_min: usize) -> Result<Self, LengthRulesError> {
        if chars_min < PASSWORD_CHARS_MIN || chars_min > PASSWORD_CHARS_MIN_MAX {
            return Err(LengthRulesError { found: chars_min });
        }
        Ok(Self { chars_min, ..self })
    }

    /// For a hash that is made of so many bytes at most: bcrypt reads 72, less what the site adds, and
    /// drops the rest without a word, so there what is longer is refused.
    #[must_use]
    pub const fn with_bytes_max(self, bytes_max: Option<usize>) -> Self {
        let bytes_max = match bytes_max {
            Some(bytes_max) if bytes_max < PASSWORD_BYTES_MAX => bytes_max,
            _ => PASSWORD_BYTES_MAX,
        };
        Self { bytes_max, ..self }
    }
}

impl Default for LengthRules {
    fn default() -> Self {
        Self { chars_min: PASSWORD_CHARS_MIN, bytes_max: PASSWORD_BYTES_MAX }
    }
}

/// A minimum that no site may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a password's minimum of {found} characters: set {PASSWORD_CHARS_MIN} to \
     {PASSWORD_CHARS_MIN_MAX}"
)]
pub struct LengthRulesError {
    found: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, rules: &LengthRules) -> Result<NewPassword, NewPasswordError> {
        NewPassword::parse(Zeroizing::new(text.to_owned()), rules)
    }

    #[track_caller]
    fn refused(text: &str, rules: LengthRules, message: &str) {
        assert_eq!(parsed(text, &rules).unwrap_err().to_string(), message);
    }

    #[test]
    fn nothing_of_it_is_changed() {
        for text in
            ["  two words  ", "Zoe\u{308} und Zo\u{eb}", "12345678", "\u{1f511}\t\u{1f512}....."]
        {
            let password = parsed(text, &LengthRules::default()).unwrap();
            assert_eq!(password.to_secret().expose(), text.as_bytes());
            assert_eq!(format!("{password:?}"), "NewPassword(..)");
        }
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let rules = LengthRules::default();
        let message = "the password has 7 characters: choose one of at least 8";
        refused(&"\u{1f511}".repeat(7), rules, message);
        assert!(parsed(&"\u{1f511}".repeat(8), &rules).is_ok());
        assert!(parsed(&"x".repeat(1024), &rules).is_ok());
        let message = "the password has 1025 bytes: choose one of at most 1024";
        refused(&"x".repeat(1025), rules, message);
        refused("12345\u{0}678", rules, "the password holds a NUL character: leave it out");
    }

    #[test]
    fn bcrypt_gets_no_more_than_it_reads() {
        let of = |bytes_max| LengthRules::default().with_bytes_max(bytes_max);
        assert!(parsed(&"\u{e9}".repeat(36), &of(Some(72))).is_ok());
        let message = "the password has 73 bytes: choose one of at most 72";
        refused(&"x".repeat(73), of(Some(72)), message);
        assert!(parsed(&"x".repeat(73), &of(None)).is_ok());
        assert!(parsed(&"x".repeat(53), &of(Some(52))).is_err());
    }

    #[test]
    fn a_site_may_ask_for_more_and_not_for_less() {
        let rules = LengthRules::default();
        let alone = rules.with_chars_min(crate::limits::PASSWORD_CHARS_MIN_ALONE).unwrap();
        assert!(parsed("fourteen chars", &alone).is_err());
        assert!(parsed("fifteen charact", &alone).is_ok());
        let message = "a password's minimum of 7 characters: set 8 to 64";
        assert_eq!(rules.with_chars_min(7).unwrap_err().to_string(), message);
        assert!(rules.with_chars_min(65).is_err());
    }
}
