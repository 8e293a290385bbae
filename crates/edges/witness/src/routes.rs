use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use ledger::CosignRefusal;
use tokio::task::spawn_blocking;

use crate::{Cosign, CosignError, WitnessDesk};

/// The number of entries that a witness has seen, alone on a line.
const SIZE: &str = "text/x.tlog.size";

/// `POST /add-checkpoint`, as C2SP `tlog-witness` has it.
pub fn witness_routes(desk: Arc<WitnessDesk>) -> Router {
    Router::new().route("/add-checkpoint", post(add_checkpoint)).with_state(desk)
}

async fn add_checkpoint(State(desk): State<Arc<WitnessDesk>>, body: String) -> Response {
    // A file is locked, and written to a disk.
    match spawn_blocking(move || desk.add(&body)).await {
        Ok(added) => answer(added),
        Err(error) => unable(&error),
    }
}

fn answer(added: Result<Cosign, CosignError>) -> Response {
    let error = match added {
        Ok(line) => return line.into_response(),
        Err(error) => error,
    };
    tracing::info!(%error, "a checkpoint is not signed");
    let text = format!("{error}\n");
    match error {
        CosignError::Form(_) | CosignError::Refused(CosignRefusal::Backwards { .. }) => {
            (StatusCode::BAD_REQUEST, text).into_response()
        }
        CosignError::UnknownLog => (StatusCode::NOT_FOUND, text).into_response(),
        CosignError::Checkpoint(_) => (StatusCode::FORBIDDEN, text).into_response(),
        CosignError::Refused(CosignRefusal::OtherSize { seen }) => {
            (StatusCode::CONFLICT, [(CONTENT_TYPE, SIZE)], format!("{seen}\n")).into_response()
        }
        CosignError::Refused(CosignRefusal::NotGrown { .. }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, text).into_response()
        }
        error @ (CosignError::Sign(_) | CosignError::Seen(_)) => unable(&error),
    }
}

/// What went wrong is for whoever runs the witness.
fn unable(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "nothing can be signed");
    (StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot sign now\n").into_response()
}
