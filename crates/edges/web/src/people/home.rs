use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{Frame, page};
use crate::{Office, visit::Visit};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame<'a>,
}

/// Where the other pages are.
pub(crate) async fn home(State(office): State<Office>, visit: Visit) -> Response {
    let frame = Frame::new(&office, visit, "/", |words| words.home);
    page(StatusCode::OK, &Home { frame })
}
