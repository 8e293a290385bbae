use std::fmt;

use askama::Template;
use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use model::{NoticeKind, NoticeState};
use notice::{Language, MenuPath};
use serde::Deserialize;
use service::{CheckError, CheckedNotice, check_notice, dispute_notice};

use super::{Frame, Refusal, page};
use crate::{
    Office,
    moment::{Moment, moment},
    phrases::Phrases,
    visit::Visit,
};

const HERE: &str = "/check";

/// What somebody typed. A field that is missing is one that was left empty.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Typed {
    code: String,
    address: String,
    lang: Option<String>,
}

/// Neither code nor address belongs into a log.
impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(..)")
    }
}

type TypedForm = Result<Form<Typed>, FormRejection>;

#[derive(Template)]
#[template(path = "check.html")]
struct Ask<'a> {
    frame: Frame<'a>,
    /// Whether it was asked before, in vain.
    failed: bool,
}

#[derive(Template)]
#[template(path = "confirmed.html")]
struct Confirmed<'a> {
    frame: Frame<'a>,
    notice: Described,
    steps: &'a MenuPath,
    typed: &'a Typed,
}

#[derive(Template)]
#[template(path = "disputed.html")]
struct Disputed<'a> {
    frame: Frame<'a>,
}

/// The form.
pub(crate) async fn ask(State(office): State<Office>, visit: Visit) -> Response {
    let frame = Frame::new(&office, visit, HERE, |words| words.check);
    page(StatusCode::OK, &Ask { frame, failed: false })
}

/// Whether a notice is ours. Whatever is wrong with what was typed, one page says so: what differs
/// would tell strangers something.
pub(crate) async fn check(
    State(office): State<Office>,
    headers: HeaderMap,
    form: TypedForm,
) -> Response {
    let (typed, visit) = read(&office, &headers, form);
    match find(&office, &typed).await {
        Ok(Some(notice)) => confirmed(&office, visit, &notice, &typed),
        Ok(None) => unconfirmed(&office, visit),
        Err(error) => failed(&office, visit, &error),
    }
}

/// Hears that a notice is not right. The answer is one and the same for those that we never sent.
pub(crate) async fn dispute(
    State(office): State<Office>,
    headers: HeaderMap,
    form: TypedForm,
) -> Response {
    let (typed, visit) = read(&office, &headers, form);
    if let Err(error) = dispute_notice(&office.site, &typed.code, &typed.address).await {
        return failed(&office, visit, &error);
    }
    let frame = Frame::new(&office, visit, HERE, |words| words.disputed);
    page(StatusCode::OK, &Disputed { frame })
}

/// A form that cannot be read was filled in with nothing.
fn read(office: &Office, headers: &HeaderMap, form: TypedForm) -> (Typed, Visit) {
    let typed = form.map(|Form(typed)| typed).unwrap_or_default();
    let visit = Visit::new(typed.lang.as_deref(), headers, office.look.language);
    (typed, visit)
}

/// Where there are no words, no notice was ever sent.
async fn find(office: &Office, typed: &Typed) -> Result<Option<CheckedNotice>, CheckError> {
    match &office.words {
        Some(words) => check_notice(&office.site, words, &typed.code, &typed.address).await,
        None => Ok(None),
    }
}

fn confirmed(office: &Office, visit: Visit, notice: &CheckedNotice, typed: &Typed) -> Response {
    let frame = Frame::new(office, visit, HERE, |words| words.confirmed);
    let notice = Described::new(notice, frame.words, visit.language);
    let steps = &office.look.reset_path;
    page(StatusCode::OK, &Confirmed { frame, notice, steps, typed })
}

fn unconfirmed(office: &Office, visit: Visit) -> Response {
    let frame = Frame::new(office, visit, HERE, |words| words.unconfirmed);
    page(StatusCode::OK, &Ask { frame, failed: true })
}

fn failed(office: &Office, visit: Visit, error: &CheckError) -> Response {
    tracing::error!(%error, "a notice cannot be checked");
    office.refuse(visit, Refusal::Unwell)
}

/// A notice in words.
struct Described {
    about: &'static str,
    subject: String,
    dated: Moment,
    status: &'static str,
    /// When the mail server took it.
    taken: Option<Moment>,
}

impl Described {
    fn new(notice: &CheckedNotice, words: &Phrases, language: Language) -> Self {
        let taken = notice.ended_at.filter(|_| notice.status == NoticeState::Sent);
        Self {
            about: about(notice.kind, words),
            subject: notice.subject.clone(),
            dated: moment(language, notice.made_at),
            status: status(notice.status, words),
            taken: taken.map(|taken| moment(language, taken)),
        }
    }
}

const fn about(kind: NoticeKind, words: &Phrases) -> &'static str {
    match kind {
        NoticeKind::ResetRequired => words.reset_required,
        NoticeKind::ResetLink => words.reset_link,
        NoticeKind::ResetDone => words.reset_done,
    }
}

const fn status(state: NoticeState, words: &Phrases) -> &'static str {
    match state {
        NoticeState::Pending | NoticeState::Inflight => words.waiting,
        NoticeState::Sent => words.sent,
        NoticeState::Refused => words.refused,
        NoticeState::Uncertain => words.uncertain,
    }
}
