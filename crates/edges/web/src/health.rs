use axum::{extract::State, http::StatusCode};

use crate::Office;

/// Whether requests can be answered now: the store must be there. Says no more than that, since
/// anybody can ask.
pub(crate) async fn healthz(State(office): State<Office>) -> (StatusCode, &'static str) {
    match instance::is_store_there(&office.site).await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
