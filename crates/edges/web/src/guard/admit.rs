use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRef, Request, State},
    http::{HeaderValue, Method, header::RETRY_AFTER},
    middleware::Next,
    response::Response,
};

use super::{
    client::{self, Household},
    origin,
    throttle::Throttle,
};
use crate::{people::refusal::PageRefusal, state::AppState, visit::Visit};

/// What the guards of people's pages need to know.
#[derive(Clone)]
pub(crate) struct PeopleGate {
    pub(crate) state: AppState,
    /// The proxy that is believed.
    pub(crate) trusted_proxy: Option<IpAddr>,
    pub(crate) throttle: Arc<Throttle>,
}

impl FromRef<PeopleGate> for AppState {
    fn from_ref(gate: &PeopleGate) -> Self {
        gate.state.clone()
    }
}

/// Lets a form through that comes from our own pages, and not too often. Its handler is told from
/// which household.
pub(crate) async fn admit(
    State(gate): State<PeopleGate>,
    visit: Visit,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    if !origin::is_own(request.headers()) {
        return gate.state.refuse(visit, PageRefusal::Stranger);
    }
    let household = Household::of(client::address(&request, gate.trusted_proxy));
    match gate.throttle.admit(household) {
        Ok(()) => {
            request.extensions_mut().insert(household);
            next.run(request).await
        }
        Err(wait) => {
            let mut answer = gate.state.refuse(visit, PageRefusal::TooMany);
            // At least a second, and no more than says anything.
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            answer.headers_mut().insert(RETRY_AFTER, seconds);
            answer
        }
    }
}
