//! The site's table and what is kept of it, when one of the two is no longer what it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Stdio,
    slice,
};

use serde_json::{Value, json};
use testkit::site::DjangoSite;

use crate::{
    harness::{Backend, Run},
    office::{AtWork, CAMPAIGN, LEAK, Office, leaked, wait_until},
    people,
};

/// All addresses may be taken up at once.
const QUICK: &str = "canary_addresses = 500";

const HASHES: &str = "
from django.contrib.auth.models import User
answer = {str(key): hash for key, hash in User.objects.values_list('pk', 'password')}
";

const WRITE: &str = "
import json
from django.contrib.auth.models import User
for key, hash in json.loads(arguments[0]).items():
    User.objects.filter(pk=key).update(password=hash)
";

type Hashes = BTreeMap<String, String>;

/// What the site's table holds for everybody.
fn hashes(site: &DjangoSite) -> Hashes {
    serde_json::from_value(site.django(HASHES, &[])).unwrap()
}

/// Writes these into the site's table, as whoever restores a copy of it does.
fn write(site: &DjangoSite, hashes: &Hashes) {
    let _ = site.django(WRITE, &[&json!(hashes).to_string()]);
}

/// The rows of `hashes` that these accounts have.
fn of<'a>(ids: impl IntoIterator<Item = &'a String>, hashes: &Hashes) -> Hashes {
    ids.into_iter().map(|id| (id.clone(), hashes[id].clone())).collect()
}

fn compare(office: &Office) -> Run {
    office.run(&["reconcile", "--list"])
}

#[track_caller]
fn found(run: &Run, code: i32) -> Value {
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[track_caller]
fn assert_agrees(office: &Office) {
    let all = found(&compare(office), 0);
    assert_eq!((&all["found"], &all["list"]), (&json!({}), &json!([])), "{all:#}");
    assert!(all["accounts"].as_u64().unwrap() >= 200, "{all:#}");
}

fn listed(found: &Value, kind: &str) -> Vec<String> {
    let list = found["list"].as_array().unwrap().iter().filter(|found| found["kind"] == kind);
    let mut ids: Vec<_> = list.map(|found| found["account"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// A worker dies once it has swapped some hashes; what they are, and what the table held before.
fn die_after_swapping(office: &Office) -> (Hashes, Hashes) {
    let before = hashes(&office.site);
    let mut command = office.instance.command(&["worker", "--until-done"]);
    command.env("FAILPOINT", "hashes_swapped:1").stdout(Stdio::null()).stderr(Stdio::piped());
    assert_eq!(AtWork::of(command.spawn().unwrap()).wait().code, -1);
    let mut swapped = hashes(&office.site);
    swapped.retain(|id, hash| before[id] != *hash);
    assert!(!swapped.is_empty());
    (of(swapped.keys(), &before), swapped)
}

/// Two operators let the campaign tell those whom it has begun with.
fn finish(office: &Office) {
    office.run(&["campaign", "finish", CAMPAIGN]).json();
    office.approve(&["bob", "cleo"]).json();
    office.steer("resume").json();
    office.work();
}

#[test]
fn a_site_that_was_restored_is_found_and_can_be_sealed_again() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let before = hashes(&office.site);
        office.start(QUICK);
        office.work();
        assert_agrees(&office);
        let mut back: Vec<_> =
            office.plain().into_iter().take(2).map(|person| person.id.clone()).collect();
        back.sort();
        write(&office.site, &of(&back, &before));
        let all = found(&compare(&office), 4);
        assert_eq!(listed(&all, "put_back"), back, "{all:#}");
        assert_eq!((&all["found"], &all["repaired"]), (&json!({"put_back": 2}), &json!(2)));
        let status = office.run(&["status"]).json();
        assert_eq!(status["reconciliation"]["result"]["found"], json!({"put_back": 2}));
        let report = office.steer("report");
        assert_eq!(found(&report, 4)["disagreements"], json!({"put_back": 2}));

        assert_agrees(&office);
        let report = office.report();
        assert_eq!((&report["put_back"], &report["disagreements"]), (&json!(2), &json!({})));
        office.draft_another("Again", LEAK, QUICK);
        office.start_another("Again");
        let again = office.run(&["campaign", "status", "Again"]).json();
        assert_eq!(again["plan"]["targets"], 2, "{again:#}");
        office.work();
        let twice = office.addresses_of(&back.iter().cloned().collect());
        for (address, mails) in office.mails() {
            assert_eq!(mails.len(), if twice.contains(&address) { 2 } else { 1 }, "{address}");
        }
        assert!(office.locked_out().is_superset(&back.into_iter().collect()));
        office.run(&["log", "verify"]).json();
    }
}

#[test]
fn a_value_that_was_given_up_and_stands_after_all_is_told() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start(QUICK);
        let (before, swapped) = die_after_swapping(&office);
        write(&office.site, &before);
        office.steer("halt").json();
        let work = AtWork::of(office.instance.start(&["worker"]));
        wait_until(|| office.instance.has_none("swap WHERE state = 'intended'"));
        assert_eq!(work.stop().code, 0);
        assert_agrees(&office);

        write(&office.site, &swapped);
        let all = found(&compare(&office), 4);
        let ids: Vec<_> = swapped.keys().cloned().collect();
        let mut expected = ids.clone();
        expected.sort();
        assert_eq!(listed(&all, "found_sealed"), expected, "{all:#}");
        assert_eq!(all["repaired"], swapped.len());
        assert!(office.mails().is_empty());
        finish(&office);
        // Others of the same addresses were begun as well.
        let sealed = office.locked_out();
        assert!(ids.iter().all(|id| sealed.contains(id)));
        assert_eq!(office.told_once(), office.addresses_of(&sealed));
        assert_agrees(&office);
        let report = office.report();
        assert_eq!((&report["sealed"], &report["untold"]), (&json!(sealed.len()), &json!(0)));
        office.run(&["log", "verify"]).json();
    }
}

