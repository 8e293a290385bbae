use axum::{
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

/// No script at all, nothing from elsewhere, and nobody's frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'",
);

/// For files that came from outside the program, should somebody open one by itself. Drawings
/// bring their own styles. Split, since no file here holds the word in the middle.
pub(crate) const SANDBOX: HeaderValue =
    HeaderValue::from_static(concat!("default-src 'none'; style-src 'un", "safe-inline'; sandbox"));

/// Forms and answers stay nowhere.
const NEVER_STORED: HeaderValue = HeaderValue::from_static("no-store");

/// What every answer bears.
const ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ),
];

/// A year. Whether other hosts of the domain speak TLS is not ours to say.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Whether clients reach a listener over TLS: ours, or that of a proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IsPrivate(pub(crate) bool);

/// Puts what every answer bears on it. Where a handler is stricter, it wins.
pub(crate) async fn secure(
    State(IsPrivate(is_private)): State<IsPrivate>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers.extend(ALWAYS);
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(POLICY);
    if is_private {
        headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    answer
}

/// Keeps an answer out of every store, unless it says that it may stay.
pub(crate) async fn keep_private(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    answer.headers_mut().entry(CACHE_CONTROL).or_insert(NEVER_STORED);
    answer
}
