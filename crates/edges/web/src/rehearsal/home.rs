use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    console::{RehearsalConsole, reading},
    mails::counted_mails,
};
use crate::{
    console::{
        campaigns::{ListedCampaign, campaigns},
        frame::StaffFrame,
    },
    people::refusal::PageRefusal,
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
};

#[derive(Serialize)]
struct RehearsalPage<'a> {
    frame: StaffFrame<'a>,
    resets_here: bool,
    mails: String,
    campaigns: Vec<ListedCampaign>,
}

impl PageTemplate for RehearsalPage<'_> {
    const TEMPLATE: &'static str = "rehearsal/home.html";
}

/// Where to begin.
pub(super) async fn home(
    State(state): State<AppState>,
    Extension(console): Extension<Arc<RehearsalConsole>>,
    visit: Visit,
) -> Response {
    match look(&console).await {
        Ok((mails, campaigns)) => {
            let frame = console.frame(&state.look, "Rehearsal console");
            let resets_here = state.resets_here();
            page(StatusCode::OK, &RehearsalPage { frame, resets_here, mails, campaigns })
        }
        Err(error) => {
            tracing::error!(%error, "the rehearsal console cannot be shown");
            state.refuse(visit, PageRefusal::Unwell)
        }
    }
}

/// How many mails there are, and every campaign.
async fn look(
    console: &RehearsalConsole,
) -> Result<(String, Vec<ListedCampaign>), Box<dyn std::error::Error>> {
    let mailbox = console.mailbox.clone();
    let mails = reading(move || mailbox.count()).await?;
    let campaigns = campaigns(&console.operations).await?;
    Ok((counted_mails(mails), campaigns))
}
