//! What a relay's no does to a notice, and what is kept of it.

use notice::{About, DeliveryOutcome, SmtpOutcome};
use testkit::smtp::SmtpServer;

use crate::{facts::notice_to, server::relay};

const JANE: &str = "jane.doe@example.org";

async fn deliver(server: &SmtpServer) -> DeliveryOutcome {
    relay(server).deliver(&notice_to(JANE, 1)).await
}

#[tokio::test]
async fn a_reply_is_about_the_address_only_if_it_says_so() {
    let server = SmtpServer::start(&[]);
    let us = SmtpOutcome::Hindered { heard: true };
    for (behaviour, about, expected) in [
        ("RCPT 504 5.5.2 <jane.doe@example.org>: need a full name", About::Us, us),
        ("RCPT 554 5.7.1 <jane.doe@example.org>: Relay access denied", About::Us, us),
        ("RCPT 530 5.7.0 Authentication required", About::Us, us),
        ("RCPT 550 5.7.1 Sender address rejected: not owned by user", About::Us, us),
        ("RCPT 550 5.1.8 jane.doe's sender is unknown", About::Us, us),
        ("RCPT 421 4.3.2 jane.doe@example.org: closing", About::Us, us),
        ("RCPT 451 4.3.0 lookup failure", About::Us, us),
        ("DATA 550 5.7.1 jane.doe@example.org wants none", About::Us, us),
        ("DOT 554 5.7.1 Your host is blocked, jane.doe@example.org", About::Us, us),
        ("DOT 452 4.3.1 no space", About::Us, us),
        ("RCPT 451 4.7.1 <jane.doe@example.org> greylisted", About::Attempt, SmtpOutcome::Deferred),
        ("DOT 451 4.7.1 greylisted", About::Attempt, SmtpOutcome::Deferred),
        ("RCPT 452 4.2.2 jane.doe is full", About::Address, SmtpOutcome::PutOff),
        ("RCPT 550 5.1.1 <jane.doe@example.org> unknown", About::Address, SmtpOutcome::Refused),
        ("RCPT 550 5.2.1 jane.doe is disabled", About::Address, SmtpOutcome::Refused),
        ("RCPT 550 jane.doe... nobody", About::Address, SmtpOutcome::Refused),
        ("DOT 552 5.2.2 jane.doe is full", About::Address, SmtpOutcome::Refused),
    ] {
        server.behave(JANE, behaviour);
        let outcome = deliver(&server).await;
        assert_eq!(SmtpOutcome::from(&outcome), expected, "{behaviour}: {outcome:?}");
        let DeliveryOutcome::Refused { about: found, reply, .. } = outcome else {
            panic!("{behaviour}: {outcome:?}")
        };
        assert_eq!(found, about, "{behaviour}");
        assert!(!reply.contains("jane.doe"), "{reply}");
    }
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn what_comes_before_the_recipient_is_about_us() {
    for (whom, behaviour) in [
        ("EHLO", "550 5.1.1 no such user"),
        ("EHLO", "504 5.5.2 need a full name"),
        ("MAIL", "550 5.1.1 no such user"),
        ("MAIL", "451 4.7.1 greylisted"),
    ] {
        let server = SmtpServer::start(&[]);
        server.behave(whom, behaviour);
        let outcome = SmtpOutcome::from(&deliver(&server).await);
        assert_eq!(outcome, SmtpOutcome::Hindered { heard: false }, "{whom} {behaviour}");
    }
}

#[tokio::test]
async fn what_the_relay_lacks_for_one_message_hinders_no_other() {
    let server = SmtpServer::start(&["--ascii"]);
    let message = crate::facts::raw("j\u{f6}rg@example.org", "x", "x\r\n");
    let outcome = relay(&server).deliver(&message).await;
    assert_eq!(SmtpOutcome::from(&outcome), SmtpOutcome::Deferred);
}
