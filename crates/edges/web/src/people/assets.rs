use axum::{
    extract::{Path, State},
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
    },
    response::{IntoResponse as _, Response},
};

use super::refusal::PageRefusal;
use crate::{guard::SANDBOX, state::AppState, visit::Visit};

/// A day.
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// People look for these pages; forms, answers and links with secrets are for nobody's index.
const ROBOTS: &str = "User-agent: *\nAllow: /$\nAllow: /affected$\nAllow: /check$\n\
                      Allow: /forgot$\nAllow: /notices$\nDisallow: /\n";

/// A file that pages are made of.
pub(super) async fn asset(
    State(state): State<AppState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let Some(asset) = state.look.asset(&name) else {
        return state.refuse(visit, PageRefusal::NotFound);
    };
    let mut answer = asset.answer();
    if asset.is_foreign {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, SANDBOX);
    }
    answer
}

/// What search engines may keep.
pub(super) async fn robots() -> Response {
    ([(CACHE_CONTROL, FOR_A_DAY)], ROBOTS).into_response()
}
