//! What may be known of a notice by whoever does not have it: nothing.

use axum::http::{Request, StatusCode};
use model::Timestamp;
use web::Statement;

use crate::harness::{Pages, named, posted};

/// A code of the right form, that no notice has.
const CODE: &str = "783F-RXY0-JVRP-Z08M";

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let pages = Pages::open().await;
    let unknown = pages.post("/check", &format!("code={CODE}&address=jane%40example.net")).await;
    assert_eq!(unknown.status, StatusCode::OK);
    assert!(unknown.body.contains("We have no notice with this code for this address."));
    assert!(unknown.title().starts_with("We could not confirm this notice"));
    let long = "x".repeat(9000);
    let forms = [
        String::new(),
        "code=&address=".to_owned(),
        "code=nonsense&address=jane%40example.net".to_owned(),
        format!("code={CODE}"),
        format!("code={CODE}&address=nobody"),
        format!("code={CODE}&address=%00%ff"),
        format!("code={CODE}&address=<script>alert(1)</script>"),
        format!("code={CODE}&code={CODE}&address=a%40b.test"),
        format!("code={long}&address=a%40b.test"),
        format!("code={CODE}&address={long}"),
        "lang=%zz&code=%".to_owned(),
    ];
    for form in forms {
        let answer = pages.post("/check", &form).await;
        assert_eq!(answer, unknown, "{form:.80}");
    }
    let mut no_form = posted("/check", "{}");
    no_form.headers_mut().insert("content-type", "application/json".parse().unwrap());
    assert_eq!(pages.send_from("192.0.2.1", no_form).await, unknown);
}

#[tokio::test]
async fn an_error_is_told_and_tied_to_its_fields() {
    let pages = Pages::open().await;
    let failed = pages.post("/check", "code=1&address=2").await.body;
    assert_eq!(failed.matches("aria-invalid=\"true\"").count(), 2);
    assert!(failed.contains("aria-describedby=\"error code-hint\""), "{failed}");
    assert!(failed.contains("aria-describedby=\"error address-hint\""));
    let fresh = pages.get("/check").await;
    assert!(!fresh.body.contains("aria-invalid") && !fresh.body.contains("error"));
    assert_eq!(fresh.title(), "Check a notice – Example");
}

#[tokio::test]
async fn to_object_is_answered_alike_whatever_was_sent() {
    let pages = Pages::open().await;
    let unknown = pages.post("/check/dispute", &format!("code={CODE}&address=a%40b.test")).await;
    assert_eq!(unknown.status, StatusCode::OK);
    assert_eq!(unknown.title(), "Thank you for telling us – Example");
    for form in ["", "code=1", "code=%zz&address=x"] {
        assert_eq!(pages.post("/check/dispute", form).await, unknown, "{form}");
    }
    let opened = pages.get("/check/dispute").await;
    assert_eq!(opened.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(opened.title().starts_with("This page cannot be opened like that"));
}

#[tokio::test]
async fn what_happened_is_told_and_escaped() {
    let pages = Pages::open().await;
    assert!(pages.get("/notices").await.body.contains("There is nothing to report."));
    let statement = Statement {
        made_at: Timestamp::from_micros(1_352_332_800_000_000),
        title: "Passwords of <Books>".to_owned(),
        paragraphs: vec!["One.".to_owned(), "Two & three.".to_owned()],
    };
    let pages = Pages::with(named(), |office| office.with_statements(vec![statement])).await;
    let body = pages.get("/notices").await.body;
    assert!(!body.contains("There is nothing to report."));
    assert!(body.contains("Passwords of &#60;Books&#62;"), "{body}");
    assert!(body.contains("<time datetime=\"2012-11-08T00:00Z\">8 November 2012</time>"));
    assert!(body.contains("<p>Two &#38; three.</p>"));
}

#[tokio::test]
async fn there_is_no_page_but_ours() {
    let pages = Pages::open().await;
    let lost = pages.get("/check/else").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert_eq!(lost.title(), "There is no such page – Example");
    let lost = pages.send(Request::get("/assets/../../etc/passwd")).await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    let robots = pages.get("/robots.txt").await;
    assert!(robots.body.ends_with("Disallow: /\n") && robots.status == StatusCode::OK);
}
