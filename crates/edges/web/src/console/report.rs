use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use campaigns::{CampaignError, CampaignReport, ReportError, report_campaign};
use model::{NoticeState, SkipReason, Timestamp};
use notice::Language;

use super::{
    Desk, Frame,
    chart::{Chart, Part, Tone},
    grouped, page, words,
};
use crate::{
    Office,
    moment::{Moment, moment},
    pages::Refusal,
    visit::Visit,
};

#[derive(Template)]
#[template(path = "desk/report.html")]
struct Report<'a> {
    frame: Frame<'a>,
    state: &'static str,
    /// None, as long as nobody is in the plan.
    figures: Vec<Figure>,
    /// Whom somebody should look after.
    cares: [(&'static str, String); 3],
    left_out: Vec<(&'static str, String)>,
    period: Option<(Moment, Moment)>,
    log_entries: String,
}

/// A chart with what it is called.
struct Figure {
    id: &'static str,
    heading: &'static str,
    title: &'static str,
    unit: &'static str,
    chart: Chart,
}

#[derive(Template)]
#[template(path = "desk/unsound.html")]
struct Unsound<'a> {
    frame: Frame<'a>,
    error: String,
}

/// What became of everybody in a campaign.
pub(super) async fn report(
    State(office): State<Office>,
    Extension(desk): Extension<Arc<Desk>>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let title = format!("Campaign {name}");
    let frame = Frame { office: &office, desk: &desk, title: &title };
    match report_campaign(&office.site, &name).await {
        Ok(report) => page(StatusCode::OK, &Report::new(frame, &report)),
        Err(ReportError::Campaign(CampaignError::None { .. })) => {
            office.refuse(visit, Refusal::NotFound)
        }
        Err(error @ (ReportError::Irreconcilable(_) | ReportError::Entry { .. })) => {
            tracing::error!(%error, "a campaign cannot be accounted for");
            let error = error.to_string();
            page(StatusCode::INTERNAL_SERVER_ERROR, &Unsound { frame, error })
        }
        Err(error) => {
            tracing::error!(%error, "a campaign cannot be read");
            office.refuse(visit, Refusal::Unwell)
        }
    }
}

impl<'a> Report<'a> {
    fn new(frame: Frame<'a>, report: &CampaignReport) -> Self {
        let at = |at: Timestamp| moment(Language::English, at);
        let left_out = report.left_out.iter();
        Self {
            frame,
            state: words::state(report.state),
            figures: if report.targeted > 0 { figures(report) } else { Vec::new() },
            cares: cares(report).map(|(label, count)| (label, grouped(count))),
            left_out: left_out.map(|(why, count)| (words::reason(*why), grouped(*count))).collect(),
            period: report.from.zip(report.to).map(|(from, to)| (at(from), at(to))),
            log_entries: grouped(report.log_entries),
        }
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
    let not_since = report.sealed.saturating_sub(since);
    let sealed = "Sealed: the leaked password is out of use";
    let sealed = Part::new(Tone::Done, "Sealed", sealed, report.sealed).of([
        Part::new(Tone::Best, "New password", "A new password was chosen since", since),
        Part::new(Tone::Open, "None yet", "No new password yet", not_since),
    ]);
    let sealing = "Being sealed at this moment";
    let sealing = Part::new(Tone::Waiting, "Being sealed", sealing, report.sealing);
    let pending = Part::new(Tone::Waiting, "Not yet", "Not touched yet", report.pending);
    let others = [sealing, pending, skipped(&report.skipped)];
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

const fn cares(report: &CampaignReport) -> [(&'static str, u64); 3] {
    [
        ("Accounts whose new password is the leaked one again", report.reused),
        ("Sealed accounts whose mail was refused", report.sealed_unreached),
        ("Notices of which their recipients say that they are not right", report.disputed),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> CampaignReport {
        CampaignReport {
            name: "Spring".to_owned(),
            state: "ramp",
            targeted: 1_000,
            addresses: 900,
            left_out: BTreeMap::new(),
            skipped: [(SkipReason::Gone, 1), (SkipReason::Contradicted, 2)].into(),
            pending: 96,
            sealing: 1,
            sealed: 900,
            reset_since: 300,
            reused: 4,
            sealed_unreached: 5,
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
        }
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
