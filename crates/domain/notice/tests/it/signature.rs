//! What dkimpy and `Mail::DKIM` say of the bytes that a server received.

use notice::{
    Composed, Composer, DeliveryOutcome, DkimKey, DkimKeyError, Language, MalformedMessage,
    SIGNED_HEADERS, SignError, Signer as _,
};
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
async fn both_judges_verify_what_was_received() {
    let (judge, key) = key();
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    for message in notices().into_iter().chain(hostile()) {
        let outcome = relay.deliver(&message.signed(&key).unwrap()).await;
        assert!(matches!(outcome, DeliveryOutcome::Accepted { .. }), "{outcome:?}");
    }
    let taken = server.taken();
    let verdicts = judge.verify(taken.iter().map(|taken| &taken.bytes));
    assert_eq!(verdicts.len(), 17);
    for (verdict, taken) in verdicts.iter().zip(&taken) {
        let message = String::from_utf8_lossy(&taken.bytes);
        assert!(verdict.is_good(), "{verdict:?}\n{message}");
        assert_eq!(verdict.names, ["cs1._domainkey.example.org."]);
    }
    assert_eq!(judge.second_opinion(taken.iter().map(|taken| &taken.bytes)), ["pass"; 17]);
    for header in SIGNED_HEADERS {
        assert!(verdicts[0].covers.contains(&header.to_lowercase()), "{header}");
    }
}

/// Headers that servers fold, space and repeat as they like.
const HEADERS: [&str; 5] = [
    "From: a@a.test\r\nAuto-Submitted: auto-generated\r\n",
    "FROM:\ta@a.test\r\nsubject:x\r\nAuto-Submitted:\tauto-generated \t\r\nTo:\r\n",
    "Subject: \r\n folded \t \r\n\t\t twice: \r\n  x\r\nFrom:\r\n a@a.test\r\nAuto-Submitted: y\r\n",
    "Subject: one\r\nX-Other: z\r\nSubject: two\r\nFrom: a@a.test\r\nSubject: three\r\n\
     Auto-Submitted: a\r\nAuto-Submitted: b\r\n",
    "Subject: Z\u{fc}rich  \u{1f511}\r\nFrom: \"\u{e9} ; b=x\" <a@a.test>\r\nX: \r\nAuto-Submitted: y\r\n",
];

/// Bodies that [`Composed`] would not let through, and some that it does.
fn bodies() -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 18] = [
        b"",
        b"\r\n",
        b"\r\n\r\n\r\n\r\n",
        b" ",
        b"\t \r\n",
        b" \r\n\t\r\n \t \r\n",
        b"x",
        b"x \t",
        b"x\r\n \r\n\t\r\n\r\n",
        b"x\r\n \r\n\t",
        b"\r\n\r\nx\r\n",
        b"x\r\n \t \r\n\r\ny \t \r\n\t \tz\r\n",
        b"  x  y\t\tz \t \r\n",
        b".\r\n..\r\n.\r\n",
        b".",
        b"caf\xe9 \xff\xfe\x80\r\n\xa0\r\n",
        b"\x0c\r\n\x0b \r\n\x00\x01\r\n",
        b"From: b@b.test\r\nDKIM-Signature: x\r\n\r\nb=y; bh=z\r\n",
    ];
    let long = [b"x".repeat(100_000), b" \t".repeat(500), b"y".repeat(1_000)];
    let long = long.concat();
    bodies.into_iter().map(<[u8]>::to_vec).chain([long]).collect()
}

/// As it arrives: SMTP ends the last line if nobody has.
fn delivered(mut message: Vec<u8>) -> Vec<u8> {
    if !message.ends_with(b"\r\n") {
        message.extend_from_slice(b"\r\n");
    }
    message
}

#[test]
fn both_judges_verify_what_is_hostile() {
    let (judge, key) = key();
    let messages = HEADERS.iter().flat_map(|headers| {
        let whole = |body: Vec<u8>| [headers.as_bytes(), b"\r\n", &body].concat();
        bodies().into_iter().map(whole)
    });
    let signed = messages.map(|message| delivered([key.sign(&message).unwrap(), message].concat()));
    let signed: Vec<_> = signed.collect();
    let opinions = judge.second_opinion(&signed);
    assert_eq!(opinions.len(), signed.len());
    for ((verdict, opinion), message) in judge.verify(&signed).iter().zip(opinions).zip(&signed) {
        let message = &message[..message.len().min(2_000)];
        let message = message.escape_ascii();
        assert_eq!(opinion, "pass", "{message}");
        assert!(verdict.is_good(), "{verdict:?}\n{message}");
    }
}

/// An old form, which dkimpy does not read.
#[test]
fn white_space_before_a_colon_is_nothing() {
    let (judge, key) = key();
    let message = b"From\t : a@a.test\r\nSubject : x\r\n\r\nx\r\n";
    let signed = [key.sign(message).unwrap(), message.to_vec()].concat();
    assert_eq!(judge.second_opinion([signed]), ["pass"]);
}

#[test]
fn no_signed_header_can_be_changed_added_or_taken_away() {
    let (judge, key) = key();
    let message = notice_to("a@b.test", 1);
    let signature = String::from_utf8(key.sign(message.bytes()).unwrap()).unwrap();
    let message = String::from_utf8(message.bytes().to_vec()).unwrap();
    let forgeries = SIGNED_HEADERS.iter().flat_map(|name| {
        let changed = message.replacen(&format!("{name}: "), &format!("{name}: x"), 1);
        let taken_away = message.replacen(&format!("{name}: "), &format!("X-{name}: "), 1);
        let added = |at: &str| format!("{at}{name}: added\r\n");
        let above = format!("{}{message}", added(""));
        let below = message.replacen("\r\n\r\n", &format!("\r\n{}\r\n", added("")), 1);
        [changed, taken_away, above, below]
    });
    let forgeries = forgeries.filter(|forgery| *forgery != message);
    let forged: Vec<_> = forgeries.map(|forgery| format!("{signature}{forgery}")).collect();
    assert!(judge.verify(&forged).iter().all(|verdict| !verdict.valid));
    let altered = "fail (message has been altered)";
    assert!(judge.second_opinion(&forged).iter().all(|opinion| opinion == altered));
    let body = format!("{signature}{message}x\r\n");
    assert_eq!(judge.second_opinion([body]), ["fail (body has been altered)"]);
}

#[test]
fn every_attempt_has_the_same_signature() {
    let (_judge, key) = key();
    let message = notice_to("a@b.test", 1);
    assert_eq!(key.sign(message.bytes()), key.sign(message.bytes()));
}

#[test]
fn what_servers_would_read_in_two_ways_is_not_signed() {
    let (_judge, key) = key();
    let error = |message: &[u8]| key.sign(message).unwrap_err();
    let lone = SignError::Malformed(MalformedMessage::LoneEnd);
    assert_eq!(error(b"From: a@a.test\r\n\r\nx\n.\n"), lone);
    assert_eq!(error(b"Subject: x\r\n\r\nFrom: a@a.test\r\n"), SignError::NoFrom);
    let no_field = SignError::Malformed(MalformedMessage::NoField);
    assert_eq!(error(b"From: a@a.test\r\nx\r\n\r\n"), no_field);
}

#[test]
fn a_key_in_either_form_signs() {
    let (judge, key) = key();
    let pkcs1 = DkimKey::from_pem(&judge.pkcs1_pem(), "example.org", "cs1").unwrap();
    let message = notice_to("a@b.test", 1);
    assert_eq!(pkcs1.sign(message.bytes()), key.sign(message.bytes()));
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
