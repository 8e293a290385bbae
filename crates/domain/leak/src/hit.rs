use model::{AccountId, Secret, Tier};

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
    /// At least one and at most [`SECRETS_MAX`](crate::limits::SECRETS_MAX) for each way to read
    /// the line, each once, the likeliest first.
    pub secrets: Vec<Secret>,
}

impl Hit {
    /// Adds what another way to read the line gives for the same account.
    pub(crate) fn join(&mut self, tier: Tier, secrets: &[Secret]) {
        self.tier = self.tier.min(tier);
        for secret in secrets {
            if !self.secrets.contains(secret) {
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
    pub(crate) fn hit(self, account: AccountId, tier: Tier, secrets: Vec<Secret>) -> Hit {
        let length = u32::try_from(self.length).unwrap_or(u32::MAX);
        Hit { account, tier, line: self.line, offset: self.offset, length, secrets }
    }
}
