use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::time;

use super::admit::PeopleGate;
use crate::{limits::ANSWER_TIME_MAX, people::refusal::PageRefusal, visit::Visit};

/// Gives up on what takes too long.
pub(crate) async fn in_time(
    State(gate): State<PeopleGate>,
    visit: Visit,
    request: Request,
    next: Next,
) -> Response {
    let answer = time::timeout(ANSWER_TIME_MAX, next.run(request)).await;
    answer.unwrap_or_else(|_| gate.state.refuse(visit, PageRefusal::Unwell))
}

/// The same where the page that says so would be one for people.
pub(crate) async fn in_time_for_staff(request: Request, next: Next) -> Response {
    let answer = time::timeout(ANSWER_TIME_MAX, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}
