//! A campaign in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    campaign::HistoryCampaign,
    common::HistoryCommon,
    notices::HistoryNotice,
    person::{HistoryPerson, HistoryStanding},
};

/// What became of everybody in a campaign, as its report counts them, by the entries alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryCounts {
    /// The number by which entries name it.
    pub campaign: u64,
    /// What operators call it.
    pub name: String,
    /// Where it stands.
    pub state: String,
    /// Accounts in the plan.
    pub targeted: u64,
    /// Addresses in the plan.
    pub addresses: u64,
    /// Exposed accounts that the plan left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Accounts of the plan that were left alone after all, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Accounts not touched yet.
    pub pending: u64,
    /// Accounts whose sealing has begun and is not known to have ended.
    pub sealing: u64,
    /// Accounts whose old password was taken out of use, whatever happened since.
    pub sealed: u64,
    /// Of these, those whose notice is not final.
    pub untold: u64,
    /// Accounts of which nobody can tell whether they were sealed.
    pub perhaps_sealed: u64,
    /// Accounts whose owner has chosen a new password since.
    pub reset_since: u64,
    /// Of these, those who have chosen the leaked one again.
    pub reused: u64,
    /// Of these, those whose new password could not be compared with the leaked one.
    pub reset_unjudged: u64,
    /// Of those sealed, those whose notice the mail server would not have.
    pub sealed_unreached: u64,
    /// Of those sealed, those who hold the old password again.
    pub put_back: u64,
    /// Notices by how far they are.
    pub notices: BTreeMap<String, u64>,
    /// Notices of which their recipients say that they are not right.
    pub disputed: u64,
    /// Entries about it.
    pub log_entries: u64,
}

impl HistoryCounts {
    pub(super) fn of(campaign: &HistoryCampaign, log: &HistoryCommon) -> Self {
        let count = |is_so: &dyn Fn(&HistoryPerson) -> bool| {
            campaign.people.values().filter(|person| is_so(person)).count() as u64
        };
        let are = |standing| count(&|person| person.standing == standing);
        let notice_of =
            |person: &HistoryPerson| log.notices.get(campaign.notice_to(person.address)?);
        let chose = |password| campaign.passwords.get(password).copied().unwrap_or_default();
        let was_back = |person: &HistoryPerson| person.standing == HistoryStanding::PutBack;
        let touched = count(&|person| person.standing != HistoryStanding::Untouched);
        Self {
            campaign: campaign.id,
            name: campaign.name.clone(),
            state: campaign.state.clone(),
            targeted: campaign.targets,
            addresses: campaign.addresses,
            left_out: some(&campaign.left_out),
            skipped: some(&campaign.skipped),
            pending: campaign.targets.saturating_sub(touched),
            sealing: are(HistoryStanding::Intended),
            sealed: count(&|person| person.was_sealed),
            untold: count(&|person| {
                person.was_sealed
                    && !notice_of(person).is_some_and(|notice| notice.state.is_final())
            }),
            perhaps_sealed: are(HistoryStanding::Overtaken)
                + count(&|person| was_back(person) && !person.was_sealed),
            reset_since: are(HistoryStanding::Reset),
            reused: chose("leaked"),
            reset_unjudged: chose("unjudged"),
            sealed_unreached: count(&|person| {
                let is_refused = notice_of(person).is_some_and(HistoryNotice::is_refused);
                person.was_sealed && is_refused
            }),
            put_back: count(&|person| was_back(person) && person.was_sealed),
            notices: notices(campaign, log),
            disputed: campaign.disputed,
            log_entries: campaign.entries,
        }
    }
}

fn notices(campaign: &HistoryCampaign, log: &HistoryCommon) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for notice in log.notices.of_campaign(campaign.id) {
        *counts.entry(notice.state.to_string()).or_default() += 1;
    }
    counts
}

/// Those that are not zero.
fn some(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    counts
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| (name.clone(), *count))
        .collect()
}
