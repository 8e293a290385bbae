use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::frame::PeopleFrame;
use crate::{
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
};

#[derive(Serialize)]
struct HomePage<'a> {
    frame: PeopleFrame<'a>,
}

impl PageTemplate for HomePage<'_> {
    const TEMPLATE: &'static str = "people/home.html";
}

/// Where the other pages are.
pub(super) async fn home(State(state): State<AppState>, visit: Visit) -> Response {
    let frame = PeopleFrame::new(&state, visit, "/", &|words| words.home);
    page(StatusCode::OK, &HomePage { frame })
}
