//! What stands before every page.

use std::{
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use axum::http::{Request, StatusCode};
use tracing::{
    Dispatch,
    subscriber::{DefaultGuard, NoSubscriber},
};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    account::{ADDRESS, Jane},
    harness::{Answer, PROXY, Pages, posted},
};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[tokio::test]
async fn every_answer_bears_the_headers() {
    let pages = Pages::open().await;
    let mut answers = vec![
        pages.post("/check", "code=1").await,
        pages.post("/affected", "address=1").await,
        pages.post("/check/dispute", "").await,
        pages.send(Request::delete("/check")).await,
    ];
    for path in ["/", "/check", "/forgot", "/affected", "/notices", "/nothing", "/reset/x"] {
        answers.push(pages.get(path).await);
    }
    for path in ["/robots.txt", "/.well-known/change-password", "/healthz", "/metrics"] {
        answers.push(pages.get(path).await);
    }
    for answer in answers {
        assert_eq!(answer.header("content-security-policy"), POLICY);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert!(matches!(answer.header("cache-control"), "no-store" | "public, max-age=86400"));
        assert_eq!(answer.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn other_sites_send_us_no_forms() {
    let pages = Pages::open().await;
    let mut request = posted("/check", "code=1");
    request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    let refused = pages.send_from("192.0.2.1", request).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.title().starts_with("This form did not come from our page"));
}

/// Posts until it is too much.
async fn exhaust(pages: &Pages, peer: &str, forwarded: &str) -> Answer {
    for _ in 0..100 {
        let answer = post_from(pages, peer, forwarded).await;
        if answer.status != StatusCode::OK {
            return answer;
        }
    }
    panic!("a hundred forms were taken");
}

async fn post_from(pages: &Pages, peer: &str, forwarded: &str) -> Answer {
    let mut request = posted("/check", "code=1");
    request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
    pages.send_from(peer, request).await
}

/// Whether any of these is let through. One of them may share a counter with whoever was too busy.
async fn any_passes(pages: &Pages, peer: &str, forwarded: [&str; 3]) -> bool {
    for forwarded in forwarded {
        if post_from(pages, peer, forwarded).await.status == StatusCode::OK {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn too_many_forms_are_answered_with_a_page_and_a_time() {
    let pages = Pages::open().await;
    let refused = exhaust(&pages, "192.0.2.1", "203.0.113.1").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.title().starts_with("Too many attempts"));
    assert!((1..=3).contains(&refused.header("retry-after").parse().unwrap()));
    assert_eq!(refused.header("content-security-policy"), POLICY);
    assert_eq!(pages.get("/check").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_stranger_says_of_where_it_comes_from_is_not_believed() {
    let pages = Pages::open().await;
    exhaust(&pages, "192.0.2.1", "203.0.113.1").await;
    let others = ["203.0.113.2", "203.0.113.3", "203.0.113.4"];
    assert!(!any_passes(&pages, "192.0.2.1", others).await);
}

#[tokio::test]
async fn what_the_named_proxy_says_is_believed_but_for_what_it_was_told() {
    let pages = Pages::open().await;
    exhaust(&pages, PROXY, "203.0.113.1").await;
    let told = ["9.9.9.1, 203.0.113.1", "9.9.9.2, 203.0.113.1", "9.9.9.3,203.0.113.1"];
    assert!(!any_passes(&pages, PROXY, told).await);
    let others = ["203.0.113.2", "203.0.113.3", "203.0.113.4"];
    assert!(any_passes(&pages, PROXY, others).await);
}

/// What is logged meanwhile.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// While there is one subscriber only, a line that another test's thread reaches first is silenced
/// for good, as that thread has none. With a second one, all are asked.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

/// Everything that is logged on this thread until the guard is dropped.
fn log() -> (Log, DefaultGuard) {
    LazyLock::force(&ANOTHER);
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone());
    let subscriber = subscriber.with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let logged = tracing::subscriber::set_default(subscriber.finish());
    (log, logged)
}

#[tokio::test]
async fn a_link_is_in_no_log_and_neither_is_a_password_or_a_name() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    let (log, logged) = log();
    jane.pages.get(&link).await;
    jane.choose(&link, "secret1").await;
    jane.choose(&link, "secret1 secret2 secret3").await;
    jane.pages.post("/forgot", "name=secret4").await;
    jane.pages.post("/affected", "address=secret5%40a.test").await;
    drop(logged);
    let text = log.text();
    assert_eq!(text.matches("\"message\":\"answered\"").count(), 5, "{text}");
    for line in [
        r#""method":"GET","path":"/reset/{token}","status":200,"millis":"#,
        r#""method":"POST","path":"/reset/{token}","status":200,"millis":"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    for secret in [link.rsplit('/').next().unwrap(), "secret", ADDRESS, "192.0.2"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn the_log_says_what_was_asked_for_and_not_by_whom_or_with_what() {
    let pages = Pages::open().await;
    let (log, logged) = log();
    pages.post("/check?lang=secret1", "code=secret2&address=secret3%40a.test").await;
    pages.get("/secret4/secret5?secret6").await;
    pages.get("/assets/secret7").await;
    let strange = Request::builder().method("SECRET8").uri("/").header("cookie", "secret9");
    pages.send(strange).await;
    post_from(&pages, PROXY, "203.0.113.77").await;
    drop(logged);
    let text = log.text();
    assert_eq!(text.matches("\"message\":\"answered\"").count(), 5, "{text}");
    for line in [
        r#""method":"POST","path":"/check","status":200,"millis":"#,
        r#""method":"GET","path":"none","status":404,"#,
        r#""method":"GET","path":"/assets/{name}","status":404,"#,
        r#""method":"other","path":"/","status":405,"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    for secret in ["secret", "SECRET", "203.0.113", "192.0.2"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
