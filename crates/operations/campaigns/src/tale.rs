use std::collections::{BTreeMap, BTreeSet};

use campaign::Reckoning;
use ledger::{CampaignEvent, NoticeStep, Whom};
use model::{ChosenPassword, NoticeId, NoticeState, SkipReason, TargetState, Timestamp};

/// What the log tells of one campaign.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tale {
    targets: u64,
    addresses: u64,
    pub(crate) left_out: BTreeMap<SkipReason, u64>,
    accounts: BTreeMap<Whom, TargetState>,
    skipped: BTreeMap<SkipReason, u64>,
    passwords: BTreeMap<ChosenPassword, u64>,
    pub(crate) disputed: u64,
    sealed_of_address: BTreeMap<u64, u64>,
    done: BTreeSet<u64>,
    notices: BTreeMap<NoticeId, (u64, NoticeState)>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) sealed_from: Option<Timestamp>,
    pub(crate) entries: u64,
}

impl Tale {
    pub(crate) fn tell(&mut self, event: CampaignEvent, at: Timestamp) {
        self.from.get_or_insert(at);
        self.to = Some(at);
        self.entries += 1;
        if matches!(event, CampaignEvent::AccountSealed { .. }) {
            self.sealed_from.get_or_insert(at);
        }
        self.follow(event);
    }

    fn follow(&mut self, event: CampaignEvent) {
        use CampaignEvent as E;
        match event {
            E::CampaignFrozen { targets, addresses, skipped, .. } => {
                (self.targets, self.addresses, self.left_out) = (targets, addresses, skipped);
            }
            // Its targets are taken back; nobody had been touched.
            E::CampaignMoved { to, .. } if to == "draft" => {
                (self.targets, self.addresses) = (0, 0);
            }
            E::AccountSealing { whom, .. } => self.put(whom, TargetState::Sealing),
            E::SealingUndone { whom, .. } => drop(self.accounts.remove(&whom)),
            E::AccountOvertaken { whom, .. } => self.put(whom, TargetState::Overtaken),
            E::AccountSealed { whom, address, .. } => {
                self.put(whom, TargetState::Sealed);
                *self.sealed_of_address.entry(address).or_default() += 1;
            }
            E::AccountFoundSealed { whom, address, skipped, reopened, .. } => {
                self.find_sealed(whom, address, skipped);
                if reopened {
                    self.done.remove(&address);
                }
            }
            E::AccountPutBack { whom, .. } => self.put(whom, TargetState::PutBack),
            E::AccountSkipped { whom, reason, .. } => {
                self.put(whom, TargetState::Skipped);
                *self.skipped.entry(reason).or_default() += 1;
            }
            E::AccountReset { whom, password, .. } => {
                self.put(whom, TargetState::Reset);
                *self.passwords.entry(password).or_default() += 1;
            }
            E::AddressDone { address, notice, .. } => {
                self.done.insert(address);
                if let Some(notice) = notice {
                    self.notices.insert(notice, (address, NoticeState::Pending));
                }
            }
            E::Notice(NoticeStep::NoticeBegun { notice, .. }) => {
                self.move_notice(notice, NoticeState::Inflight);
            }
            E::Notice(NoticeStep::NoticeEnded { notice, state, .. }) => {
                self.move_notice(notice, state);
            }
            E::Notice(NoticeStep::NoticeDisputed { .. }) => self.disputed += 1,
            E::CampaignMoved { .. }
            | E::SealingTaken { .. }
            | E::CampaignDrafted { .. }
            | E::CampaignApproved { .. }
            | E::StatementMade { .. }
            | E::SecretsDestroyed { .. }
            | E::KillSwitchMoved { .. } => {}
        }
    }

    fn find_sealed(&mut self, whom: Whom, address: u64, skipped: Option<SkipReason>) {
        if let Some(count) = skipped.and_then(|reason| self.skipped.get_mut(&reason)) {
            *count = count.saturating_sub(1);
        }
        let before = self.accounts.insert(whom, TargetState::Sealed);
        if !before.is_some_and(TargetState::was_sealed) {
            *self.sealed_of_address.entry(address).or_default() += 1;
        }
    }

    fn put(&mut self, whom: Whom, state: TargetState) {
        self.accounts.insert(whom, state);
    }

    /// A notice that no address is done for shows as one too many when the sums are compared.
    fn move_notice(&mut self, notice: NoticeId, state: NoticeState) {
        self.notices.entry(notice).or_insert((u64::MAX, state)).1 = state;
    }

    /// How many of those who came back have chosen such a password.
    pub(crate) fn chosen(&self, password: ChosenPassword) -> u64 {
        self.passwords.get(&password).copied().unwrap_or_default()
    }

    pub(crate) fn reckoning(&self) -> Reckoning {
        let mut accounts = BTreeMap::new();
        for state in self.accounts.values().filter(|state| **state != TargetState::Skipped) {
            *accounts.entry(*state).or_default() += 1;
        }
        let pending = self.targets.saturating_sub(self.accounts.len() as u64);
        if pending > 0 {
            accounts.insert(TargetState::Pending, pending);
        }
        let done = self.done.len() as u64;
        Reckoning {
            targets: self.targets,
            addresses: self.addresses,
            accounts,
            skipped: self.skipped.clone(),
            notices: self.notice_counts(),
            addresses_open: self.addresses.saturating_sub(done),
            addresses_skipped: done.saturating_sub(self.notices.len() as u64),
        }
    }

    fn notice_counts(&self) -> BTreeMap<NoticeState, u64> {
        let mut counts = BTreeMap::new();
        for (_, state) in self.notices.values() {
            *counts.entry(*state).or_default() += 1;
        }
        counts
    }

    /// How many who were sealed wait for a notice that is not final, or that is not written yet.
    pub(crate) fn untold(&self) -> u64 {
        let ended = self.notices.values().filter(|(_, state)| state.is_final());
        let told: BTreeSet<_> = ended.map(|(address, _)| address).collect();
        let untold = self.sealed_of_address.iter().filter(|(address, _)| !told.contains(address));
        untold.map(|(_, accounts)| accounts).sum()
    }

    pub(crate) fn sealed_unreached(&self) -> u64 {
        let refused = self.notices.values().filter(|(_, state)| *state == NoticeState::Refused);
        refused.filter_map(|(address, _)| self.sealed_of_address.get(address)).sum()
    }
}
