use model::{NoticeState, SkipReason, TargetState};
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of everybody in a campaign, counted from one source: the rows, or the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reckoning {
    /// Accounts in the signed plan.
    pub targets: u64,
    /// Addresses in the signed plan.
    pub addresses: u64,
    /// Accounts by how far the campaign is with them; `skipped` is counted by reason instead.
    pub accounts: BTreeMap<TargetState, u64>,
    /// Accounts left alone, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Notices by how far they are.
    pub notices: BTreeMap<NoticeState, u64>,
    /// Addresses of which some account is neither sealed nor skipped.
    pub addresses_open: u64,
    /// Addresses of which every account was skipped: nobody is told.
    pub addresses_skipped: u64,
}

impl Reckoning {
    /// Passes the totals on if everybody is accounted for.
    ///
    /// # Errors
    /// [`Irreconcilable`] names both sums.
    pub fn reconcile(self) -> Result<Self, Irreconcilable> {
        equal("accounts in the plan", self.targets, "accounts by state", self.accounted())?;
        let told = self.addresses_open + self.addresses_skipped + sum(&self.notices);
        equal("addresses in the plan", self.addresses, "addresses open, skipped or told", told)?;
        let sealed = self.was_sealed();
        if sum(&self.notices) > sealed {
            return Err(Irreconcilable {
                one: "notices",
                one_sum: sum(&self.notices),
                other: "accounts ever sealed, which are too few",
                other_sum: sealed,
            });
        }
        Ok(self)
    }

    /// Holds two reckonings of one campaign against each other: the rows' and the log's.
    ///
    /// # Errors
    /// [`Irreconcilable`] names the first two sums that differ.
    pub fn agree(&self, log: &Self) -> Result<(), Irreconcilable> {
        equal("targets in the store", self.targets, "in the log", log.targets)?;
        for state in TargetState::ALL {
            let (rows, logged) = (of(&self.accounts, state), of(&log.accounts, state));
            equal(state.as_str(), rows, "in the log", logged)?;
        }
        for reason in SkipReason::ALL {
            let (rows, logged) = (of(&self.skipped, reason), of(&log.skipped, reason));
            equal(reason.as_str(), rows, "in the log", logged)?;
        }
        for state in NoticeState::ALL {
            let (rows, logged) = (of(&self.notices, state), of(&log.notices, state));
            equal(notice_words(*state), rows, "in the log", logged)?;
        }
        let (rows, logged) = (self.addresses_open, log.addresses_open);
        equal("addresses that are not done", rows, "in the log", logged)
    }

    /// Accounts that were sealed, whatever became of them later.
    #[must_use]
    pub fn was_sealed(&self) -> u64 {
        let sealed = self.accounts.iter().filter(|(state, _)| state.was_sealed());
        sealed.map(|(_, count)| count).sum()
    }

    fn accounted(&self) -> u64 {
        sum(&self.accounts) + sum(&self.skipped)
    }
}

const fn notice_words(state: NoticeState) -> &'static str {
    match state {
        NoticeState::Pending => "notices pending",
        NoticeState::Inflight => "notices in flight",
        NoticeState::Sent => "notices sent",
        NoticeState::Refused => "notices refused",
        NoticeState::Uncertain => "notices uncertain",
    }
}

fn sum<K>(counts: &BTreeMap<K, u64>) -> u64 {
    counts.values().sum()
}

fn of<K: Ord>(counts: &BTreeMap<K, u64>, key: &K) -> u64 {
    counts.get(key).copied().unwrap_or_default()
}

const fn equal(
    one: &'static str,
    one_sum: u64,
    other: &'static str,
    other_sum: u64,
) -> Result<(), Irreconcilable> {
    if one_sum == other_sum {
        return Ok(());
    }
    Err(Irreconcilable { one, one_sum, other, other_sum })
}

/// Somebody is missing, or counted twice. It is a fault of ours, and nothing is to be published.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the campaign's totals do not reconcile: {one} {one_sum}, {other} {other_sum}")]
pub struct Irreconcilable {
    one: &'static str,
    one_sum: u64,
    other: &'static str,
    other_sum: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reckoning() -> Reckoning {
        Reckoning {
            targets: 6,
            addresses: 5,
            accounts: [
                (TargetState::Sealed, 2),
                (TargetState::Reset, 1),
                (TargetState::Pending, 1),
            ]
            .into(),
            skipped: [(SkipReason::Changed, 2)].into(),
            notices: [(NoticeState::Sent, 1), (NoticeState::Uncertain, 1)].into(),
            addresses_open: 1,
            addresses_skipped: 2,
        }
    }

    #[test]
    fn everybody_is_accounted_for() {
        assert_eq!(reckoning().reconcile().unwrap().was_sealed(), 3);
    }

    #[test]
    fn a_missing_account_is_named_with_both_sums() {
        let error = Reckoning { targets: 7, ..reckoning() }.reconcile().unwrap_err().to_string();
        let expected = "the campaign's totals do not reconcile: accounts in the plan 7, \
                        accounts by state 6";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_missing_notice_is_found() {
        let lost = Reckoning { notices: [(NoticeState::Sent, 1)].into(), ..reckoning() };
        assert!(lost.clone().reconcile().is_err());
        let error = reckoning().agree(&lost).unwrap_err().to_string();
        let expected = "the campaign's totals do not reconcile: notices uncertain 1, in the log 0";
        assert_eq!(error, expected);
        assert_eq!(reckoning().agree(&reckoning()), Ok(()));
    }
}
