//! Copies, restored backups and strangers' hosts: none of them may send.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use serde_json::Value;

use crate::{
    harness::{Backend, Run},
    office::{Office, ids, wait_until},
};

const STORE: &str = "countersign.sqlite3";

#[track_caller]
fn assert_no_worker(run: &Run, reason: &str) {
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(reason), "{}", run.stderr);
}

/// Copies the whole SQLite store, with what is not yet in its main file.
fn copy_store(from: &Path, to: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let with = |path: &Path| format!("{}{ending}", path.display());
        if Path::new(&with(from)).exists() {
            fs::copy(with(from), with(to)).unwrap();
        }
    }
}

#[test]
fn a_host_that_was_never_armed_sends_nothing() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        let (file, aside) = (office.path("sending.json"), office.path("aside"));
        fs::rename(&file, &aside).unwrap();
        assert_no_worker(&office.try_to_work(), "this host is not armed");
        let stranger = Office::open(backend);
        fs::copy(&aside, &file).unwrap();
        assert_no_worker(&office.try_to_work(), "is a copy");
        fs::rename(stranger.path("sending.json"), &file).unwrap();
        assert_no_worker(&office.try_to_work(), "is of instance");
        let theirs = stranger.arming();
        let taken = office.run(&["sending", "arm", &theirs]);
        assert_no_worker(&taken, "the arming is of instance");
        assert!(office.mails().is_empty() && office.locked_out().is_empty());

        fs::rename(&aside, &file).unwrap();
        office.work();
        office.assert_settled(&ids(&office.exposed()));
    }
}

#[test]
fn a_rehearsal_writes_only_to_what_says_that_it_is_for_rehearsals() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        change_site(&office, "DROP TABLE countersign_rehearsal");
        assert_writes_nothing(&office, "does not say that it is for rehearsals");
        assert!(office.mails().is_empty() && office.locked_out().is_empty());
        change_site(&office, "CREATE TABLE countersign_rehearsal (why TEXT)");
        office.work();
    }
}

#[test]
fn a_rehearsal_writes_to_no_view() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        change_site(&office, "ALTER TABLE auth_user RENAME TO people");
        change_site(&office, "CREATE VIEW auth_user AS SELECT * FROM people");
        assert_writes_nothing(&office, "`directory.table` names, or leads to, a view");
        assert!(office.mails().is_empty());
        change_site(&office, "DROP VIEW auth_user");
        change_site(&office, "ALTER TABLE people RENAME TO auth_user");
        assert!(office.locked_out().is_empty());
        office.work();
    }
}

#[track_caller]
fn assert_writes_nothing(office: &Office, words: &str) {
    for command in [&["worker", "--until-done"][..], &["reconcile"]] {
        let refused = office.run(command);
        assert_eq!(refused.code, 3, "{}", refused.stderr);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let doctor = office.run(&["doctor"]).stdout;
    assert!(doctor.contains(words), "{doctor}");
}

fn change_site(office: &Office, statement: &str) {
    let code = "from django.db import connection\nconnection.cursor().execute(arguments[0])";
    let _ = office.site.django(code, &[statement]);
}

#[test]
fn a_rehearsal_ends_when_what_it_writes_to_says_so_no_more() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.smtp.behave("*", "slow");
        // Sealing waits for slow mails, so that somebody is left when the table goes.
        office.start("canary_addresses = 500\nsealed_untold_max = 4");
        let work = office.start_work();
        wait_until(|| office.smtp.connections() > 0);
        change_site(&office, "DROP TABLE countersign_rehearsal");
        let sealed = office.locked_out();
        office.smtp.behave("*", "accept");
        let work = work.wait();
        assert_eq!(work.code, 3, "{}", work.stderr);
        let words = "does not say that it is for rehearsals";
        assert!(work.stderr.contains(words), "{}", work.stderr);
        let more = office.locked_out().len() - sealed.len();
        assert!(more <= 4, "{more} were sealed by those who had passed before");
        change_site(&office, "CREATE TABLE countersign_rehearsal (why TEXT)");
    }
}

