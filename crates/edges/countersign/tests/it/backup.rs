//! Backups: taken while the program works, restored into either database, and never a reason to tell
//! anybody twice.

use std::{fs, process::Command};

use authority::SignedArming;
use model::Document as _;
use serde_json::Value;
use testkit::TestDatabase;

use crate::{
    harness::{Backend, Run, TestInstance, program_for_people, run_with_input, without_settings},
    office::{Office, wait_until},
    restored::{QUICK, finish, unrecorded},
    two_hosts::assert_refused,
    witness::Witness,
};

const STORE: &str = "COUNTERSIGN_STORE_URL";

/// Where a store is restored.
struct Elsewhere {
    url: String,
    _database: Option<TestDatabase>,
}

impl Elsewhere {
    fn on(backend: Backend, name: &str) -> Self {
        let database = backend.store();
        let url = database.as_ref().map(|database| database.url.clone());
        Self { url: url.unwrap_or_else(|| format!("sqlite:{name}.sqlite3")), _database: database }
    }
}

/// A campaign of which a backup was taken in the middle, and which has told everybody since.
struct WentOn {
    office: Office,
    file: String,
    backed_up: Value,
}

impl WentOn {
    fn on(backend: Backend) -> Self {
        let office = Office::open(backend);
        office.smtp.behave("*", "slow");
        office.start(QUICK);
        let work = office.start_work();
        wait_until(|| office.mails().len() > 2);
        let file = office.path("site.backup");
        let backed_up = office.run(&["backup", &file]).json();
        office.smtp.behave("*", "accept");
        assert_eq!(work.wait().code, 0);
        assert_eq!(office.state(), "done");
        Self { office, file, backed_up }
    }

    fn restore(&mut self, to: &Elsewhere) -> Value {
        let checked = self.office.run(&["restore", "--check", &self.file]).json();
        assert_eq!(checked["checkpoint"], self.backed_up["checkpoint"]);
        self.office.instance.set(STORE, &to.url);
        let restored = self.office.run(&["restore", &self.file]).json();
        for same in ["tables", "root", "log", "instance", "key", "checkpoint"] {
            assert_eq!(restored[same], self.backed_up[same], "{same}");
        }
        restored
    }
}

fn signed_text(office: &Office) -> String {
    let armed = SignedArming::parse(&fs::read(office.path("armed.json")).unwrap());
    armed.unwrap().document().signing_text()
}

/// Everybody was told before; the restored store knows it of some alone.
fn nobody_is_told_twice(from: Backend, to: Backend) {
    let mut went_on = WentOn::on(from);
    let (told, locked_out) = (went_on.office.told_once(), went_on.office.locked_out());
    let elsewhere = Elsewhere::on(to, "restored");
    went_on.restore(&elsewhere);
    let office = &went_on.office;
    assert_refused(&office.try_to_work(), "the store was restored from the backup of");
    let status = office.run(&["sending", "status"]);
    assert_refused(&status, "");
    assert!(status.stdout.contains("countersign sending propose"), "{}", status.stdout);
    office.arm();
    assert!(signed_text(office).contains("WARNING: the log does not go on"));
    finish(office);
    assert_eq!(office.told_once(), told, "a mail was sent");
    let report = office.report();
    let recorded = report["sealed"].as_u64().unwrap();
    let unrecorded = unrecorded(office);
    assert_eq!(recorded + unrecorded.len() as u64, locked_out.len() as u64, "{report:#}");
    assert!(!office.logged("store_restored").is_empty());
    office.run(&["log", "verify"]).json();

    // The host sends from the store that was armed last, and from no other.
    went_on.office.instance.unset(STORE);
    assert_refused(&went_on.office.run(&["sending", "status"]), "");
    assert!(!went_on.office.logged("backup_made").is_empty());
}

#[test]
fn a_store_in_a_file_goes_on_on_a_server() {
    nobody_is_told_twice(Backend::Sqlite, Backend::Postgres);
}

