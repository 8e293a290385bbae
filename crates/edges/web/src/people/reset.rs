use std::{fmt, sync::Arc};

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header::USER_AGENT},
    response::Response,
};
use recoveries::{Choice, ChooseError, Chosen, Recovery, choose_password, open_link};
use recovery::{NewPasswordError, Objection, ResetToken};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::{Filled, Frame, Refusal, mail::FORGOT, page, read};
use crate::{Office, visit::Visit};

/// The page that a link opened, in another language: a query alone keeps the path, so that no page
/// holds the token.
const HERE: &str = "";

const HOME: &str = "/";

/// What somebody typed. A field that is missing is one that was left empty.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Typed {
    #[serde(deserialize_with = "wiped")]
    password: Zeroizing<String>,
    #[serde(deserialize_with = "wiped")]
    again: Zeroizing<String>,
    lang: Option<String>,
}

impl Typed {
    fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }

    /// What was typed twice, if all of it has come.
    fn password(self, is_whole: bool) -> Result<Zeroizing<String>, Fault> {
        match is_whole {
            false => Err(Fault::Unread),
            true if self.password != self.again => Err(Fault::Differ),
            true => Ok(self.password),
        }
    }
}

fn wiped<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

/// No password belongs into a log.
impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(..)")
    }
}

/// The last part of a link's path, whatever it is.
type Link = Result<Path<String>, PathRejection>;

#[derive(Template)]
#[template(path = "reset.html")]
struct Reset<'a> {
    frame: Frame<'a>,
    chars_min: usize,
    /// What was wrong with the last try.
    fault: Option<Fault>,
}

#[derive(Template)]
#[template(path = "changed.html")]
struct Changed<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "dead.html")]
struct Dead<'a> {
    frame: Frame<'a>,
}

/// Why there is no new password yet.
enum Fault {
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

/// The form. Looking changes nothing, so a mail scanner may.
pub(crate) async fn open(
    State(office): State<Office>,
    Extension(recovery): Extension<Arc<Recovery>>,
    visit: Visit,
    link: Link,
) -> Response {
    match token(link) {
        Some(token) => show(&office, visit, &recovery, &token, None).await,
        None => dead(&office, visit),
    }
}

/// Sets the password, or says why not.
pub(crate) async fn choose(
    State(office): State<Office>,
    Extension(recovery): Extension<Arc<Recovery>>,
    link: Link,
    headers: HeaderMap,
    filled: Filled<Typed>,
) -> Response {
    let is_whole = filled.is_ok();
    let (typed, visit) = read(&office, &headers, filled, Typed::lang);
    let Some(token) = token(link).map(Arc::new) else { return dead(&office, visit) };
    let chosen = match typed.password(is_whole) {
        Ok(password) => set(&office, &recovery, &token, password, &headers).await,
        Err(fault) => return show(&office, visit, &recovery, &token, Some(fault)).await,
    };
    let fault = match chosen {
        Ok(Chosen::Done) => return changed(&office, visit),
        Ok(Chosen::Dead) => return dead(&office, visit),
        Ok(Chosen::Busy) => Fault::Busy,
        Ok(Chosen::Unfit(error)) => Fault::Unfit(error),
        Ok(Chosen::Refused(objection)) => Fault::Refused(objection),
        Err(error) => return failed(&office, visit, &error),
    };
    show(&office, visit, &recovery, &token, Some(fault)).await
}

/// A text that no link ever held is a link that does not work.
fn token(link: Link) -> Option<ResetToken> {
    link.ok()?.parse().ok()
}

/// Whoever closes the page has pressed the button all the same: what was begun is ended.
async fn set(
    office: &Office,
    recovery: &Arc<Recovery>,
    token: &Arc<ResetToken>,
    typed: Zeroizing<String>,
    headers: &HeaderMap,
) -> Result<Chosen, ChooseError> {
    let (site, recovery) = (Arc::clone(&office.site), Arc::clone(recovery));
    let token = Arc::clone(token);
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(str::to_owned);
    let setting = tokio::spawn(async move {
        let choice = Choice { token: &token, typed, user_agent: user_agent.as_deref() };
        choose_password(&site, &recovery, choice).await
    });
    setting.await?
}

/// The form, if the link works. It is never filled in: what was typed does not come back.
async fn show(
    office: &Office,
    visit: Visit,
    recovery: &Recovery,
    token: &ResetToken,
    fault: Option<Fault>,
) -> Response {
    match open_link(&office.site, token).await {
        Ok(true) => {}
        Ok(false) => return dead(office, visit),
        Err(error) => return failed(office, visit, &error),
    }
    let frame = match fault {
        None => Frame::new(office, visit, HERE, |words| words.choose),
        Some(_) => Frame::new(office, visit, HERE, |words| words.choose_again),
    };
    let chars_min = recovery.password_chars_min();
    page(StatusCode::OK, &Reset { frame, chars_min, fault })
}

fn changed(office: &Office, visit: Visit) -> Response {
    let frame = Frame::new(office, visit, HOME, |words| words.changed);
    page(StatusCode::OK, &Changed { frame })
}

/// Whatever is wrong with a link, one page says so: what differs would tell strangers something.
fn dead(office: &Office, visit: Visit) -> Response {
    let frame = Frame::new(office, visit, FORGOT, |words| words.dead);
    page(StatusCode::NOT_FOUND, &Dead { frame })
}

fn failed(office: &Office, visit: Visit, error: &ChooseError) -> Response {
    tracing::error!(%error, "no password can be chosen");
    office.refuse(visit, Refusal::Unwell)
}
