//! What a rehearsal shows of itself, on this host.

use std::{
    fs::{self, File},
    net::SocketAddr,
    os::unix::fs::symlink,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use ledger::{CampaignEvent, LogEvent, NoticeStep};
use model::{CampaignId, NoticeId, SkipReason};
use notice::{Composed, Maildir};
use tempfile::TempDir;
use tower::ServiceExt as _;
use web::{AppState, Listener, Look, RehearsalConsole, ServeOptions, people_routes};

use crate::harness::{Answer, Pages, named};

/// Pages with a rehearsal console, and what its mailbox holds.
struct Rehearsal {
    pages: Pages,
    mailbox: TempDir,
}

impl Rehearsal {
    async fn open() -> Self {
        let mailbox = tempfile::tempdir().unwrap();
        Maildir::open(mailbox.path()).unwrap();
        let pages = Pages::open().await;
        let console = RehearsalConsole::new(pages.operations(), mailbox.path().to_owned());
        Self { pages: pages.changed(|state| state.with_rehearsal(console)), mailbox }
    }

    /// Files a mail that came in this minute.
    fn file(&self, path: &str, minute: u64, mail: &str) {
        let path = self.mailbox.path().join(path);
        fs::write(&path, mail.replace('\n', "\r\n")).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_mins(minute);
        File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.pages.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        answer.body
    }

    /// What is listed, in this order.
    async fn subjects(&self, path: &str) -> Vec<String> {
        let page = self.page(path).await;
        let list = page.split("<ul class=\"mails\">").nth(1).unwrap_or_default();
        let subjects = list.split("<bdi>").skip(1).step_by(2);
        subjects.map(|rest| rest.split("</bdi>").next().unwrap().to_owned()).collect()
    }

    /// The path of the first mail that is listed.
    async fn first(&self) -> String {
        let page = self.page("/rehearsal/mail").await;
        let rest = page.split("<li>\n<a href=\"").nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Begins a campaign of which the log tells this.
    async fn campaign(&self, events: impl FnOnce(CampaignId) -> Vec<CampaignEvent>) {
        let id = self.pages.draft("Spring & autumn").await;
        let mut tx = self.pages.store.begin().await.unwrap();
        let events: Vec<_> = events(id).into_iter().map(LogEvent::from).collect();
        if !events.is_empty() {
            self.pages.site.record(&mut tx, &events).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// A mail to somebody, with this subject.
fn mail(to: &str, subject: &str) -> String {
    format!(
        "Return-Path: <a@example.org>\nDelivered-To: {to}\nFrom: Example <a@example.org>\n\
         To: <{to}>\nSubject: {subject}\nDate: Thu, 8 Nov 2012 00:00:00 +0000\n\nHello,\n"
    )
}

/// What an unknown path is answered with.
async fn unknown(pages: &Pages) -> Answer {
    pages.get("/nothing").await
}

#[tokio::test]
async fn the_newest_mail_comes_first_whoever_has_read_it() {
    let rehearsal = Rehearsal::open().await;
    rehearsal.file("cur/b.countersign:2,S", 2, &mail("jane@example.net", "Second"));
    rehearsal.file("new/c.countersign", 3, &mail("jane@example.net", "Third"));
    rehearsal.file("new/a.countersign", 1, &mail("jane@example.net", "First"));
    assert_eq!(rehearsal.subjects("/rehearsal/mail").await, ["Third", "Second", "First"]);
    let page = rehearsal.page("/rehearsal/mail").await;
    assert!(page.contains("3 mails, the newest first."), "{page}");
    assert!(page.contains("<time class=\"hint\" datetime=\"1970-01-01T00:03Z\">"));
    assert!(page.contains("href=\"/rehearsal/mail/b.countersign\""));
    let read = rehearsal.page("/rehearsal/mail/b.countersign").await;
    assert!(read.contains("<dd><bdi>Example &#60;a@example.org&#62;</bdi></dd>"), "{read}");
}

#[tokio::test]
async fn what_was_delivered_is_what_is_shown() {
    let rehearsal = Rehearsal::open().await;
    let bytes = "Message-ID: <../x?y#1%2F@example.org>\r\nSubject: Hello\r\n\r\nThe text.\r\n";
    let (from, to) = ("a@example.org".parse().unwrap(), "jane@example.net".parse().unwrap());
    let message = Composed::new(from, to, bytes.as_bytes().to_vec()).unwrap();
    Maildir::open(rehearsal.mailbox.path()).unwrap().deliver(&message).await;
    let shown = rehearsal.page(&rehearsal.first().await).await;
    assert!(shown.contains("<div class=\"letter\">The text.\n</div>"), "{shown}");
    assert!(shown.contains("<dt>To</dt><dd><bdi>jane@example.net</bdi></dd>"));
    assert!(shown.contains("<pre>Return-Path: &#60;a@example.org&#62;\r\nDelivered-To: jane"));
}

#[tokio::test]
async fn fifty_mails_are_on_a_page() {
    let rehearsal = Rehearsal::open().await;
    for n in 0..120 {
        let mail = mail(&format!("jane{n}@example.net"), &format!("Mail {n}"));
        rehearsal.file(&format!("new/{n}.countersign"), n, &mail);
    }
    let first = rehearsal.subjects("/rehearsal/mail").await;
    assert_eq!((first.len(), &*first[0], &*first[49]), (50, "Mail 119", "Mail 70"));
    let last = rehearsal.subjects("/rehearsal/mail?page=3").await;
    assert_eq!((last.len(), &*last[0], &*last[19]), (20, "Mail 19", "Mail 0"));
    for (page, same_as) in [("99", 3), ("0", 1), ("-1", 1), ("x", 1), ("%zz", 1)] {
        let found = rehearsal.subjects(&format!("/rehearsal/mail?page={page}")).await;
        assert_eq!(
            found,
            rehearsal.subjects(&format!("/rehearsal/mail?page={same_as}")).await,
            "{page}"
        );
    }
    let second = rehearsal.page("/rehearsal/mail?page=2").await;
    assert!(second.contains("Page 2 of 3"), "{second}");
    assert!(second.contains("rel=\"prev\" href=\"/rehearsal/mail?to=&amp;page=1\""));
    assert!(second.contains("rel=\"next\" href=\"/rehearsal/mail?to=&amp;page=3\""));
}

#[tokio::test]
async fn a_part_of_an_address_finds_its_mails() {
    let rehearsal = Rehearsal::open().await;
    rehearsal.file("new/a.countersign", 1, &mail("Jane+1@example.net", "First"));
    rehearsal.file("new/b.countersign", 2, &mail("joe@example.org", "Second"));
    assert_eq!(rehearsal.subjects("/rehearsal/mail?to=JANE%2B1").await, ["First"]);
    assert_eq!(rehearsal.subjects("/rehearsal/mail?to=+example.org+").await, ["Second"]);
    assert_eq!(rehearsal.subjects("/rehearsal/mail?to=example").await.len(), 2);
    let found = rehearsal.page("/rehearsal/mail?to=jane").await;
    assert!(found.contains("1 of 2 mails") && found.contains("value=\"jane\""), "{found}");
    let none = rehearsal.page("/rehearsal/mail?to=%22%3E%3Cb%3E").await;
    assert!(none.contains("value=\"&#34;&#62;&#60;b&#62;\"") && !none.contains("<b>"), "{none}");
    assert!(none.contains("None went to such an address."));
}

#[tokio::test]
async fn what_a_mail_says_is_only_text() {
    let rehearsal = Rehearsal::open().await;
    let evil = "<script>alert(1)</script>";
    let head = mail(&format!("{evil}@x"), &format!("{evil} =?utf-8?q?=3Cimg_src=3Dx=3E?="));
    let mail = format!("{head}</div><script src=http://127.0.0.1/x></script>\n</pre>{evil}\n");
    rehearsal.file("new/<b>\"&?#%.countersign", 1, &mail);
    let path = rehearsal.first().await;
    assert_eq!(path, "/rehearsal/mail/%3Cb%3E%22%26%3F%23%25.countersign");
    for path in ["/rehearsal/mail", &path, "/rehearsal/mail?to=%3Cscript"] {
        let page = rehearsal.page(path).await;
        assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "{page}");
        assert!(page.contains("&#60;img src=x&#62;"));
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }
}

#[tokio::test]
async fn only_links_to_this_host_can_be_followed() {
    let rehearsal = Rehearsal::open().await;
    let links = "http://127.0.0.1:8080/reset/abc\nhttps://example.org/reset/abc\n\
                 See http://127.0.0.1/within\nhttp://127.0.0.1//example.org/\njavascript:alert(1)\n";
    rehearsal.file("new/a.countersign", 1, &format!("{}{links}", mail("a@b.test", "Links")));
    let page = rehearsal.page("/rehearsal/mail/a.countersign").await;
    let letter =
        page.split("<div class=\"letter\">").nth(1).unwrap().split("</div>").next().unwrap();
    let expected = "Hello,\n<a href=\"/reset/abc\">http://127.0.0.1:8080/reset/abc</a>\n\
                    https://example.org/reset/abc\nSee http://127.0.0.1/within\n\
                    http://127.0.0.1//example.org/\njavascript:alert(1)\n";
    assert_eq!(letter, expected);
}

#[tokio::test]
async fn only_a_mail_that_is_listed_is_opened() {
    let rehearsal = Rehearsal::open().await;
    let (outside, new) =
        (rehearsal.mailbox.path().join("outside"), rehearsal.mailbox.path().join("new"));
    fs::create_dir(&outside).unwrap();
    rehearsal.file("outside/x.countersign", 1, &mail("a@b.test", "Outside"));
    rehearsal.file("tmp/t.countersign", 1, &mail("a@b.test", "Unfinished"));
    rehearsal.file("new/.h.countersign", 1, &mail("a@b.test", "Hidden"));
    symlink(outside.join("x.countersign"), new.join("s.countersign")).unwrap();
    fs::create_dir(new.join("d.countersign")).unwrap();
    fs::remove_dir(rehearsal.mailbox.path().join("cur")).unwrap();
    symlink(&outside, rehearsal.mailbox.path().join("cur")).unwrap();
    assert_eq!(rehearsal.subjects("/rehearsal/mail").await, [""; 0]);
    for name in [
        "..",
        "%2e%2e",
        "..%2foutside%2fx.countersign",
        "x.countersign",
        "t.countersign",
        ".h.countersign",
        "s.countersign",
        "d.countersign",
        "%00",
        "",
    ] {
        let answer = rehearsal.pages.get(&format!("/rehearsal/mail/{name}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
    let lost = rehearsal.pages.get("/rehearsal/mail/x.countersign").await;
    assert_eq!(lost, unknown(&rehearsal.pages).await);
}

#[tokio::test]
async fn a_mailbox_that_nothing_was_sent_to_is_empty() {
    let rehearsal = Rehearsal::open().await;
    fs::remove_dir_all(rehearsal.mailbox.path()).unwrap();
    assert!(rehearsal.page("/rehearsal/mail").await.contains("No mail was sent yet."));
    assert!(rehearsal.page("/rehearsal").await.contains("no mails"));
}

#[tokio::test]
async fn without_a_console_its_paths_are_unknown() {
    let pages = Pages::open().await;
    let style = "/assets/console-0123456789abcdef.css";
    assert_eq!(pages.get(style).await, unknown(&pages).await);
    for path in ["/rehearsal", "/rehearsal/mail", "/rehearsal/mail/a", "/rehearsal/campaign/a"] {
        assert_eq!(pages.get(path).await, unknown(&pages).await, "{path}");
        let (posted, other) = (pages.post(path, "").await, pages.post("/nothing", "").await);
        assert_eq!(posted, other, "{path}");
    }
}

#[tokio::test]
async fn where_others_can_reach_us_there_is_no_console() {
    let rehearsal = Rehearsal::open().await;
    let operations = rehearsal.pages.operations();
    let mailbox = rehearsal.mailbox.path().to_owned();
    let console = RehearsalConsole::new(operations.clone(), mailbox);
    let state = AppState::new(Arc::new(operations), Arc::new(Look::new(named())));
    let state = state.with_rehearsal(console);
    let trusted_proxy = Some("10.0.0.1".parse().unwrap());
    for (listen, status) in [("127.0.0.1:0", 200), ("[::1]:0", 200), ("0.0.0.0:0", 404)] {
        let listen = listen.parse::<SocketAddr>().unwrap();
        let options = ServeOptions { listener: Listener::People, listen, tls: None, trusted_proxy };
        let request = Request::get("/rehearsal").body(Body::empty()).unwrap();
        let answer = people_routes(state.clone(), &options).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{listen}");
    }
}

#[tokio::test]
async fn whoever_tries_the_program_is_told_where_to_begin() {
    let rehearsal = Rehearsal::open().await;
    rehearsal.file("new/a.countersign", 1, &mail("a@b.test", "A"));
    assert!(rehearsal.page("/rehearsal").await.contains("There is none yet."));
    rehearsal.campaign(|_| Vec::new()).await;
    let page = rehearsal.page("/rehearsal").await;
    for href in ["/rehearsal/mail", "/check", "/forgot", "/affected", "/notices"] {
        assert!(page.contains(&format!("href=\"{href}\"")), "{href}");
    }
    assert!(
        page.contains(
            "<a href=\"/rehearsal/campaign/Spring%20%26%20autumn\">Spring &#38; autumn</a>"
        )
    );
    assert!(page.contains("Rehearsal: nothing leaves this host."));
    assert!(page.contains("which holds 1 mail."), "{page}");
}

#[tokio::test]
async fn a_campaign_is_reported_from_its_log() {
    let rehearsal = Rehearsal::open().await;
    rehearsal
        .campaign(|campaign| {
            let skipped = [(SkipReason::Unreachable, 1204), (SkipReason::Dismissed, 3)].into();
            let (plan, targets, addresses) = (String::new(), 0, 0);
            vec![
                CampaignEvent::CampaignFrozen {
                    campaign,
                    round: 1,
                    plan,
                    targets,
                    addresses,
                    skipped,
                    author_signs: false,
                },
                NoticeStep::NoticeDisputed { campaign: Some(campaign), notice: NoticeId(1) }.into(),
            ]
        })
        .await;
    let answer = rehearsal.pages.get("/rehearsal/campaign/Spring%20%26%20autumn").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.title(), "Campaign Spring &#38; autumn – Example rehearsal");
    for text in [
        "Being put together: nobody is touched yet.",
        "No verified address: nobody could be told</th><td>1,204</td>",
        "An operator dismissed the finding</th><td>3</td>",
        "say that they are not right</th><td>1</td>",
        "Counted from 3 entries of the audit log, from <time datetime=\"2012-11-08T00:00Z\">",
    ] {
        assert!(answer.body.contains(text), "{text} is not in {}", answer.body);
    }
    let lost = rehearsal.pages.get("/rehearsal/campaign/Summer").await;
    assert_eq!(lost, unknown(&rehearsal.pages).await);
}

#[tokio::test]
async fn of_what_does_not_add_up_no_number_is_shown() {
    let rehearsal = Rehearsal::open().await;
    rehearsal
        .campaign(|campaign| {
            let (plan, skipped) = (String::new(), [(SkipReason::Dismissed, 7)].into());
            let (targets, addresses) = (1, 1);
            vec![CampaignEvent::CampaignFrozen {
                campaign,
                round: 1,
                plan,
                targets,
                addresses,
                skipped,
                author_signs: false,
            }]
        })
        .await;
    let answer = rehearsal.pages.get("/rehearsal/campaign/Spring%20%26%20autumn").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.body.contains("role=\"alert\""), "{}", answer.body);
    assert!(answer.body.contains("NOTHING IS TO BE PUBLISHED"));
    assert!(!answer.body.contains("<table") && !answer.body.contains("<td"));
}

#[tokio::test]
async fn the_console_is_guarded_as_all_pages_are() {
    let rehearsal = Rehearsal::open().await;
    rehearsal.file("new/a.countersign", 1, &mail("a@b.test", "A"));
    rehearsal.campaign(|_| Vec::new()).await;
    let report = "/rehearsal/campaign/Spring%20%26%20autumn";
    for path in ["/rehearsal", "/rehearsal/mail", "/rehearsal/mail/a.countersign", report] {
        let answer = rehearsal.pages.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none';"));
        assert!(answer.body.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{path}");
        for word in ["<script", " style=", " on", "src="] {
            let mut tags = answer.body.split('<').filter_map(|part| part.split('>').next());
            assert_eq!(tags.find(|tag| format!("<{tag}").contains(word)), None, "{path}: {word}");
        }
        let posted = rehearsal.pages.post(path, "").await;
        assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let page = rehearsal.page("/rehearsal").await;
    let style = page.split("href=\"/assets/console-").nth(1).unwrap().split('"').next().unwrap();
    let style = rehearsal.pages.get(&format!("/assets/console-{style}")).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(style.header("cache-control"), "public, max-age=31536000, immutable");
}
