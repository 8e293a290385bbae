//! What one stored hash is: asked for and answered on a terminal.

use std::process::Command;

use tempfile::TempDir;
use testkit::{TerminalRun, terminal};

use crate::harness::{program_for_people, run};

/// Of `Grün&Blau-7`, made over its SHA-256.
const DIGESTED: &str = "$2b$10$FxDtpTNaL303lLcWtd6LFO2U6Gc63VJ07qycHcfqbQQ71GhO/qSzu";

/// On a site whose hashes have these forms.
fn with_forms(folder: &TempDir, forms: &str, arguments: &[&str]) -> Command {
    let config = folder.path().join("countersign.toml");
    std::fs::write(&config, format!("[directory.hash]\nforms = '{forms}'\n")).unwrap();
    let mut command = program_for_people();
    command.arg("--config").arg(config).args(arguments);
    command
}

fn judged(hash: &str, password: &str) -> TerminalRun {
    let folder = tempfile::tempdir().unwrap();
    let asked = terminal(with_forms(&folder, "", &["verify", "hash"]));
    let asked = asked.answer_hidden("Stored hash", hash).answer_hidden("Password", password);
    asked.run()
}

#[test]
fn a_hash_and_its_password_are_judged_and_never_shown() {
    let werkzeug = "md5$Em69jtXv$9435b74e23fa57a37563d513e012afcd";
    let right = judged(werkzeug, "Grün&Blau-7");
    assert_eq!(right.code, 0, "{}", right.output);
    assert!(right.output.contains("werkzeug") && right.output.contains("match"));
    assert!(!right.output.contains("9435b74e") && !right.output.contains("Blau"));
    let wrong = judged(werkzeug, "Grün&Blau-8");
    assert_eq!(wrong.code, 3, "{}", wrong.output);
    assert!(wrong.output.contains("no match"), "{}", wrong.output);
}

/// Nobody can tell what it is, so that no match proves nothing.
#[test]
fn what_could_be_anything_is_not_verified() {
    let unknown = judged("5f4dcc3b5aa765d61d8327deb882cf99", "something else");
    assert_eq!(unknown.code, 4, "{}", unknown.output);
    assert!(unknown.output.contains("unknown_format"), "{}", unknown.output);
    let proven = judged("5f4dcc3b5aa765d61d8327deb882cf99", "password");
    assert_eq!(proven.code, 0, "{}", proven.output);
}

#[test]
fn each_step_of_a_form_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let explained = terminal(with_forms(&folder, "meteor", &["verify", "explain"]));
    let explained = explained.answer_hidden("Stored hash", DIGESTED).run();
    assert_eq!(explained.code, 0, "{}", explained.output);
    for shown in ["meteor", "sha256", "hex", "<hash> := sha256|hex|bcrypt"] {
        assert!(explained.output.contains(shown), "{shown}: {}", explained.output);
    }
    assert!(!explained.output.contains("FxDtpTNaL303"), "{}", explained.output);
}

#[test]
fn every_form_is_listed() {
    let listed = run(["verify", "forms"]).json();
    let listed = listed["forms"].as_array().unwrap();
    assert!(listed.len() > 200, "{}", listed.len());
    let is_listed = |name: &str| listed.iter().any(|form| form["name"] == *name);
    assert!(is_listed("wordpress") && is_listed("meteor") && is_listed("md5"));
}

#[test]
fn a_form_that_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let forms = "ours: <hash> := sha257|bcrypt";
    let checked = with_forms(&folder, forms, &["verify", "hash"]).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(!checked.status.success());
    assert!(said.contains("directory.hash.forms") && said.contains("`sha257`"), "{said}");
}
