//! What stands before every handler: time, headers, the log, and how many forms may come.

mod access;
mod client;
mod headers;
mod origin;
mod throttle;

use std::sync::Arc;

use axum::{
    extract::{FromRef, Request, State},
    http::{HeaderValue, Method, header::RETRY_AFTER},
    middleware::Next,
    response::Response,
};
use tokio::time;

use crate::{Office, ServeOptions, limits::ANSWER_TIME_MAX, pages::Refusal, visit::Visit};

pub(crate) use access::log_access;
pub(crate) use client::Household;
pub(crate) use headers::{SANDBOX, keep_private, secure};
pub(crate) use throttle::Throttle;

/// What guards need to know of how we are reached.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) office: Office,
    pub(crate) options: Arc<ServeOptions>,
    pub(crate) throttle: Arc<Throttle>,
}

impl FromRef<Gate> for Office {
    fn from_ref(gate: &Gate) -> Self {
        gate.office.clone()
    }
}

/// Lets a form through that comes from our own pages, and not too often. Its handler is told from
/// which household.
pub(crate) async fn admit(
    State(gate): State<Gate>,
    visit: Visit,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    if !origin::is_own(request.headers()) {
        return gate.office.refuse(visit, Refusal::Stranger);
    }
    let household = Household::of(client::address(&request, gate.options.trusted_proxy));
    match gate.throttle.admit(household) {
        Ok(()) => {
            request.extensions_mut().insert(household);
            next.run(request).await
        }
        Err(wait) => {
            let mut answer = gate.office.refuse(visit, Refusal::TooMany);
            // At least a second, and no more than says anything.
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            answer.headers_mut().insert(RETRY_AFTER, seconds);
            answer
        }
    }
}

/// Gives up on what takes too long, such as a form that trickles in.
pub(crate) async fn in_time(
    State(gate): State<Gate>,
    visit: Visit,
    request: Request,
    next: Next,
) -> Response {
    let answer = time::timeout(ANSWER_TIME_MAX, next.run(request)).await;
    answer.unwrap_or_else(|_| gate.office.refuse(visit, Refusal::Unwell))
}
