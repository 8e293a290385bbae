use std::fs;

use serde_json::{Value, json};

use crate::harness::{
    Backend, Run, TestInstance, assert_counts_are_true, assert_list_is_true,
    assert_shows_no_password, run_with_input,
};

const NAME: &str = "Bookshop 2016";

/// Registers, screens and verifies the leaks of the backend's site.
fn find(instance: &TestInstance, backend: Backend) -> Value {
    let added = instance.add_leak(NAME, &[&backend.site().leaks_folder]).json();
    assert_eq!(added["state"], "added");
    let screened = instance.run(&["leak", "screen", NAME]).json();
    assert_eq!(screened["state"], "screened");
    assert_eq!(screened["hits"], backend.site().truth.total.hits);
    instance.run(&["leak", "verify", NAME]).json()
}

/// The events of the audit log that have this name.
fn logged(instance: &TestInstance, event: &str) -> Vec<Value> {
    let shown = instance.run(&["log", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let entries = shown.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter(|entry| entry["event"] == event).collect()
}

#[test]
fn the_stored_way_gives_exactly_the_truth() {
    for backend in Backend::ALL {
        let (instance, site) = (TestInstance::of_site(backend), backend.site());
        let report = find(&instance, backend);
        assert_eq!(report["state"], "verified");
        assert_counts_are_true(&report, site);
        assert_list_is_true(&instance.list(NAME), site);
        assert_eq!(report["candidates_left"], 0);
        assert_eq!(logged(&instance, "finding_made").len(), site.truth.exposed.len());
        instance.run(&["log", "verify"]).json();
    }
}

#[test]
fn the_embedded_directory_gives_exactly_the_truth() {
    for backend in Backend::ALL {
        let (instance, site) = (TestInstance::embedded(backend), backend.site());
        let export = site.users_csv.to_str().unwrap();
        let imported = instance.run(&["account", "import", export]).json();
        assert_eq!(imported["accounts"], site.truth.accounts);
        assert_counts_are_true(&find(&instance, backend), site);
        assert_list_is_true(&instance.list(NAME), site);
    }
}

#[test]
fn no_password_rests_in_the_clear() {
    let (instance, site) = (TestInstance::of_site(Backend::Sqlite), Backend::Sqlite.site());
    instance.add_leak(NAME, &[&site.leaks_folder]).json();
    instance.run(&["leak", "screen", NAME]).json();
    let check = |when: &str| {
        for file in ["countersign.sqlite3", "countersign.sqlite3-wal"] {
            let bytes = fs::read(instance.path(file)).unwrap_or_default();
            assert_shows_no_password(&format!("{file} {when}"), &bytes, site);
        }
    };
    check("after screening");
    instance.run(&["leak", "verify", NAME]).json();
    check("after verification");
    let left = "SELECT (SELECT COUNT(*) FROM candidate), (SELECT COUNT(spool_key) FROM leak)";
    assert_eq!(instance.ask(left), "[(0, 0)]", "what did not match is destroyed");
    let log = instance.run(&["log", "show"]).stdout;
    assert_shows_no_password("the log", log.as_bytes(), site);
}

#[test]
fn standard_input_is_kept_encrypted_until_it_is_verified() {
    let site = Backend::Sqlite.site();
    let instance = TestInstance::of_site(Backend::Sqlite);
    let leak = site.leaks.iter().find(|leak| leak.ends_with("forum.txt")).unwrap();
    let add = ["leak", "add", "--name", NAME, "--date", "2016", "--provenance", "unknown", "-"];
    let text = fs::read(leak).unwrap();
    let added = run_with_input(instance.command(&add), &text).json();
    assert_eq!(added["files"][0]["bytes"], text.len());

    let kept = || fs::read_dir(instance.path("spool")).unwrap().map(|entry| entry.unwrap().path());
    let copy = kept().next().unwrap();
    assert_shows_no_password("the copy", &fs::read(copy).unwrap(), site);
    instance.run(&["leak", "screen", NAME]).json();
    let report = instance.run(&["leak", "verify", NAME]).json();
    let matches = site.truth.matches.iter().filter(|known| known.file == "forum.txt").count();
    assert_eq!(report["matches"], matches);
    assert_eq!(kept().count(), 0, "the copy is gone");
}

#[test]
fn doing_a_step_again_changes_nothing() {
    let instance = TestInstance::of_site(Backend::Sqlite);
    let report = find(&instance, Backend::Sqlite);
    let entries = instance.run(&["log", "verify"]).json()["entries"].clone();
    assert_eq!(instance.run(&["leak", "screen", NAME]).json(), report);
    assert_eq!(instance.run(&["leak", "verify", NAME]).json(), report);
    assert_eq!(instance.run(&["log", "verify"]).json()["entries"], entries);
}

#[test]
fn steps_have_an_order_and_names_have_one_leak() {
    let (instance, site) = (TestInstance::of_site(Backend::Sqlite), Backend::Sqlite.site());
    assert!(instance.run(&["leak", "show", "none"]).failure().contains("no leak is called `none`"));
    instance.add_leak(NAME, &[&site.leaks_folder]).json();
    let early = instance.run(&["leak", "verify", NAME]);
    assert!(early.failure().contains("is not screened yet: run `countersign leak screen` first"));
    let taken = instance.add_leak(NAME, &[&site.leaks_folder]);
    assert!(taken.failure().contains("there is a leak called `Bookshop 2016` already"));
    assert_eq!(instance.add_leak("a\u{1b}[2J", &[&site.leaks_folder]).code, 2);
}

#[test]
fn a_file_that_changes_after_it_was_added_is_refused() {
    let instance = TestInstance::of_site(Backend::Sqlite);
    let leak = instance.path("leak.txt");
    fs::write(&leak, "anna@example.org:one\n").unwrap();
    instance.add_leak(NAME, &[&leak]).json();
    fs::write(&leak, "anna@example.org:one\nbert@example.org:two\n").unwrap();
    let refused = instance.run(&["leak", "screen", NAME]);
    assert!(refused.failure().contains("leak.txt has changed since it was added: it had 21 bytes"));
}

#[test]
fn several_workers_share_one_leak() {
    let (instance, site) = (TestInstance::of_site(Backend::Postgres), Backend::Postgres.site());
    let instance = instance.with("COUNTERSIGN_WORKER_PIECE_BYTES", "256");
    instance.add_leak(NAME, &[&site.leaks_folder]).json();
    for step in ["screen", "verify"] {
        let workers: Vec<_> = (0..3).map(|_| instance.start(&["leak", step, NAME])).collect();
        for worker in workers {
            Run::from(worker.wait_with_output().unwrap()).json();
        }
    }
    let report = instance.run(&["leak", "show", NAME]).json();
    assert!(report["pieces_done"].as_u64().unwrap() > 50);
    assert_counts_are_true(&report, site);
    assert_list_is_true(&instance.list(NAME), site);
    instance.run(&["log", "verify"]).json();
}

#[test]
fn strangers_programs_confirm_the_log() {
    let instance = TestInstance::of_site(Backend::Sqlite);
    find(&instance, Backend::Sqlite);
    let shown = instance.run(&["log", "show"]).stdout;
    let report = instance.run(&["log", "verify"]).json();
    let mut log = json!({
        "entries": shown.lines().collect::<Vec<_>>(),
        "checkpoint": report["checkpoint"],
        "verifier": report["verifier"],
    });
    let right =
        json!({"size": report["entries"], "root_is_right": true, "signature_is_right": true});
    assert_eq!(judge(&log), right);
    log["entries"][3] = json!("{}");
    assert_eq!(judge(&log)["root_is_right"], false, "the judge can say no");
}

/// What pymerkle and Python's cryptography say of a log.
fn judge(log: &Value) -> Value {
    run_with_input(testkit::python("log_judge.py"), log.to_string().as_bytes()).json()
}

#[test]
fn a_changed_log_is_found_out() {
    let instance = TestInstance::of_site(Backend::Sqlite);
    let kept = instance.path("kept");
    let latest = instance.run(&["log", "checkpoint"]).json()["checkpoint"].clone();
    fs::write(&kept, latest.as_str().unwrap()).unwrap();
    find(&instance, Backend::Sqlite);
    let against = ["log", "verify", "--against", kept.to_str().unwrap()];
    let report = instance.run(&against).json();
    assert!(report["entries"].as_u64().unwrap() > 100);

    let forged = latest.as_str().unwrap().replace("\n1\n", "\n2\n");
    fs::write(&kept, forged).unwrap();
    let refused = instance.run(&against);
    assert!(refused.code == 3 && refused.stderr.contains("signature does not verify"));

    instance.ask("DROP TRIGGER log_entry_refuses_update");
    instance.ask("UPDATE log_entry SET body = CAST('{}' AS BLOB) WHERE position = 5");
    let found = instance.run(&["log", "verify"]);
    assert_eq!(found.code, 3, "{}", found.stderr);
    let says = "entry 5 of the audit log is not the one that was written";
    assert!(found.stderr.contains(says), "{}", found.stderr);
}
