//! Protected connections, and who is let in over them.

use model::Secret;
use notice::{Credentials, DeliveryOutcome, Phase, Relay, RelayOptions, Roots, Security};
use testkit::smtp::SmtpServer;

use crate::{
    facts::notice_to,
    server::{plain_options, tls_options},
};

const PASSWORD: &str = "only-the-relay-knows-this";

async fn deliver(options: RelayOptions) -> DeliveryOutcome {
    Relay::new(options).unwrap().deliver(&notice_to("jane@accept.test", 1)).await
}

/// The phase in which a delivery failed before it could do any harm.
fn failed(outcome: &DeliveryOutcome) -> Phase {
    match outcome {
        DeliveryOutcome::FailedBeforeDot { reason } => reason.phase(),
        other => panic!("{other:?}"),
    }
}

/// Options that sign in with this password.
fn signing_in(server: &SmtpServer, password: &str) -> RelayOptions {
    let password = Secret::from(password.as_bytes());
    let credentials = Some(Credentials { username: "countersign".to_owned(), password });
    RelayOptions { credentials, ..tls_options(server, Security::StartTls) }
}

#[track_caller]
fn assert_protected(server: &SmtpServer, outcome: &DeliveryOutcome) {
    assert!(matches!(outcome, DeliveryOutcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(server.taken()[0].about["tls"], true);
}

#[tokio::test]
async fn starttls_protects_the_message() {
    let server = SmtpServer::start(&["--starttls"]);
    let outcome = deliver(tls_options(&server, Security::StartTls)).await;
    assert_protected(&server, &outcome);
}

#[tokio::test]
async fn tls_from_the_first_byte_carries_the_message() {
    let server = SmtpServer::start(&["--tls"]);
    let outcome = deliver(tls_options(&server, Security::Tls)).await;
    assert!(matches!(outcome, DeliveryOutcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(server.taken().len(), 1);
    // The same server in the clear is not understood.
    let mut plain = plain_options(server.port());
    plain.limits.command = std::time::Duration::from_millis(500);
    assert_eq!(failed(&deliver(plain).await), Phase::Greeting);
}

#[tokio::test]
async fn a_certificate_of_nobody_we_trust_is_refused() {
    let server = SmtpServer::start(&["--starttls"]);
    let mut options = tls_options(&server, Security::StartTls);
    options.roots = Roots::public();
    assert_eq!(failed(&deliver(options).await), Phase::Tls);
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn a_certificate_of_another_host_is_refused() {
    let server = SmtpServer::start(&["--starttls", "--name", "other.test"]);
    let outcome = deliver(tls_options(&server, Security::StartTls)).await;
    assert_eq!(failed(&outcome), Phase::Tls);
    assert!(server.taken().is_empty());
}

/// `openssl req -x509` makes a certificate of an authority, and a relay that shows it as its own
/// shows what no server should: but it is the very one that the operator has named.
#[tokio::test]
async fn an_authoritys_certificate_that_was_named_counts_as_the_relays_own() {
    for (arguments, security) in [
        (["--starttls", "--self-signed"], Security::StartTls),
        (["--tls", "--self-signed"], Security::Tls),
    ] {
        let server = SmtpServer::start(&arguments);
        let outcome = deliver(tls_options(&server, security)).await;
        assert!(matches!(outcome, DeliveryOutcome::Accepted { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn such_a_certificate_must_be_the_named_one_of_this_host_and_in_its_time() {
    let named = SmtpServer::start(&["--starttls", "--self-signed"]);
    let another = SmtpServer::start(&["--starttls", "--self-signed"]);
    let mut options = tls_options(&another, Security::StartTls);
    options.roots = tls_options(&named, Security::StartTls).roots;
    assert_eq!(failed(&deliver(options).await), Phase::Tls);

    let mut options = tls_options(&named, Security::StartTls);
    options.roots = Roots::public();
    assert_eq!(failed(&deliver(options).await), Phase::Tls);

    let other_name = SmtpServer::start(&["--starttls", "--self-signed", "--name", "other.test"]);
    let outcome = deliver(tls_options(&other_name, Security::StartTls)).await;
    assert_eq!(failed(&outcome), Phase::Tls);

    let expired = SmtpServer::start(&["--starttls", "--expired"]);
    let outcome = deliver(tls_options(&expired, Security::StartTls)).await;
    assert_eq!(failed(&outcome), Phase::Tls);
    assert!(format!("{outcome:?}").to_lowercase().contains("expired"), "{outcome:?}");
    for server in [named, another, other_name, expired] {
        assert!(server.taken().is_empty());
    }
}

#[tokio::test]
async fn a_relay_without_starttls_gets_nothing() {
    let server = SmtpServer::start(&[]);
    let outcome = deliver(tls_options(&server, Security::StartTls)).await;
    assert_eq!(failed(&outcome), Phase::Tls);
    assert!(server.commands().is_empty());
}

#[tokio::test]
async fn both_ways_of_signing_in_work() {
    let login = format!("countersign:{PASSWORD}");
    for mechanism in [&[][..], &["--only-login"]] {
        let arguments = [&["--starttls", "--login", &login], mechanism].concat();
        let server = SmtpServer::start(&arguments);
        let outcome = deliver(signing_in(&server, PASSWORD)).await;
        assert_protected(&server, &outcome);
        assert_eq!(server.taken()[0].about["login"], true);
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_never_shown() {
    let server = SmtpServer::start(&["--starttls", "--login", "countersign:another"]);
    let options = signing_in(&server, PASSWORD);
    assert!(!format!("{options:?}").contains(PASSWORD));
    let outcome = deliver(options).await;
    assert_eq!(failed(&outcome), Phase::Authenticate);
    let shown = format!("{outcome:?}");
    assert!(shown.contains("535") && !shown.contains(PASSWORD), "{shown}");
    assert!(server.taken().is_empty());
}
