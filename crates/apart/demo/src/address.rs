//! Addresses as a site stores them, and as leaks spell them.

use crate::{
    names::{A_LABEL, DOMAINS, GMAIL, GMAIL_NAME, U_LABEL},
    people::Person,
    random::Random,
    truth::TrueTier,
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

/// How a leak spells whom it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    AsStored,
    Capitals,
    Quoted,
    Username,
    /// With a tag that the site does not know.
    Tagged,
    /// The least that leads to the same mailbox: no capitals, no tag, no dots at Gmail, and a
    /// domain as people read it.
    Folded,
}

impl Spelling {
    /// The identifier, and by which of the person's it leads to them.
    pub(crate) fn of(self, person: &Person) -> (String, TrueTier) {
        let Some(email) = &person.email else {
            return (person.username.clone(), TrueTier::Username);
        };
        match self {
            Self::AsStored => (email.clone(), TrueTier::Exact),
            Self::Capitals => (email.to_ascii_uppercase(), TrueTier::Exact),
            Self::Quoted => (format!("\"{email}\""), TrueTier::Exact),
            Self::Username => (person.username.to_ascii_uppercase(), TrueTier::Username),
            Self::Tagged => {
                let (local, domain) = parts(email);
                (format!("{}+forum@{domain}", untagged(local)), TrueTier::Lead)
            }
            Self::Folded => folded(&email.to_ascii_lowercase()),
        }
    }
}

fn folded(email: &str) -> (String, TrueTier) {
    let (local, domain) = parts(email);
    let bare = untagged(local);
    if domain == GMAIL {
        return (format!("{}@{domain}", bare.replace('.', "")), TrueTier::Lead);
    }
    let domain = if domain == A_LABEL { U_LABEL } else { domain };
    let tier = if bare == local { TrueTier::Exact } else { TrueTier::Lead };
    (format!("{bare}@{domain}"), tier)
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

fn untagged(local: &str) -> &str {
    local.split_once('+').map_or(local, |(name, _)| name)
}
