//! A halt while passwords are being replaced: once the command has returned, nothing more is.

use std::{collections::BTreeSet, process::Stdio, thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    campaign_kill::FILES,
    harness::Backend,
    history::{SiteHistory, assert_agrees, assert_told},
    office::{AtWork, CAMPAIGN, Office, leaked, wait_until},
    people,
};

/// Everybody may be taken up at once.
const EVERYBODY: &str = "canary_addresses = 500";

/// As many as an old site has: with everybody's in hand, seconds for all.
const ITERATIONS: u32 = 100_000;

/// Addresses in one worker's hands at the same time, eight to a lane: everybody's.
const LANES: usize = 8;

/// A site that hashes slowly, and takes its time to write.
fn open() -> (Office, SiteHistory) {
    let site = Backend::Postgres.new_site();
    let leaks: BTreeSet<_> = FILES.into_iter().collect();
    let matches = site.truth.matches.iter().filter(|known| leaks.contains(known.file.as_str()));
    let exposed: BTreeSet<_> = matches.map(|known| &known.account).collect();
    let people: Vec<_> = exposed.iter().map(|account| site.truth.person(account)).collect();
    let pairs: Vec<_> = people.iter().map(|person| (&*person.id, leaked(person))).collect();
    people::hash_slowly(&site, &pairs, ITERATIONS);
    let history = SiteHistory::kept_by(&site);
    history.slow_down(0.2);
    let mut office = Office::at(Backend::Postgres, site, &FILES);
    office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &history.as_program(&history.url));
    office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", &LANES.to_string());
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "10s");
    (office, history)
}

/// One that dies with a row in hand, and more that it has begun.
fn dying(office: &Office) -> AtWork {
    let mut command = office.instance.command(&["worker"]);
    command.env("FAILPOINT", "row_replaced:3").stdout(Stdio::null()).stderr(Stdio::null());
    AtWork::of(command.spawn().unwrap())
}

fn accounts_of(office: &Office, text: &str) -> BTreeSet<String> {
    let accounts = office.subjects();
    office.instance.ask(text).lines().map(|subject| accounts[subject].clone()).collect()
}

fn swaps(office: &Office, state: &str) -> BTreeSet<String> {
    accounts_of(office, &format!("SELECT subject FROM swap WHERE state = '{state}'"))
}

/// Whatever all lanes of two workers have begun when a campaign is halted, of which one has just
/// died.
fn halt_amidst(halt: &[&str]) {
    let (office, history) = open();
    office.start(EVERYBODY);
    let mut dying = dying(&office);
    let staying = AtWork::of(office.instance.start(&["worker"]));
    wait_until(|| dying.has_ended());
    let (left, sealed) = (swaps(&office, "intended"), history.ours().len());
    assert!(!left.is_empty());
    wait_until(|| history.ours().len() > sealed);
    office.run(&[&["campaign", "halt"], halt].concat()).json();
    let (halted, begun) = (history.now_micros(), history.ours().len());
    wait_until(|| swaps(&office, "intended").is_empty());
    thread::sleep(Duration::from_secs(2));
    let stopped = staying.stop();
    assert_eq!(stopped.code, 0, "{}", stopped.stderr);

    let ours = history.ours();
    let late: Vec<_> = ours.iter().filter(|change| change.at_micros > halted).collect();
    assert!(late.is_empty(), "replaced after the halt: {late:?}");
    assert!(ours.len() - begun <= 2 * LANES, "{begun}, then {}", ours.len());
    assert_eq!(swaps(&office, "done"), history.ever_ours());
    // Where the machine is slow, others of the dead worker's were taken up anew before the halt.
    let undone = &swaps(&office, "undone") - &history.ever_ours();
    assert!(!undone.is_empty(), "nothing was under way");
    let pending = "SELECT subject FROM target WHERE state = 'pending'";
    assert!(undone.is_subset(&accounts_of(&office, pending)));
    assert!(!office.logged("sealing_taken").is_empty(), "the dead worker had begun something");
    finish(&office, &history);
}

/// Those who are sealed are told, and nobody else is touched.
fn finish(office: &Office, history: &SiteHistory) {
    let sealed = history.ever_ours();
    let mut settled = sealed.clone();
    // Where the machine is slow, all of them were told before the halt.
    let listed = office.run(&["campaign", "unsettled", CAMPAIGN]).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    if listed["accounts"] != json!([]) {
        tell_the_sealed(office);
        settled = office.with_households(&sealed);
    }
    let logged = assert_agrees(office, history);
    assert_eq!(logged.sealed, settled);
    assert_told(office, &logged, LANES);
    office.steer("close").json();
}

fn tell_the_sealed(office: &Office) {
    let refused = office.steer("close");
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("finish"), "{}", refused.stderr);
    office.run(&["campaign", "finish", CAMPAIGN]).json();
    assert_eq!(office.approve(&["bob", "cleo"]).code, 0);
    office.steer("resume").json();
    office.work();
    assert_eq!(office.report()["state"], json!("done"));
}

#[test]
fn once_everything_is_halted_no_password_is_replaced() {
    halt_amidst(&["--all"]);
}

#[test]
fn once_a_campaign_is_halted_none_of_its_passwords_is_replaced() {
    halt_amidst(&[CAMPAIGN]);
}
