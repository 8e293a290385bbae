//! The whole job on an invented site, by one command.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command, Stdio},
};

use serde_json::Value;
use testkit::browser::{Tour, browse};

use crate::{
    harness::{Run, program},
    office::wait_until,
    pages::{Pictures, assert_is_clean, assert_pictures_are_small, ways},
    serve::send,
};

/// The program, beside whatever somebody has set for a site of their own.
fn demo(arguments: &[&str]) -> Command {
    let mut command = program([&["demo"][..], arguments].concat());
    let of_a_site = ["STORE_URL", "INSTANCE_KEY", "DIRECTORY_URL", "MAIL_TRANSPORT"];
    for name in of_a_site {
        command.env(format!("COUNTERSIGN_{name}"), "postgres://nobody@localhost:1/nothing");
    }
    command
}

fn once(arguments: &[&str]) -> Value {
    let run: Run = demo(&[&["--once"], arguments].concat()).output().unwrap().into();
    run.json()
}

#[test]
fn what_is_found_is_the_truth_whatever_the_site() {
    for (accounts, seed) in [("120", "7"), ("300", "8")] {
        let outcome = once(&["--accounts", accounts, "--seed", seed]);
        let count = |name: &str| outcome[name].as_u64().unwrap();
        assert_eq!(outcome["schema"], "countersign.demo/1");
        assert_eq!(count("accounts").to_string(), accounts);
        assert!(count("records") > count("accounts"), "{outcome:#}");
        assert!(count("findings_found") > 10, "{outcome:#}");
        assert_eq!(count("findings_found"), count("findings_expected"));
        assert_eq!((count("false_findings"), count("missed_findings")), (0, 0));
        assert!(count("sealed") > 5 && count("sealed") <= count("findings_found"), "{outcome:#}");
        assert_eq!(count("notices_sent"), count("mails_in_mailbox"));
        assert_eq!((count("notices_uncertain"), count("notices_refused")), (0, 0));
        assert!(outcome["seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let run: Run = demo(&["--once", "--dir", folder]).output().unwrap().into();
    assert!(run.failure().contains("name a folder that does not exist yet"), "{}", run.stderr);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

/// A demonstration that has come to its pages.
struct Shown {
    process: Child,
    origin: String,
    told: BufReader<ChildStderr>,
}

impl Shown {
    fn start() -> Self {
        let mut command = demo(&["--accounts", "120", "--port", "0"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(process.stderr.take().unwrap());
        let origin = origin(&mut told);
        Self { process, origin, told }
    }

    /// What it answers to a GET. Asking again and again is too much for a browser.
    fn get(&self, path: &str) -> String {
        let address = self.origin.strip_prefix("http://").unwrap();
        send(
            address,
            &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
        )
    }

    /// Ends it as Ctrl-C does.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let mut rest = String::new();
        self.told.read_to_string(&mut rest).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0), "{rest}");
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // It has ended already, unless its test has failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn origin(told: &mut impl std::io::BufRead) -> String {
    let mut lines = told.lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("/rehearsal")).expect("it says what to open");
    let origin = line.split("/rehearsal").next().unwrap().trim().to_owned();
    lines.find(|line| line.contains("Ctrl-C")).expect("it says how it ends");
    origin
}

/// What the demonstration says to open next, as somebody would who reads it.
#[test]
fn everything_that_it_names_can_be_opened() {
    let shown = Shown::start();
    let console = ways().map(|(width, dark, scripts)| {
        let pictures = Pictures::of(width, dark, scripts);
        let tour = Tour::of(&shown.origin).width(width).dark(dark).scripts(scripts);
        let tour = tour.open("/rehearsal").look(None);
        let tour = tour.follow("mailbox").look(None);
        let tour = tour.follow(NOTICE).look(pictures.named("mail").as_deref());
        let tour =
            tour.open("/rehearsal").follow("Autumn").look(pictures.named("report").as_deref());
        tour.open("/notices").look(None)
    });
    let console = browse(&console.collect::<Vec<_>>());
    console.iter().for_each(assert_is_clean);
    let seen = &console[0].seen;
    assert!(seen[3].text.contains("Accounts in the plan"), "{}", seen[3].text);
    assert!(seen[4].text.contains("Harbour Books 2016"), "{}", seen[4].text);
    come_back(&shown, &seen[2].text);
    assert_pictures_are_small();
    shown.stop();
}

/// What the subject of a notice holds, and that of a mail with a link.
const NOTICE: &str = "needs a new password";
const LINK: &str = "link to a new";

/// Its recipient checks a notice, asks for a link, and chooses a password.
fn come_back(shown: &Shown, notice: &str) {
    let code = notice.lines().find(|line| line.len() == 19 && line.matches('-').count() == 3);
    let address = notice.split_whitespace().find(|word| is_recipient(word)).unwrap();
    let tour = Tour::of(&shown.origin).open("/check").fill("Notice code", code.unwrap().trim());
    let tour = tour.fill("E-mail address", address).press("Check this notice").look(None);
    let tour = tour.open("/forgot").fill("E-mail address or username", address);
    let asked = browse(&[tour.press("Send me a link").look(None)]);
    asked.iter().for_each(assert_is_clean);
    assert!(asked[0].seen[0].title.starts_with("This notice is from us"));

    // In a query a bare plus is a space, and some of the invented people have one.
    let mailbox = format!("/rehearsal/mail?to={}", address.replace('+', "%2B"));
    wait_until(|| shown.get(&mailbox).contains(LINK));
    let tour = Tour::of(&shown.origin).open(&mailbox).follow(LINK).look(None);
    let tour = tour.follow("/reset/").look(None);
    let tour = tour.fill("New password", "short").fill("The same once more", "short");
    let tour = tour.press("Set the new password").look(None);
    let password = "seven plums on a rainy roof";
    let tour = tour.fill("New password", password).fill("The same once more", password);
    let chosen = browse(&[tour.press("Set the new password").look(None)]);
    chosen.iter().for_each(assert_is_clean);
    let titles: Vec<_> = chosen[0].seen[1..].iter().map(|seen| seen.title.clone()).collect();
    let expected = ["Choose a new password", "Please try once more", "Your password is changed"];
    assert_eq!(titles, expected.map(|title| format!("{title} – Lighthouse")));
}

/// An address, and not that of who writes.
fn is_recipient(word: &str) -> bool {
    word.contains('@') && !word.contains("lighthouse")
}
