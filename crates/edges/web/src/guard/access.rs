use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};

/// What stands in the log for a path that is none of ours: what was asked for is the visitor's.
const NO_PATH: &str = "none";

/// Writes a line for each answer: never a query, a form, a path that holds anything, or who asked.
pub(crate) async fn log_access(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = known(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let answer = next.run(request).await;
    let path = path.as_ref().map_or(NO_PATH, MatchedPath::as_str);
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(method, path, status = answer.status().as_u16(), millis, "answered");
    answer
}

/// A method can be any word, and so can hold anything.
const fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
