//! dkimpy's verdict on the bytes that a server received.

use std::{fs, path::Path, process::Command};

use notice::{Composed, Composer, DkimKey, DkimKeyError, Language, Outcome, Signer as _};
use serde_json::Value;
use tempfile::TempDir;
use testkit::smtp::SmtpServer;

use crate::{
    facts::{facts, notice_to, one_exposure, posting, raw, site},
    server::relay,
};

fn judge(arguments: &[&str], paths: &[&Path]) -> Vec<Value> {
    let mut command: Command = testkit::python("dkim_judge.py");
    let output = command.args(arguments).args(paths).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A fresh key, and the folder that holds its public half.
fn key() -> (TempDir, DkimKey) {
    let folder = tempfile::tempdir().unwrap();
    judge(&["keys"], &[folder.path()]);
    let pem = fs::read(folder.path().join("private.pem")).unwrap();
    let key = DkimKey::from_pem(&pem, "example.org", "cs1").unwrap();
    (folder, key)
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
    let languages = Language::ALL.iter().map(|language| {
        let names = [Some("Zo\u{eb}"), None, Some("<b>.x</b> & \"y\"")];
        let facts = facts("jane@accept.test", &names, one_exposure());
        let composer = Composer::new(site(*language)).unwrap();
        composer.reset_required(&facts, *language, &posting(9)).unwrap()
    });
    languages.chain([notice_to("jane@accept.test", 1)]).collect()
}

#[tokio::test]
async fn dkimpy_verifies_what_was_received() {
    let (folder, key) = key();
    let server = SmtpServer::start(&[]);
    let relay = relay(&server);
    for message in notices().into_iter().chain(hostile()) {
        let outcome = relay.deliver(&message.signed(&key).unwrap()).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    let taken = server.taken();
    let mut paths = vec![folder.path()];
    paths.extend(taken.iter().map(|taken| taken.path.as_path()));
    let verdicts = judge(&["verify"], &paths);
    assert_eq!(verdicts.len(), 13);
    for (verdict, taken) in verdicts.iter().zip(&taken) {
        let message = String::from_utf8_lossy(&taken.bytes);
        for what in ["valid", "notices_body", "notices_header"] {
            assert_eq!(verdict[what], true, "{what} {verdict}\n{message}");
        }
        assert_eq!(verdict["names"][0], "cs1._domainkey.example.org.");
    }
    let covers: Vec<_> = verdicts[0]["covers"].as_array().unwrap().iter().collect();
    for header in notice::SIGNED_HEADERS {
        assert!(covers.iter().any(|name| **name == header.to_lowercase()), "{header}");
    }
}

#[test]
fn only_a_long_rsa_key_signs() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = testkit::python("dkim_judge.py");
    command.arg("keys").arg(folder.path()).arg("1024");
    assert!(command.status().unwrap().success());
    let pem = fs::read(folder.path().join("private.pem")).unwrap();
    let error = |pem: &[u8], domain: &str| DkimKey::from_pem(pem, domain, "cs1").unwrap_err();
    assert_eq!(error(&pem, "example.org"), DkimKeyError::NotRsa);
    assert_eq!(error(b"no key", "example.org"), DkimKeyError::NoKey);
    let name = DkimKeyError::Name { name: "a b".to_owned() };
    assert_eq!(error(&pem, "a b"), name);
}

#[test]
fn a_signature_is_one_header() {
    let (_folder, key) = key();
    let header = String::from_utf8(key.sign(notice_to("a@b.test", 1).bytes()).unwrap()).unwrap();
    assert!(header.starts_with("DKIM-Signature: ") && header.ends_with("\r\n"), "{header:?}");
    let starts_new = |line: &&str| !line.starts_with(['\t', ' ']);
    assert_eq!(header.lines().filter(starts_new).count(), 1);
}