/// Where the database cannot tell what became of a transaction, as SQLite cannot.
#[test]
fn a_value_that_was_overtaken_and_stands_again_reopens_a_campaign_that_is_done() {
    let office = Office::open(Backend::Sqlite);
    office.start(QUICK);
    let (_, swapped) = die_after_swapping(&office);
    let plain = office.plain();
    let owner = plain.into_iter().find(|person| swapped.contains_key(&person.id)).unwrap();
    people::change_passwords(&office.site, &[(&owner.id, "chosen by its owner")]);
    office.work();
    assert_eq!(office.state(), "done");
    assert!(!office.told_once().contains(office.address(owner)));
    assert_agrees(&office);

    write(&office.site, &of([&owner.id], &swapped));
    let all = found(&compare(&office), 4);
    assert_eq!(listed(&all, "found_sealed"), slice::from_ref(&owner.id), "{all:#}");
    assert_eq!(all["halted"], json!([CAMPAIGN]));
    let status = office.status();
    assert_eq!(
        (&status["state"], &status["halted_because"]),
        (&json!("halted"), &json!("unreconciled"))
    );
    finish(&office);
    assert!(office.told_once().contains(office.address(owner)));
    assert_agrees(&office);
    assert_eq!(office.report()["perhaps_sealed"], 0);
}

/// Everybody is sealed, and then the store is restored from before; who is sealed.
fn forget_sealing(office: &Office) -> BTreeSet<String> {
    office.instance.ask("PRAGMA wal_checkpoint(TRUNCATE)");
    let (store, copy) = (office.path("countersign.sqlite3"), office.path("copy.sqlite3"));
    fs::copy(&store, &copy).unwrap();
    office.work();
    let sealed = office.locked_out();
    assert!(!sealed.is_empty());
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{store}{ending}"));
    }
    fs::copy(&copy, &store).unwrap();
    sealed
}

