//! A mail server in every mood: who was told, who was not, and who may have been.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    harness::Backend,
    office::{CAMPAIGN, Office, ids, wait_until},
};

/// What the server does at first, and how often it has the mail in the end.
const PUT_OFF: [&str; 7] =
    ["busy", "later", "closing", "drop-before", "silent", "uninvited", "unwanted"];
/// Whether it hangs up before the final dot is on its way, or meets it there, is a matter of luck:
/// the mail is put off or uncertain, and nobody has it yet.
const RACING: &str = "drop-within";
const REFUSING: [&str; 2] = ["refused", "painted"];
const KEEPING: [&str; 3] = ["drop-saved", "silent-dot", "babble"];
const LOSING: [&str; 1] = ["drop-unsaved"];

/// Somebody for each behaviour.
type Cast = BTreeMap<&'static str, String>;

fn cast(office: &Office) -> Cast {
    let behaviours = [&PUT_OFF[..], &[RACING], &REFUSING, &KEEPING, &LOSING].concat();
    let plain = office.plain();
    assert!(plain.len() >= behaviours.len(), "{} people are too few", plain.len());
    let people = plain.iter().map(|person| office.address(person).to_owned());
    let cast: Cast = behaviours.into_iter().zip(people).collect();
    for (behaviour, address) in &cast {
        office.smtp.behave(address, behaviour);
    }
    cast
}

/// Silence is waited for not nearly as long as on a site, but longer than a busy machine keeps a
/// server from answering: an answer that comes too late would make a mail uncertain here, too.
fn hurry(office: &mut Office) {
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "12s");
    office.instance.set("COUNTERSIGN_SMTP_COMMAND_TIMEOUT", "12s");
    office.instance.set("COUNTERSIGN_SMTP_END_OF_DATA_TIMEOUT", "12s");
}

/// Lets those whom the server has put off have their mail, once each has been tried.
fn relent(office: &Office, cast: &Cast) {
    let tried = |behaviour: &str| {
        let said = office.smtp.commands();
        said.iter().any(|command| command.ends_with(&format!(" {behaviour}")))
    };
    let put_off = [&PUT_OFF[..], &[RACING]].concat();
    wait_until(|| put_off.iter().all(|behaviour| tried(behaviour)));
    for behaviour in put_off {
        office.smtp.behave(&cast[behaviour], "accept");
    }
}

fn addresses(cast: &Cast, behaviours: &[&str]) -> BTreeSet<String> {
    behaviours.iter().map(|behaviour| cast[behaviour].clone()).collect()
}

/// How often each notice was begun, by its number.
fn attempts(office: &Office) -> BTreeMap<u64, u64> {
    let begun = office.logged("notice_begun").into_iter();
    begun.fold(BTreeMap::new(), |mut attempts, entry| {
        *attempts.entry(entry["notice"].as_u64().unwrap()).or_default() += 1;
        attempts
    })
}

fn ended(office: &Office, state: &str) -> BTreeSet<u64> {
    let ended = office.logged("notice_ended").into_iter();
    ended.filter(|entry| entry["state"] == state).map(|e| e["notice"].as_u64().unwrap()).collect()
}

#[test]
fn whatever_the_server_does_nobody_has_two_mails_on_sqlite() {
    suffer_the_server(Backend::Sqlite);
}

#[test]
fn whatever_the_server_does_nobody_has_two_mails_on_postgres() {
    suffer_the_server(Backend::Postgres);
}

fn suffer_the_server(backend: Backend) {
    let mut office = Office::open(backend);
    hurry(&mut office);
    let cast = cast(&office);
    office.start("canary_addresses = 500");
    let work = office.start_work();
    relent(&office, &cast);
    let worked = work.wait();
    assert_eq!(worked.code, 0, "{}", worked.stderr);

    let exposed = ids(&office.exposed());
    assert_eq!(office.locked_out(), exposed);
    let mut told = office.addresses_of(&exposed);
    for behaviour in [&REFUSING[..], &LOSING].concat() {
        assert!(told.remove(&cast[behaviour]));
    }
    let raced = !office.told_once().contains(&cast[RACING]);
    if raced {
        told.remove(&cast[RACING]);
    }
    assert_eq!(office.told_once(), told);
    let report = office.report();
    let uncertain = KEEPING.len() + LOSING.len() + usize::from(raced);
    let refused = REFUSING.len();
    let sent = office.addresses_of(&exposed).len() - refused - uncertain;
    let notices = json!({"sent": sent, "refused": refused, "uncertain": uncertain});
    assert_eq!(report["notices"], notices, "{report:#}");
    assert_eq!(report["sealed_unreached"], refused);
    assert_eq!(report["sealed"], exposed.len());
    assert!(told.is_superset(&addresses(&cast, &KEEPING)));
    assert_tried_as_often_as_allowed(&office);
    assert_named(&office, &[("uncertain", uncertain), ("refused", refused)]);
    office.run(&["log", "verify"]).json();
}

