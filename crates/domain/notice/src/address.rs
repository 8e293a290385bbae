use std::{fmt, str::FromStr};

use crate::{
    limits::{ADDRESS_BYTES_MAX, LOCAL_PART_BYTES_MAX},
    text::is_hidden,
};

/// What RFC 5322 allows in an unquoted local part, besides letters and digits.
const ATOM_MARKS: &str = "!#$%&'*+-/=?^_`{|}~";

/// A mail address that can stand in an envelope and in a header without quoting.
///
/// The domain is in its ASCII form. The local part may be beyond ASCII; a relay must then offer
/// SMTPUTF8.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands behind the `@`, in ASCII and lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Whether only a relay with SMTPUTF8 takes it.
    #[must_use]
    pub fn is_international(&self) -> bool {
        !self.text.is_ascii()
    }

    /// `local+tag@domain`, to which bounces of one notice go.
    ///
    /// # Errors
    /// [`AddressError`] if the tag makes it too long or may not stand in an address.
    pub fn tagged(&self, tag: &str) -> Result<Self, AddressError> {
        format!("{}+{tag}@{}", &self.text[..self.at], self.domain()).parse()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        let domain = ascii_domain(domain)?;
        check_local_part(local)?;
        let text = format!("{local}@{domain}");
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong { found: text.len(), limit: ADDRESS_BYTES_MAX });
        }
        Ok(Self { text, at: local.len() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

/// Why no mail can be sent to a text. It does not repeat the address, which is somebody's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address at all.
    #[error("a mail address holds an @")]
    NoAt,
    /// A character that would need quoting, or that could end a line.
    #[error("the part before the @ holds {}, which we do not send to", found.escape_debug())]
    LocalPart {
        /// The character found.
        found: char,
    },
    /// Dots at the ends or side by side.
    #[error("the part before the @ is empty, or a dot stands at its end or beside another")]
    Dots,
    /// Not a name that DNS can hold.
    #[error("the domain is not valid")]
    Domain,
    /// Longer than servers take.
    #[error("the address or its first part has {found} bytes, at most {limit} are taken")]
    TooLong {
        /// Its bytes.
        found: usize,
        /// The bound.
        limit: usize,
    },
}

fn check_local_part(local: &str) -> Result<(), AddressError> {
    if local.len() > LOCAL_PART_BYTES_MAX {
        return Err(AddressError::TooLong { found: local.len(), limit: LOCAL_PART_BYTES_MAX });
    }
    if local.split('.').any(str::is_empty) {
        return Err(AddressError::Dots);
    }
    match local.chars().find(|c| !is_local(*c)) {
        Some(found) => Err(AddressError::LocalPart { found }),
        None => Ok(()),
    }
}

fn is_local(c: char) -> bool {
    let foreign = !c.is_ascii() && !is_hidden(c) && !c.is_whitespace();
    c.is_ascii_alphanumeric() || c == '.' || ATOM_MARKS.contains(c) || foreign
}

fn ascii_domain(domain: &str) -> Result<String, AddressError> {
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| AddressError::Domain)?;
    let plain = ascii.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let named = ascii.split('.').all(|label| !label.is_empty());
    if plain && named { Ok(ascii) } else { Err(AddressError::Domain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn taken(text: &str, expected: &str) {
        assert_eq!(text.parse::<Address>().unwrap().as_str(), expected);
    }

    #[track_caller]
    fn refused(text: &str, expected: AddressError) {
        assert_eq!(text.parse::<Address>(), Err(expected));
    }

    #[test]
    fn an_address_cannot_end_a_line_or_a_command() {
        taken("jane.doe+x@Example.ORG", "jane.doe+x@example.org");
        taken("jörg@bücher.example", "jörg@xn--bcher-kva.example");
        refused("jane", AddressError::NoAt);
        refused("a\r\nRCPT@example.org", AddressError::LocalPart { found: '\r' });
        refused("a> b@example.org", AddressError::LocalPart { found: '>' });
        refused("a@b@example.org", AddressError::LocalPart { found: '@' });
        refused("\"a b\"@example.org", AddressError::LocalPart { found: '"' });
        refused("a..b@example.org", AddressError::Dots);
        refused("@example.org", AddressError::Dots);
        refused("a@example.org\r\nDATA", AddressError::Domain);
        refused("a@example..org", AddressError::Domain);
        refused("a@[127.0.0.1]", AddressError::Domain);
        let long = "x".repeat(65);
        let expected = AddressError::TooLong { found: 65, limit: LOCAL_PART_BYTES_MAX };
        refused(&format!("{long}@example.org"), expected);
    }

    #[test]
    fn a_bounce_address_carries_its_tag() {
        let base = "bounces@example.org".parse::<Address>().unwrap();
        assert_eq!(base.tagged("k3f").unwrap().as_str(), "bounces+k3f@example.org");
        assert!(base.tagged("a b").is_err());
    }
}
