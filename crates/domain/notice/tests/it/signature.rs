//! dkimpy's verdict on the bytes that a server received.

use notice::{Composed, Composer, DkimKey, DkimKeyError, Language, Outcome, Signer as _};
use testkit::{dkim::Key, smtp::SmtpServer};

use crate::{
    facts::{done, facts, link, notice_to, one_exposure, posting, raw, site},
    server::relay,
};

/// A fresh key, and the judge of what it signs.
fn key() -> (Key, DkimKey) {
    let judge = Key::make();
    let key = DkimKey::from_pem(&judge.private_pem, "example.org", "cs1").unwrap();
    (judge, key)
}

/// Bodies at which signers and servers come apart.
fn hostile() -> Vec<Composed> {
    let bodies = [
        "x\r\n",
        "\r\n",
        "\r\n\r\n\r\n",
        "trailing \t \r\n  leading\r\nin  the\t\tmiddle\r\n",
        "empty lines at the end\r\n\r\n\r\n\r\n",
        "spaces at the end\r\n   \r\n \r\n",
        ".\r\n..\r\n...x\r\n.\r\n",
        "no white space\u{c}\r\n\u{b} \r\n",
        "caf\u{e9} \u{1f511}\r\n",
    ];
    let long = format!("{}\r\n.{}\r\n", "x".repeat(998), "y".repeat(997));
    let bodies = bodies.iter().map(|body| (*body).to_owned()).chain([long]);
    let numbered = bodies.enumerate();
    numbered.map(|(at, body)| raw("jane@accept.test", &at.to_string(), &body)).collect()
}

fn notices() -> Vec<Composed> {
    let jane = "jane@accept.test";
    let languages = Language::ALL.iter().flat_map(|language| {
        let names = [Some("Zo\u{eb}"), None, Some("<b>.x</b> & \"y\"")];
        let composer = Composer::new(site(*language)).unwrap();
        let link = link(jane, names[0], "https://www.example.org");
        [
            composer.compose(&facts(jane, &names, one_exposure()), *language, &posting(9)),
            composer.compose(&link, *language, &posting(10)),
            composer.compose(&done(jane, names[2], true), *language, &posting(11)),
        ]
    });
    let languages = languages.map(Result::unwrap);
    languages.chain([notice_to(jane, 1)]).collect()
}

#[tokio::test]
async fn dkimpy_verifies_what_was_received() {
    let (judge, key) = key();
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    for message in notices().into_iter().chain(hostile()) {
        let outcome = relay.deliver(&message.signed(&key).unwrap()).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    let taken = server.taken();
    let verdicts = judge.verify(taken.iter().map(|taken| &taken.bytes));
    assert_eq!(verdicts.len(), 17);
    for (verdict, taken) in verdicts.iter().zip(&taken) {
        let message = String::from_utf8_lossy(&taken.bytes);
        assert!(verdict.is_good(), "{verdict:?}\n{message}");
        assert_eq!(verdict.names, ["cs1._domainkey.example.org."]);
    }
    for header in notice::SIGNED_HEADERS {
        assert!(verdicts[0].covers.contains(&header.to_lowercase()), "{header}");
    }
}

#[test]
fn only_a_long_rsa_key_signs() {
    let pem = Key::of_bits(1024).private_pem;
    let error = |pem: &[u8], domain: &str| DkimKey::from_pem(pem, domain, "cs1").unwrap_err();
    assert_eq!(error(&pem, "example.org"), DkimKeyError::NotRsa);
    assert_eq!(error(b"no key", "example.org"), DkimKeyError::NoKey);
    let name = DkimKeyError::Name { name: "a b".to_owned() };
    assert_eq!(error(&pem, "a b"), name);
}

#[test]
fn a_signature_is_one_header() {
    let (_judge, key) = key();
    let header = String::from_utf8(key.sign(notice_to("a@b.test", 1).bytes()).unwrap()).unwrap();
    assert!(header.starts_with("DKIM-Signature: ") && header.ends_with("\r\n"), "{header:?}");
    let starts_new = |line: &&str| !line.starts_with(['\t', ' ']);
    assert_eq!(header.lines().filter(starts_new).count(), 1);
}
