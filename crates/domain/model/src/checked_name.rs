//! Names that stand in what is signed. Each is checked when it is made.

use crate::limits::{INSTANCE_ID_BYTES_MAX, OPERATOR_NAME_BYTES_MAX};

/// Defines a name of a length and an alphabet of its own.
///
/// The crate that uses it needs `serde`.
#[macro_export]
macro_rules! checked_name {
    ($(#[$doc:meta])* pub struct $name:ident; $what:literal, $max:expr, $allowed:expr, $words:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::NameError::check(text, $what, $max, $allowed, $words)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::NameError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

checked_name! {
    /// Which installation: a signature for one is worth nothing in another.
    pub struct InstanceId;
    "an instance's id", INSTANCE_ID_BYTES_MAX, is_word,
    "lower-case letters, digits and - . _"
}

checked_name! {
    /// What an operator is called. One case and one script, so that no two names look alike.
    pub struct OperatorName;
    "an operator's name", OPERATOR_NAME_BYTES_MAX, is_word,
    "lower-case letters, digits and - . _"
}

/// Whether a character may stand in a word: one case and one script.
#[must_use]
pub const fn is_word(char: char) -> bool {
    matches!(char, 'a'..='z' | '0'..='9' | '-' | '.' | '_')
}

/// Why a text is no name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but white space.
    #[error("{what} is empty")]
    Empty {
        /// What it should name.
        what: &'static str,
    },
    /// Would not fit on a line.
    #[error("{what} has {length} bytes, at most {max} are taken")]
    TooLong {
        /// What it should name.
        what: &'static str,
        /// Bytes found.
        length: usize,
        /// Bytes taken.
        max: usize,
    },
    /// Could be mistaken for another name.
    #[error("{what} holds the character U+{found:04X}, it may hold {words}")]
    Character {
        /// What it should name.
        what: &'static str,
        /// The code point.
        found: u32,
        /// What it may hold.
        words: &'static str,
    },
}

impl NameError {
    /// For [`checked_name!`](macro@crate::checked_name): passes a text that is not blank, of at
    /// most `max` bytes, and of `allowed` characters alone.
    ///
    /// # Errors
    /// The first of these that the text is not.
    pub fn check(
        text: &str,
        what: &'static str,
        max: usize,
        allowed: fn(char) -> bool,
        words: &'static str,
    ) -> Result<(), Self> {
        let length = text.len();
        if text.trim().is_empty() {
            return Err(Self::Empty { what });
        }
        if length > max {
            return Err(Self::TooLong { what, length, max });
        }
        match text.chars().find(|char| !allowed(*char)) {
            Some(found) => Err(Self::Character { what, found: u32::from(found), words }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_operators_look_alike() {
        assert!("ana.b-2".parse::<OperatorName>().is_ok());
        for wrong in ["", "Ana", "an\u{430}", "a b", "a\n", "a/b"] {
            assert!(wrong.parse::<OperatorName>().is_err(), "{wrong}");
        }
        let error = "Ana".parse::<OperatorName>().unwrap_err().to_string();
        let expected = "an operator's name holds the character U+0041, \
                        it may hold lower-case letters, digits and - . _";
        assert_eq!(error, expected);
    }
}
