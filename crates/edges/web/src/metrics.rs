use std::sync::atomic::{AtomicI64, AtomicU64};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::get,
};
use model::Discrepancy;
use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::time::timeout;

use crate::{
    guard::{self, guarded},
    in_process::{CountedCampaign, InProcess, ReconciliationView},
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

/// Counts of campaigns by state: those of the audit log, at each request, so that every process of an
/// instance tells the same. It names no account and no address.
async fn metrics(State(operations): State<InProcess>) -> Response {
    let read = tokio::try_join!(
        operations.campaigns(),
        operations.is_sending_paused(),
        operations.reconciliation()
    );
    let (campaigns, is_paused, last) = match read {
        Ok(read) => read,
        Err(error) => return failed(&error),
    };
    match text(&campaigns, is_paused, &last) {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "no metrics");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

type GaugeFamily = Family<Vec<(&'static str, String)>, Gauge<u64, AtomicU64>>;
type MomentFamily = Family<Vec<(&'static str, String)>, Gauge<i64, AtomicI64>>;

fn text(
    counted: &[CountedCampaign],
    is_paused: bool,
    last: &ReconciliationView,
) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("countersign");
    let (campaigns, accounts) = (GaugeFamily::default(), GaugeFamily::default());
    let (notices, untold) = (GaugeFamily::default(), GaugeFamily::default());
    registry.register("campaigns", "Campaigns by state", campaigns.clone());
    registry.register("accounts", "Accounts of campaigns by state", accounts.clone());
    registry.register("notices", "Notices of campaigns by state", notices.clone());
    registry.register("sealed_untold", "Accounts sealed and not told yet", untold.clone());
    let worked = MomentFamily::default();
    let about = "When a worker last did something for the people of a campaign";
    registry.register("worked_at_seconds", about, worked.clone());
    let paused = Gauge::<u64, AtomicU64>::default();
    registry.register("sending_paused", "Whether nobody is told for now", paused.clone());
    paused.set(u64::from(is_paused));
    for counted in counted {
        let campaign = ("campaign", counted.name.clone());
        campaigns.get_or_create(&vec![("state", counted.state.to_string())]).inc();
        for (state, count) in &counted.accounts {
            let labels = vec![campaign.clone(), ("state", state.to_string())];
            accounts.get_or_create(&labels).set(*count);
        }
        for (state, count) in &counted.notices {
            let labels = vec![campaign.clone(), ("state", state.to_string())];
            notices.get_or_create(&labels).set(*count);
        }
        untold.get_or_create(&vec![campaign.clone()]).set(counted.sealed_untold);
        if let Some(at) = counted.worked_at {
            worked.get_or_create(&vec![campaign]).set(at.as_micros() / 1_000_000);
        }
    }
    tell_of_comparison(&mut registry, last);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// Without a comparison there is no moment, rather than a wrong one; no kind is left out, so that an
/// alarm can be set on each.
fn tell_of_comparison(registry: &mut Registry, last: &ReconciliationView) {
    let failed = Gauge::<u64, AtomicU64>::default();
    failed.set(u64::from(last.failed_at.is_some()));
    registry.register("reconcile_failed", "Whether the last comparison failed", failed);
    let (Some(ended_at), Some(result)) = (last.ended_at, &last.result) else { return };
    let (at, found) = (Gauge::<i64, AtomicI64>::default(), GaugeFamily::default());
    at.set(ended_at.as_micros() / 1_000_000);
    registry.register("reconciled_at_seconds", "When the site's table was last compared", at);
    for kind in Discrepancy::ALL {
        let labels = vec![("kind", kind.to_string())];
        found.get_or_create(&labels).set(result.found.get(kind).copied().unwrap_or_default());
    }
    registry.register("reconcile_found", "Accounts that disagree with what is kept", found);
    let not_tried = Gauge::<u64, AtomicU64>::default();
    not_tried.set(result.not_tried);
    registry.register("reconcile_not_tried", "Unknown passwords not tried", not_tried);
    let unjudged = Gauge::<u64, AtomicU64>::default();
    unjudged.set(result.unjudged);
    let about = "Passwords that may be values of ours, since steps of the store are lost";
    registry.register("reconcile_unjudged", about, unjudged);
}
