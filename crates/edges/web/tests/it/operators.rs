//! What operators see, and what programs are told that watch over this one.

use axum::http::{Request, StatusCode};

use crate::harness::Pages;

async fn status_at(pages: &Pages, host: &str, path: &str) -> u16 {
    pages.send(Request::get(path).header("host", host)).await.status.as_u16()
}

#[tokio::test]
async fn operators_see_every_campaign_and_its_report() {
    let pages = Pages::open().await.for_operators();
    let get = async |path: &str| pages.send(Request::get(path).header("host", "localhost:1")).await;
    let empty = get("/").await;
    assert_eq!(empty.title(), "Campaigns – Example console");
    assert!(empty.body.contains("There is none yet."), "{}", empty.body);
    pages.draft("Spring & autumn").await;
    let listed = get("/").await.body;
    assert!(listed.contains("<a href=\"/campaign/Spring%20%26%20autumn\">"), "{listed}");
    let report = get("/campaign/Spring%20%26%20autumn").await;
    assert_eq!(report.title(), "Campaign Spring &#38; autumn – Example console");
    assert!(report.body.contains("Being put together: nobody is touched yet."));
    assert_eq!(get("/campaign/Summer").await.status, StatusCode::NOT_FOUND);
    for style in report.body.split("rel=\"stylesheet\" href=\"").skip(1) {
        let style = get(style.split('"').next().unwrap()).await;
        assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    }
}

#[tokio::test]
async fn the_console_holds_nothing_else_and_is_guarded() {
    let pages = Pages::open().await.for_operators();
    for path in ["/check", "/forgot", "/rehearsal", "/metrics", "/healthz", "/reset/x"] {
        assert_eq!(status_at(&pages, "localhost", path).await, 404, "{path}");
    }
    let page = pages.send(Request::get("/").header("host", "127.0.0.1:8081")).await;
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("content-security-policy").starts_with("default-src 'none';"));
    assert!(!page.body.contains("<form") && !page.body.contains("<script"));
}

#[tokio::test]
async fn a_name_that_has_come_to_lead_here_is_not_answered() {
    let pages = Pages::open().await.for_operators();
    for host in ["localhost", "localhost:8081", "127.0.0.1", "[::1]:8081"] {
        assert_eq!(status_at(&pages, host, "/").await, 200, "{host}");
    }
    for host in ["evil.test", "evil.test:8081", "localhost.evil.test", "192.0.2.1", "", "@"] {
        assert_eq!(status_at(&pages, host, "/").await, 421, "{host}");
    }
    assert_eq!(pages.get("/").await.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn machines_have_a_listener_of_their_own() {
    let pages = Pages::open().await;
    for path in ["/healthz", "/metrics"] {
        assert_eq!(pages.get(path).await, pages.get("/nothing").await, "{path}");
    }
    pages.draft("Spring").await;
    let pages = pages.for_machines();
    let health = pages.get("/healthz").await;
    assert_eq!((health.status, &*health.body), (StatusCode::OK, "ok\n"));
    let metrics = pages.get("/metrics").await;
    assert!(metrics.body.contains("countersign_campaigns{state=\"draft\"} 1"), "{}", metrics.body);
    assert!(metrics.body.contains("countersign_reconcile_failed 0"), "{}", metrics.body);
    assert!(!metrics.body.contains("countersign_reconciled_at"), "it was never compared");
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    for answer in [&health, &metrics] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    for path in ["/", "/check", "/rehearsal"] {
        assert_eq!(pages.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    pages.store.close().await;
    assert_eq!(pages.get("/healthz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
