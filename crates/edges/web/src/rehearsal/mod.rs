//! What a rehearsal shows to whoever tries the program: the mails that it sent, and the report of
//! each campaign.
//!
//! A mail here may hold a link that chooses a password. So these pages are for this host alone,
//! and only a rehearsal is given a desk.

mod chart;
mod home;
mod letter;
mod mailbox;
mod mails;
mod report;
mod words;

use std::{io, path::PathBuf, sync::Arc};

use axum::{
    Extension, Router,
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
    routing::get,
};
use notice::Language;

use crate::{
    Office,
    look::Asset,
    number::number,
    pages::{FOR_EVER, page},
};

use mailbox::Mailbox;

/// What the pages of the desk have beyond those for people.
const STYLE: &str = include_str!("../../templates/desk/desk.css");

/// The mailbox of a rehearsal, with the pages that show it.
#[derive(Debug)]
pub struct Desk {
    mailbox: Mailbox,
    style: Asset,
}

impl Desk {
    /// Shows the mails in this maildir.
    #[must_use]
    pub fn new(mailbox: PathBuf) -> Self {
        let style = Asset::new("desk", "css", "text/css; charset=utf-8", STYLE.into());
        Self { mailbox: Mailbox::new(mailbox), style }
    }
}

/// The pages of a desk.
pub(crate) fn routes(desk: Arc<Desk>) -> Router<Office> {
    Router::new()
        .route("/desk", get(home::home))
        .route("/desk/mail", get(mails::list))
        .route("/desk/mail/{name}", get(mails::open))
        .route("/desk/campaign/{name}", get(report::report))
        .route(&desk.style.path(), get(style))
        .layer(Extension(desk))
}

/// What surrounds the content of every page. Operators read English.
struct Frame<'a> {
    office: &'a Office,
    desk: &'a Desk,
    title: &'a str,
}

impl Frame<'_> {
    /// The site's name.
    fn brand(&self) -> &str {
        self.office.look.name.as_ref().map_or("Countersign", |name| name.as_str())
    }

    /// Whether people choose new passwords here, and not on the site's own pages.
    fn resets_here(&self) -> bool {
        self.office.recovery.is_some()
    }
}

async fn style(Extension(desk): Extension<Arc<Desk>>) -> Response {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(desk.style.content_type))];
    let mut answer = (headers, desk.style.bytes.clone()).into_response();
    answer.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
    answer
}

/// Reads files where nobody waits for them.
async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}

/// A number as it is read here.
fn grouped(count: u64) -> String {
    number(Language::English, count)
}

/// How many of something, in words.
fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        _ => format!("{} {many}", grouped(count)),
    }
}
