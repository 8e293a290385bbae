use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};

use super::console::RehearsalConsole;
use crate::{
    console::report::{NoPage, report},
    people::refusal::PageRefusal,
    state::AppState,
    visit::Visit,
};

/// What became of everybody in a campaign.
pub(super) async fn campaign(
    State(state): State<AppState>,
    Extension(console): Extension<Arc<RehearsalConsole>>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let title = format!("Campaign {name}");
    let shown = report(&console.operations, console.frame(&state.look, &title), &name).await;
    shown.unwrap_or_else(|none| match none {
        NoPage::Unknown => state.refuse(visit, PageRefusal::NotFound),
        NoPage::Failed => state.refuse(visit, PageRefusal::Unwell),
    })
}
