use std::collections::BTreeMap;

use model::{HashFormat, Outcome, Outcomes, Rejects, Tally, Unverified};
use serde::Serialize;

/// What became of every line read, and of every account that is named in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExposureCounts {
    /// Lines read.
    pub lines: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Records read: lines that are not blank.
    pub records: u64,
    /// Records whose identifier is one of the accounts'.
    pub hits: u64,
    /// Records of somebody else.
    pub misses: u64,
    /// Lines that are no record.
    pub rejects: u64,
    /// The same by reason.
    pub rejects_by_reason: Rejects,
    /// Records whose secret was, when it was tried, the password of an account they lead to.
    pub matches: u64,
    /// Accounts by what came of trying their secrets.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Exposed accounts by the format of the stored hash.
    pub exposed_by_format: BTreeMap<HashFormat, u64>,
    /// Accounts that could not be verified, by the reason.
    pub unverified_by_reason: BTreeMap<Unverified, u64>,
}

impl ExposureCounts {
    /// Counts what became of the lines of a file, or of several.
    pub(crate) fn add_lines(&mut self, tally: &Tally) {
        self.lines += tally.lines;
        self.blank += tally.blank;
        self.records += tally.records();
        self.hits += tally.hits;
        self.misses += tally.misses;
        self.rejects += tally.rejects.total();
        tally.rejects.iter().for_each(|(reason, count)| self.rejects_by_reason.add(reason, count));
    }

    /// Counts accounts of one outcome, all with stored hashes of one format.
    pub(crate) fn add_accounts(
        &mut self,
        outcome: Outcome,
        format: Option<HashFormat>,
        accounts: u64,
    ) {
        self.outcomes.add(outcome, accounts);
        if let (Outcome::Exposed, Some(format)) = (outcome, format) {
            *self.exposed_by_format.entry(format).or_default() += accounts;
        }
    }

    /// Says why one account could not be verified.
    pub(crate) fn add_reason(&mut self, reason: Unverified) {
        *self.unverified_by_reason.entry(reason).or_default() += 1;
    }
}
