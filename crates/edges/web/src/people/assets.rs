use axum::{
    extract::{Path, State},
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};

use super::Refusal;
use crate::{Office, guard::SANDBOX, visit::Visit};

/// The name changes with the content, so that a copy is right for ever.
pub(crate) const FOR_EVER: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");

/// A day.
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// People look for these pages; forms, answers and links with secrets are for nobody's index.
const ROBOTS: &str = "User-agent: *\nAllow: /$\nAllow: /affected$\nAllow: /check$\n\
                      Allow: /forgot$\nAllow: /notices$\nDisallow: /\n";

/// A file that pages are made of.
pub(crate) async fn asset(
    State(office): State<Office>,
    visit: Visit,
    Path(name): Path<String>,
) -> Response {
    let Some(asset) = office.look.asset(&name) else {
        return office.refuse(visit, Refusal::NotFound);
    };
    let headers = [(CONTENT_TYPE, asset.content_type)];
    let mut answer = (headers, asset.bytes.clone()).into_response();
    answer.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
    if asset.is_foreign {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, SANDBOX);
    }
    answer
}

/// What search engines may keep.
pub(crate) async fn robots() -> Response {
    ([(CACHE_CONTROL, FOR_A_DAY)], ROBOTS).into_response()
}
