use std::collections::{BTreeMap, BTreeSet};

use model::Discrepancy;
use serde::{Deserialize, Serialize};

/// What a comparison of the site's table with what is kept has found. Entries of before tell less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reconciled {
    /// Accounts that were read.
    pub accounts: u64,
    /// How many disagree, and how; none if all agree.
    pub found: BTreeMap<Discrepancy, u64>,
    /// Of these, those for whom what is kept was put right.
    pub repaired: u64,
    /// Accounts whose password nobody here knows and that were tried for a value of ours.
    pub tried: u64,
    /// Such accounts that were not tried now, or whose hash cannot be tried.
    pub not_tried: u64,
    /// Since steps of the store are lost: accounts whose password nobody here knows and that may be a
    /// value of ours all the same, not tried, or made by a key that this store never had.
    pub unjudged: u64,
    /// What disagrees, by campaign.
    pub campaigns: BTreeMap<String, BTreeMap<Discrepancy, u64>>,
    /// Campaigns that were halted because of it.
    pub halted: BTreeSet<String>,
}

impl Reconciled {
    /// Whether all agree, and of nobody is it unknown.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.found.is_empty() && self.unjudged == 0
    }

    /// How many disagree in this way.
    #[must_use]
    pub fn found(&self, kind: Discrepancy) -> u64 {
        self.found.get(&kind).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_version_has_found_is_read() {
        let line = br#"{"v":1,"event":"table_reconciled","accounts":9,"found":{"put_back":1},"not_tried":2}"#;
        let found = [(Discrepancy::PutBack, 1)].into();
        let result = Reconciled { accounts: 9, found, not_tried: 2, ..Reconciled::default() };
        assert_eq!(serde_json::from_slice::<Reconciled>(line).unwrap(), result);
    }
}
