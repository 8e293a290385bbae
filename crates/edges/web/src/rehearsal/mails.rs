use std::{io, sync::Arc};

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Desk, Frame, counted,
    letter::{Letter, Line},
    mailbox::{Listing, Wanted},
    page, reading,
};
use crate::{Office, pages::Refusal, visit::Visit};

/// What somebody looks for. A field that is missing is one that was left empty.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Typed {
    to: String,
    page: String,
}

#[derive(Template)]
#[template(path = "desk/mails.html")]
struct Mails<'a> {
    frame: Frame<'a>,
    to: &'a str,
    listing: Listing,
}

#[derive(Template)]
#[template(path = "desk/mail.html")]
struct Mail<'a> {
    frame: Frame<'a>,
    letter: &'a Letter,
}

/// The mails that this rehearsal sent.
pub(super) async fn list(
    State(office): State<Office>,
    Extension(desk): Extension<Arc<Desk>>,
    visit: Visit,
    query: Result<Query<Typed>, QueryRejection>,
) -> Response {
    let Typed { to, page: at } = query.map(|Query(typed)| typed).unwrap_or_default();
    // What is no number is the first page.
    let wanted = Wanted { to: to.clone(), page: at.parse().unwrap_or_default() };
    let mailbox = desk.mailbox.clone();
    match reading(move || mailbox.list(&wanted)).await {
        Ok(listing) => {
            let frame = Frame { office: &office, desk: &desk, title: "Mailbox" };
            page(StatusCode::OK, &Mails { frame, to: &to, listing })
        }
        Err(error) => failed(&office, visit, &error),
    }
}

/// One of them.
pub(super) async fn open(
    State(office): State<Office>,
    Extension(desk): Extension<Arc<Desk>>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let mailbox = desk.mailbox.clone();
    match reading(move || mailbox.mail(&name)).await {
        Ok(Some(bytes)) => {
            let letter = Letter::read(&bytes);
            let frame = Frame { office: &office, desk: &desk, title: letter.head.title() };
            page(StatusCode::OK, &Mail { frame, letter: &letter })
        }
        Ok(None) => office.refuse(visit, Refusal::NotFound),
        Err(error) => failed(&office, visit, &error),
    }
}

fn failed(office: &Office, visit: Visit, error: &io::Error) -> Response {
    tracing::error!(%error, "the mailbox cannot be read");
    office.refuse(visit, Refusal::Unwell)
}

impl Mails<'_> {
    /// How many there are.
    fn counts(&self) -> String {
        let all = counted(self.listing.all as u64, "mail", "mails");
        if self.to.trim().is_empty() {
            return all;
        }
        format!("{} of {all}", super::grouped(self.listing.wanted as u64))
    }
}