#[test]
fn a_worker_that_is_disarmed_meanwhile_ends() {
    let office = Office::open(Backend::Sqlite);
    office.smtp.behave("*", "slow");
    office.start("canary_addresses = 500");
    let work = office.start_work();
    wait_until(|| office.smtp.connections() > 0);
    fs::rename(office.path("sending.json"), office.path("aside")).unwrap();
    assert_no_worker(&work.wait(), "this host is not armed");
}

#[test]
fn a_proposal_changes_nothing_until_it_is_signed_and_taken() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    let file = office.path("sending.json");
    let before = fs::read(&file).unwrap();
    let armed = office.arming();
    assert_eq!(fs::read(&file).unwrap(), before);
    office.work();
    office.assert_settled(&ids(&office.exposed()));
    let mark = |file: &str| {
        serde_json::from_slice::<Value>(&fs::read(file).unwrap()).unwrap()["mark"].take()
    };
    let seen = mark(&file);
    assert!(mark(&format!("{file}.proposed"))["size"].as_u64() < seen["size"].as_u64());
    assert_eq!(office.run(&["sending", "arm", &armed]).json()["proposed_here"], true);
    let still_seen = mark(&file)["size"].as_u64();
    assert!(still_seen > seen["size"].as_u64(), "what this host has seen stays seen, and more");
    assert_eq!(office.run(&["sending", "status"]).json()["armed"], true);
}

#[test]
fn another_host_adopts_what_was_proposed() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    let armed = office.arming();
    let (file, elsewhere) = (office.path("sending.json"), office.path("elsewhere"));
    fs::rename(format!("{file}.proposed"), &elsewhere).unwrap();
    assert_eq!(office.run(&["sending", "arm", &armed]).json()["proposed_here"], false);
    assert_no_worker(&office.try_to_work(), "sending was armed for a secret");
    fs::rename(&elsewhere, format!("{file}.proposed")).unwrap();
    office.run(&["sending", "adopt"]).json();
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn a_copied_file_sends_nothing() {
    let mut office = Office::open(Backend::Sqlite);
    office.start("");
    let copy = office.instance.path("copy.sqlite3");
    copy_store(&office.instance.path(STORE), &copy);
    office.instance.set("COUNTERSIGN_STORE_URL", &format!("sqlite:{}", copy.display()));
    assert_no_worker(&office.try_to_work(), "it was copied or moved");
    assert!(office.mails().is_empty() && office.locked_out().is_empty());
}

#[test]
fn a_copied_database_sends_nothing() {
    let mut office = Office::open(Backend::Postgres);
    office.start("");
    let copy = office.instance.store().unwrap().copy();
    office.instance.set("COUNTERSIGN_STORE_URL", &copy.url);
    assert_no_worker(&office.try_to_work(), "it was copied or moved");
    assert!(office.mails().is_empty() && office.locked_out().is_empty());
}

/// Puts back what a file held: the file stays the same one, only older.
fn restore(store: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).truncate(true).open(store).unwrap();
    file.write_all(bytes).unwrap();
    for ending in ["-wal", "-shm"] {
        // There is none after an orderly end.
        let _ = fs::remove_file(format!("{}{ending}", store.display()));
    }
}

#[test]
fn a_restored_backup_sends_nothing_again() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    let store = office.instance.path(STORE);
    office.instance.ask("PRAGMA wal_checkpoint(TRUNCATE)");
    let before = fs::read(&store).unwrap();
    office.work();
    let told = office.told_once();
    assert!(!told.is_empty());

    restore(&store, &before);
    assert_eq!(office.state(), "canary", "the backup knows nothing of the mails");
    assert_no_worker(&office.try_to_work(), "the store is a restored backup");
    assert_eq!(office.told_once(), told);
    // Used since, the log is as long as it was, and yet another one.
    for _ in 0..40 {
        office.run(&["campaign", "halt", "--all"]).json();
    }
    assert_no_worker(&office.try_to_work(), "the store is");
    assert_eq!(office.told_once(), told);
}
