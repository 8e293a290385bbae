use serde::Serialize;

use crate::{HashFormat, text_enum::text_enum};

/// What came of trying secrets on a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The secret at this place in the list that was tried is the password.
    Match {
        /// Index into the secrets tried.
        secret: usize,
        /// Which of the readings that the hash has: where several forms share a shape, it is proved
        /// by this.
        reading: usize,
    },
    /// None of them is.
    NoMatch,
    /// It could not be tried. Never counted as "no match".
    Unverified(Unverified),
}

text_enum! {
    /// What the password is that somebody has chosen after a leaked one.
    pub enum ChosenPassword {
        /// None of those that had leaked.
        Another = "another",
        /// The leaked one again.
        Leaked = "leaked",
        /// It could not be compared. Never counted as another one.
        Unjudged = "unjudged",
    }
}

text_enum! {
    /// Why a stored hash could not be tried.
    pub enum Unverified {
        /// None of the formats that we know.
        UnknownFormat = "unknown_format",
        /// It asks for more time or memory than the caps allow.
        TooExpensive = "too_expensive",
        /// Begins like a known format and then breaks off or contradicts itself.
        Malformed = "malformed",
        /// A faulty variant of its function, which is not computed for this secret.
        UnsupportedVariant = "unsupported_variant",
        /// Something of the account, not only of its hash, could not be read.
        UnreadableRow = "unreadable_row",
    }
}

text_enum! {
    /// What came of verifying one account.
    pub enum Outcome {
        /// A leaked secret is its password.
        Exposed = "exposed",
        /// None of them is.
        NotExposed = "not_exposed",
        /// It has no password: single sign-on.
        NoPassword = "no_password",
        /// The site has it no longer.
        Gone = "gone",
        /// Its stored hash could not be tried.
        Unverified = "unverified",
    }
}

/// Accounts counted by what came of verifying them and by how their password is stored.
pub type OutcomeCount = (Outcome, Option<HashFormat>, u64);

/// What came of the accounts that a leak names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// A leaked password is theirs.
    pub exposed: u64,
    /// None is.
    pub not_exposed: u64,
    /// They have no password.
    pub no_password: u64,
    /// The directory no longer has them.
    pub gone: u64,
    /// Their stored hash could not be tried.
    pub unverified: u64,
}

impl Outcomes {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.exposed + self.not_exposed + self.no_password + self.gone + self.unverified
    }

    /// Counts more accounts of one outcome.
    pub const fn add(&mut self, outcome: Outcome, accounts: u64) {
        *match outcome {
            Outcome::Exposed => &mut self.exposed,
            Outcome::NotExposed => &mut self.not_exposed,
            Outcome::NoPassword => &mut self.no_password,
            Outcome::Gone => &mut self.gone,
            Outcome::Unverified => &mut self.unverified,
        } += accounts;
    }
}
