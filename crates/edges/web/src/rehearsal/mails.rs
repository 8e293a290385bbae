use std::{io, sync::Arc};

use axum::{
    Extension,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use notice::Language;
use serde::{Deserialize, Serialize};

use super::{
    console::{RehearsalConsole, reading},
    letter::ShownLetter,
    mailbox::{Listing, WantedMails},
};
use crate::{
    console::frame::StaffFrame,
    people::refusal::PageRefusal,
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
    written::counted,
};

/// What somebody looks for. A field that is missing is one that was left empty.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct MailQuery {
    to: String,
    page: String,
}

#[derive(Serialize)]
struct MailsPage<'a> {
    frame: StaffFrame<'a>,
    to: &'a str,
    counts: String,
    listing: Listing,
}

impl PageTemplate for MailsPage<'_> {
    const TEMPLATE: &'static str = "rehearsal/mails.html";
}

#[derive(Serialize)]
struct MailPage<'a> {
    frame: StaffFrame<'a>,
    letter: &'a ShownLetter,
}

impl PageTemplate for MailPage<'_> {
    const TEMPLATE: &'static str = "rehearsal/mail.html";
}

/// The mails that this rehearsal sent.
pub(super) async fn list(
    State(state): State<AppState>,
    Extension(console): Extension<Arc<RehearsalConsole>>,
    visit: Visit,
    query: Result<Query<MailQuery>, QueryRejection>,
) -> Response {
    let MailQuery { to, page: at } = query.map(|Query(query)| query).unwrap_or_default();
    let to = to.trim().to_owned();
    // What is no number is the first page.
    let wanted = WantedMails { to: to.clone(), page: at.parse().unwrap_or_default() };
    let mailbox = console.mailbox.clone();
    match reading(move || mailbox.list(&wanted)).await {
        Ok(listing) => {
            let frame = console.frame(&state.look, "Mailbox");
            let counts = counts(&to, &listing);
            page(StatusCode::OK, &MailsPage { frame, to: &to, counts, listing })
        }
        Err(error) => failed(&state, visit, &error),
    }
}

/// One of them.
pub(super) async fn open(
    State(state): State<AppState>,
    Extension(console): Extension<Arc<RehearsalConsole>>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let mailbox = console.mailbox.clone();
    match reading(move || mailbox.mail(&name)).await {
        Ok(Some(bytes)) => {
            let letter = ShownLetter::read(&bytes);
            let frame = console.frame(&state.look, letter.head.title());
            page(StatusCode::OK, &MailPage { frame, letter: &letter })
        }
        Ok(None) => state.refuse(visit, PageRefusal::NotFound),
        Err(error) => failed(&state, visit, &error),
    }
}

fn failed(state: &AppState, visit: Visit, error: &io::Error) -> Response {
    tracing::error!(%error, "the mailbox cannot be read");
    state.refuse(visit, PageRefusal::Unwell)
}

/// How many mails, in words.
pub(super) fn counted_mails(count: usize) -> String {
    match count {
        0 => "no mails".to_owned(),
        _ => counted(Language::English, count as u64, "1 mail", "mails"),
    }
}

/// How many there are.
fn counts(to: &str, listing: &Listing) -> String {
    let all = counted_mails(listing.all);
    if to.is_empty() {
        return all;
    }
    format!("{} of {all}", Language::English.number(listing.wanted as u64))
}
