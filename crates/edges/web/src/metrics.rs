use std::sync::atomic::AtomicU64;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::time::timeout;

use crate::{
    guard::{self, guarded},
    in_process::{CampaignView, InProcess},
    limits::HEALTH_TIME_MAX,
};

/// What `Content-Type` `OpenMetrics` has.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What programs that watch over this one are answered: whether it can work, and how far campaigns
/// are.
pub fn metrics_routes(operations: InProcess) -> Router {
    let routes = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(operations)
        .layer(from_fn(guard::in_time_for_staff));
    guarded(routes, false)
}

/// Whether requests can be answered now: the store must be there.
async fn healthz(State(operations): State<InProcess>) -> (StatusCode, &'static str) {
    let error = match timeout(HEALTH_TIME_MAX, operations.is_store_there()).await {
        Ok(Ok(())) => return (StatusCode::OK, "ok\n"),
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::error!(error, "the store does not answer");
    (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
}

/// Counts of campaigns by state: read from the store at each request, so that every process of an
/// instance tells the same. It names no account and no address.
async fn metrics(State(operations): State<InProcess>) -> Response {
    match operations.campaigns().await.map(|views| text(&views)) {
        Ok(Ok(text)) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "no metrics");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

type GaugeFamily = Family<Vec<(&'static str, String)>, Gauge<u64, AtomicU64>>;

fn text(views: &[CampaignView]) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("countersign");
    let (campaigns, accounts) = (GaugeFamily::default(), GaugeFamily::default());
    let (notices, untold) = (GaugeFamily::default(), GaugeFamily::default());
    registry.register("campaigns", "Campaigns by state", campaigns.clone());
    registry.register("accounts", "Accounts of campaigns by state", accounts.clone());
    registry.register("notices", "Notices of campaigns by state", notices.clone());
    registry.register("sealed_untold", "Accounts sealed and not told yet", untold.clone());
    let paused = Gauge::<u64, AtomicU64>::default();
    registry.register("sending_paused", "Whether nobody is told for now", paused.clone());
    paused.set(u64::from(views.iter().any(|view| view.sending_paused.is_some())));
    for view in views {
        let campaign = ("campaign", view.name.clone());
        campaigns.get_or_create(&vec![("state", view.state.to_owned())]).inc();
        for (state, count) in &view.accounts {
            let labels = vec![campaign.clone(), ("state", state.to_string())];
            accounts.get_or_create(&labels).set(*count);
        }
        for (state, count) in &view.notices {
            let labels = vec![campaign.clone(), ("state", state.to_string())];
            notices.get_or_create(&labels).set(*count);
        }
        untold.get_or_create(&vec![campaign]).set(view.sealed_untold);
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}
