use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{StatusCode, header::HOST, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// Answers those who ask this host by its own name. A page from elsewhere whose name has come to
/// lead here (DNS rebinding) could read the answer otherwise.
pub(crate) async fn only_this_host(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    if !host.is_some_and(|host| is_loopback(host.host())) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    next.run(request).await
}

/// Whether a name or number is always this host.
pub(crate) fn is_loopback(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || number.is_ok_and(|number| number.is_loopback())
}
