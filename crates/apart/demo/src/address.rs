//! Addresses as a site stores them.

use crate::{
    names::{A_LABEL, DOMAINS, GMAIL, GMAIL_NAME},
    random::Random,
};

/// What is uncommon about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    /// Stored with capitals, as its owner typed it.
    Capitals,
    /// With a tag of the owner's own.
    Tagged,
    Gmail,
    /// Its domain is no ASCII, and is stored in its ASCII form.
    ALabel,
    /// There is none: a person known by the username.
    Absent,
}

impl Kind {
    pub(crate) fn invent(
        self,
        (given, surname): (&str, &str),
        number: usize,
        random: &mut Random,
    ) -> Option<String> {
        let domain = random.pick(DOMAINS);
        match self {
            Self::Plain => Some(format!("{given}.{surname}.{number}@{domain}")),
            Self::Capitals => {
                let (given, surname) = (capitalised(given), capitalised(surname));
                Some(format!("{given}.{surname}.{number}@{}", capitalised(domain)))
            }
            Self::Tagged => Some(format!("{given}.{surname}.{number}+shop@{domain}")),
            Self::Gmail => Some(format!("{GMAIL_NAME}.{number}@{GMAIL}")),
            Self::ALabel => Some(format!("{given}.{surname}.{number}@{A_LABEL}")),
            Self::Absent => None,
        }
    }
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// Addresses that look like an owner's and are somebody else's. Whoever takes one for the other
/// blames a stranger.
pub(crate) fn doubles(email: &str) -> [String; 4] {
    let (local, domain) = parts(email);
    [
        format!("jo{email}"),
        format!("{email}.example.net"),
        format!("{}@{domain}", local.replace('.', "")),
        // A letter that only looks like `i` once it is in capitals.
        format!("ı{email}"),
    ]
}

pub(crate) fn parts(email: &str) -> (&str, &str) {
    email.rsplit_once('@').unwrap_or((email, ""))
}
