use std::collections::HashMap;

use ledger::Reconciled;
use model::{AccountId, CampaignId, Discrepancy};
use serde::Serialize;
use store::CampaignRow;

/// What a comparison of the site's table with what is kept has found, with the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReconcileOutcome {
    /// The counts.
    #[serde(flatten)]
    pub result: Reconciled,
    /// The first accounts that disagree.
    pub list: Vec<DisagreeingAccount>,
}

/// An account that disagrees with what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisagreeingAccount {
    /// The account's id.
    pub account: String,
    /// How it disagrees.
    pub kind: Discrepancy,
    /// The campaign that it concerns, if one.
    pub campaign: Option<String>,
    /// Whether what is kept was put right.
    pub repaired: bool,
}

/// What is found, as it is found.
pub(crate) struct Disagreements {
    result: Reconciled,
    list: Vec<DisagreeingAccount>,
    listed_max: usize,
    names: HashMap<CampaignId, String>,
    /// Accounts that were read and are sealed.
    sealed: u64,
    is_whole: bool,
}

impl Disagreements {
    pub(crate) fn new(listed_max: usize, campaigns: &[CampaignRow]) -> Self {
        let names = campaigns.iter().map(|row| (row.id, row.name.clone())).collect();
        let result = Reconciled::default();
        Self { result, list: Vec::new(), listed_max, names, sealed: 0, is_whole: false }
    }

    /// So many more accounts were compared.
    pub(crate) const fn read(&mut self, accounts: u64) {
        self.result.accounts += accounts;
    }

    /// Whether no account was left for another comparison.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// So many of them are sealed.
    pub(crate) const fn saw_sealed(&mut self, accounts: u64) {
        self.sealed += accounts;
    }

    /// How many sealed accounts were read.
    pub(crate) const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// So many accounts were tried for a value of ours, and so many were not; `is_whole` if none of
    /// these was left for another time.
    pub(crate) const fn tried(&mut self, tried: u64, not_tried: u64, is_whole: bool) {
        (self.result.tried, self.result.not_tried) = (tried, not_tried);
        self.is_whole = is_whole;
    }

    /// So many may hold a value of ours all the same.
    pub(crate) const fn unjudged(&mut self, accounts: u64) {
        self.result.unjudged = accounts;
    }

    pub(crate) fn halted(&mut self, name: &str) {
        self.result.halted.insert(name.to_owned());
    }

    /// An account that disagrees.
    pub(crate) fn add(
        &mut self,
        kind: Discrepancy,
        account: &AccountId,
        campaign: Option<CampaignId>,
        repaired: bool,
    ) {
        self.count(kind, campaign, 1);
        self.result.repaired += u64::from(repaired);
        self.list(kind, account, campaign, repaired);
    }

    /// How many disagree in this way so far.
    pub(crate) fn found(&self, kind: Discrepancy) -> u64 {
        self.result.found(kind)
    }

    /// So many accounts that disagree.
    pub(crate) fn count(&mut self, kind: Discrepancy, campaign: Option<CampaignId>, accounts: u64) {
        *self.result.found.entry(kind).or_default() += accounts;
        if let Some(name) = campaign.and_then(|campaign| self.names.get(&campaign)) {
            let of_campaign = self.result.campaigns.entry(name.clone()).or_default();
            *of_campaign.entry(kind).or_default() += accounts;
        }
    }

    /// Lists one, if there is room.
    pub(crate) fn list(
        &mut self,
        kind: Discrepancy,
        account: &AccountId,
        campaign: Option<CampaignId>,
        repaired: bool,
    ) {
        if self.room() > 0 {
            let campaign = campaign.and_then(|campaign| self.names.get(&campaign)).cloned();
            let account = account.to_string();
            self.list.push(DisagreeingAccount { account, kind, campaign, repaired });
        }
    }

    /// How many more can be listed.
    pub(crate) const fn room(&self) -> usize {
        self.listed_max.saturating_sub(self.list.len())
    }

    pub(crate) fn into_outcome(self) -> ReconcileOutcome {
        ReconcileOutcome { result: self.result, list: self.list }
    }
}
