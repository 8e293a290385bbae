//! Postfix's own test server: how it understands us, and how we understand it.

use std::time::Duration;

use notice::{DeliveryOutcome, Phase, Relay};
use testkit::smtp::SmtpSink;

use crate::{
    facts::{notice_to, raw},
    server::plain_options,
};

/// What a sink that is not silent keeps, even on a busy machine.
const IMPATIENCE: Duration = Duration::from_secs(4);

/// What becomes of a notice at a sink with these options.
async fn outcome(options: &[&str]) -> DeliveryOutcome {
    let sink = SmtpSink::start(options);
    let mut options = plain_options(sink.port());
    options.limits.command = IMPATIENCE;
    options.limits.end_of_data = IMPATIENCE;
    Relay::new(options).unwrap().deliver(&notice_to("jane@example.org", 1)).await
}

async fn check_refused(options: &[&str], code: u16, phase: Phase) {
    let outcome = outcome(options).await;
    let DeliveryOutcome::Refused { code: said, permanent, phase: at, .. } = outcome else {
        panic!("{options:?}: {outcome:?}");
    };
    assert_eq!((said, permanent, at), (code, code >= 500, phase), "{options:?}");
}

async fn check_failed(options: &[&str], phase: Phase) {
    match outcome(options).await {
        DeliveryOutcome::FailedBeforeDot { reason } => {
            assert_eq!(reason.phase(), phase, "{options:?}");
        }
        other => panic!("{options:?}: {other:?}"),
    }
}

async fn check_lost(options: &[&str]) {
    match outcome(options).await {
        DeliveryOutcome::LostAfterDot { reason } => assert_eq!(reason.phase(), Phase::EndOfData),
        other => panic!("{options:?}: {other:?}"),
    }
}

#[tokio::test]
async fn postfix_reads_what_we_wrote() {
    let sink = SmtpSink::start(&[]);
    let relay = Relay::new(plain_options(sink.port())).unwrap();
    let notice = notice_to("jane@example.org", 1);
    let dots = raw("john@example.org", "dots", ".\r\n..\r\n.x\r\n\r\ncaf\u{e9}\r\n\r\n");
    for message in [&notice, &dots] {
        let outcome = relay.deliver(message).await;
        assert!(matches!(outcome, DeliveryOutcome::Accepted { .. }), "{outcome:?}");
    }
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].mail, format!("<{}>", notice.envelope_from()));
    assert_eq!(mails[1].mail, format!("<{}> BODY=8BITMIME", dots.envelope_from()));
    for (mail, sent) in mails.iter().zip([&notice, &dots]) {
        assert_eq!(mail.recipients, [format!("<{}>", sent.recipient())]);
        assert_eq!(mail.bytes, sent.bytes());
    }
}

#[tokio::test]
async fn a_refusal_is_permanent_by_its_first_digit() {
    let hard = ["-B", "550 5.7.1 no"];
    for (command, phase) in [
        ("MAIL", Phase::Mail),
        ("RCPT", Phase::Recipient),
        ("DATA", Phase::Data),
        (".", Phase::EndOfData),
    ] {
        check_refused(&[&hard[..], &["-f", command]].concat(), 550, phase).await;
        check_refused(&["-r", command], 450, phase).await;
        check_refused(&["-Q", command], 421, phase).await;
    }
}

#[tokio::test]
async fn hanging_up_before_the_dot_is_a_failure() {
    for (command, phase) in [
        ("CONNECT", Phase::Greeting),
        ("EHLO", Phase::Hello),
        ("MAIL", Phase::Mail),
        ("RCPT", Phase::Recipient),
        ("DATA", Phase::Data),
    ] {
        check_failed(&["-q", command], phase).await;
    }
    check_failed(&["-f", "CONNECT"], Phase::Greeting).await;
}

#[tokio::test]
async fn hanging_up_after_the_dot_is_an_uncertainty() {
    check_lost(&["-q", "."]).await;
}

#[tokio::test]
async fn silence_means_what_its_phase_means() {
    let failed = check_failed(&["-W", "RCPT:60"], Phase::Recipient);
    tokio::join!(check_lost(&["-W", ".:60"]), failed);
}

#[tokio::test]
async fn a_refusal_of_what_was_not_yet_sent_is_never_an_acceptance() {
    // Whether the dot was on its way by then is a matter of microseconds.
    match outcome(&["-A", "0"]).await {
        DeliveryOutcome::FailedBeforeDot { reason } => assert_eq!(reason.phase(), Phase::Content),
        DeliveryOutcome::LostAfterDot { reason } => assert_eq!(reason.phase(), Phase::EndOfData),
        DeliveryOutcome::Refused { code, phase, .. } => {
            assert_eq!((code, phase), (550, Phase::EndOfData));
        }
        accepted @ DeliveryOutcome::Accepted { .. } => panic!("{accepted:?}"),
    }
}
