use std::fmt;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use model::{NoticeKind, NoticeState};
use notice::Language;
use outbox::{CheckError, CheckedNotice, check_notice, dispute_notice};
use serde::Deserialize;

use super::{Filled, Frame, Refusal, page, read};
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

impl Typed {
    fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }
}

/// Neither code nor address belongs into a log.
impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(..)")
    }
}

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
    form: Filled<Typed>,
) -> Response {
    let (typed, visit) = read(&office, &headers, form, Typed::lang);
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
    form: Filled<Typed>,
) -> Response {
    let (typed, visit) = read(&office, &headers, form, Typed::lang);
    if let Err(error) = dispute_notice(&office.site, &typed.code, &typed.address).await {
        return failed(&office, visit, &error);
    }
    let frame = Frame::new(&office, visit, HERE, |words| words.disputed);
    page(StatusCode::OK, &Disputed { frame })
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
    page(StatusCode::OK, &Confirmed { frame, notice, typed })
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
    kind: NoticeKind,
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
            kind: notice.kind,
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
        NoticeKind::ExposureAnswer => words.exposure_answer,
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

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::{Look, LookOptions};

    fn look() -> Look {
        Look::new(LookOptions {
            name: Some("Example".parse().unwrap()),
            sender: None,
            reset_path: "Sign in > Forgot password".parse().unwrap(),
            language: Language::English,
            accent: None,
            logo: None,
        })
    }

    /// What a page says of a notice of this kind.
    fn confirmed(kind: NoticeKind, language: Language) -> String {
        let look = look();
        let visit = Visit { language, chosen: false };
        let words = Phrases::of(language);
        let (title, resets_here) = (words.confirmed, true);
        let frame = Frame { look: &look, visit, words, here: HERE, title, resets_here };
        let notice = CheckedNotice {
            kind,
            subject: "Your account".to_owned(),
            made_at: Timestamp::from_micros(0),
            ended_at: None,
            status: NoticeState::Sent,
        };
        let notice = Described::new(&notice, words, language);
        Confirmed { frame, notice, typed: &Typed::default() }.render().unwrap()
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
