//! Choosing a new password behind a link.

use std::time::Duration;

use axum::http::{Request, StatusCode};
use model::{Account, Credential, CredentialVersion, StoredHash};
use recovery::limits::LINK_LIFETIME;
use store::{NewSwap, SwapBehalf, WorkerName};

use crate::{
    account::{BREACHED, Jane, PASSWORD},
    german,
    harness::Answer,
};

/// A password that nothing is said against.
const NEW: &str = "three violet chairs";

/// A token of the right form, that no link has.
const NO_TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The hash of another password than hers.
const ANOTHER: &str =
    "pbkdf2_sha256$1000$saltsaltsalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What is said of the last try.
fn fault(answer: &Answer) -> &str {
    let panel = answer.body.split("role=\"alert\"").nth(1).unwrap_or_default();
    let text = panel.split("<p>").nth(1).unwrap_or_default();
    text.split("</p>").next().unwrap_or_default()
}

#[tokio::test]
async fn a_link_leads_to_a_new_password_once() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    let opened = jane.pages.get(&link).await;
    assert_eq!(opened.status, StatusCode::OK);
    assert_eq!(opened.title(), "Choose a new password – Example");
    assert!(opened.body.contains("At least 8 characters."), "{}", opened.body);
    assert_eq!(jane.pages.get(&link).await, opened);
    let chosen = jane.choose(&link, NEW).await;
    assert_eq!(chosen.status, StatusCode::OK);
    assert_eq!(chosen.title(), "Your password is changed – Example");
    assert!(jane.signs_in(NEW).await && !jane.signs_in(PASSWORD).await);
    let again = jane.choose(&link, "four violet chairs").await;
    assert_eq!(again.title(), "This link does not work – Example");
    assert!(jane.signs_in(NEW).await);
}

#[tokio::test]
async fn whoever_has_a_new_password_is_told_by_mail() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    let due = async || {
        let mut tx = jane.pages.store.read().await.unwrap();
        tx.requested_notices_due().await.unwrap()
    };
    let before = due().await;
    jane.choose(&link, NEW).await;
    assert_eq!(due().await, before + 1);
}

#[tokio::test]
async fn a_link_ends_once_the_site_has_another_address_or_password_of_its_owner() {
    let jane = Jane::new().await;
    let (_, link) = jane.mail_link(1, LINK_LIFETIME).await;
    jane.change(|account| Account { email: Some("jane@example.com".to_owned()), ..account }).await;
    assert_eq!(jane.choose(&link, NEW).await.status, StatusCode::NOT_FOUND);

    let (_, link) = jane.mail_link(2, LINK_LIFETIME).await;
    let credential = StoredHash::from_column(Some(ANOTHER.to_owned())).map(Credential::from);
    jane.change(|account| Account { credential, ..account }).await;
    assert_eq!(jane.choose(&link, NEW).await.status, StatusCode::NOT_FOUND);
    assert!(!jane.signs_in(NEW).await);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_link_the_answer_is_the_same() {
    let jane = Jane::new().await;
    let unknown = jane.pages.get(&format!("/reset/{NO_TOKEN}")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.title(), "This link does not work – Example");
    assert!(unknown.body.contains("<a href=\"/forgot\">Ask for a new link</a>"));
    let (_, expired) = jane.mail_link(2, Duration::ZERO).await;
    let (id, superseded) = jane.mail_link(3, LINK_LIFETIME).await;
    let mut tx = jane.pages.store.begin().await.unwrap();
    tx.supersede_reset_link(id).await.unwrap();
    tx.commit().await.unwrap();
    let malformed = ["x", "%ff", "%00", "%3Cb%3E", &NO_TOKEN[1..]];
    let malformed = malformed.map(|token| format!("/reset/{token}"));
    for link in malformed.into_iter().chain([expired, superseded]) {
        assert_eq!(jane.pages.get(&link).await, unknown, "{link}");
        assert_eq!(jane.choose(&link, NEW).await, unknown, "{link}");
        assert_eq!(jane.pages.post(&link, "password=a&again=b").await, unknown, "{link}");
    }
    assert!(jane.signs_in(PASSWORD).await);
}

#[tokio::test]
async fn the_password_that_was_stolen_is_refused_and_so_are_small_changes_of_it() {
    let jane = Jane::new().await;
    jane.expose().await;
    let link = jane.link().await;
    let old = jane.choose(&link, PASSWORD).await;
    assert_eq!(old.title(), "Please try once more – Example");
    assert!(fault(&old).starts_with("That is the password that stood in stolen data."));
    for like in ["Correct horse", "correct horse1", "correct horse!"] {
        let answer = jane.choose(&link, like).await;
        assert!(fault(&answer).starts_with("That is too close to"), "{like}: {}", answer.body);
        let form = format!("lang=de&password={like}&again={like}");
        let answer = jane.pages.post(&link, &form).await;
        assert!(fault(&answer).starts_with(german::TOO_CLOSE), "{like}");
    }
    assert!(jane.signs_in(PASSWORD).await);
    assert_eq!(jane.choose(&link, NEW).await.title(), "Your password is changed – Example");
}

#[tokio::test]
async fn each_refusal_says_why_and_uses_nothing_up() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    let long = "x".repeat(1025);
    let cases = [
        ("", "That is too short. Please choose at least 8 characters."),
        ("short", "That is too short."),
        (&long, "That is too long. At most 1024 letters"),
        ("with a %00 character", "There is a character in it that no keyboard has."),
        ("janedoe2012", "That is your own name or address"),
        ("Example2012", "That is the name of Example"),
        ("abcabcabcabc", "That is one short piece again and again."),
        ("123456789", "That is a row of characters"),
        (BREACHED, "That password stands in lists that attackers try"),
    ];
    for (password, expected) in cases {
        let answer = jane.choose(&link, password).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(fault(&answer).starts_with(expected), "{password}: {}", fault(&answer));
        assert_eq!(answer.body.matches("aria-invalid=\"true\"").count(), 2);
        assert!(answer.body.contains("aria-describedby=\"error again-hint\""));
    }
    assert!(jane.signs_in(PASSWORD).await);
    assert_eq!(jane.choose(&link, NEW).await.title(), "Your password is changed – Example");
}

