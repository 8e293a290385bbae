//! Fixed facts that the tests make notices of.

use model::{Provenance, Tier, Timestamp};
use notice::{
    AccountName, Address, Answer, BaseUrl, Browser, Composed, Composer, Exposure, ExposureAnswer,
    Language, NoticeCode, NoticeToken, Posting, ResetDone, ResetRequired, ResetUrl,
    SelfRequestedLink, Sender, Site,
};

/// What the site would derive from its instance key.
pub(crate) const KEY: [u8; 32] = [42; 32];

/// The code of a notice to somebody.
pub(crate) fn code(notice_id: i64) -> NoticeCode {
    NoticeCode::derive(&KEY, notice_id, &[43; 32])
}

/// 2026-11-23T09:30:00Z.
const MOMENT: Timestamp = Timestamp::from_micros(1_795_426_200_000_000);

/// Half an hour and some seconds later.
const LATER: Timestamp = Timestamp::from_micros(1_795_428_042_000_000);

/// A day later.
const NEXT_DAY: Timestamp = Timestamp::from_micros(1_795_512_600_000_000);

/// A path with a token as they are made.
const RESET_PATH: &str = "reset/Ym9va3Mtb2YtdGhlLWRlYWQtYXJlLW5vdC1yZWFk_x8";

pub(crate) fn site(language: Language) -> Site {
    let (reset, check) = match language {
        Language::English => ("Sign in > Forgot password", "Help > Check a notice"),
        Language::German => ("Anmelden > Passwort vergessen", "Hilfe > Nachricht prüfen"),
    };
    let sender = Sender::new(
        "Example Support".parse().unwrap(),
        address("security@example.org"),
        Some(address("help@example.org")),
    );
    Site {
        name: "Example".parse().unwrap(),
        reset_path: reset.parse().unwrap(),
        check_path: check.parse().unwrap(),
        sender: sender.unwrap(),
        is_rehearsal: false,
    }
}

pub(crate) fn facts(
    recipient: &str,
    usernames: &[Option<&str>],
    exposures: Vec<Exposure>,
) -> ResetRequired {
    let accounts = usernames.iter().map(|name| AccountName::of(*name)).collect();
    ResetRequired::new(address(recipient), accounts, exposures, code(7)).unwrap()
}

/// The link that somebody asked for, from a site at some address.
pub(crate) fn link(recipient: &str, username: Option<&str>, base: &str) -> SelfRequestedLink {
    let account = AccountName::of(username);
    SelfRequestedLink::new(address(recipient), account, url(base), LATER, code(8)).unwrap()
}

pub(crate) fn url(base: &str) -> ResetUrl {
    base.parse::<BaseUrl>().unwrap().reset(RESET_PATH).unwrap()
}

/// A new password; with everything that can be known, or nothing of it.
pub(crate) fn done(recipient: &str, username: Option<&str>, known: bool) -> ResetDone {
    let header = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let browser = Browser::of_user_agent(header).filter(|_| known);
    let account = AccountName::of(username);
    ResetDone::new(address(recipient), account, LATER, browser, known, code(9)).unwrap()
}

/// What somebody is told who asked about an account.
pub(crate) fn answer(recipient: &str, username: Option<&str>, answer: Answer) -> ExposureAnswer {
    let account = AccountName::of(username);
    ExposureAnswer::new(address(recipient), account, answer, code(10)).unwrap()
}

pub(crate) const fn nothing_found() -> Answer {
    Answer::NothingFound { until: LATER, is_compared: true }
}

pub(crate) const fn not_named() -> Answer {
    Answer::NothingFound { until: LATER, is_compared: false }
}

pub(crate) const fn switched_off(exposures: Vec<Exposure>, chosen_since: bool) -> Answer {
    Answer::SwitchedOff { at: NEXT_DAY, exposures, chosen_since }
}

pub(crate) fn exposure(tier: Tier, leak: &str, date: &str, provenance: Provenance) -> Exposure {
    let date = date.parse().ok();
    Exposure::new(MOMENT, tier, leak.parse().unwrap(), date, provenance).unwrap()
}

pub(crate) fn one_exposure() -> Vec<Exposure> {
    vec![exposure(Tier::Exact, "Example Books", "2016", Provenance::Confirmed)]
}

pub(crate) fn posting(notice_id: i64) -> Posting {
    Posting {
        token: NoticeToken::derive(&KEY, notice_id),
        date: MOMENT,
        bounces: Some(address("bounces@example.org")),
    }
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// A notice to one person, as it would be sent.
pub(crate) fn notice_to(recipient: &str, notice_id: i64) -> Composed {
    let facts = facts(recipient, &[Some("janedoe")], one_exposure());
    let composer = Composer::new(site(Language::English)).unwrap();
    composer.compose(&facts, Language::English, &posting(notice_id)).unwrap()
}

/// Any message at all.
pub(crate) fn raw(recipient: &str, id: &str, body: &str) -> Composed {
    let headers = format!(
        "From: a@example.org\r\nTo: {recipient}\r\nSubject: hello\r\nMessage-ID: <{id}@example.org>\r\n\
         Date: Mon, 23 Nov 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain;\r\n charset=utf-8\r\nAuto-Submitted:  auto-generated\r\n\
         Content-Transfer-Encoding: 8bit\r\n"
    );
    let bytes = format!("{headers}\r\n{body}").into_bytes();
    Composed::new(address("a@example.org"), address(recipient), bytes).unwrap()
}
