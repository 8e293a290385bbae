use std::{cmp::Reverse, collections::BTreeMap};

use axum::{http::StatusCode, response::Response};
use model::{NoticeState, SkipReason, Timestamp};
use notice::Language;
use serde::Serialize;

use super::{
    chart::{Chart, Part, Tone},
    frame::StaffFrame,
    words,
};
use crate::{
    in_process::{CampaignReport, InProcess, NoReport},
    templates::{PageTemplate, page},
    written::WrittenMoment,
};

#[derive(Serialize)]
struct ReportPage<'a> {
    frame: StaffFrame<'a>,
    state: &'static str,
    is_rehearsal: bool,
    /// None, as long as nobody is in the plan.
    figures: Vec<Figure>,
    /// Whom somebody should look after.
    cares: Vec<LabelledCount>,
    left_out: Vec<LabelledCount>,
    period: Option<WrittenPeriod>,
    log_entries: String,
}

impl PageTemplate for ReportPage<'_> {
    const TEMPLATE: &'static str = "console/report.html";
}

/// A chart with what it is called.
#[derive(Serialize)]
struct Figure {
    id: &'static str,
    heading: &'static str,
    title: &'static str,
    unit: &'static str,
    chart: Chart,
}

#[derive(Serialize)]
struct LabelledCount {
    label: &'static str,
    count: String,
}

#[derive(Serialize)]
struct WrittenPeriod {
    from: WrittenMoment,
    to: WrittenMoment,
}

#[derive(Serialize)]
struct UnsoundPage<'a> {
    frame: StaffFrame<'a>,
    error: String,
}

impl PageTemplate for UnsoundPage<'_> {
    const TEMPLATE: &'static str = "console/unsound.html";
}

/// Why there is no page at all.
#[derive(Debug)]
pub(crate) enum NoPage {
    /// There is no such campaign.
    Unknown,
    /// Something of ours failed, and the log says what.
    Failed,
}

/// The page of what became of everybody in a campaign.
pub(crate) async fn report(
    operations: &InProcess,
    frame: StaffFrame<'_>,
    name: &str,
) -> Result<Response, NoPage> {
    match operations.report(name).await {
        Ok(report) => Ok(page(StatusCode::OK, &ReportPage::new(frame, &report))),
        Err(NoReport::Unknown) => Err(NoPage::Unknown),
        Err(NoReport::Unsound(error)) => {
            tracing::error!(%error, "a campaign cannot be accounted for");
            Ok(page(StatusCode::INTERNAL_SERVER_ERROR, &UnsoundPage { frame, error }))
        }
        Err(NoReport::Failed(error)) => {
            tracing::error!(%error, "a campaign cannot be read");
            Err(NoPage::Failed)
        }
    }
}

impl<'a> ReportPage<'a> {
    fn new(frame: StaffFrame<'a>, report: &CampaignReport) -> Self {
        let at = |at: Timestamp| WrittenMoment::new(Language::English, at);
        let period = report.from.zip(report.to);
        let left_out = report.left_out.iter();
        Self {
            frame,
            state: words::state(report.state),
            is_rehearsal: report.rehearsal,
            figures: if report.targeted > 0 { figures(report) } else { Vec::new() },
            cares: cares(report).map(|(label, count)| LabelledCount::new(label, count)).into(),
            left_out: left_out
                .map(|(why, count)| LabelledCount::new(words::reason(*why), *count))
                .collect(),
            period: period.map(|(from, to)| WrittenPeriod { from: at(from), to: at(to) }),
            log_entries: Language::English.number(report.log_entries),
        }
    }
}

impl LabelledCount {
    fn new(label: &'static str, count: u64) -> Self {
        Self { label, count: Language::English.number(count) }
    }
}

fn figures(report: &CampaignReport) -> Vec<Figure> {
    let accounts = Figure {
        id: "accounts",
        heading: "Accounts",
        title: "What became of the accounts",
        unit: "Accounts",
        chart: Chart::new(&accounts(report)),
    };
    let addresses = Figure {
        id: "addresses",
        heading: "Mails",
        title: "What became of the mails, one for each address",
        unit: "Addresses",
        chart: Chart::new(&addresses(report)),
    };
    vec![accounts, addresses]
}

