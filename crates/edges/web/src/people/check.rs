use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use model::{NoticeKind, NoticeState};
use notice::{Language, ShownText};
use serde::{Deserialize, Serialize};

use super::{
    ask::{NoticeFound, TypedNotice, Unanswered},
    form::{Filled, PageForm, read},
    frame::PeopleFrame,
    phrases::PagePhrases,
    refusal::PageRefusal,
};
use crate::{
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
    written::WrittenMoment,
};

const HERE: &str = "/check";

/// What a notice bears, as its recipient types it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct NoticeForm {
    code: String,
    address: String,
    lang: Option<String>,
}

impl PageForm for NoticeForm {
    fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }
}

impl NoticeForm {
    fn typed(&self) -> TypedNotice {
        TypedNotice { code: self.code.clone(), address: self.address.clone() }
    }
}

#[derive(Serialize)]
struct CheckPage<'a> {
    frame: PeopleFrame<'a>,
    /// Whether it was asked before, in vain.
    failed: bool,
}

impl PageTemplate for CheckPage<'_> {
    const TEMPLATE: &'static str = "people/check.html";
}

#[derive(Serialize)]
struct ConfirmedPage<'a> {
    frame: PeopleFrame<'a>,
    notice: WrittenNotice,
    code: &'a str,
    address: &'a str,
}

impl PageTemplate for ConfirmedPage<'_> {
    const TEMPLATE: &'static str = "people/confirmed.html";
}

#[derive(Serialize)]
struct DisputedPage<'a> {
    frame: PeopleFrame<'a>,
}

impl PageTemplate for DisputedPage<'_> {
    const TEMPLATE: &'static str = "people/disputed.html";
}

/// The form.
pub(super) async fn ask(State(state): State<AppState>, visit: Visit) -> Response {
    let frame = PeopleFrame::new(&state, visit, HERE, &|words| words.check);
    page(StatusCode::OK, &CheckPage { frame, failed: false })
}

/// Whether a notice is ours. Whatever is wrong with what was typed, one page says so: what differs
/// would tell strangers something.
pub(super) async fn check(
    State(state): State<AppState>,
    headers: HeaderMap,
    form: Filled<NoticeForm>,
) -> Response {
    let (form, visit) = read(&state, &headers, form);
    match state.people.check_notice(form.typed()).await {
        Ok(Some(notice)) => confirmed(&state, visit, &notice, &form),
        Ok(None) => unconfirmed(&state, visit),
        Err(error) => failed(&state, visit, &error),
    }
}

/// Hears that a notice is not right. The answer is one and the same for those that we never sent.
pub(super) async fn dispute(
    State(state): State<AppState>,
    headers: HeaderMap,
    form: Filled<NoticeForm>,
) -> Response {
    let (form, visit) = read(&state, &headers, form);
    if let Err(error) = state.people.dispute_notice(form.typed()).await {
        return failed(&state, visit, &error);
    }
    let frame = PeopleFrame::new(&state, visit, HERE, &|words| words.disputed);
    page(StatusCode::OK, &DisputedPage { frame })
}

fn confirmed(state: &AppState, visit: Visit, notice: &NoticeFound, form: &NoticeForm) -> Response {
    let frame = PeopleFrame::new(state, visit, HERE, &|words| words.confirmed);
    let notice = WrittenNotice::new(notice, frame.words, visit.language);
    let (code, address) = (&*form.code, &*form.address);
    page(StatusCode::OK, &ConfirmedPage { frame, notice, code, address })
}

fn unconfirmed(state: &AppState, visit: Visit) -> Response {
    let frame = PeopleFrame::new(state, visit, HERE, &|words| words.unconfirmed);
    page(StatusCode::OK, &CheckPage { frame, failed: true })
}

fn failed(state: &AppState, visit: Visit, error: &Unanswered) -> Response {
    tracing::error!(%error, "a notice cannot be checked");
    state.refuse(visit, PageRefusal::Unwell)
}

/// A notice in words.
#[derive(Serialize)]
struct WrittenNotice {
    kind: NoticeKind,
    about: &'static str,
    shown: Option<ShownText>,
    dated: Option<WrittenMoment>,
    status: &'static str,
    /// When the mail server took it.
    taken: Option<WrittenMoment>,
}

impl WrittenNotice {
    fn new(notice: &NoticeFound, words: &PagePhrases, language: Language) -> Self {
        let written = |at| WrittenMoment::new(language, at);
        let taken = notice.moved_at.filter(|_| notice.status == NoticeState::Sent);
        Self {
            kind: notice.kind,
            about: about(notice.kind, words),
            shown: notice.shown.clone(),
            dated: notice.made_at.map(written),
            status: status(notice.status, words),
            taken: taken.map(written),
        }
    }
}

const fn about(kind: NoticeKind, words: &PagePhrases) -> &'static str {
    match kind {
        NoticeKind::ResetRequired => words.reset_required,
        NoticeKind::ResetLink => words.reset_link,
        NoticeKind::ResetDone => words.reset_done,
        NoticeKind::ExposureAnswer => words.exposure_answer,
    }
}

const fn status(state: NoticeState, words: &PagePhrases) -> &'static str {
    match state {
        NoticeState::Pending | NoticeState::Inflight => words.waiting,
        NoticeState::Sent => words.sent,
        NoticeState::Refused => words.refused,
        NoticeState::Uncertain => words.uncertain,
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::people::testing::state;

    /// What a page says of a notice of this kind.
    fn confirmed(kind: NoticeKind, language: Language) -> String {
        let state = state();
        let visit = Visit { language, chosen: false };
        let frame = PeopleFrame::new(&state, visit, HERE, &|words| words.confirmed);
        let notice = NoticeFound {
            kind,
            shown: Some(ShownText {
                subject: "Your account".to_owned(),
                text: "Hello <you>".to_owned(),
            }),
            made_at: Some(Timestamp::from_micros(0)),
            status: NoticeState::Sent,
            moved_at: None,
        };
        let notice = WrittenNotice::new(&notice, frame.words, language);
        ConfirmedPage { frame, notice, code: "", address: "" }.render().unwrap()
    }

    #[test]
    fn what_to_do_next_fits_the_notice() {
        let cases = [
            (NoticeKind::ResetRequired, "done this already?", true, false),
            (NoticeKind::ResetLink, "begins like the address of this one", false, true),
            (NoticeKind::ResetDone, "Was it not you?", true, false),
            (NoticeKind::ExposureAnswer, "They did not learn the answer.", true, false),
        ];
        assert_eq!(cases.map(|(kind, ..)| kind), NoticeKind::ALL);
        for (kind, expected, has_steps, has_link) in cases {
            let page = confirmed(kind, Language::English);
            assert!(page.contains(expected), "{kind}: {page}");
            assert_eq!(page.contains("<b>Forgot password</b>"), has_steps, "{kind}");
            assert_eq!(page.contains("ours holds one link"), has_link, "{kind}");
            let others = cases.iter().filter(|(other, ..)| *other != kind);
            assert!(others.into_iter().all(|(_, text, ..)| !page.contains(text)), "{kind}");
            let german = confirmed(kind, Language::German);
            assert_eq!(german.contains("<b>Forgot password</b>"), has_steps, "{kind}");
            assert_eq!(german.contains("einen einzigen Link"), has_link, "{kind}");
        }
    }
}
