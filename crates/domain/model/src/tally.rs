use std::{collections::BTreeMap, ops::AddAssign};

use serde::{Deserialize, Serialize};

use crate::RejectReason;

/// What became of every line read: the sums must balance, or the run fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Lines read, the last one counted even without its newline.
    pub lines: u64,
    /// Lines whose identifier is one of our accounts'.
    pub hits: u64,
    /// Lines that hold a record of somebody else.
    pub misses: u64,
    /// Lines with nothing on them.
    pub blank: u64,
    /// Lines that could not be read, by reason.
    pub rejects: Rejects,
}

impl Tally {
    /// Lines that are not blank: each is a hit, a miss or a reject.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.hits + self.misses + self.rejects.total()
    }

    /// Passes the tally on if every line is accounted for.
    ///
    /// # Errors
    /// [`Unbalanced`] holds both sums.
    pub fn balanced(self) -> Result<Self, Unbalanced> {
        let accounted = self.records() + self.blank;
        if accounted == self.lines {
            return Ok(self);
        }
        Err(Unbalanced { lines: self.lines, accounted })
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.lines += other.lines;
        self.hits += other.hits;
        self.misses += other.misses;
        self.blank += other.blank;
        for (reason, count) in other.rejects.iter() {
            self.rejects.add(reason, count);
        }
    }
}

/// Rejected lines, counted by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rejects(BTreeMap<RejectReason, u64>);

impl Rejects {
    /// Counts more lines of one reason.
    pub fn add(&mut self, reason: RejectReason, count: u64) {
        if count > 0 {
            *self.0.entry(reason).or_default() += count;
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The reasons that occurred, each with its count.
    pub fn iter(&self) -> impl Iterator<Item = (RejectReason, u64)> + '_ {
        self.0.iter().map(|(reason, count)| (*reason, *count))
    }
}

/// Lines went missing: a fault of ours, never of the leak.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{lines} lines were read, but {accounted} are accounted for: please report this fault")]
pub struct Unbalanced {
    /// Lines read.
    pub lines: u64,
    /// Hits, misses, blanks and rejects together.
    pub accounted: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_line_fails_the_run() {
        let mut tally = Tally { lines: 5, hits: 1, misses: 1, blank: 1, ..Tally::default() };
        tally.rejects.add(RejectReason::NoDelimiter, 1);
        let unbalanced = tally.clone().balanced();
        assert_eq!(unbalanced, Err(Unbalanced { lines: 5, accounted: 4 }));
        tally.rejects.add(RejectReason::Nul, 1);
        assert_eq!(tally.balanced().unwrap().records(), 4);
    }
}
