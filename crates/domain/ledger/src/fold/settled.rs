use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The addresses with which a campaign is through: every account is sealed or skipped, and the notice,
/// if one is due, is final.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledAddresses {
    /// All below this number are.
    without_gap: u64,
    /// Others beyond it.
    beyond: BTreeSet<u64>,
}

impl SettledAddresses {
    /// How many are, from the first one on without a gap.
    #[must_use]
    pub const fn without_gap(&self) -> u64 {
        self.without_gap
    }

    /// Whether this one is.
    #[must_use]
    pub fn contains(&self, address: u64) -> bool {
        address < self.without_gap || self.beyond.contains(&address)
    }

    /// How many are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.without_gap + self.beyond.len() as u64
    }

    pub(super) fn add(&mut self, address: u64) {
        if address >= self.without_gap {
            self.beyond.insert(address);
        }
        while self.beyond.remove(&self.without_gap) {
            self.without_gap += 1;
        }
    }

    /// Somebody there has to be told after all.
    pub(super) fn reopen(&mut self, address: u64) {
        self.beyond.remove(&address);
        if address < self.without_gap {
            self.beyond.extend(address + 1..self.without_gap);
            self.without_gap = address;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_behind_a_gap_count_once_it_is_closed() {
        let mut settled = SettledAddresses::default();
        let after = [1, 0, 3, 3, 2].map(|address| {
            settled.add(address);
            settled.without_gap()
        });
        assert_eq!(after, [0, 2, 2, 2, 4]);
    }

    #[test]
    fn one_that_is_reopened_is_a_gap_until_it_is_settled_again() {
        let mut settled = SettledAddresses::default();
        (0..4).for_each(|address| settled.add(address));
        settled.reopen(1);
        assert_eq!(settled.without_gap(), 1);
        settled.add(1);
        assert_eq!(settled.without_gap(), 4);
    }
}