#[test]
fn values_that_a_restored_store_knows_nothing_of_are_recognised() {
    let office = Office::open(Backend::Sqlite);
    office.start(QUICK);
    let sealed = forget_sealing(&office);

    let all = found(&compare(&office), 4);
    assert_eq!(listed(&all, "unrecorded"), sealed.iter().cloned().collect::<Vec<_>>(), "{all:#}");
    assert_eq!((office.state(), &all["halted"]), ("halted".to_owned(), &json!([CAMPAIGN])));
    assert_eq!(all["found"], json!({"unrecorded": sealed.len()}));
    let few = found(&office.run(&["reconcile", "--tries", "3"]), 4);
    assert_eq!((&few["tried"], &few["list"]), (&json!(3), &json!([])), "{few:#}");
}

/// Of the hash that was replaced then, the restored store knows nothing: a value of ours follows from
/// the one that was found.
#[test]
fn a_value_in_the_place_of_a_hash_that_was_made_anew_is_recognised() {
    let office = Office::open(Backend::Sqlite);
    office.freeze(QUICK);
    let signed_in: Vec<_> = office.plain().into_iter().take(3).collect();
    let pairs: Vec<_> = signed_in.iter().map(|one| (one.id.as_str(), leaked(one))).collect();
    let before = hashes(&office.site);
    people::hash_slowly(&office.site, &pairs, 2000);
    let anew = hashes(&office.site);
    assert!(pairs.iter().all(|(id, _)| before[*id] != anew[*id]));
    office.sign_and_start();
    let sealed = forget_sealing(&office);
    assert!(pairs.iter().all(|(id, _)| sealed.contains(*id)));

    let all = found(&compare(&office), 4);
    assert_eq!(listed(&all, "unrecorded"), sealed.into_iter().collect::<Vec<_>>(), "{all:#}");
}

#[test]
fn a_comparison_that_is_killed_is_begun_anew() {
    let office = Office::open(Backend::Sqlite);
    let mut command = office.instance.command(&["reconcile"]);
    command.env("FAILPOINT", "accounts_compared:1").stdout(Stdio::piped()).stderr(Stdio::piped());
    assert_eq!(AtWork::of(command.spawn().unwrap()).wait().code, -1);
    let status = office.run(&["status"]).json();
    assert_eq!(status["reconciliation"]["ended_at"], Value::Null, "{status:#}");
    wait_until(|| compare(&office).code != 3);
    assert_agrees(&office);
}

#[test]
fn workers_compare_by_themselves_and_record_everything_once() {
    for backend in Backend::ALL {
        let mut office = Office::open(backend);
        let before = hashes(&office.site);
        office.start(QUICK);
        office.work();
        office.instance.set("COUNTERSIGN_RECONCILE_EVERY", "1s");
        let person = office.plain()[0].id.clone();
        write(&office.site, &of([&person], &before));
        let workers: Vec<_> =
            (0..2).map(|_| AtWork::of(office.instance.start(&["worker"]))).collect();
        wait_until(|| !office.logged("account_put_back").is_empty());
        let found = || office.run(&["status"]).json()["reconciliation"]["result"]["found"].clone();
        wait_until(|| found() == json!({}));
        for worker in workers {
            assert_eq!(worker.stop().code, 0);
        }
        assert_eq!(office.logged("account_put_back").len(), 1);
        let disagree = |entry: &Value| entry["found"] != json!({});
        let logged = office.logged("table_reconciled");
        assert_eq!(logged.iter().filter(|entry| disagree(entry)).count(), 1);
    }
}

#[test]
fn a_table_that_cannot_be_written_to_is_compared_by_nobody() {
    let mut office = Office::open(Backend::Sqlite);
    office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", "");
    let refused = compare(&office);
    assert!([1, 3].contains(&refused.code), "{}", refused.stderr);
    assert!(refused.stdout.is_empty(), "{}", refused.stdout);
}
