//! What becomes of a message, as we say and as the server's record says.

use std::time::Duration;

use notice::{DeliveryOutcome, Failure, Phase, Relay, RelayError, Security};
use testkit::smtp::SmtpServer;

use crate::{
    facts::{notice_to, raw},
    server::{plain_options, relay},
};

fn shown(outcome: &DeliveryOutcome) -> String {
    match outcome {
        DeliveryOutcome::Accepted { reply } => format!("accepted: {reply}"),
        DeliveryOutcome::Refused { code, permanent, phase, .. } => {
            format!("refused: {code} permanent={permanent} {phase}")
        }
        DeliveryOutcome::FailedBeforeDot { reason } => format!("failed: {}", reason.phase()),
        DeliveryOutcome::LostAfterDot { reason } => format!("lost: {}", reason.phase()),
    }
}

/// Sends one notice, and compares our word with the number of messages on record.
async fn check(server: &SmtpServer, relay: &Relay, kind: &str, expected: &str, taken: usize) {
    let before = server.taken().len();
    let outcome = relay.deliver(&notice_to(&format!("jane@{kind}.test"), 1)).await;
    let said = shown(&outcome);
    assert!(said.starts_with(expected), "{kind}: {outcome:?}");
    assert_eq!(server.taken().len() - before, taken, "{kind}: {outcome:?}");
}

#[tokio::test]
async fn what_we_say_is_what_is_on_record() {
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    for (kind, expected, taken) in [
        ("accept", "accepted: 250 2.0.0 kept as 000001", 1),
        ("grey", "refused: 451 permanent=false recipient", 0),
        ("grey", "accepted", 1),
        ("busy", "refused: 450 permanent=false recipient", 0),
        ("refused", "refused: 550 permanent=true recipient", 0),
        ("uninvited", "refused: 550 permanent=true data", 0),
        ("unwanted", "refused: 550 permanent=true end_of_data", 0),
        ("later", "refused: 451 permanent=false end_of_data", 0),
        ("closing", "refused: 421 permanent=false recipient", 0),
        ("drop-before", "failed: data", 0),
        ("drop-unsaved", "lost: end_of_data", 0),
        ("drop-saved", "lost: end_of_data", 1),
        ("slow", "accepted", 1),
        ("babble", "lost: end_of_data", 1),
        ("accept", "accepted", 1),
    ] {
        check(&server, &relay, kind, expected, taken).await;
    }
}

