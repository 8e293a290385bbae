use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    frame::PeopleFrame,
    phrases::{Message, Phrases},
};
use crate::{
    state::AppState,
    templates::{Page, page},
    visit::Visit,
};

/// Why there is no other page to show.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refusal {
    /// No page of ours.
    NotFound,
    /// A form's address, opened as a page.
    WrongMethod,
    /// A form from another site.
    Stranger,
    /// More forms than a person sends.
    TooMany,
    /// Our own fault.
    Unwell,
}

#[derive(Serialize)]
struct RefusalPage<'a> {
    frame: PeopleFrame<'a>,
    message: &'static Message,
}

impl Page for RefusalPage<'_> {
    const TEMPLATE: &'static str = "people/refusal.html";
}

impl AppState {
    /// A page that says one thing, in the look of all others.
    pub(crate) fn refuse(&self, visit: Visit, refusal: Refusal) -> Response {
        let (status, message) = refusal.said(Phrases::of(visit.language));
        let frame = PeopleFrame::new(self, visit, "/", |_| message.title);
        page(status, &RefusalPage { frame, message })
    }
}

impl Refusal {
    const fn said(self, words: &'static Phrases) -> (StatusCode, &'static Message) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, &words.not_found),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, &words.wrong_method),
            Self::Stranger => (StatusCode::FORBIDDEN, &words.stranger),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, &words.too_many),
            Self::Unwell => (StatusCode::SERVICE_UNAVAILABLE, &words.unwell),
        }
    }
}

pub(super) async fn not_found(State(state): State<AppState>, visit: Visit) -> Response {
    state.refuse(visit, Refusal::NotFound)
}

pub(super) async fn wrong_method(State(state): State<AppState>, visit: Visit) -> Response {
    state.refuse(visit, Refusal::WrongMethod)
}
