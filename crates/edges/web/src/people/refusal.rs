use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{Frame, page};
use crate::{
    Office,
    phrases::{Message, Phrases},
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

#[derive(Template)]
#[template(path = "refusal.html")]
struct Page<'a> {
    frame: Frame<'a>,
    message: &'static Message,
}

impl Office {
    /// A page that says one thing, in the look of all others.
    pub(crate) fn refuse(&self, visit: Visit, refusal: Refusal) -> Response {
        let (status, message) = refusal.said(Phrases::of(visit.language));
        let frame = Frame::new(self, visit, "/", |_| message.title);
        page(status, &Page { frame, message })
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

pub(crate) async fn not_found(State(office): State<Office>, visit: Visit) -> Response {
    office.refuse(visit, Refusal::NotFound)
}

pub(crate) async fn wrong_method(State(office): State<Office>, visit: Visit) -> Response {
    office.refuse(visit, Refusal::WrongMethod)
}
