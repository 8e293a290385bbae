use axum::http::{
    HeaderMap,
    header::{HOST, ORIGIN},
};

/// Whether a form was sent by one of our own pages, as far as its browser says.
///
/// Our pages ask for no referrer, so browsers name `null` as their origin. Those of today say
/// `Sec-Fetch-Site` beside it, which decides; for the others `null` passes. There is no cookie
/// here that a stranger's page could make use of.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(from) = text("sec-fetch-site".parse().expect("it is a header's name")) {
        return matches!(from, "same-origin" | "none");
    }
    match (text(ORIGIN), text(HOST)) {
        (None | Some("null"), _) => true,
        (Some(origin), host) => origin.split_once("://").map(|(_, authority)| authority) == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], expected: bool) {
        let headers = headers.iter().map(|(name, value)| {
            (name.parse().unwrap(), axum::http::HeaderValue::from_static(value))
        });
        assert_eq!(is_own(&headers.collect()), expected);
    }

    #[test]
    fn other_sites_send_us_no_forms() {
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "null")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "null")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "https://a.test"), ("host", "a.test")], true);
        check(&[("origin", "https://b.test"), ("host", "a.test")], false);
        check(&[("origin", "https://b.test")], false);
        check(&[("origin", "a.test"), ("host", "a.test")], false);
    }
}