#[test]
fn a_store_on_a_server_goes_on_in_a_file() {
    nobody_is_told_twice(Backend::Postgres, Backend::Sqlite);
}

#[test]
fn a_witness_of_the_old_store_signs_for_no_restored_one() {
    let office = Office::open(Backend::Sqlite);
    let witness = Witness::of(&office.instance);
    let policy = office.write("witnesses", witness.policy().as_bytes());
    office.arm_with(&["--witnesses", &policy]);
    let file = office.path("site.backup");
    office.run(&["backup", &file]).json();
    office.start("");
    office.work();
    let told = office.told_once();
    let mut office = office;
    office.instance.set(STORE, "sqlite:restored.sqlite3");
    office.run(&["restore", &file]).json();
    let arming = office.path("arming.json");
    let _ = fs::remove_file(&arming);
    let propose = ["sending", "propose", "--output", &arming, "--witnesses", &policy];
    assert_refused(&office.run(&propose), "the witness has seen");
    // Without it, operators read that mails may have been sent.
    office.arm();
    assert!(signed_text(&office).contains("WARNING: the log does not go on"));
    assert_eq!(office.told_once(), told);
}

/// An instance with accounts, a leak that came on standard input, and a backup.
struct Kept {
    instance: TestInstance,
    file: String,
}

impl Kept {
    fn on(backend: Backend) -> Self {
        let instance = TestInstance::embedded(backend);
        let accounts = instance.path("accounts.csv");
        let head = "id,email,hash".to_owned();
        let rows = (0..3000).map(|n| format!("{n},{n}@example.org,{HASH}"));
        let rows: Vec<_> = [head].into_iter().chain(rows).collect();
        fs::write(&accounts, rows.join("\n")).unwrap();
        instance.run(&["account", "import", accounts.to_str().unwrap()]).json();
        let add =
            ["leak", "add", "--name", "Old", "--date", "2016", "--provenance", "unknown", "-"];
        run_with_input(instance.command(&add), b"1@example.org:secret\n").json();
        let zeros = "(SELECT key_check FROM instance)";
        instance.ask(&format!(
            "INSERT INTO mail_request (kind, asked_at, source, wrapped_key, asked)
                SELECT 'reset_link', 1, {zeros}, {zeros}, {zeros}"
        ));
        let file = instance.path("site.backup").to_str().unwrap().to_owned();
        Self { instance, file }
    }

    fn backed_up(backend: Backend) -> Self {
        let kept = Self::on(backend);
        let made = kept.instance.run(&["backup", &kept.file]).json();
        assert_eq!(
            (&made["tables"]["account"], &made["requests_left_out"]),
            (&3000.into(), &1.into())
        );
        kept
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.instance.run(arguments)
    }

    /// A run that dies at a moment, or is dead before that.
    fn dies(&self, moment: &str, arguments: &[&str]) {
        let mut command = self.instance.command(arguments);
        let died: Run = command.env("FAILPOINT", moment).output().unwrap().into();
        assert_eq!(died.code, -1, "{moment}: {}", died.stderr);
    }
}

/// One that nobody computes here.
const HASH: &str = "$2b$04$gOjoGLSBUOAEoZnSqS.1PuqaRk7vMfDQEU2jtsY2QLUcyiv0/2SHW";

#[test]
fn what_is_killed_in_the_middle_leaves_nothing_and_can_be_begun_again() {
    for (from, to) in [(Backend::Sqlite, Backend::Postgres), (Backend::Postgres, Backend::Sqlite)] {
        let mut kept = Kept::on(from);
        for moment in ["backup_table:7", "backup_written"] {
            kept.dies(moment, &["backup", &kept.file]);
            assert!(!fs::exists(&kept.file).unwrap(), "{moment}");
        }
        kept.run(&["backup", &kept.file]).json();
        assert!(!fs::exists(format!("{}.new", kept.file)).unwrap());

        let elsewhere = Elsewhere::on(to, "restored");
        kept.instance.set(STORE, &elsewhere.url);
        for moment in ["restore_table:1", "restore_table:9", "restore_loaded"] {
            kept.dies(moment, &["restore", &kept.file]);
            let opened = kept.run(&["log", "verify"]);
            assert!(opened.failure().contains("the store"), "{moment}: {}", opened.stderr);
        }
        kept.run(&["restore", &kept.file]).json();
        kept.run(&["log", "verify"]).json();
    }
}

