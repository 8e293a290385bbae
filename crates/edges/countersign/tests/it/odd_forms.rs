//! Forms that no browser of ours sends, and what password managers ask for before they trust us.

use crate::{
    harness::{Backend, TestInstance},
    serve::Served,
};

/// A page that a password manager asks for, and that must not exist (W3C, "A Well-Known URL for
/// Changing Passwords").
const NO_SUCH_PAGE: &str =
    "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200";

const FORM: &str = "application/x-www-form-urlencoded";

/// Two addresses in one form, an array of them, JSON, NUL, what is not UTF-8.
const FORMS: [(&str, &str); 5] = [
    (FORM, "name=a%40x.example&name=b%40y.example"),
    (FORM, "name%5B%5D=a%40x.example&name%5B%5D=b%40y.example"),
    ("application/json", r#"{"name":["a@x.example","b@y.example"]}"#),
    (FORM, "name=a%00b"),
    (FORM, "name=%ff%fe"),
];

/// Instances whose people choose new passwords on the site's own pages, and on ours.
fn instances() -> [TestInstance; 2] {
    let sender = |instance: TestInstance| {
        instance
            .with("COUNTERSIGN_SITE_NAME", "Lantern Books")
            .with("COUNTERSIGN_MAIL_FROM", "security@lantern.example")
    };
    let ours = TestInstance::embedded(Backend::Sqlite)
        .with("COUNTERSIGN_RECOVERY_MODE", "countersign")
        .with("COUNTERSIGN_RECOVERY_PAGES_URL", "https://account.lantern.example");
    [sender(TestInstance::embedded(Backend::Sqlite)), sender(ours)]
}

#[test]
fn a_password_manager_finds_the_page_and_nothing_that_is_not_there() {
    for instance in instances() {
        let served = Served::start(&instance);
        let found = served.get("/.well-known/change-password").to_lowercase();
        assert!(found.starts_with("http/1.1 303"), "{found}");
        assert!(found.contains("location: /forgot\r\n"), "{found}");
        let missing = served.get(NO_SUCH_PAGE);
        assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
    }
}

#[test]
fn an_odd_form_is_no_fault_of_ours_and_asks_for_no_mail() {
    for instance in instances() {
        let served = Served::start(&instance);
        for (kind, form) in FORMS {
            let answer = served.post_as("/forgot", kind, form);
            let status = answer.split(' ').nth(1).unwrap_or_default();
            assert!(matches!(status.as_bytes(), [b'2'..=b'4', ..]), "{form}: {answer}");
        }
        assert!(instance.has_none("notice"));
    }
}
