use std::{collections::BTreeSet, time::Duration};

use demo::DemoSite;
use model::{AccountId, NoticeState};
use serde::Serialize;

use super::play::Played;
use crate::output::{Sheet, grouped};

/// What came of a demonstration, beside what is true.
#[derive(Debug, Serialize)]
pub(super) struct DemoOutcome {
    accounts: u64,
    records: u64,
    records_expected: u64,
    findings_expected: u64,
    findings_found: u64,
    false_findings: u64,
    missed_findings: u64,
    targeted: u64,
    sealed: u64,
    sealed_expected: u64,
    notices_expected: u64,
    notices_sent: u64,
    notices_refused: u64,
    notices_uncertain: u64,
    mails_in_mailbox: u64,
    seconds: f64,
}

impl DemoOutcome {
    pub(super) fn of(played: &Played, site: &DemoSite, took: Duration) -> Self {
        let truth: BTreeSet<_> = site.truth.all.exposed.iter().map(String::as_str).collect();
        let found: BTreeSet<_> = played.exposed.iter().map(AccountId::as_str).collect();
        let notices = |state| played.report.notices.get(&state).copied().unwrap_or_default();
        Self {
            accounts: played.accounts,
            records: played.leaks.iter().map(|leak| leak.counts.records).sum(),
            records_expected: site.truth.all.tally.records,
            findings_expected: truth.len() as u64,
            findings_found: found.len() as u64,
            false_findings: found.difference(&truth).count() as u64,
            missed_findings: truth.difference(&found).count() as u64,
            targeted: played.report.targeted,
            sealed: played.report.sealed,
            sealed_expected: site.truth.reachable.len() as u64,
            notices_expected: site.truth.addresses,
            notices_sent: notices(NoticeState::Sent),
            notices_refused: notices(NoticeState::Refused),
            notices_uncertain: notices(NoticeState::Uncertain),
            mails_in_mailbox: played.mails,
            seconds: took.as_secs_f64(),
        }
    }

    /// The first thing that is not as it must be.
    pub(super) fn wrong(&self) -> Option<String> {
        let pairs = [
            ("records", self.records, self.records_expected),
            ("false findings", self.false_findings, 0),
            ("missed findings", self.missed_findings, 0),
            ("findings", self.findings_found, self.findings_expected),
            ("accounts targeted", self.targeted, self.sealed_expected),
            ("accounts sealed", self.sealed, self.sealed_expected),
            ("notices sent", self.notices_sent, self.notices_expected),
            ("notices refused", self.notices_refused, 0),
            ("notices uncertain", self.notices_uncertain, 0),
            ("mails in the mailbox", self.mails_in_mailbox, self.notices_sent),
        ];
        let wrong = pairs.into_iter().find(|(_, found, expected)| found != expected);
        wrong.map(|(what, found, expected)| format!("{what}: {found}, not {expected}"))
    }
}

pub(super) fn for_people(outcome: &DemoOutcome) -> String {
    let mut sheet = Sheet::default();
    let equal = |found: u64, expected: u64| {
        let sign = if found == expected { "as it is true" } else { "NOT the truth:" };
        let told = if found == expected { String::new() } else { format!(" {expected}") };
        format!("{:>6}  {sign}{told}", grouped(found))
    };
    sheet.row("accounts", format!("{:>6}", grouped(outcome.accounts)));
    sheet.row("records", equal(outcome.records, outcome.records_expected));
    sheet.row("accounts exposed", equal(outcome.findings_found, outcome.findings_expected));
    sheet.row("  that are not", equal(outcome.false_findings, 0));
    sheet.row("  not found", equal(outcome.missed_findings, 0));
    sheet.row("passwords switched off", equal(outcome.sealed, outcome.sealed_expected));
    sheet.row("notices sent", equal(outcome.notices_sent, outcome.notices_expected));
    sheet.row("  uncertain", equal(outcome.notices_uncertain, 0));
    sheet.row("mails in the mailbox", equal(outcome.mails_in_mailbox, outcome.notices_sent));
    sheet.row("seconds", format!("{:>6.1}", outcome.seconds));
    format!("\n{sheet}")
}
