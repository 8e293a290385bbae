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
    for shown in ["no match", "verify calibrate", "not fit for passwords"] {
        assert!(wrong.output.contains(shown), "{shown}: {}", wrong.output);
    }
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
fn a_cost_is_held_against_what_is_advised() {
    let judged =
        judged("$2b$04$3b1BROkchhIvlhZQ9NpCP./A3ob380b/ZTQgzipF.fvGtndGiNkJa", "Grün&Blau-7");
    assert_eq!(judged.code, 0, "{}", judged.output);
    for shown in ["bcrypt, cost 4", "weak: OWASP advises a cost of at least 10"] {
        assert!(judged.output.contains(shown), "{shown}: {}", judged.output);
    }
}

/// Whatever a form does to it, and whether it is named or follows from `pepper_file`.
#[test]
fn no_byte_of_the_sites_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pepper.txt"), "GEHEIMPEPPER1\n").unwrap();
    let forms = [
        "",
        "flask_security",
        "x: <hash> := concat(_,(key|hex))|first(72)|bcrypt",
        "x: <hash> := concat(_,(key|base64|hex))|bcrypt",
        "x: <hash> := concat(_,(key|first(8)))|bcrypt",
        "x: <hash> := widen|concat(_,(key|widen))|bcrypt",
    ];
    let coded = ["GEHEIM", "47454845", "474548454", "R0VIRUlN", "523056494556", "G\0E\0H"];
    for form in forms {
        let config = folder.path().join("countersign.toml");
        let text = format!("[directory.hash]\npepper_file = 'pepper.txt'\nforms = '{form}'\n");
        std::fs::write(&config, text).unwrap();
        let mut command = program_for_people();
        command.arg("--config").arg(config).args(["verify", "explain"]);
        let explained = terminal(command).answer_hidden("Stored hash", DIGESTED).run();
        assert_eq!(explained.code, 0, "{form}: {}", explained.output);
        assert!(explained.output.contains("[key]: it stands for"), "{}", explained.output);
        for secret in coded {
            assert!(!explained.output.contains(secret), "{form}: {}", explained.output);
        }
    }
}

#[test]
fn a_hash_of_an_older_pepper_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("new.txt"), "new\n").unwrap();
    std::fs::write(folder.path().join("old.txt"), "old\n").unwrap();
    // SHA-256 of the password and `old`, by Python's hashlib.
    let hash = "628f70a078a65f8ba172956a03e64cedb5295467bb730807861c068115013dcd";
    let forms = "mine: <hash:hex:32> := concat(_,key)|sha256'\npepper_file = \"new.txt\"\n\
         older_pepper_files = 'old.txt";
    for (password, code) in [("Grün&Blau-7", 0), ("another", 3)] {
        let judged = terminal(with_forms(&folder, forms, &["verify", "hash"]));
        let judged = judged.answer_hidden("Stored hash", hash);
        let judged = judged.answer_hidden("Password", password).run();
        assert_eq!(judged.code, code, "{}", judged.output);
    }
    let alone = "mine: <hash:hex:32> := sha256'\nolder_pepper_files = 'old.txt";
    let refused = terminal(with_forms(&folder, alone, &["verify", "hash"])).run();
    assert!(refused.output.contains("set `directory.hash.pepper_file`"), "{}", refused.output);
}

/// What stands beside a hash belongs to it.
#[test]
fn columns_beside_a_hash_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let forms = "ours: <hash:hex:32> := concat(salt,_)|sha256'\ncolumns = { salt = \"grain\" }\n\
         [directory]\npreset = \"generic\"\n# '";
    let hash = "6620e50679627d53da061b6439bd640704df856a42f7537dd8462e2a54c51ecd";
    for (salt, password, code) in
        [("na", "Grün&Blau-7", 0), ("na", "another", 3), ("", "Grün&Blau-7", 4)]
    {
        let judged = terminal(with_forms(&folder, forms, &["verify", "hash"]));
        let judged = judged.answer_hidden("Stored hash", hash).answer("`grain`", salt);
        let judged = judged.answer_hidden("Password", password).run();
        assert_eq!(judged.code, code, "{}", judged.output);
    }
    let explained = terminal(with_forms(&folder, forms, &["verify", "explain"]));
    let explained = explained.answer_hidden("Stored hash", hash).answer("`grain`", "na").run();
    assert!(explained.output.contains("naGrün&Blau"), "{}", explained.output);
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
