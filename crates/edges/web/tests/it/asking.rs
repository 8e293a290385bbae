//! Asking for a mail: what strangers may learn by it is nothing.

use axum::http::{Request, StatusCode};
use store::MailRequest;

use crate::{
    account::{ADDRESS, Jane, USERNAME},
    harness::{Answer, PROXY, Pages, posted},
};

/// Whatever can be typed.
const TYPED: [&str; 7] = [
    ADDRESS,
    USERNAME,
    "nobody@example.org",
    "",
    "\u{0}\u{7f} \u{202e}",
    "<script>alert(1)</script>",
    "name=1&name=2",
];

fn form(field: &str, typed: &str) -> String {
    let typed: Vec<_> = typed.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("{field}={}", typed.concat())
}

/// An answer, but for what was typed, which the form that sends it again holds.
fn without_typed(mut answer: Answer) -> Answer {
    answer.headers.remove("content-length");
    let (before, rest) = answer.body.split_once("name=\"name\" value=\"").unwrap();
    let (_, behind) = rest.split_once('"').unwrap();
    let body = format!("{before}{behind}");
    Answer { body, ..answer }
}

/// Posts from a client of one's own, as far as the proxy says.
async fn post_from(pages: &Pages, client: &str, path: &str, form: &str) -> Answer {
    let mut request = posted(path, form);
    request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
    pages.send_from(PROXY, request).await
}

/// All that was asked for and nobody has looked at, the oldest first.
async fn requests(pages: &Pages) -> Vec<MailRequest> {
    let mut tx = pages.store.begin().await.unwrap();
    let mut requests = Vec::new();
    while let Some(request) = tx.next_mail_request().await.unwrap() {
        tx.drop_mail_request(request.id).await.unwrap();
        requests.push(request);
    }
    requests
}

#[tokio::test]
async fn the_answer_is_one_whoever_has_an_account() {
    let Jane { pages, .. } = &Jane::new().await;
    for (path, field) in [("/forgot", "name"), ("/affected", "address")] {
        let first = without_typed(pages.post(path, &form(field, ADDRESS)).await);
        assert_eq!(first.status, StatusCode::OK);
        assert_eq!(first.title(), "Look at your e-mail – Example");
        for typed in TYPED {
            let answer = pages.post(path, &form(field, typed)).await;
            assert_eq!(without_typed(answer), first, "{path}: {typed}");
        }
        for unread in ["", "%zz", "name=1&name=2", &format!("name={}", "x".repeat(9000))] {
            assert_eq!(without_typed(pages.post(path, unread).await), first, "{unread:.80}");
        }
    }
}

#[tokio::test]
async fn the_answer_stays_the_same_however_often_somebody_asks() {
    let Jane { pages, .. } = &Jane::new().await;
    let first = pages.post("/forgot", &form("name", ADDRESS)).await;
    for client in 1..=40 {
        let client = format!("203.0.113.{client}");
        assert_eq!(post_from(pages, &client, "/forgot", &form("name", ADDRESS)).await, first);
    }
    assert_eq!(requests(pages).await.len(), 41);
}

#[tokio::test]
async fn the_same_is_left_behind_for_everybody() {
    let Jane { pages, .. } = &Jane::new().await;
    for typed in [ADDRESS, "john@example.net", "<script> alert()"] {
        pages.post("/forgot", &form("name", typed)).await;
    }
    let sizes: Vec<_> = requests(pages).await.iter().map(|request| request.asked.len()).collect();
    assert_eq!(sizes, [sizes[0]; 3]);
}

#[tokio::test]
async fn a_request_tells_which_household_it_came_from_and_not_who_that_is() {
    let Jane { pages, .. } = &Jane::new().await;
    for client in ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "203.0.113.1"] {
        post_from(pages, client, "/affected", "address=a%40b.test").await;
    }
    let sources: Vec<_> = requests(pages).await.iter().map(|request| request.source).collect();
    assert_eq!(sources[0], sources[1]);
    assert_ne!(sources[1], sources[2]);
    assert_ne!(sources[2], sources[3]);
    assert!(!sources[3].windows(4).any(|bytes| bytes == [203, 0, 113, 1]));
}

#[tokio::test]
async fn what_was_typed_can_be_sent_again_and_does_nothing_else() {
    let Jane { pages, .. } = &Jane::new().await;
    let body = pages.post("/forgot", "lang=de&name=%22%3E%3Cb%3Ejane").await.body;
    assert!(body.contains("name=\"name\" value=\"&#34;&#62;&#60;b&#62;jane\""), "{body}");
    assert!(body.contains("<form method=\"post\" action=\"/forgot\">"));
    assert!(body.contains("name=\"lang\" value=\"de\"") && body.contains("30 Minuten"));
    let body = pages.post("/affected", "address=jane").await.body;
    assert!(body.contains("<form method=\"post\" action=\"/affected\">"));
    assert!(body.contains("name=\"name\" value=\"jane\""));
    assert!(body.contains("It comes by e-mail only") && !body.contains("30 minutes"));
}

#[tokio::test]
async fn a_site_that_mails_its_own_links_is_pointed_to() {
    let pages = Pages::open().await;
    let forgot = pages.get("/forgot").await;
    assert!(!forgot.body.contains("<form"), "{}", forgot.body);
    assert!(forgot.body.contains("<b>Forgot password</b>"));
    assert_eq!(pages.post("/forgot", "name=jane").await, forgot);
    assert!(requests(&pages).await.is_empty());
    assert_eq!(pages.get("/reset/x").await, pages.get("/nothing").await);
    let home = pages.get("/").await.body;
    assert!(!home.contains("\"/forgot\"") && home.contains("href=\"/affected\""), "{home}");
    pages.post("/affected", "address=jane").await;
    assert_eq!(requests(&pages).await.len(), 1);
}

#[tokio::test]
async fn each_page_leads_to_the_forms() {
    let Jane { pages, .. } = &Jane::new().await;
    for path in ["/", "/check", "/notices", "/affected", "/nothing"] {
        let body = pages.get(path).await.body;
        assert!(body.contains("href=\"/forgot\""), "{path}");
        assert!(body.contains("href=\"/affected\""), "{path}");
    }
    assert!(pages.get("/").await.body.contains("<li><a href=\"/forgot\">Forgot your password?"));
}

#[tokio::test]
async fn whatever_keeps_passwords_finds_the_page() {
    for pages in [Pages::open().await, Jane::new().await.pages] {
        let answer = pages.send(Request::get("/.well-known/change-password")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/forgot"));
    }
}
