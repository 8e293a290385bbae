//! What a relay is asked before anybody's mail depends on it.

use notice::{Address, Failure, Greeting, Phase, Relay};
use testkit::smtp::SmtpServer;

use crate::server::{plain_options, relay};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

async fn greet(relay: &Relay) -> Result<Greeting, Failure> {
    relay.greet(&address("bounces+token@example.org"), &address("security@example.org")).await
}

#[tokio::test]
async fn a_relay_that_would_take_mail_says_what_it_offers() {
    for (arguments, international) in [(&[][..], true), (&["--ascii"], false)] {
        let server = SmtpServer::start(arguments);
        let relay = relay(&server);
        let expected = Greeting { eight_bit: true, international, own_address: None };
        assert_eq!(greet(&relay).await, Ok(expected));
        assert_eq!(relay.takes_international().await, Some(international));
        assert_eq!(server.commands(), ["MAIL", "RCPT example", "RSET", "QUIT"]);
        assert!(server.taken().is_empty());
    }
}

#[tokio::test]
async fn a_relay_that_would_take_nobodys_mail_is_found_out() {
    for (whom, behaviour, phase) in [
        ("EHLO", "504 5.5.2 need a full name", Phase::Hello),
        ("MAIL", "550 5.7.1 not your address", Phase::Mail),
        ("*", "RCPT 554 5.7.1 <security@example.org>: Relay access denied", Phase::Recipient),
        ("*", "RCPT 530 5.7.0 Authentication required", Phase::Recipient),
        ("*", "closing", Phase::Recipient),
    ] {
        let server = SmtpServer::start(&[]);
        server.behave(whom, behaviour);
        let failure = greet(&relay(&server)).await.unwrap_err();
        assert_eq!(failure.phase(), phase, "{failure}");
        assert!(failure.code().is_some() && !failure.to_string().contains('@'), "{failure}");
    }
}

#[tokio::test]
async fn an_own_address_that_takes_no_mail_keeps_no_other_from_going() {
    for behaviour in ["refused", "grey"] {
        let server = SmtpServer::start(&[]);
        server.behave("*", behaviour);
        let greeting = greet(&relay(&server)).await.unwrap();
        let said = greeting.own_address.unwrap().to_string();
        assert!(said.starts_with("recipient: the relay refused with "), "{said}");
    }
}

#[tokio::test]
async fn nobody_there_cannot_say_what_it_offers() {
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    drop(server);
    assert_eq!(greet(&relay).await.unwrap_err().phase(), Phase::Connect);
    assert_eq!(relay.takes_international().await, None);
}

#[tokio::test]
async fn a_host_without_a_name_greets_by_its_address() {
    let server = SmtpServer::start(&[]);
    server.behave("EHLO", "504 5.5.2 {host}");
    let mut options = plain_options(server.port());
    options.hello = None;
    let failure = greet(&Relay::new(options).unwrap()).await.unwrap_err();
    assert_eq!(failure.to_string(), "hello: the relay refused with 504 5.5.2 [127.0.0.1]");
}
