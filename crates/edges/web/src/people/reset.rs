use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header::USER_AGENT},
    response::Response,
};
use recovery::{NewPasswordError, Objection, ResetToken};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::{
    ask::{PasswordOutcome, PasswordWish, Unanswered},
    form::{Filled, PageForm, read},
    frame::PeopleFrame,
    mail::FORGOT,
    refusal::PageRefusal,
};
use crate::{
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
};

/// The page that a link opened, in another language: a query alone keeps the path, so that no page
/// holds the token.
const HERE: &str = "";

const HOME: &str = "/";

/// A new password.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PasswordForm {
    #[serde(deserialize_with = "wiped")]
    password: Zeroizing<String>,
    #[serde(deserialize_with = "wiped")]
    again: Zeroizing<String>,
    lang: Option<String>,
}

impl PageForm for PasswordForm {
    fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }
}

impl PasswordForm {
    /// What was typed twice, if all of it has come.
    fn password(self, is_whole: bool) -> Result<Zeroizing<String>, PasswordFault> {
        match is_whole {
            false => Err(PasswordFault::Unread),
            true if self.password != self.again => Err(PasswordFault::Differ),
            true => Ok(self.password),
        }
    }
}

fn wiped<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

/// The last part of a link's path, whatever it is.
type LinkPath = Result<Path<String>, PathRejection>;

#[derive(Serialize)]
struct ResetPage<'a> {
    frame: PeopleFrame<'a>,
    /// What a password must be.
    hint: String,
    /// What was wrong with the last try.
    fault: Option<WrittenFault>,
}

impl PageTemplate for ResetPage<'_> {
    const TEMPLATE: &'static str = "people/reset.html";
}

#[derive(Serialize)]
struct ChangedPage<'a> {
    frame: PeopleFrame<'a>,
}

impl PageTemplate for ChangedPage<'_> {
    const TEMPLATE: &'static str = "people/changed.html";
}

#[derive(Serialize)]
struct DeadPage<'a> {
    frame: PeopleFrame<'a>,
}

impl PageTemplate for DeadPage<'_> {
    const TEMPLATE: &'static str = "people/dead.html";
}

/// Why there is no new password yet.
#[derive(Clone, Copy)]
enum PasswordFault {
    /// Not all of the form has come.
    Unread,
    /// The two fields hold two things.
    Differ,
    /// Somebody is using the link at this moment.
    Busy,
    /// It cannot be a password.
    Unfit(NewPasswordError),
    /// It must not be the password.
    Refused(Objection),
}

/// A fault as templates find its words.
#[derive(Serialize)]
struct WrittenFault {
    word: &'static str,
    /// The length that was not kept, if it was that.
    limit: Option<usize>,
}

impl WrittenFault {
    const fn new(fault: PasswordFault) -> Self {
        let (word, limit) = match fault {
            PasswordFault::Unread => ("unread", None),
            PasswordFault::Differ => ("differ", None),
            PasswordFault::Busy => ("busy", None),
            PasswordFault::Unfit(NewPasswordError::TooShort { limit, .. }) => {
                ("too_short", Some(limit))
            }
            PasswordFault::Unfit(NewPasswordError::TooLong { limit, .. }) => {
                ("too_long", Some(limit))
            }
            PasswordFault::Unfit(NewPasswordError::Nul) => ("nul", None),
            PasswordFault::Refused(objection) => (objection.as_str(), None),
        };
        Self { word, limit }
    }
}

/// The form. Looking changes nothing, so a mail scanner may.
pub(super) async fn open(State(state): State<AppState>, visit: Visit, link: LinkPath) -> Response {
    match token(link) {
        Some(token) => show(&state, visit, token, None).await,
        None => dead(&state, visit),
    }
}