#[tokio::test]
async fn both_fields_hold_the_same() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    let words = "The two fields do not hold the same.";
    for form in
        [format!("password={NEW}&again={NEW}+"), format!("password={NEW}"), format!("again={NEW}")]
    {
        assert!(fault(&jane.pages.post(&link, &form).await).starts_with(words), "{form}");
    }
    let unread = ["password=a&password=b&again=a", &format!("password={}", "x".repeat(9000))];
    for form in unread {
        let answer = jane.pages.post(&link, form).await;
        assert!(fault(&answer).starts_with("Not all of the form has come."), "{form:.80}");
    }
    assert!(jane.signs_in(PASSWORD).await);
}

#[tokio::test]
async fn whoever_is_slower_is_told_to_try_again() {
    let jane = Jane::new().await;
    let (id, link) = jane.mail_link(1, LINK_LIFETIME).await;
    let mut tx = jane.pages.store.begin().await.unwrap();
    let [expected, made] = [1, 2].map(|byte| CredentialVersion::from_bytes([byte; 32]));
    let subject = jane.subject(&mut tx).await;
    let theirs = NewSwap { subject, behalf: SwapBehalf::Choose { link: id }, expected, made };
    let owner = WorkerName::from_random([0; 16]);
    assert!(tx.intend_swap(&theirs, &owner, Duration::from_mins(1)).await.unwrap().is_some());
    tx.commit().await.unwrap();
    let answer = jane.choose(&link, NEW).await;
    assert_eq!(
        fault(&answer),
        "This link is in use at this very moment. Please try again in a minute."
    );
    assert!(jane.signs_in(PASSWORD).await);
}

#[tokio::test]
async fn no_page_holds_what_was_typed_or_the_link() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    let token = link.rsplit('/').next().unwrap();
    let answers = [
        jane.pages.get(&link).await,
        jane.pages.post(&link, "password=violet1&again=violet2").await,
        jane.choose(&link, "violet").await,
        jane.choose(&link, "violet chairs").await,
        jane.choose(&link, "violet chairs").await,
    ];
    for answer in &answers {
        assert!(!answer.body.contains("violet") && !answer.body.contains(token));
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(answers[3].title(), "Your password is changed – Example");
}

#[tokio::test]
async fn fields_take_what_a_password_manager_makes() {
    let jane = Jane::new().await;
    let body = jane.pages.get(&jane.link().await).await.body;
    assert!(body.contains("<form method=\"post\">"), "{body}");
    let tags = body.split('<').filter_map(|tag| tag.split('>').next());
    let fields: Vec<_> = tags.filter(|tag| tag.contains("type=\"password\"")).collect();
    assert_eq!(fields.len(), 2);
    for field in fields {
        assert!(field.contains("autocomplete=\"new-password\""), "{field}");
        assert!(!field.contains("maxlength") && !field.contains("value"), "{field}");
    }
}

#[tokio::test]
async fn the_page_changes_its_language_in_its_place() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    let english = jane.pages.get(&link).await.body;
    assert!(english.contains("href=\"?lang=de\""), "{english}");
    let translated = jane.pages.get(&format!("{link}?lang=de")).await;
    assert_eq!(translated.title(), german::CHOOSE);
    let body = &translated.body;
    assert!(body.contains(german::LENGTH) && body.contains("\"?lang=en\""), "{body}");
    let dead = jane.pages.get("/reset/x?lang=de").await;
    assert_eq!(dead.title(), german::DEAD);
    assert!(dead.body.contains("href=\"/forgot?lang=en\""));
    let form = format!("lang=de&password={NEW}&again={NEW}");
    let changed = jane.pages.post(&link, &form).await;
    assert_eq!(changed.title(), german::CHANGED);
}

#[tokio::test]
async fn a_mail_scanner_may_look() {
    let jane = Jane::new().await;
    let link = jane.link().await;
    assert_eq!(jane.pages.send(Request::head(&link)).await.status, StatusCode::OK);
    assert_eq!(jane.pages.get(&link).await.status, StatusCode::OK);
    assert_eq!(jane.choose(&link, NEW).await.title(), "Your password is changed – Example");
}
