//! A store that was put back to an earlier state on purpose, and operators who know it and arm it
//! again: nobody is told twice, and everybody is accounted for.

use std::{collections::BTreeSet, fs, path::PathBuf};

use authority::SignedArming;
use model::Document as _;
use serde_json::{Value, json};

use crate::{
    harness::Backend,
    office::{CAMPAIGN, LEAK, Office, ids, wait_until},
    witness::{Witness, backup, put_back},
};

/// Everybody at once, and some of them wait for their mail.
pub(crate) const QUICK: &str = "canary_addresses = 500\nsealed_untold_max = 8";

/// A campaign of which a backup was taken while some were sealed and not told, and which went on.
struct Lost {
    office: Office,
    store: PathBuf,
    backup: Vec<u8>,
}

impl Lost {
    /// The campaign goes on after the backup until so many addresses are told.
    fn after(addresses: usize) -> Self {
        let office = Office::open(Backend::Sqlite);
        office.smtp.behave("*", "slow");
        office.start(QUICK);
        let work = office.start_work();
        wait_until(|| office.mails().len() > 2);
        let bytes = backup(&office.instance);
        wait_until(|| office.mails().len() >= addresses);
        drop(work);
        office.smtp.behave("*", "accept");
        let store = office.instance.path("countersign.sqlite3");
        Self { office, store, backup: bytes }
    }

    fn put_back(&self) {
        put_back(&self.store, &self.backup);
        let refused = self.office.try_to_work();
        assert_eq!(refused.code, 3, "{}", refused.stderr);
        assert!(refused.stderr.contains("the store is a restored backup"), "{}", refused.stderr);
        self.office.arm();
        let armed = SignedArming::parse(&fs::read(self.office.path("armed.json")).unwrap());
        let text = armed.unwrap().document().signing_text();
        assert!(text.contains("each counts as uncertain"), "{text}");
    }
}

/// Settles those whom a campaign had begun with before its store was put back.
pub(crate) fn finish(office: &Office) {
    let halted = office.try_to_work();
    assert!(halted.stderr.contains("the store was put back after campaign"), "{}", halted.stderr);
    let status = office.status();
    assert_eq!(
        (&status["state"], &status["halted_because"]),
        (&json!("halted"), &json!("restored"))
    );
    let again = office.steer("freeze");
    assert_eq!(again.code, 3, "{}", again.stderr);
    assert!(again.stderr.contains(&format!("campaign finish {CAMPAIGN}")), "{}", again.stderr);
    office.run(&["campaign", "finish", CAMPAIGN]).json();
    assert_eq!(office.approve(&["bob", "cleo"]).code, 0);
    assert_eq!(office.steer("resume").code, 0);
    office.work();
    assert_eq!(office.state(), "done");
}

/// Those of whom the store that was put back knows nothing, though their password was taken out of
/// use.
pub(crate) fn unrecorded(office: &Office) -> BTreeSet<String> {
    // A worker that has ended in the middle of a comparison holds it until its lease is over.
    let mut compared = office.run(&["reconcile", "--list"]);
    wait_until(|| {
        let is_held = compared.stderr.contains("another process is comparing");
        if is_held {
            compared = office.run(&["reconcile", "--list"]);
        }
        !is_held
    });
    assert_eq!(compared.code, 4, "{}", compared.stderr);
    let found: Value = serde_json::from_str(&compared.stdout).unwrap();
    let listed = found["list"].as_array().unwrap().iter();
    let account = |line: &Value| line["account"].as_str().unwrap().to_owned();
    listed.inspect(|line| assert_eq!(line["kind"], "unrecorded")).map(account).collect()
}

/// Nobody is told by what follows upon a store that was put back, and everybody whose password was
/// taken out of use is told of by its report, or found in the site's table. Those who are found.
#[track_caller]
pub(crate) fn assert_accounted(office: &Office, told: &BTreeSet<String>) -> BTreeSet<String> {
    assert_eq!(office.told_once(), *told, "a mail was sent");
    let report = office.report();
    let uncertain = report["notices"]["uncertain"].as_u64().unwrap_or_default();
    assert!(uncertain > 0, "nobody was sealed and untold when the backup was taken: {report:#}");
    let (unrecorded, locked_out) = (unrecorded(office), office.locked_out());
    let recorded = report["sealed"].as_u64().unwrap();
    assert_eq!(
        recorded + unrecorded.len() as u64,
        locked_out.len() as u64,
        "{report:#}\n{unrecorded:?}"
    );
    assert!(unrecorded.is_subset(&locked_out));
    assert_eq!(office.state(), "done", "what is explained halts nothing");
    unrecorded
}

#[test]
fn whoever_may_have_been_told_by_what_is_lost_is_not_told_again() {
    let lost = Lost::after(12);
    let office = &lost.office;
    let told = office.told_once();
    let locked_out = office.locked_out();
    lost.put_back();
    finish(office);
    assert_accounted(office, &told);

    // Whoever still has the leaked password is for another campaign.
    let left = &ids(&office.exposed()) - &locked_out;
    office.draft_another("Summer", LEAK, QUICK);
    office.start_another("Summer");
    office.work();
    assert_eq!(office.locked_out(), ids(&office.exposed()));
    let now_told = office.told_once();
    assert!(now_told.is_superset(&told));
    assert!(now_told.is_superset(&office.addresses_of(&left)), "{left:?}");
}

