use std::collections::BTreeMap;

use model::{HashFormat, Outcome, Outcomes, Rejects, Tally, Unverified};
use password::HashShape;
use serde::Serialize;

use crate::limits::{REJECTED_PERMILLE_MAX, UNPROVED_PERMILLE_MAX, UNVERIFIED_PERMILLE_MAX};

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
    /// Of the accounts that are not exposed, those of whose form nobody has proof, by the shape of their
    /// hash: every shape of which there are many, and all others together. Empty where they are few in all.
    pub without_proof: BTreeMap<HashShape, u64>,
    /// Of the accounts that are not exposed, those that were tried when operators named other forms than
    /// today.
    pub in_other_forms: u64,
    /// Accounts that could not be verified, by the reason.
    pub unverified_by_reason: BTreeMap<Unverified, u64>,
}

impl ExposureCounts {
    /// Whether so few accounts could not be verified that the other counts say what they seem to say.
    #[must_use]
    pub const fn are_accounts_judged(&self) -> bool {
        is_at_most(UNVERIFIED_PERMILLE_MAX, self.outcomes.unverified, self.outcomes.total())
    }

    /// Whether nearly all accounts were tried in the forms that operators name today.
    #[must_use]
    pub const fn are_forms_todays(&self) -> bool {
        is_at_most(UNVERIFIED_PERMILLE_MAX, self.in_other_forms, self.outcomes.total())
    }

    /// Whether so few lines were no record that the leak was read at all.
    #[must_use]
    pub const fn are_lines_judged(&self) -> bool {
        are_lines_judged(self.rejects, self.records)
    }

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

    /// Says of whose form nobody has proof, when all accounts are counted: nothing where they are few
    /// altogether.
    pub(crate) fn set_without_proof(&mut self, shapes: BTreeMap<HashShape, u64>) {
        let all = self.outcomes.total();
        let is_many = |accounts| !is_at_most(UNPROVED_PERMILLE_MAX, accounts, all);
        if !is_many(shapes.values().sum()) {
            self.without_proof.clear();
            return;
        }
        let (mut named, few): (BTreeMap<_, _>, BTreeMap<_, _>) =
            shapes.into_iter().partition(|(_, accounts)| is_many(*accounts));
        if !few.is_empty() {
            named.insert(HashShape::others(), few.values().sum());
        }
        self.without_proof = named;
    }

    /// Says why one account could not be verified.
    pub(crate) fn add_reason(&mut self, reason: Unverified) {
        *self.unverified_by_reason.entry(reason).or_default() += 1;
    }
}

/// The same of a leak's own counts.
pub(crate) const fn are_lines_judged(rejects: u64, records: u64) -> bool {
    is_at_most(REJECTED_PERMILLE_MAX, rejects, records)
}

pub(crate) const fn is_at_most(permille: u64, some: u64, all: u64) -> bool {
    some.saturating_mul(1000) <= all.saturating_mul(permille)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_in_a_hundred_may_be_unverified() {
        let is_judged = |unverified, not_exposed| {
            let outcomes = Outcomes { unverified, not_exposed, ..Outcomes::default() };
            ExposureCounts { outcomes, ..ExposureCounts::default() }.are_accounts_judged()
        };
        assert!(is_judged(0, 0) && is_judged(1, 99) && is_judged(10, 990));
        assert!(!is_judged(1, 98) && !is_judged(1, 0));
    }

    #[test]
    fn few_of_each_shape_may_be_many_in_all() {
        let without = |shapes: &[(&str, u64)]| {
            let outcomes = Outcomes { not_exposed: 1000, ..Outcomes::default() };
            let mut counts = ExposureCounts { outcomes, ..ExposureCounts::default() };
            let shapes =
                shapes.iter().map(|(shape, count)| (HashShape::kept((*shape).to_owned()), *count));
            counts.set_without_proof(shapes.collect());
            let named = counts.without_proof.into_iter();
            named.map(|(shape, count)| (shape.to_string(), count)).collect::<Vec<_>>()
        };
        let others = |count| ("other shapes".to_owned(), count);
        assert!(without(&[("a", 5), ("b", 5)]).is_empty());
        assert_eq!(without(&[("a", 5), ("b", 6)]), [others(11)]);
        assert_eq!(without(&[("a", 11), ("b", 1)]), [("a".to_owned(), 11), others(1)]);
        assert_eq!(without(&[("a", 11)]), [("a".to_owned(), 11)]);
    }

    #[test]
    fn a_leak_is_read_if_half_of_its_lines_are_records() {
        let is_judged = |rejects, records| {
            ExposureCounts { records, rejects, ..ExposureCounts::default() }.are_lines_judged()
        };
        assert!(is_judged(0, 0) && is_judged(1, 2));
        assert!(!is_judged(2, 3) && !is_judged(1, 1));
    }
}
