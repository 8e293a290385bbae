//! The relay is spoken with before anybody's mail depends on it.

use std::{fs, os::unix::fs::symlink};

use serde_json::Value;
use testkit::smtp::SmtpServer;

use crate::{
    harness::{Backend, Run},
    office::{Office, ids},
    people,
};

/// What it does, what it says of that, and the setting to look at.
const UNWILLING: [(&str, &str, &str, &str); 4] = [
    (
        "EHLO",
        "504 5.5.2 <{host}>: need a full name",
        "hello: the relay refused with 504",
        "smtp.ehlo_name",
    ),
    ("MAIL", "550 5.7.1 you may not be that", "mail: the relay refused with 550", "mail.from"),
    ("*", "RCPT 554 5.7.1 Relay access denied", "Relay access denied", "smtp.username"),
    ("*", "RCPT 530 5.7.0 sign in first", "sign in first", "smtp.password_file"),
];

fn freeze_and_sign(office: &Office) {
    office.freeze("canary_addresses = 500");
    assert_eq!(office.approve(&["bob", "cleo"]).json()["state"], "signed");
}

/// Finds out, by command and by doctor, what is wrong.
#[track_caller]
fn assert_found_out(office: &Office, command: &str, words: &str, setting: &str) {
    let refused = office.steer(command);
    assert_refused(&refused, &[words, setting]);
    assert_doctor_minds(office, "mail server", words);
}

#[track_caller]
fn assert_refused(refused: &Run, because: &[&str]) {
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    for expected in because {
        assert!(refused.stderr.contains(expected), "{expected}: {}", refused.stderr);
    }
}

#[track_caller]
fn assert_doctor_minds(office: &Office, thing: &str, words: &str) {
    let doctor = office.run(&["doctor"]);
    assert_eq!(doctor.code, 1, "{}", doctor.stdout);
    let examined: Value = serde_json::from_str(&doctor.stdout).unwrap();
    let checks = examined["checks"].as_array().unwrap().iter();
    let bad: Vec<_> = checks.filter(|check| check["check"] == "bad").collect();
    let minded = |bad: &&Value| bad["detail"].as_str().unwrap().contains(words);
    assert!(bad.iter().any(|bad| bad["what"] == thing && minded(bad)), "{bad:?}");
}

#[test]
fn a_campaign_that_could_tell_nobody_does_not_start() {
    let mut office = Office::open(Backend::Sqlite);
    freeze_and_sign(&office);
    for (whom, behaviour, words, setting) in UNWILLING {
        office.smtp.behave(whom, behaviour);
        assert_found_out(&office, "start", words, setting);
        office.smtp.behave(whom, "");
    }
    office.smtp.stop();
    assert_found_out(&office, "start", "connect: ", "smtp.port");
    assert_eq!(office.state(), "signed");
    assert!(office.locked_out().is_empty());

    office.smtp.restart();
    assert_eq!(office.steer("start").json()["state"], "canary");
    let asked = office.smtp.commands();
    let told_of = asked.iter().filter(|said| said.starts_with("RCPT")).collect::<Vec<_>>();
    assert!(
        told_of.iter().all(|said| said.ends_with(" example") || said.contains("RCPT 5")),
        "{told_of:?}"
    );
    office.work();
    office.assert_settled(&ids(&office.exposed()));
    office.run(&["doctor"]).json();
}

#[test]
fn a_campaign_whose_folder_takes_no_mail_does_not_start() {
    let mut office = Office::open(Backend::Sqlite);
    freeze_and_sign(&office);
    let folder = office.path("letters");
    office.instance.set("COUNTERSIGN_MAIL_TRANSPORT", "maildir");
    office.instance.set("COUNTERSIGN_MAIL_FOLDER", &folder);
    let assert_minded = |words: &str| {
        for words in [words, &folder] {
            assert_refused(&office.steer("start"), &[words, "mail.folder"]);
            assert_doctor_minds(&office, "mail folder", words);
        }
    };
    // Nobody makes anything there, not even root.
    symlink("/proc/none", &folder).unwrap();
    assert_minded("cannot be made");
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    symlink("/proc", format!("{folder}/new")).unwrap();
    assert_minded("has space");
    assert_eq!(office.state(), "signed");
    fs::remove_file(format!("{folder}/new")).unwrap();
    let doctor: Value = serde_json::from_str(&office.run(&["doctor"]).stdout).unwrap();
    assert_eq!(doctor["sound"], true, "{doctor:#}");
    office.steer("start").json();
    office.work();
    let told = fs::read_dir(format!("{folder}/new")).unwrap().count() as u64;
    assert_eq!(office.report()["notices"]["sent"], told);
}

#[test]
fn nobody_greets_as_localhost() {
    let office = Office::open(Backend::Sqlite);
    freeze_and_sign(&office);
    office.smtp.behave("EHLO", "504 5.5.2 you are {host}");
    let refused = office.steer("start").stderr;
    assert!(!refused.contains("localhost"), "{refused}");
    let (_, rest) = refused.split_once("you are ").unwrap();
    let name = rest.split([';', ' ']).next().unwrap();
    assert!(name == "[127.0.0.1]" || name.contains('.'), "{name}");
}

#[test]
fn a_halted_campaign_that_could_tell_nobody_does_not_go_on() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    office.steer("halt").json();
    office.freeze_again();
    office.approve(&["bob", "cleo"]).json();
    office.smtp.behave("MAIL", "550 5.7.1 you may not be that");
    assert_found_out(&office, "resume", "you may not be that", "mail.from");
    assert_eq!(office.state(), "halted");
    office.smtp.behave("MAIL", "");
    office.steer("resume").json();
}

#[test]
fn whom_the_relay_cannot_write_to_is_left_alone_before_sealing() {
    let mut office = Office::open(Backend::Sqlite);
    office.smtp = SmtpServer::start(&["--ascii"]);
    office.instance.set("COUNTERSIGN_SMTP_PORT", &office.smtp.port().to_string());
    let person = office.plain()[0].id.clone();
    people::change_address(&office.site, &person, "j\u{f6}rg@example.org");
    let mut reachable = ids(&office.exposed());
    reachable.remove(&person);
    office.start("canary_addresses = 500");
    office.work();
    assert_eq!(office.locked_out(), reachable);
    let report = office.assert_settled(&reachable);
    assert_eq!(report["skipped"]["unreachable"], 1, "{report:#}");
}
