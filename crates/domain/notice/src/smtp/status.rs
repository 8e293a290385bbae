use std::fmt;

/// An enhanced mail system status code (RFC 3463): `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnhancedStatus {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedStatus {
    /// The one that a reply's text begins with, or that ends it as `(#5.7.1)`, which qmail writes, if
    /// it is of the class that the reply's code says.
    #[must_use]
    pub fn of(code: u16, text: &str) -> Option<Self> {
        let last = text.rsplit_once("(#").and_then(|(_, rest)| rest.split(')').next());
        let first = text.split_whitespace().next();
        first.into_iter().chain(last).find_map(|status| Self::read(code, status))
    }

    fn read(code: u16, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (class, subject, detail) =
            (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
        let class = u8::try_from(class).ok()?;
        let is_whole = parts.next().is_none() && u16::from(class) == code / 100;
        is_whole.then_some(Self { class, subject, detail })
    }

    /// What it is about: 1 addresses, 2 mailboxes, 3 the mail system, 4 the network, 5 the
    /// protocol, 6 the content, 7 security and policy.
    #[must_use]
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// What exactly.
    #[must_use]
    pub const fn detail(self) -> u16 {
        self.detail
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, subject, detail } = self;
        write!(f, "{class}.{subject}.{detail}")
    }
}

/// Up to three digits, as RFC 3463 allows.
fn number(text: &str) -> Option<u16> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_stands_first_and_agrees_with_the_code() {
        let read = |code, text| EnhancedStatus::of(code, text).map(|status| status.to_string());
        assert_eq!(read(550, "5.1.1 nobody").as_deref(), Some("5.1.1"));
        assert_eq!(read(421, "4.7.28 too much").as_deref(), Some("4.7.28"));
        assert_eq!(read(553, "sorry, not here (#5.7.1)").as_deref(), Some("5.7.1"));
        for (code, text) in [
            (550, "4.1.1 nobody"),
            (550, "nobody 5.1.1"),
            (550, "5.1 nobody"),
            (550, "5.1.1.1 is an address"),
            (550, "5.+1.1 x"),
            (550, "5.1234.1 x"),
            (550, ""),
        ] {
            assert_eq!(read(code, text), None, "{text}");
        }
    }
}