/// Nobody there waits to be told, and somebody has to look after each: so many mails of each end.
fn assert_named(office: &Office, ends: &[(&str, usize)]) {
    let listed = office.steer("unsettled");
    assert_eq!(listed.code, 4);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["accounts"], json!([]));
    let unreached = listed["unreached"].as_array().unwrap();
    for (end, mails) in ends {
        let named = unreached.iter().filter(|one| one["notice"] == *end);
        let named = named.map(|one| one["account"].as_str().unwrap().to_owned());
        assert_eq!(office.addresses_of(&named.collect()).len(), *mails, "{listed:#}");
    }
}

/// Only what was put off is begun again; what is refused or uncertain, never.
fn assert_tried_as_often_as_allowed(office: &Office) {
    let attempts = attempts(office);
    let again: BTreeSet<_> = attempts.iter().filter(|(_, times)| **times > 1).collect();
    assert!(again.len() >= PUT_OFF.len(), "{attempts:?}");
    let put_off = ended(office, "pending");
    for (notice, times) in &attempts {
        assert_eq!(put_off.contains(notice), *times > 1, "notice {notice}: {attempts:?}");
    }
    for notice in ended(office, "uncertain") {
        assert_eq!(attempts[&notice], 1);
    }
}

/// How many accounts are sealed, as the store has it.
fn sealed(status: &Value) -> u64 {
    status["accounts"]["sealed"].as_u64().unwrap_or_default()
}

#[test]
fn sealing_waits_for_a_mail_server_that_is_gone() {
    for backend in Backend::ALL {
        let mut office = Office::open(backend);
        office.start("canary_addresses = 500\nsealed_untold_max = 4");
        office.smtp.stop();
        let mut work = office.start_work();
        wait_until(|| sealed(&office.status()) >= 4);
        wait_until(|| office.logged("notice_ended").len() > 3);
        let status = office.status();
        let paused = &status["sending_paused"];
        assert_eq!((&paused["phase"], &paused["code"]), (&json!("connect"), &Value::Null));
        assert!(paused["remedy"].as_str().unwrap().contains("`smtp.host`"), "{paused}");
        // The address that reaches the bound may be a family's.
        assert!(sealed(&status) <= 4 + 3, "{status:#}");
        assert_eq!(status["state"], "canary");
        assert_eq!(office.locked_out().len() as u64, sealed(&status));
        assert!(office.mails().is_empty());
        assert!(!work.has_ended());

        office.smtp.restart();
        assert_eq!(work.wait().code, 0);
        office.assert_settled(&ids(&office.exposed()));
        assert_eq!(office.run(&["status"]).json()["sending_paused"], Value::Null);
    }
}

#[test]
fn an_operator_reads_that_sealing_waits_for_the_mails() {
    let office = Office::open(Backend::Sqlite);
    office.smtp.behave("*", "RCPT 451 4.7.1 later");
    office.start("canary_addresses = 500\nsealed_untold_max = 2");
    let work = office.start_work();
    wait_until(|| sealed(&office.status()) > 2);
    let shown = office.instance.shown(&["campaign", "status", CAMPAIGN]);
    assert!(shown.contains("are sealed and not told yet: 2 (`sealed_untold_max`)"), "{shown}");
    office.smtp.behave("*", "accept");
    assert_eq!(work.wait().code, 0);
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn too_many_refusals_halt_a_campaign() {
    let office = Office::open(Backend::Sqlite);
    office.smtp.behave("*", "refused");
    office.start("refused = { count = 2, permille = 100 }");
    let worked = office.start_work().wait();
    assert_eq!(worked.code, 0, "{}", worked.stderr);
    let status = office.status();
    assert_eq!(
        (&status["state"], &status["halted_because"]),
        (&json!("halted"), &json!("refused"))
    );
    assert!(office.locked_out().len() <= 3 + 2, "the canary's alone");
    let report = office.report();
    assert_eq!(report["sealed_unreached"], report["sealed"]);
}
