use std::fmt;

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Redirect, Response},
};
use recoveries::{MailAsked, Wanted, ask_for_mail};
use recovery::limits::ACCOUNT_MAILS_PER_HOUR_MAX;
use serde::Deserialize;

use super::{Filled, Frame, Refusal, page, read};
use crate::{Office, guard::Household, visit::Visit};

pub(super) const FORGOT: &str = "/forgot";
const AFFECTED: &str = "/affected";

/// What somebody typed. A field that is missing is one that was left empty.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Typed {
    // The page that takes an address alone calls it that, as browsers expect.
    #[serde(alias = "address")]
    name: String,
    lang: Option<String>,
}

impl Typed {
    fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }
}

/// Whom somebody asks about does not belong into a log.
impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(..)")
    }
}

#[derive(Template)]
#[template(path = "forgot.html")]
struct Forgot<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "affected.html")]
struct Affected<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "mailed.html")]
struct Mailed<'a> {
    frame: Frame<'a>,
    wanted: Wanted,
    typed: &'a Typed,
    per_hour: u64,
}

/// The form for a link, or where on the site one chooses a new password.
pub(crate) async fn forgot(State(office): State<Office>, visit: Visit) -> Response {
    offer_link(&office, visit)
}

/// The form for an answer.
pub(crate) async fn affected(State(office): State<Office>, visit: Visit) -> Response {
    let frame = Frame::new(&office, visit, AFFECTED, |words| words.affected);
    page(StatusCode::OK, &Affected { frame })
}

/// Sends a link to whoever may have one.
pub(crate) async fn ask_for_link(
    State(office): State<Office>,
    Extension(household): Extension<Household>,
    headers: HeaderMap,
    form: Filled<Typed>,
) -> Response {
    let (typed, visit) = read(&office, &headers, form, Typed::lang);
    if office.recovery.is_none() {
        return offer_link(&office, visit);
    }
    ask(&office, visit, household, Wanted::Link, &typed).await
}

/// Tells whoever may know it whether an account was affected.
pub(crate) async fn ask_for_answer(
    State(office): State<Office>,
    Extension(household): Extension<Household>,
    headers: HeaderMap,
    form: Filled<Typed>,
) -> Response {
    let (typed, visit) = read(&office, &headers, form, Typed::lang);
    ask(&office, visit, household, Wanted::Answer, &typed).await
}

/// Where programs that keep passwords look for the page (W3C, A Well-Known URL for Changing
/// Passwords).
pub(crate) async fn change_password() -> Redirect {
    Redirect::to(FORGOT)
}

fn offer_link(office: &Office, visit: Visit) -> Response {
    let frame = Frame::new(office, visit, FORGOT, |words| words.forgot);
    page(StatusCode::OK, &Forgot { frame })
}

/// One answer for everybody: whom it concerns is found out later, and told by mail.
async fn ask(
    office: &Office,
    visit: Visit,
    household: Household,
    wanted: Wanted,
    typed: &Typed,
) -> Response {
    let (language, source) = (visit.language, household.as_bytes());
    let asked = MailAsked { wanted, typed: &typed.name, language, source };
    if let Err(error) = ask_for_mail(&office.site, &asked).await {
        tracing::error!(%error, "no mail can be asked for");
        return office.refuse(visit, Refusal::Unwell);
    }
    let here = match wanted {
        Wanted::Link => FORGOT,
        Wanted::Answer => AFFECTED,
    };
    let frame = Frame::new(office, visit, here, |words| words.mailed);
    let per_hour = ACCOUNT_MAILS_PER_HOUR_MAX;
    page(StatusCode::OK, &Mailed { frame, wanted, typed, per_hour })
}
