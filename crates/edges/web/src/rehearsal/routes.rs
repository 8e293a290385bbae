use std::sync::Arc;

use axum::{Extension, Router, response::Response, routing::get};

use super::{campaign, console::RehearsalConsole, home, mails};
use crate::state::AppState;

/// The pages of a rehearsal.
pub(crate) fn routes(console: Arc<RehearsalConsole>) -> Router<AppState> {
    Router::new()
        .route("/rehearsal", get(home::home))
        .route("/rehearsal/mail", get(mails::list))
        .route("/rehearsal/mail/{name}", get(mails::open))
        .route("/rehearsal/campaign/{name}", get(campaign::campaign))
        .route(&console.style.path(), get(style))
        .layer(Extension(console))
}

async fn style(Extension(console): Extension<Arc<RehearsalConsole>>) -> Response {
    console.style.answer()
}
