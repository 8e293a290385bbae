use std::sync::atomic::AtomicU64;

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use campaigns::{CampaignError, CampaignView};
use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::Office;

/// What `Content-Type` `OpenMetrics` has.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counts of campaigns by state: read from the store at each request, so that every process of an
/// instance tells the same. It names no account and no address.
pub(crate) async fn metrics(State(office): State<Office>) -> Response {
    match campaigns::campaigns(&office.site).await.map(|views| text(&views)) {
        Ok(Ok(text)) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed::<CampaignError>(&error),
    }
}

fn failed<E: std::error::Error>(error: &E) -> Response {
    tracing::error!(%error, "no metrics");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

type Counts = Family<Vec<(&'static str, String)>, Gauge<u64, AtomicU64>>;

fn text(views: &[CampaignView]) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("countersign");
    let (campaigns, accounts) = (Counts::default(), Counts::default());
    let (notices, untold) = (Counts::default(), Counts::default());
    registry.register("campaigns", "Campaigns by state", campaigns.clone());
    registry.register("accounts", "Accounts of campaigns by state", accounts.clone());
    registry.register("notices", "Notices of campaigns by state", notices.clone());
    registry.register("sealed_untold", "Accounts sealed and not told yet", untold.clone());
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