/// A campaign begins, and its worker dies while the relay is slow.
pub(crate) fn seal_more_than_are_told(office: &Office) {
    office.smtp.behave("*", "slow");
    office.start(QUICK);
    let work = office.start_work();
    wait_until(|| office.mails().len() > 2);
    drop(work);
    office.smtp.behave("*", "accept");
}

/// A campaign begins after the backup, and seals more than it tells.
#[test]
fn whoever_was_sealed_since_the_backup_is_never_passed_over() {
    let mut office = Office::open(Backend::Sqlite);
    let file = office.path("site.backup");
    office.run(&["backup", &file]).json();
    seal_more_than_are_told(&office);
    let (told, sealed) = (office.told_once(), office.locked_out());
    assert!(sealed.len() > told.len(), "nobody is sealed and untold");

    office.instance.set("COUNTERSIGN_STORE_URL", "sqlite:restored.sqlite3");
    office.run(&["restore", &file]).json();
    office.arm();
    office.draft_another("Summer", LEAK, QUICK);
    let blind = office.run(&["campaign", "freeze", "Summer"]);
    assert_eq!(blind.code, 3, "{}", blind.stderr);
    assert!(blind.stderr.contains("countersign reconcile --list --tries"), "{}", blind.stderr);
    assert_eq!(unrecorded(&office), sealed);
    office.start_another("Summer");
    assert_eq!(unrecorded(&office), sealed, "a frozen campaign hides them");
    let worked = office.try_to_work();
    assert!([0, 4].contains(&worked.code), "{}", worked.stderr);

    let report = office.run(&["campaign", "report", "Summer"]);
    assert_eq!(report.code, 4, "{}", report.stderr);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["state"], "done", "what is explained halts nothing: {report:#}");
    assert_eq!(report["skipped"]["unrecorded"], sealed.len(), "{report:#}");
    assert_eq!(report["disagreements"], json!({"unrecorded": sealed.len()}));
    assert_eq!(unrecorded(&office), sealed);
    let unsettled = office.run(&["campaign", "unsettled", "Summer"]);
    assert_eq!(unsettled.code, 4, "{}", unsettled.stderr);
    assert!(sealed.iter().all(|id| unsettled.stdout.contains(&format!("\"{id}\""))));
    let others = &office.locked_out() - &sealed;
    let now_told = office.told_once();
    assert_eq!(now_told, &told | &office.addresses_of(&others), "a mail was sent twice, or none");
}

#[test]
fn a_host_that_remembers_nothing_makes_its_operators_sign_so() {
    let lost = Lost::after(8);
    let office = &lost.office;
    let told = office.told_once();
    put_back(&lost.store, &lost.backup);
    fs::remove_file(office.path("sending.json")).unwrap();
    office.arm();
    let armed = SignedArming::parse(&fs::read(office.path("armed.json")).unwrap());
    let text = armed.unwrap().document().signing_text();
    assert!(text.contains("log before: this host has never sent\nWARNING: "), "{text}");
    finish(office);
    assert_eq!(office.told_once(), told);
}

/// A file that was moved looks like one that a backup has put back.
#[test]
fn a_copy_of_the_sending_file_does_not_say_that_nothing_is_lost() {
    let office = Office::open(Backend::Sqlite);
    let (old, new) = (office.path("sending.json"), office.path("moved.json"));
    fs::copy(&old, &new).unwrap();
    fs::rename(&new, &old).unwrap();
    let warned = office.run(&["sending", "propose", "--output", &office.path("one.json")]);
    assert_eq!(warned.json()["log_continues"], false);
    office.arm();
    let known = office.run(&["sending", "propose", "--output", &office.path("two.json")]);
    assert_eq!(known.json()["log_continues"], true);
}

#[test]
fn an_arming_with_witnesses_goes_on_only_if_they_say_so() {
    let office = Office::open(Backend::Sqlite);
    let mut witness = Witness::of(&office.instance);
    let policy = office.write("witnesses", witness.policy().as_bytes());
    office.arm_with(&["--witnesses", &policy]);
    let continues = |file: &str| {
        let proposed = office.run(&["sending", "propose", "--output", &office.path(file)]);
        proposed.json()["log_continues"].as_bool().unwrap()
    };
    assert!(continues("known.json"));
    // The whole host is put back, its file with the store: only the witness can tell.
    let (store, file) = (office.instance.path("countersign.sqlite3"), office.path("sending.json"));
    let before = (backup(&office.instance), fs::read(&file).unwrap());
    office.start("");
    office.work();
    put_back(&store, &before.0);
    fs::write(&file, &before.1).unwrap();
    assert!(!continues("restored.json"));
    witness.kill();
    assert!(!continues("silent.json"));
}