#[test]
fn nothing_is_overwritten_and_nothing_else_is_restored() {
    let mut kept = Kept::backed_up(Backend::Sqlite);
    let exists = kept.run(&["backup", &kept.file]);
    assert!(exists.failure().contains("is there already"), "{}", exists.stderr);
    let holds = kept.run(&["restore", &kept.file]);
    assert_refused(&holds, "a backup is restored into an empty database alone");
    let config = kept.instance.path("countersign.toml");
    let other = kept.run(&["restore", config.to_str().unwrap()]);
    assert!(other.failure().ends_with("is no backup of Countersign"), "{}", other.stderr);

    let whole = fs::read(&kept.file).unwrap();
    kept.instance.set(STORE, "sqlite:restored.sqlite3");
    for (change, named) in [(0, "is damaged"), (1, "is cut off in frame 0")] {
        let mut bytes = whole.clone();
        if change == 0 {
            let at = bytes.len() - 9;
            bytes[at] ^= 1;
        } else {
            bytes.truncate(bytes.len() - 9);
        }
        fs::write(&kept.file, bytes).unwrap();
        for arguments in [&["restore", "--check", &kept.file][..], &["restore", &kept.file]] {
            let damaged = kept.run(arguments);
            assert!(damaged.failure().contains(named), "{}", damaged.stderr);
            assert!(damaged.stderr.contains("frame 0"), "{}", damaged.stderr);
        }
    }
    fs::write(&kept.file, &whole).unwrap();
    kept.instance.set("COUNTERSIGN_INSTANCE_KEY", &"5a".repeat(32));
    assert_refused(&kept.run(&["restore", &kept.file]), "was made with the instance key");
    kept.instance.unset("COUNTERSIGN_INSTANCE_KEY");
    kept.run(&["restore", &kept.file]).json();
}

#[test]
fn what_no_backup_holds_is_said() {
    let mut kept = Kept::backed_up(Backend::Sqlite);
    let shown = kept.instance.shown(&["restore", "--check", &kept.file]);
    assert!(shown.contains("1 requests for mails that nobody had looked at"), "{shown}");
    let doctor = kept.instance.shown(&["doctor", "--skip-relay-check"]);
    assert!(doctor.contains("last made at"), "{doctor}");

    kept.instance.set(STORE, "sqlite:restored.sqlite3");
    fs::remove_dir_all(kept.instance.path("spool")).unwrap();
    let restored = kept.run(&["restore", &kept.file]).json();
    assert_eq!(restored["missing_inputs"][0]["leak"], "Old", "{restored:#}");
    let screened = kept.run(&["leak", "screen", "Old"]);
    assert!(screened.failure().contains("No backup holds it"), "{}", screened.stderr);
    let log = kept.run(&["log", "show"]).stdout;
    assert!(log.contains(r#""requests_dropped":1"#), "{log}");
}

#[test]
fn a_disk_that_is_full_is_said_and_leaves_nothing() {
    let kept = Kept::on(Backend::Sqlite);
    let program = program_for_people().get_program().to_owned();
    let config = kept.instance.path("countersign.toml");
    let limited = without_settings(&mut Command::new("bash"))
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" --config \"$1\" backup \"$2\""])
        .arg(program)
        .arg(config)
        .arg(&kept.file)
        .output();
    let full: Run = limited.unwrap().into();
    assert!(
        full.failure().contains("site.backup cannot be written: File too large"),
        "{}",
        full.stderr
    );
    assert!(!fs::exists(&kept.file).unwrap());
    assert!(!fs::exists(format!("{}.new", kept.file)).unwrap());
    kept.run(&["backup", &kept.file]).json();
}
