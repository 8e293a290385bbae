use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    frame::PeopleFrame,
    phrases::{Message, PagePhrases},
};
use crate::{
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
};

/// Why there is no other page to show.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PageRefusal {
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

impl PageTemplate for RefusalPage<'_> {
    const TEMPLATE: &'static str = "people/refusal.html";
}

impl AppState {
    /// A page that says one thing, in the look of all others.
    pub(crate) fn refuse(&self, visit: Visit, refusal: PageRefusal) -> Response {
        let (status, message) = refusal.said(PagePhrases::of(visit.language));
        let frame = PeopleFrame::new(self, visit, "/", &|_| message.title);
        page(status, &RefusalPage { frame, message })
    }
}

impl PageRefusal {
    const fn said(self, words: &'static PagePhrases) -> (StatusCode, &'static Message) {
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
    state.refuse(visit, PageRefusal::NotFound)
}

pub(super) async fn wrong_method(State(state): State<AppState>, visit: Visit) -> Response {
    state.refuse(visit, PageRefusal::WrongMethod)
}
