//! What can be looked at of findings and of rejected lines: everything but passwords.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::harness::{Backend, TestInstance, assert_shows_no_password};

const NAME: &str = "Bookshop 2016";

/// bcrypt of `Grain-Loft6`, as cheap as it can be.
const HASH: &str = "$2b$04$gOjoJckjz9Rl/cH.Th1gFuYqkBvYjBqk7uXyzlQDuEiZsl90Uo3GK";

/// An embedded directory of some accounts, given by id, hash and nothing else.
fn import(instance: &TestInstance, accounts: &[(&str, &str)]) {
    let row = |(id, hash): &(&str, &str)| format!("{id},{id}@example.org,{hash}\n");
    let rows: String = accounts.iter().map(row).collect();
    let file = instance.path("users.csv");
    fs::write(&file, format!("id,email,hash\n{rows}")).unwrap();
    instance.run(&["account", "import", file.to_str().unwrap()]).json();
}

/// One whose leak exposes ann and bob, with one line that is no record.
fn small(backend: Backend) -> TestInstance {
    let instance = TestInstance::embedded(backend);
    import(&instance, &[("ann", HASH), ("bob", HASH), ("carl", HASH)]);
    let leak = instance.path("leak.txt");
    fs::write(&leak, "ann@example.org:Grain-Loft6\nno record\nbob@example.org:Grain-Loft6\n")
        .unwrap();
    instance.add_leak(NAME, &[&leak]).json();
    instance.run(&["leak", "screen", NAME]).json();
    instance.run(&["leak", "verify", NAME]).json();
    instance
}

fn list(instance: &TestInstance, filter: &[&str]) -> Vec<Value> {
    let listed = instance.run(&[&["finding", "list"], filter].concat()).json();
    assert_eq!(listed["schema"], "countersign.findings/1");
    listed["findings"].as_array().unwrap().clone()
}

#[test]
fn a_finding_says_whose_password_stands_where() {
    for backend in Backend::ALL {
        let instance = small(backend);
        let all = list(&instance, &[]);
        let whose: Vec<_> = all.iter().map(|finding| &finding["account"]).collect();
        assert_eq!(whose, ["ann", "bob"]);
        let bobs = list(&instance, &["--leak", NAME, "--account", "bob"]);
        assert_eq!(bobs, all[1..]);
        let number = bobs[0]["finding"].to_string();
        let mut shown = instance.run(&["finding", "show", &number]).json();
        assert_eq!(
            shown.as_object_mut().unwrap().remove("schema").unwrap(),
            "countersign.finding/1"
        );
        assert_eq!(shown, bobs[0]);
        assert_eq!(
            (&shown["leak"], &shown["tier"], &shown["hash_format"], &shown["state"]),
            (&json!(NAME), &json!("exact"), &json!("bcrypt"), &json!("open"))
        );
        let record = &shown["records"][0];
        assert_eq!((&record["line"], &record["offset"]), (&json!(3), &json!(38)));
        assert!(record["file"].as_str().unwrap().ends_with("leak.txt"));
        assert!(list(&instance, &["--account", "carl"]).is_empty());
    }
}

#[test]
fn a_finding_says_whether_the_password_is_still_the_accounts() {
    for backend in Backend::ALL {
        let instance = small(backend);
        let passwords = || {
            let findings = list(&instance, &[]);
            findings.iter().map(|finding| finding["password"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(passwords(), ["unchanged", "unchanged"]);
        import(&instance, &[("ann", &HASH.replace("gOjo", "hOjo")), ("bob", "")]);
        assert_eq!(passwords(), ["hash_changed", "removed"]);
        instance.ask("DELETE FROM account WHERE id = 'ann'");
        assert_eq!(passwords(), ["gone", "removed"]);
    }
}

#[test]
fn what_is_asked_for_and_not_there_is_named() {
    let instance = small(Backend::Sqlite);
    let none = instance.run(&["finding", "show", "99"]);
    assert!(none.failure().contains("there is no finding 99"), "{}", none.failure());
    let none = instance.run(&["finding", "list", "--leak", "Other"]);
    assert!(none.failure().contains("no leak is called `Other`"), "{}", none.failure());
    let none = instance.run(&["leak", "rejects", "Other"]);
    assert!(none.failure().contains("Other"), "{}", none.failure());
}

#[test]
fn a_rejected_line_is_told_by_its_place_and_not_by_its_content() {
    for backend in Backend::ALL {
        let instance = small(backend);
        let run = instance.run(&["leak", "rejects", NAME]);
        let rejects = run.json();
        assert_eq!(rejects["schema"], "countersign.leak_rejects/1");
        let lines = rejects["rejects"].as_array().unwrap();
        assert_eq!(lines.len(), 1, "{rejects:#}");
        assert_eq!((&lines[0]["line"], &lines[0]["offset"]), (&json!(2), &json!(28)));
        assert_eq!((&lines[0]["bytes"], &lines[0]["reason"]), (&json!(9), &json!("no_delimiter")));
        assert!(!run.stdout.contains("no record"));
    }
}

#[test]
fn a_files_name_cannot_repaint_the_screen() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let leak = instance.path("x\u{1b}[2J\ny");
    fs::write(&leak, "no record\n").unwrap();
    instance.add_leak(NAME, &[&leak]).json();
    assert_eq!(instance.run(&["leak", "screen", NAME]).code, 4, "no line is a record");
    // Without --json, which escapes anyway.
    let shown = plain(&instance.command(&["leak", "rejects", NAME]));
    assert!(shown.contains(r"x\u{1b}[2J\ny:1  9"), "{shown:?}");
}

/// What the same command prints for people.
fn plain(command: &Command) -> String {
    let mut again = Command::new(command.get_program());
    again.args(command.get_args().filter(|argument| *argument != "--json"));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => again.env(name, value),
            None => again.env_remove(name),
        };
    }
    let output = again.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn no_password_is_shown() {
    let (instance, site) = (TestInstance::of_site(Backend::Sqlite), Backend::Sqlite.site());
    instance.add_leak(NAME, &[&site.leaks_folder]).json();
    instance.run(&["leak", "screen", NAME]).json();
    instance.run(&["leak", "verify", NAME]).json();
    for command in [&["finding", "list"][..], &["leak", "rejects", NAME]] {
        let shown = instance.run(command);
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        assert_shows_no_password(&command.join(" "), shown.stdout.as_bytes(), site);
    }
    let findings = list(&instance, &[]);
    assert_eq!(findings.len(), site.truth.exposed.len());
}
