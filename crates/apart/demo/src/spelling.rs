//! Addresses as leaks spell them.

use crate::{
    address::parts,
    names::{A_LABEL, GMAIL, U_LABEL},
    people::Person,
    truth::TrueTier,
};

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

fn untagged(local: &str) -> &str {
    local.split_once('+').map_or(local, |(name, _)| name)
}