fn accounts(report: &CampaignReport) -> Part {
    let since = report.reset_since;
    let put_back = report.put_back;
    let not_since = report.sealed.saturating_sub(since).saturating_sub(put_back);
    let back = "The old password works again: the site has put it back";
    let sealed = "Sealed: the leaked password is out of use";
    let became = [
        Some(Part::new(Tone::Best, "New password", "A new password was chosen since", since)),
        Some(Part::new(Tone::Open, "None yet", "No new password yet", not_since)),
        Part::new(Tone::Fault, "Put back", back, put_back).unless_none(),
    ];
    let sealed = Part::new(Tone::Done, "Sealed", sealed, report.sealed);
    let sealed = sealed.of(became.into_iter().flatten());
    let sealing = "Being sealed at this moment";
    let sealing = Part::new(Tone::Waiting, "Being sealed", sealing, report.sealing);
    let pending = Part::new(Tone::Waiting, "Not yet", "Not touched yet", report.pending);
    let perhaps = "Perhaps sealed: another password stood there before anybody could look";
    let perhaps = Part::new(Tone::Doubt, "Perhaps", perhaps, report.perhaps_sealed);
    let others = [perhaps, sealing, pending, skipped(&report.skipped)];
    let parts = [Some(sealed)].into_iter().chain(others.map(Part::unless_none));
    Part::new(Tone::Whole, "In the plan", "Accounts in the plan", report.targeted)
        .of(parts.flatten())
}

/// The commonest reason first.
fn skipped(reasons: &BTreeMap<SkipReason, u64>) -> Part {
    let mut commonest: Vec<_> = reasons.iter().collect();
    commonest.sort_by_key(|(_, count)| Reverse(**count));
    let parts = commonest.into_iter().map(|(reason, count)| {
        let tone = if *reason == SkipReason::Contradicted { Tone::Fault } else { Tone::Left };
        Part::new(tone, "", words::reason(*reason), *count)
    });
    let skipped = "Left alone after all";
    Part::new(Tone::Left, "Left alone", skipped, reasons.values().sum()).of(parts)
}

fn addresses(report: &CampaignReport) -> Part {
    let notices = |states: &[NoticeState]| {
        states.iter().filter_map(|state| report.notices.get(state)).sum::<u64>()
    };
    let sent = notices(&[NoticeState::Sent]);
    let refused = notices(&[NoticeState::Refused]);
    let uncertain = notices(&[NoticeState::Uncertain]);
    let waiting = notices(&[NoticeState::Pending, NoticeState::Inflight]);
    let none = report.addresses.saturating_sub(sent + refused + uncertain + waiting);
    let doubt = "Uncertain: nobody can tell whether it arrived";
    let final_ones = [
        Part::new(Tone::Done, "Sent", "Sent: the mail server took it", sent),
        Part::new(Tone::Fault, "Refused", "Refused: the mail server would not have it", refused),
        Part::new(Tone::Doubt, "Uncertain", doubt, uncertain),
    ];
    let others = [
        Part::new(Tone::Waiting, "On their way", "On their way", waiting),
        Part::new(Tone::Left, "No mail", "No mail: not their turn yet, or nobody to tell", none),
    ];
    let others = others.into_iter().filter_map(Part::unless_none);
    Part::new(Tone::Whole, "In the plan", "Addresses in the plan", report.addresses)
        .of(final_ones.into_iter().chain(others))
}

