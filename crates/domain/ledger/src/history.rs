//! Whether the entries of a log can have come about as the program works: every seal with its
//! intent, every notice begun once, nothing between a pulled and a released kill switch.
//!
//! It reads the entries by itself and shares nothing with [`crate::Fold`], by which the program
//! acts: what one of them overlooks, the other one tells. A program in another language, which was
//! written from the same rules, has to find the same (`history_judge.py` of the crate `testkit`).

mod campaign;
mod common;
mod counts;
mod line;
mod notices;
mod person;
mod rule;
mod way;

use std::collections::BTreeMap;

use model::SubjectId;
use serde::Serialize;

use self::{
    campaign::HistoryCampaign, common::HistoryCommon, line::HistoryLine, rule::BrokenRules,
};
pub use self::{
    counts::HistoryCounts,
    rule::{HistoryFault, HistoryRule},
};

/// The entries of a log, from the first one on.
#[derive(Debug, Default)]
pub struct History {
    entries: u64,
    common: HistoryCommon,
    campaigns: BTreeMap<u64, HistoryCampaign>,
    faults: Vec<HistoryFault>,
}

/// What a whole log tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryReport {
    /// Its campaigns, in the order of their numbers.
    pub campaigns: Vec<HistoryCounts>,
    /// What cannot have come about so; none in a log that the program wrote.
    pub faults: Vec<HistoryFault>,
}

impl History {
    /// Takes the next entry. `subject` is whoever is known to have the account that it names, if it
    /// is one of version 0.1.0.
    pub fn take(&mut self, body: &[u8], subject: Option<SubjectId>) {
        let mut broken = BrokenRules::default();
        match HistoryLine::read(body, subject) {
            Ok(line) => self.follow(&line, &mut broken),
            Err(what) => broken.unless(false, HistoryRule::Readable, || what),
        }
        self.faults.extend(broken.of_entry(self.entries));
        self.entries += 1;
    }

    /// What they tell.
    #[must_use]
    pub fn finish(self) -> HistoryReport {
        let campaigns = self.campaigns.values();
        let campaigns = campaigns.map(|campaign| HistoryCounts::of(campaign, &self.common));
        HistoryReport { campaigns: campaigns.collect(), faults: self.faults }
    }

    fn follow(&mut self, line: &HistoryLine, broken: &mut BrokenRules) {
        let is_made = line.event() == "store_made";
        broken.unless(is_made == (self.entries == 0), HistoryRule::Beginning, || {
            "a log begins with the making of its store".to_owned()
        });
        self.common.names_accounts |= line.names_account();
        self.common.follow_restoring(line, self.entries, broken);
        match line.number("campaign") {
            Some(id) => {
                let campaign = self.campaigns.entry(id);
                let campaign = campaign.or_insert_with(|| HistoryCampaign::new(id));
                campaign.follow(line, &mut self.common, broken);
            }
            None => self.common.follow(line, broken),
        }
    }
}

#[cfg(test)]
mod tests;
