use std::collections::{BTreeMap, BTreeSet};

use campaign::Reckoning;
use ledger::CampaignFold;
use model::{ChosenPassword, NoticeState, SkipReason, TargetState, Timestamp};

/// What the log tells of one campaign, in numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tale {
    pub(crate) reckoning: Reckoning,
    pub(crate) left_out: BTreeMap<SkipReason, u64>,
    /// How many who were sealed wait for a notice that is not final, or that is not written yet.
    pub(crate) untold: u64,
    pub(crate) sealed_unreached: u64,
    /// How many hold the old password again of whom nobody can tell whether they ever held ours.
    pub(crate) perhaps_put_back: u64,
    /// What those have chosen who came back.
    pub(crate) passwords: BTreeMap<ChosenPassword, u64>,
    pub(crate) disputed: u64,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) sealed_from: Option<Timestamp>,
    pub(crate) entries: u64,
}

impl Tale {
    pub(crate) fn of(fold: &CampaignFold) -> Self {
        Self {
            reckoning: reckoning(fold),
            left_out: fold.left_out.clone(),
            untold: untold(fold),
            sealed_unreached: sealed_unreached(fold),
            perhaps_put_back: perhaps_put_back(fold),
            passwords: fold.passwords.clone(),
            disputed: fold.disputed,
            from: fold.from,
            to: fold.to,
            sealed_from: fold.sealed_from,
            entries: fold.entries,
        }
    }

    /// How many of those who came back have chosen such a password.
    pub(crate) fn chosen(&self, password: ChosenPassword) -> u64 {
        self.passwords.get(&password).copied().unwrap_or_default()
    }
}

fn reckoning(fold: &CampaignFold) -> Reckoning {
    let mut accounts = BTreeMap::new();
    for state in fold.accounts.values().filter(|state| **state != TargetState::Skipped) {
        *accounts.entry(*state).or_default() += 1;
    }
    let pending = fold.targets.saturating_sub(fold.accounts.len() as u64);
    if pending > 0 {
        accounts.insert(TargetState::Pending, pending);
    }
    let done = fold.done.len() as u64;
    Reckoning {
        targets: fold.targets,
        addresses: fold.addresses,
        accounts,
        skipped: fold.skipped.clone(),
        notices: fold.notice_counts.clone(),
        addresses_open: fold.addresses.saturating_sub(done),
        addresses_skipped: done.saturating_sub(fold.notices.len() as u64),
    }
}

fn untold(fold: &CampaignFold) -> u64 {
    let ended = fold.notices.values().filter(|notice| notice.state.is_final());
    let told: BTreeSet<_> = ended.map(|notice| notice.address).collect();
    fold.sealed.iter().filter(|(address, _)| !told.contains(address)).count() as u64
}

fn sealed_unreached(fold: &CampaignFold) -> u64 {
    let refused = fold.notices.values().filter(|notice| notice.state == NoticeState::Refused);
    refused.flat_map(|notice| fold.sealed_at(notice.address)).count() as u64
}

fn perhaps_put_back(fold: &CampaignFold) -> u64 {
    let sealed: BTreeSet<_> = fold.sealed.iter().map(|(_, whom)| whom).collect();
    let back = fold.accounts.iter().filter(|(_, state)| **state == TargetState::PutBack);
    back.filter(|(whom, _)| !sealed.contains(whom)).count() as u64
}

#[cfg(test)]
mod tests {
    use model::SubjectId;

    use super::*;

    #[test]
    fn whoever_was_never_known_to_be_sealed_is_not_put_back_for_sure() {
        let [sealed, perhaps] = [SubjectId(1), SubjectId(2)].map(ledger::Whom::from);
        let put_back = [&sealed, &perhaps].map(|whom| (whom.clone(), TargetState::PutBack));
        let fold = CampaignFold {
            accounts: BTreeMap::from(put_back),
            sealed: BTreeSet::from([(0, sealed)]),
            ..CampaignFold::default()
        };
        assert_eq!(Tale::of(&fold).perhaps_put_back, 1);
    }
}
