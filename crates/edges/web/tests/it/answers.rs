//! What may be known of a notice by whoever does not have it: nothing.

use axum::http::{Request, StatusCode};
use campaigns::StatementCounts;
use ledger::CampaignEvent;
use model::{Timestamp, canonical::hex_of};
use sha2::{Digest as _, Sha256};

use crate::{
    german,
    harness::{Pages, posted},
};

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

/// A moment of November 2012.
const fn on(day: i64) -> Timestamp {
    Timestamp::from_micros(1_351_728_000_000_000 + (day - 1) * 86_400_000_000)
}

fn counts() -> StatementCounts {
    StatementCounts {
        leaks: vec![
            ("<Books>".to_owned(), "2012-03".to_owned()),
            ("Pots".to_owned(), "2011".to_owned()),
        ],
        is_over: false,
        began_at: Some(on(8).as_micros()),
        sealed: 1204,
        reset_since: 1,
        perhaps_sealed: 0,
        skipped: 0,
        sent: 1180,
        refused: 0,
        uncertain: 0,
    }
}

/// Says something of a campaign at each of these moments.
async fn say(pages: &Pages, name: &str, said: &[(Timestamp, StatementCounts)]) {
    let campaign = pages.draft(name).await;
    for (at, counts) in said {
        pages.set_clock(*at);
        let body = serde_json::to_vec(counts).unwrap();
        let sha256 = hex_of(Sha256::digest(&body).as_slice());
        let mut tx = pages.store.begin().await.unwrap();
        tx.add_statement(campaign, body, *at).await.unwrap();
        let made = CampaignEvent::StatementMade { campaign, sha256 };
        pages.site.record(&mut tx, &[made.into()]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn what_happened_is_told_and_escaped() {
    let pages = Pages::open().await;
    assert!(pages.get("/notices").await.body.contains("There is nothing to report."));
    say(&pages, "Autumn", &[(on(9), counts())]).await;
    let body = pages.get("/notices").await.body;
    assert!(!body.contains("There is nothing to report.") && !body.contains("Autumn"));
    assert!(body.contains("<h3>1,204 passwords switched off</h3>"), "{body}");
    assert!(body.contains("<time datetime=\"2012-11-09T00:00Z\">9 November 2012</time></p>"));
    assert!(body.contains("On 8 November 2012 we began"));
    assert!(body.contains("in “&#60;Books&#62;” (March 2012) and “Pots” (2011)."), "{body}");
    assert!(body.contains("<li>1,204 passwords switched off, one new one chosen since.</li>"));
    assert!(body.contains("<li>1,180 e-mails taken by mail servers.</li>"));
    for absent in ["left alone", "refused", "not confirmed", "updated on", "It is over."] {
        assert!(!body.contains(absent), "{absent}");
    }
}

#[tokio::test]
async fn the_last_word_on_each_campaign_is_told_with_the_day_of_the_first() {
    let pages = Pages::open().await;
    let first = StatementCounts { sealed: 3, ..counts() };
    let last = StatementCounts { is_over: true, skipped: 2, refused: 1, uncertain: 4, ..counts() };
    say(&pages, "Autumn", &[(on(9), first), (on(11), last)]).await;
    say(&pages, "Winter", &[(on(20), StatementCounts { sealed: 1, ..counts() })]).await;
    let body = pages.get("/notices?lang=de").await.body;
    let titles: Vec<_> =
        body.split("<h3>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(titles, german::SWITCHED_OFF);
    assert!(body.contains("9. November 2012</time>, zuletzt geändert am <time"), "{body}");
    assert!(body.contains("<li>2 Konten doch in Ruhe gelassen"));
    assert!(body.contains("<li>Eine E-Mail von Mailservern abgelehnt.</li>"));
    assert!(body.contains("<li>4 E-Mails von Mailservern nicht bestätigt"));
    assert!(body.contains("Sonst hat deswegen niemand eine E-Mail von uns bekommen."));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_reason_to_say_that_nothing_happened() {
    let pages = Pages::open().await;
    pages.store.close().await;
    let answer = pages.get("/notices").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.title(), "We cannot answer at this moment – Example");
    assert_eq!(pages.post("/affected", "address=a").await, answer);
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