fn cares(report: &CampaignReport) -> [(&'static str, u64); 7] {
    let disagreements = report.disagreements.values().sum();
    [
        ("Accounts that held another value when the site's table was compared last", disagreements),
        ("Accounts that its leaks name and whose password could not be tried", report.not_checked),
        ("Sealed accounts whose owners were not told yet", report.untold),
        ("Accounts whose new password is the leaked one again", report.reused),
        ("Accounts whose new password could not be compared", report.reset_unjudged),
        ("Sealed accounts whose mail was refused", report.sealed_unreached),
        ("Notices of which their recipients say that they are not right", report.disputed),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        console::frame::{StaffPlace, style},
        look::{Look, LookOptions},
    };

    fn report() -> CampaignReport {
        CampaignReport {
            name: "Spring".to_owned(),
            state: "ramp",
            targeted: 1_000,
            addresses: 900,
            not_checked: 11,
            left_out: BTreeMap::new(),
            skipped: [(SkipReason::Gone, 1), (SkipReason::Contradicted, 2)].into(),
            pending: 96,
            sealing: 1,
            sealed: 900,
            reset_since: 300,
            untold: 10,
            perhaps_sealed: 0,
            reused: 4,
            reset_unjudged: 1,
            sealed_unreached: 5,
            put_back: 0,
            disagreements: BTreeMap::new(),
            notices: [
                (NoticeState::Pending, 6),
                (NoticeState::Inflight, 4),
                (NoticeState::Sent, 800),
                (NoticeState::Refused, 7),
            ]
            .into(),
            disputed: 8,
            from: None,
            to: None,
            sealed_from: None,
            log_entries: 9,
            rehearsal: true,
        }
    }

    /// What a page of it shows.
    fn shown(report: &CampaignReport) -> String {
        let look = Look::new(LookOptions {
            name: None,
            sender: None,
            reset_path: "Sign in > Forgot password".parse().unwrap(),
            language: Language::English,
            accent: None,
            logo: None,
        });
        let place = StaffPlace { layout: "console/frame.html", campaigns: "/campaign" };
        let frame = StaffFrame::new(&look, &style(), place, "Campaign Spring");
        ReportPage::new(frame, report).render().unwrap()
    }

    #[test]
    fn a_report_is_drawn_and_written() {
        let at = Timestamp::from_micros(0);
        let left_out = [(SkipReason::Unreachable, 12)].into();
        let whole = CampaignReport { left_out, from: Some(at), to: Some(at), ..report() };
        let (whole, empty) = (shown(&whole), shown(&CampaignReport { targeted: 0, ..report() }));
        assert_eq!(whole.matches("<figure class=\"chart\">").count(), 2);
        assert!(whole.contains("<h2>Left out of the plan</h2>"), "{whole}");
        assert!(whole.contains("<time datetime=\"1970-01-01T00:00Z\">1 January 1970, 00:00 UTC"));
        assert!(empty.contains("Nobody is in its plan yet."), "{empty}");
        assert!(!empty.contains("<figure") && !empty.contains("<h2>Left out"));
    }

    fn rows(whole: &Part) -> Vec<(&'static str, String)> {
        Chart::new(whole).rows.into_iter().map(|row| (row.label, row.count)).collect()
    }

    #[track_caller]
    fn check(whole: &Part, expected: &[(&'static str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(label, count)| (*label, (*count).to_owned())).collect();
        assert_eq!(rows(whole), expected);
    }

    #[test]
    fn every_account_is_somewhere() {
        check(
            &accounts(&report()),
            &[
                ("Accounts in the plan", "1,000"),
                ("Sealed: the leaked password is out of use", "900"),
                ("A new password was chosen since", "300"),
                ("No new password yet", "600"),
                ("Being sealed at this moment", "1"),
                ("Not touched yet", "96"),
                ("Left alone after all", "3"),
                ("The leaked password is not theirs after all: our fault", "2"),
                ("The account is gone", "1"),
            ],
        );
    }

    #[test]
    fn every_address_is_somewhere() {
        check(
            &addresses(&report()),
            &[
                ("Addresses in the plan", "900"),
                ("Sent: the mail server took it", "800"),
                ("Refused: the mail server would not have it", "7"),
                ("Uncertain: nobody can tell whether it arrived", "0"),
                ("On their way", "10"),
                ("No mail: not their turn yet, or nobody to tell", "83"),
            ],
        );
    }

    #[test]
    fn what_does_not_happen_is_not_listed() {
        let done = CampaignReport {
            targeted: 900,
            addresses: 810,
            skipped: BTreeMap::new(),
            pending: 0,
            sealing: 0,
            notices: [(NoticeState::Sent, 810)].into(),
            ..report()
        };
        assert_eq!(rows(&accounts(&done)).len(), 4);
        assert_eq!(rows(&addresses(&done)).len(), 4);
    }
}
