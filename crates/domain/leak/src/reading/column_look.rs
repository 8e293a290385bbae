//! What a column of a leak looks like, if it looks like anything but a password.

use super::{columns::unquoted, web_address::is_web_address};

/// What a column is, by its look alone. Passwords look like anything, so it orders readings and drops none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnLook {
    /// `NULL`, `none`, `-`.
    Null,
    WebAddress,
    /// With an `@` between two names.
    Address,
    /// Four numbers, or groups of hexadecimal digits between colons.
    IpAddress,
    /// `1987-03-11`, `11.03.1987`, with or without a time.
    Date,
    /// Digits of a digest, or a text of crypt(3) and the like.
    Hash,
    Uuid,
    /// One letter, or a country's two capitals.
    Code,
    /// Anything else: most passwords.
    Other,
}

impl ColumnLook {
    /// What a field looks like, white space and quotes around it aside.
    pub(crate) fn of(field: &[u8]) -> Self {
        let field = unquoted(field.trim_ascii());
        KINDS.iter().find(|(_, fits)| fits(field)).map_or(Self::Other, |(kind, _)| *kind)
    }

    /// Whether it is most likely a password.
    pub(crate) const fn is_likely_secret(self) -> bool {
        matches!(self, Self::Other)
    }
}

type Fits = fn(&[u8]) -> bool;

/// The first that fits decides.
const KINDS: &[(ColumnLook, Fits)] = &[
    (ColumnLook::Null, is_null),
    (ColumnLook::WebAddress, is_web_address),
    (ColumnLook::Uuid, is_uuid),
    (ColumnLook::Hash, is_hash),
    (ColumnLook::IpAddress, is_ip_address),
    (ColumnLook::Date, is_date),
    (ColumnLook::Address, is_address),
    (ColumnLook::Code, is_code),
];

/// Words that databases and programs write for nothing.
const NULL_WORDS: [&[u8]; 8] =
    [b"null", b"\\n", b"none", b"nil", b"unknown", b"undefined", b"n/a", b"-"];

fn is_null(field: &[u8]) -> bool {
    field.is_empty() || NULL_WORDS.iter().any(|word| field.eq_ignore_ascii_case(word))
}

fn is_address(field: &[u8]) -> bool {
    let mut parts = field.rsplitn(2, |byte| *byte == b'@');
    let (domain, local) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte) || !byte.is_ascii();
    let has_dot = domain.iter().rposition(|byte| *byte == b'.').is_some_and(|at| at > 0);
    !local.is_empty() && has_dot && domain.iter().all(is_name) && !local.contains(&b' ')
}

fn is_ip_address(field: &[u8]) -> bool {
    let text = str::from_utf8(field).unwrap_or_default();
    text.parse::<std::net::Ipv4Addr>().is_ok()
        || (text.matches(':').count() > 1 && text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Three numbers between the same two signs, four digits for the year; a time may follow.
fn is_date(field: &[u8]) -> bool {
    let day = field.split(|byte| matches!(byte, b' ' | b'T')).next().unwrap_or_default();
    let is_sign = |byte: &u8| matches!(byte, b'-' | b'.' | b'/');
    let parts: Vec<_> = day.split(is_sign).collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    let signs: Vec<_> = day.iter().copied().filter(|byte| is_sign(byte)).collect();
    let is_digits = parts.concat().iter().all(u8::is_ascii_digit);
    let is_shaped = matches!(lengths[..], [4, 1 | 2, 1 | 2] | [1 | 2, 1 | 2, 4]);
    is_digits && is_shaped && signs.windows(2).all(|two| two[0] == two[1])
}

/// As many digits as MD5, SHA-1 and the longer ones have, or the beginning of a crypt text.
fn is_hash(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"0x").or_else(|| field.strip_prefix(b"*")).unwrap_or(field);
    let is_digest = [32, 40, 48, 56, 64, 96, 128].contains(&digits.len());
    is_digest && digits.iter().all(u8::is_ascii_hexdigit) || is_crypt(field) || is_ldap(field)
}

/// `$2a$..`, `$P$..`, and not a password between two dollars.
fn is_crypt(field: &[u8]) -> bool {
    let mut parts = field.splitn(3, |byte| *byte == b'$');
    let [before, name, rest] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let is_name = (1..=16).contains(&name.len()) && name.iter().all(u8::is_ascii_alphanumeric);
    before.is_empty() && is_name && rest.len() >= CRYPT_BYTES_MIN && !rest.contains(&b' ')
}

/// phpass has the fewest behind its mark.
const CRYPT_BYTES_MIN: usize = 22;

fn is_ldap(field: &[u8]) -> bool {
    let name = field.strip_prefix(b"{").and_then(|rest| rest.split(|byte| *byte == b'}').next());
    name.is_some_and(|name| {
        let is_digest = [&b"SHA"[..], b"MD5", b"SSHA", b"SMD5", b"CRYPT"].iter().any(|known| {
            name.len() >= known.len() && name[..known.len()].eq_ignore_ascii_case(known)
        });
        is_digest && field.len() > name.len() + CRYPT_BYTES_MIN
    })
}

fn is_uuid(field: &[u8]) -> bool {
    let groups: Vec<_> = field.split(|byte| *byte == b'-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().iter().all(u8::is_ascii_hexdigit)
}

fn is_code(field: &[u8]) -> bool {
    match field {
        [one] => one.is_ascii_alphabetic(),
        [one, other] => one.is_ascii_uppercase() && other.is_ascii_uppercase(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_by_its_look() {
        for (field, kind) in [
            ("", ColumnLook::Null),
            ("NULL", ColumnLook::Null),
            ("\\N", ColumnLook::Null),
            ("https://h.example:8443/p", ColumnLook::WebAddress),
            ("www.example.org", ColumnLook::WebAddress),
            ("h.example/x", ColumnLook::WebAddress),
            ("android://k==@pkg.app/", ColumnLook::WebAddress),
            ("a@example.org", ColumnLook::Address),
            (" \"a@example.org\" ", ColumnLook::Address),
            ("192.0.2.7", ColumnLook::IpAddress),
            ("2001:db8::1", ColumnLook::IpAddress),
            ("1987-03-11", ColumnLook::Date),
            ("11.3.1987 10:00:00", ColumnLook::Date),
            ("2014-05-01T10:00:00Z", ColumnLook::Date),
            ("5f4dcc3b5aa765d61d8327deb882cf99", ColumnLook::Hash),
            ("$P$Babcdefghijklmnopqrstuvwxyz0123", ColumnLook::Hash),
            ("$2a$10$abcdefghijklmnopqrstuu", ColumnLook::Hash),
            ("{SSHA}gLaG+S5weQ8bgOQP9/lrwPpLgNt0+o78", ColumnLook::Hash),
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", ColumnLook::Uuid),
            ("DE", ColumnLook::Code),
            ("x", ColumnLook::Code),
        ] {
            assert_eq!(ColumnLook::of(field.as_bytes()), kind, "{field}");
        }
    }

    #[test]
    fn passwords_look_like_nothing_else() {
        for password in [
            "pa:ss",
            "p@ss",
            "a/b",
            "P@ssw0rd!",
            "12.34",
            "1987",
            "$money$",
            "de",
            "1.2.3.4.5",
            "user@host",
            "{hash}",
            "2014-13",
            "correct horse",
            "$1$",
            "5f4dcc3b5aa765d6",
        ] {
            let kind = ColumnLook::of(password.as_bytes());
            assert!(kind.is_likely_secret(), "{password}: {kind:?}");
        }
    }
}
