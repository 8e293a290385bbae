use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    middleware::from_fn,
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde::Serialize;

use super::{
    campaigns::{ListedCampaign, campaigns},
    frame::{StaffFrame, StaffPlace, style},
    report::{NoPage, report},
};
use crate::{
    guard::{self, guarded},
    in_process::InProcess,
    look::{Asset, Look},
    templates::{PageTemplate, page},
};

const PLACE: StaffPlace = StaffPlace { layout: "console/frame.html", campaigns: "/campaign" };

/// What every handler of operators' pages is given.
struct Console {
    operations: InProcess,
    look: Arc<Look>,
    style: Asset,
}

/// Everything that operators are answered. They do not sign in, so only this host is answered.
pub fn console_routes(operations: InProcess, look: Arc<Look>) -> Router {
    let console = Arc::new(Console { operations, look, style: style() });
    let routes = Router::new()
        .route("/", get(home))
        .route("/campaign/{name}", get(campaign))
        .route("/assets/{name}", get(asset))
        .with_state(console)
        .layer(from_fn(guard::only_this_host))
        .layer(from_fn(guard::in_time_for_staff));
    guarded(routes, false)
}

#[derive(Serialize)]
struct ConsolePage<'a> {
    frame: StaffFrame<'a>,
    campaigns: Vec<ListedCampaign>,
}

impl PageTemplate for ConsolePage<'_> {
    const TEMPLATE: &'static str = "console/home.html";
}

/// Every campaign.
async fn home(State(console): State<Arc<Console>>) -> Response {
    match campaigns(&console.operations).await {
        Ok(campaigns) => {
            let frame = console.frame("Campaigns");
            page(StatusCode::OK, &ConsolePage { frame, campaigns })
        }
        Err(error) => {
            tracing::error!(%error, "the campaigns cannot be listed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// What became of everybody in one.
async fn campaign(State(console): State<Arc<Console>>, Path(name): Path<String>) -> Response {
    let title = format!("Campaign {name}");
    let shown = report(&console.operations, console.frame(&title), &name).await;
    shown.unwrap_or_else(|none| match none {
        NoPage::Unknown => StatusCode::NOT_FOUND.into_response(),
        NoPage::Failed => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    })
}

/// A file that pages are made of.
async fn asset(State(console): State<Arc<Console>>, Path(name): Path<String>) -> Response {
    let files = [&console.style, &console.look.style];
    let file = files.into_iter().find(|file| file.name == name);
    file.map_or_else(|| StatusCode::NOT_FOUND.into_response(), Asset::answer)
}

impl Console {
    fn frame<'a>(&'a self, title: &'a str) -> StaffFrame<'a> {
        StaffFrame::new(&self.look, &self.style, PLACE, title)
    }
}
