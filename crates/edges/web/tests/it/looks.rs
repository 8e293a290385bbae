//! The files that pages are made of.

use axum::http::StatusCode;
use web::{Logo, LookOptions};

use crate::{
    account::Jane,
    harness::{Answer, Pages, named},
};

const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9v9z\"/></svg>";

/// The path that follows this on a page.
fn path_after<'a>(page: &'a Answer, start: &str) -> &'a str {
    let rest = page.body.split(start).nth(1).unwrap();
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn a_file_that_never_changes_is_kept() {
    let pages = Pages::open().await;
    let home = pages.get("/").await;
    let path = path_after(&home, "rel=\"stylesheet\" href=\"");
    let hash = path.strip_prefix("/assets/style-").and_then(|rest| rest.strip_suffix(".css"));
    assert!(hash.is_some(), "{path}");
    let style = pages.get(path).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(style.header("cache-control"), "public, max-age=31536000, immutable");
    let gone = pages.get("/assets/style-0123456789abcdef.css").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_eq!(gone.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_logo_is_served_where_nothing_in_it_can_run() {
    let logo = Some(Logo::new(SVG.as_bytes().to_vec()).unwrap());
    let pages = Pages::with(LookOptions { logo, ..named() }, |state| state).await;
    let home = pages.get("/").await;
    assert!(home.body.contains("alt=\"Example\""));
    let logo = pages.get(path_after(&home, "<img src=\"")).await;
    assert_eq!((logo.body.as_str(), logo.header("content-type")), (SVG, "image/svg+xml"));
    let policy = logo.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && policy.ends_with("; sandbox"), "{policy}");
}

#[tokio::test]
async fn an_accent_is_used_if_it_can_be_read() {
    for (accent, used) in [("#7a0019", true), ("#ffe100", false)] {
        let look = LookOptions { accent: Some(accent.parse().unwrap()), ..named() };
        let pages = Pages::with(look, |state| state).await;
        let home = pages.get("/").await;
        let style = pages.get(path_after(&home, "rel=\"stylesheet\" href=\"")).await;
        assert_eq!(style.body.contains(accent), used, "{accent}");
    }
}

#[tokio::test]
async fn there_is_no_script_and_nothing_from_elsewhere() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    for path in ["/", "/check", "/forgot", "/affected", "/notices", "/nothing", "/reset/x", &link] {
        let body = jane.pages.get(path).await.body.replace("http://www.w3.org/2000/svg", "");
        for word in ["<script", "javascript:", "http:", "https:", "//", " style=", " on"] {
            let markup = body.split('>').filter_map(|part| part.split('<').nth(1));
            let mut found = markup.filter(|tag| format!("<{tag}").contains(word));
            assert_eq!(found.next(), None, "{path}: {word}");
        }
    }
}