/// Sets the password, or says why not.
pub(super) async fn choose(
    State(state): State<AppState>,
    link: LinkPath,
    headers: HeaderMap,
    filled: Filled<PasswordForm>,
) -> Response {
    let is_whole = filled.is_ok();
    let (form, visit) = read(&state, &headers, filled);
    let Some(token) = token(link) else { return dead(&state, visit) };
    let typed = match form.password(is_whole) {
        Ok(typed) => typed,
        Err(fault) => return show(&state, visit, token, Some(fault)).await,
    };
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(str::to_owned);
    let wish = PasswordWish { token: Arc::clone(&token), typed, user_agent };
    let fault = match state.people.choose_password(wish).await {
        Ok(PasswordOutcome::Done) => return changed(&state, visit),
        Ok(PasswordOutcome::Dead) => return dead(&state, visit),
        Ok(PasswordOutcome::Busy) => PasswordFault::Busy,
        Ok(PasswordOutcome::Unfit(error)) => PasswordFault::Unfit(error),
        Ok(PasswordOutcome::Refused(objection)) => PasswordFault::Refused(objection),
        Err(error) => return failed(&state, visit, &error),
    };
    show(&state, visit, token, Some(fault)).await
}

/// A text that no link ever held is a link that does not work.
fn token(link: LinkPath) -> Option<Arc<ResetToken>> {
    link.ok()?.parse().ok().map(Arc::new)
}

/// The form, if the link works. It is never filled in: what was typed does not come back.
async fn show(
    state: &AppState,
    visit: Visit,
    token: Arc<ResetToken>,
    fault: Option<PasswordFault>,
) -> Response {
    match state.people.open_link(token).await {
        Ok(true) => page(StatusCode::OK, &ResetPage::new(state, visit, fault)),
        Ok(false) => dead(state, visit),
        Err(error) => failed(state, visit, &error),
    }
}

impl<'a> ResetPage<'a> {
    fn new(state: &'a AppState, visit: Visit, fault: Option<PasswordFault>) -> Self {
        let frame = PeopleFrame::new(state, visit, HERE, &|words| match fault {
            None => words.choose,
            Some(_) => words.choose_again,
        });
        let hint = (frame.words.password_hint)(state.password_chars_min.unwrap_or_default());
        Self { frame, hint, fault: fault.map(WrittenFault::new) }
    }
}

fn changed(state: &AppState, visit: Visit) -> Response {
    let frame = PeopleFrame::new(state, visit, HOME, &|words| words.changed);
    page(StatusCode::OK, &ChangedPage { frame })
}

/// Whatever is wrong with a link, one page says so: what differs would tell strangers something.
fn dead(state: &AppState, visit: Visit) -> Response {
    let frame = PeopleFrame::new(state, visit, FORGOT, &|words| words.dead);
    page(StatusCode::NOT_FOUND, &DeadPage { frame })
}

fn failed(state: &AppState, visit: Visit, error: &Unanswered) -> Response {
    tracing::error!(%error, "no password can be chosen");
    state.refuse(visit, PageRefusal::Unwell)
}

#[cfg(test)]
mod tests {
    use notice::Language;

    use super::*;
    use crate::people::testing::state;

    fn faults() -> Vec<PasswordFault> {
        let unfit = [
            NewPasswordError::TooShort { found: 1, limit: 8 },
            NewPasswordError::TooLong { found: 2000, limit: 1024 },
            NewPasswordError::Nul,
        ];
        let others = [PasswordFault::Unread, PasswordFault::Differ, PasswordFault::Busy];
        let unfit = unfit.into_iter().map(PasswordFault::Unfit);
        let refused = Objection::ALL.iter().copied().map(PasswordFault::Refused);
        others.into_iter().chain(unfit).chain(refused).collect()
    }

    #[test]
    fn every_fault_has_its_words_in_every_language() {
        let state = state();
        for &language in Language::ALL {
            let visit = Visit { language, chosen: false };
            let said = faults().into_iter().map(|fault| {
                let page = ResetPage::new(&state, visit, Some(fault)).render().unwrap();
                let panel = page.split("role=\"alert\"").nth(1).unwrap().to_owned();
                let said = panel.split("<p>").nth(1).unwrap().split("</p>").next().unwrap();
                assert!(said.len() > 20, "{language}: {said}");
                said.to_owned()
            });
            let said: std::collections::BTreeSet<_> = said.collect();
            assert_eq!(said.len(), faults().len(), "{language}");
        }
    }
}
