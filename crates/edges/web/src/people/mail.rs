use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Redirect, Response},
};
use recovery::limits::ACCOUNT_MAILS_PER_HOUR_MAX;
use serde::{Deserialize, Serialize};

use super::{
    ask::{MailKind, MailWish},
    form::{Filled, PageForm, read},
    frame::PeopleFrame,
    refusal::PageRefusal,
};
use crate::{
    guard::Household,
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
};

pub(super) const FORGOT: &str = "/forgot";
const AFFECTED: &str = "/affected";

/// Whom somebody asks about.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct MailForm {
    // The page that takes an address alone calls it that, as browsers expect.
    #[serde(alias = "address")]
    name: String,
    lang: Option<String>,
}

impl PageForm for MailForm {
    fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }
}

#[derive(Serialize)]
struct ForgotPage<'a> {
    frame: PeopleFrame<'a>,
}

impl PageTemplate for ForgotPage<'_> {
    const TEMPLATE: &'static str = "people/forgot.html";
}

#[derive(Serialize)]
struct AffectedPage<'a> {
    frame: PeopleFrame<'a>,
}

impl PageTemplate for AffectedPage<'_> {
    const TEMPLATE: &'static str = "people/affected.html";
}

#[derive(Serialize)]
struct MailedPage<'a> {
    frame: PeopleFrame<'a>,
    wanted: MailKind,
    name: &'a str,
    per_hour: u64,
}

impl PageTemplate for MailedPage<'_> {
    const TEMPLATE: &'static str = "people/mailed.html";
}

/// The form for a link, or where on the site one chooses a new password.
pub(super) async fn forgot(State(state): State<AppState>, visit: Visit) -> Response {
    offer_link(&state, visit)
}

/// The form for an answer.
pub(super) async fn affected(State(state): State<AppState>, visit: Visit) -> Response {
    let frame = PeopleFrame::new(&state, visit, AFFECTED, &|words| words.affected);
    page(StatusCode::OK, &AffectedPage { frame })
}

/// Sends a link to whoever may have one.
pub(super) async fn ask_for_link(
    State(state): State<AppState>,
    Extension(household): Extension<Household>,
    headers: HeaderMap,
    form: Filled<MailForm>,
) -> Response {
    let (form, visit) = read(&state, &headers, form);
    if !state.resets_here() {
        return offer_link(&state, visit);
    }
    ask(&state, visit, household, MailKind::Link, form).await
}

/// Tells whoever may know it whether an account was affected.
pub(super) async fn ask_for_answer(
    State(state): State<AppState>,
    Extension(household): Extension<Household>,
    headers: HeaderMap,
    form: Filled<MailForm>,
) -> Response {
    let (form, visit) = read(&state, &headers, form);
    ask(&state, visit, household, MailKind::Answer, form).await
}

/// Where programs that keep passwords look for the page (W3C, A Well-Known URL for Changing
/// Passwords).
pub(super) async fn change_password() -> Redirect {
    Redirect::to(FORGOT)
}

fn offer_link(state: &AppState, visit: Visit) -> Response {
    let frame = PeopleFrame::new(state, visit, FORGOT, &|words| words.forgot);
    page(StatusCode::OK, &ForgotPage { frame })
}

/// One answer for everybody: whom it concerns is found out later, and told by mail.
async fn ask(
    state: &AppState,
    visit: Visit,
    household: Household,
    wanted: MailKind,
    form: MailForm,
) -> Response {
    let wish = MailWish {
        kind: wanted,
        typed: form.name.clone(),
        language: visit.language,
        source: household.as_bytes().to_vec(),
    };
    if let Err(error) = state.people.ask_for_mail(wish).await {
        tracing::error!(%error, "no mail can be asked for");
        return state.refuse(visit, PageRefusal::Unwell);
    }
    let here = match wanted {
        MailKind::Link => FORGOT,
        MailKind::Answer => AFFECTED,
    };
    let frame = PeopleFrame::new(state, visit, here, &|words| words.mailed);
    let (name, per_hour) = (&*form.name, ACCOUNT_MAILS_PER_HOUR_MAX);
    page(StatusCode::OK, &MailedPage { frame, wanted, name, per_hour })
}
