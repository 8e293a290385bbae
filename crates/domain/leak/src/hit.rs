use model::{AccountId, Secret, Tier};

use crate::limits::SECRETS_OF_LINE_MAX;

/// A line that names one of our accounts, with whatever may be the password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Whose identifier it is. A line that leads to several accounts gives a hit for each.
    pub account: AccountId,
    /// By which identifier; the best, if several lead to the account.
    pub tier: Tier,
    /// Line number, from 1, within the piece.
    pub line: u64,
    /// Bytes from the start of the (decompressed) text to the start of the line. A byte order mark
    /// of UTF-8 counts, but is no part of the line. For UTF-16, bytes of the text as UTF-8.
    pub offset: u64,
    /// Bytes of the line, its end not counted.
    pub length: u32,
    /// At least one and at most [`SECRETS_OF_LINE_MAX`], each once, the
    /// likeliest first.
    pub secrets: Vec<Secret>,
}

impl Hit {
    /// Adds what another way to read the line gives for the same account.
    pub(crate) fn join(&mut self, tier: Tier, secrets: &[Secret]) {
        self.tier = self.tier.min(tier);
        for secret in secrets {
            if self.secrets.len() < SECRETS_OF_LINE_MAX && !self.secrets.contains(secret) {
                self.secrets.push(secret.clone());
            }
        }
    }
}

/// Where the present line stands.
#[derive(Clone, Copy)]
pub(crate) struct LinePlace {
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) length: usize,
}

impl LinePlace {
    /// Somebody who is named there, and nothing yet that may be their password.
    pub(crate) fn hit(self, account: AccountId, tier: Tier) -> Hit {
        let length = u32::try_from(self.length).unwrap_or(u32::MAX);
        let (line, offset) = (self.line, self.offset);
        Hit { account, tier, line, offset, length, secrets: Vec::new() }
    }
}
