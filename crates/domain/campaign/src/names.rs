//! Names and ids that stand in what is signed. Each is checked when it is made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::limits::{
    CAMPAIGN_NAME_BYTES_MAX, DATABASE_IDENTITY_BYTES_MAX, INSTANCE_ID_BYTES_MAX,
    OPERATOR_NAME_BYTES_MAX, TEMPLATE_NAME_BYTES_MAX,
};

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr, $allowed:expr, $words:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                checked(text, $what, $max, $allowed, $words).map(|text| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

name_type! {
    /// Which installation: a signature for one is worth nothing in another.
    InstanceId, "an instance's id", INSTANCE_ID_BYTES_MAX, is_word,
    "lower-case letters, digits and - . _"
}

name_type! {
    /// What an operator is called. One case and one script, so that no two names look alike.
    OperatorName, "an operator's name", OPERATOR_NAME_BYTES_MAX, is_word,
    "lower-case letters, digits and - . _"
}

name_type! {
    /// What a campaign is called by operators. Recipients never see it.
    CampaignName, "a campaign's name", CAMPAIGN_NAME_BYTES_MAX, is_printable,
    "anything but control characters"
}

name_type! {
    /// Which template of which language, as in `reset_required/en`.
    TemplateName, "a template's name", TEMPLATE_NAME_BYTES_MAX, is_path,
    "lower-case letters, digits and - . _ /"
}

name_type! {
    /// Which database this is: a copy of it has another identity.
    DatabaseIdentity, "a database's identity", DATABASE_IDENTITY_BYTES_MAX, is_ascii_printable,
    "printable ASCII"
}

fn is_word(char: char) -> bool {
    matches!(char, 'a'..='z' | '0'..='9' | '-' | '.' | '_')
}

fn is_path(char: char) -> bool {
    is_word(char) || char == '/'
}

fn is_ascii_printable(char: char) -> bool {
    matches!(char, ' '..='~')
}

fn is_printable(char: char) -> bool {
    !char.is_control()
}

fn checked<'a>(
    text: &'a str,
    what: &'static str,
    max: usize,
    allowed: fn(char) -> bool,
    words: &'static str,
) -> Result<&'a str, NameError> {
    let length = text.len();
    if text.trim().is_empty() {
        return Err(NameError::Empty { what });
    }
    if length > max {
        return Err(NameError::TooLong { what, length, max });
    }
    match text.chars().find(|char| !allowed(*char)) {
        Some(found) => Err(NameError::Character { what, found: u32::from(found), words }),
        None => Ok(text),
    }
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