#[tokio::test]
async fn a_message_that_broke_off_is_not_accepted() {
    let server = SmtpServer::start(&[]);
    let outcome = relay(&server).deliver(&notice_to("jane@drop-within.test", 1)).await;
    // Which it is depends on whether the dot was on its way when the server hung up.
    let honest = ["failed: content", "lost: end_of_data"];
    assert!(honest.contains(&shown(&outcome).as_str()), "{outcome:?}");
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn silence_has_a_limit_and_the_phase_decides_what_it_means() {
    let server = SmtpServer::start(&[]);
    let mut options = plain_options(server.port());
    options.limits.end_of_data = Duration::from_millis(500);
    let relay = Relay::new(options).unwrap();
    check(&server, &relay, "silent-dot", "lost: end_of_data", 1).await;

    let mut options = plain_options(server.port());
    options.limits.command = Duration::from_millis(500);
    let relay = Relay::new(options).unwrap();
    check(&server, &relay, "silent", "failed: recipient", 0).await;
}

#[tokio::test]
async fn nobody_listening_is_a_failure_before_the_dot() {
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    drop(server);
    let outcome = relay.deliver(&notice_to("jane@accept.test", 1)).await;
    assert_eq!(shown(&outcome), "failed: connect");
}

#[tokio::test]
async fn a_refused_transaction_is_reset_before_the_next() {
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    for kind in ["refused", "unwanted", "accept"] {
        relay.deliver(&notice_to(&format!("jane@{kind}.test"), 1)).await;
    }
    relay.close().await;
    let expected = [
        "MAIL",
        "RCPT refused",
        "RSET",
        "MAIL",
        "RCPT unwanted",
        "DATA unwanted",
        "RSET",
        "MAIL",
        "RCPT accept",
        "DATA accept",
        "QUIT",
    ];
    assert_eq!(server.commands(), expected);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_has_ended_is_replaced() {
    let first = SmtpServer::start(&[]);
    let relay = relay(&first);
    check(&first, &relay, "accept", "accepted", 1).await;
    check(&first, &relay, "closing", "refused: 421", 0).await;
    check(&first, &relay, "accept", "accepted", 1).await;
    assert_eq!(first.connections(), 2);
    drop(first);
    let outcome = relay.deliver(&notice_to("jane@accept.test", 1)).await;
    assert_eq!(shown(&outcome), "failed: connect");
}

#[tokio::test]
async fn every_byte_arrives_with_its_envelope() {
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    let notice = notice_to("jane@accept.test", 1);
    let body = format!(".\r\n..\r\n.x \r\n{}\r\ncaf\u{e9}\r\n\r\n\r\n", "y".repeat(998));
    let hostile = raw("jane@accept.test", "hostile", &body);
    let international = raw("j\u{f6}rg@accept.test", "international", "x\r\n");
    for message in [&notice, &hostile, &international] {
        assert!(shown(&relay.deliver(message).await).starts_with("accepted"));
    }
    let taken = server.taken();
    for (taken, sent) in taken.iter().zip([&notice, &hostile, &international]) {
        assert_eq!(taken.bytes, sent.bytes());
        assert_eq!(taken.about["to"][0], sent.recipient().as_str());
        assert_eq!(taken.about["from"], sent.envelope_from().as_str());
    }
    assert_eq!(taken[0].about["mail_options"].as_array().unwrap().len(), 0);
    assert_eq!(taken[1].about["mail_options"][0], "BODY=8BITMIME");
    assert_eq!(taken[2].about["mail_options"][1], "SMTPUTF8");
}

#[tokio::test]
async fn what_the_relay_cannot_carry_is_not_sent() {
    let server = SmtpServer::start(&["--ascii"]);
    let outcome = relay(&server).deliver(&raw("j\u{f6}rg@accept.test", "x", "x\r\n")).await;
    let reason = Failure::NotOffered { phase: Phase::Mail, what: "SMTPUTF8" };
    assert_eq!(outcome, DeliveryOutcome::FailedBeforeDot { reason });
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn a_reply_cannot_repaint_a_terminal() {
    let server = SmtpServer::start(&[]);
    let outcome = relay(&server).deliver(&notice_to("jane@painted.test", 1)).await;
    let DeliveryOutcome::Refused { reply, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(reply, "5.1.1 \\u{1b}[2J\\u{7} nobody");
}

#[tokio::test]
async fn mail_in_the_clear_stays_on_this_host() {
    let server = SmtpServer::start(&[]);
    let mut options = plain_options(server.port());
    // Nothing is sent there: it is not even connected to.
    options.host = "192.0.2.1".to_owned();
    options.security = Security::Plain;
    options.loopback_only = false;
    let outcome = Relay::new(options).unwrap().deliver(&notice_to("jane@accept.test", 1)).await;
    let reason = Failure::NotLoopback { phase: Phase::Connect };
    assert_eq!(outcome, DeliveryOutcome::FailedBeforeDot { reason });
}

#[test]
fn a_setting_cannot_hold_a_command() {
    let server = SmtpServer::start(&[]);
    let mut options = plain_options(server.port());
    options.hello = Some("x\r\nMAIL FROM:<a@b>".to_owned());
    assert!(matches!(Relay::new(options), Err(RelayError::Hello { .. })));
    let mut options = plain_options(server.port());
    options.host = "mail test".to_owned();
    assert!(matches!(Relay::new(options), Err(RelayError::Host { .. })));
}
