//! A witness that none of us wrote: it signs for our log while that grows, and refuses it once it was
//! put back. Its client asks our witness, which does the same.

use serde_json::{Value, json};
use testkit::{ForeignWitness, foreign_feeder};

use crate::{
    harness::{Backend, Run, TestInstance},
    office::{Office, ids, wait_until},
    two_hosts::{TwoHosts, assert_refused},
    witness::{Watch, Witness, backup, cosign, grow, head, log_verifier, put_back},
};

const OLDER: &str = "the witness has seen";
const FORKED: &str = "does not go on from the";

fn watching(instance: &TestInstance) -> ForeignWitness {
    ForeignWitness::of(&log_verifier(instance))
}

fn ask(foreign: &ForeignWitness, instance: &TestInstance) -> Run {
    cosign(instance, &foreign.url(), foreign.verifier())
}

/// Has the foreign client ask our witness, which it knows nothing of.
fn feed(watch: &Watch) -> Value {
    let shown = watch.instance.run(&["log", "show"]).stdout;
    let entries: Vec<_> = shown.lines().collect();
    let (url, verifier) = (watch.witness.url(), watch.witness.verifier());
    foreign_feeder(&url, &verifier, &entries, &head(&watch.instance))
}

#[test]
fn it_signs_for_a_log_that_grows_and_for_none_that_was_put_back() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let mut foreign = watching(&instance);
    let store = instance.path("countersign.sqlite3");
    let first = ask(&foreign, &instance).json();
    let before = backup(&instance);
    grow(&instance);
    let second = ask(&foreign, &instance).json();
    assert!(second["entries"].as_u64() > first["entries"].as_u64(), "{first:#} {second:#}");
    assert_eq!(ask(&foreign, &instance).json()["entries"], second["entries"], "asked again");

    put_back(&store, &before);
    for _ in 0..2 {
        let refused = ask(&foreign, &instance);
        assert_refused(&refused, OLDER);
        assert_refused(&refused, "it is a restored backup");
        foreign.restart();
    }
    assert_eq!(foreign.record()["evidence"], 0);
    while grown(&instance) <= second["entries"].as_u64().unwrap() {}
    assert_refused(&ask(&foreign, &instance), FORKED);
    let record = foreign.record();
    assert_eq!((&record["size"], &record["evidence"]), (&second["entries"], &1.into()));
}

/// Lets the log grow; its entries.
fn grown(instance: &TestInstance) -> u64 {
    grow(instance);
    instance.run(&["log", "verify"]).json()["entries"].as_u64().unwrap()
}

#[test]
fn a_campaign_is_carried_out_with_it_alone_and_not_after_a_restore() {
    let office = Office::open(Backend::Sqlite);
    let witness = watching(&office.instance);
    let mut hosts = TwoHosts { office, witness };
    hosts.arm_with(&format!("{}quorum f\n", line(&hosts.witness)));
    hosts.office.start("");
    let store = hosts.office.instance.path("countersign.sqlite3");
    let before = backup(&hosts.office.instance);
    hosts.go_to(0);
    hosts.office.work();
    hosts.office.assert_settled(&ids(&hosts.office.exposed()));
    let told = hosts.office.told_once();

    put_back(&store, &before);
    hosts.go_to(1);
    for _ in 0..2 {
        assert_refused(&hosts.office.try_to_work(), OLDER);
        hosts.witness.restart();
    }
    assert_eq!(hosts.office.told_once(), told);
}

/// What a policy says of it.
fn line(foreign: &ForeignWitness) -> String {
    format!("witness f {} {}\n", foreign.verifier(), foreign.url())
}

#[test]
fn a_campaign_goes_on_while_two_witnesses_of_three_answer() {
    let office = Office::open(Backend::Sqlite);
    let names = ["witness.example.org/w1", "witness.example.org/w2"];
    let ours = names.map(|name| Witness::called(name, &office.instance));
    let witness = (watching(&office.instance), ours);
    let mut hosts = TwoHosts { office, witness };
    hosts.arm_with(&two_of_three(&hosts.witness));
    hosts.office.start("canary_addresses = 500\nsealed_untold_max = 8");
    hosts.office.smtp.behave("*", "slow");
    hosts.go_to(0);
    let work = hosts.office.start_work();
    wait_until(|| hosts.office.smtp.connections() > 1);
    hosts.witness.1[0].kill();
    let told = hosts.office.smtp.connections();
    wait_until(|| hosts.office.smtp.connections() > told + 2);
    hosts.witness.1[0].start(&hosts.office.instance);
    hosts.witness.0.kill();
    let done = work.wait();
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(!done.stderr.contains("too few witnesses"), "{}", done.stderr);
    hosts.office.assert_settled(&ids(&hosts.office.exposed()));
}

fn two_of_three((foreign, ours): &(ForeignWitness, [Witness; 2])) -> String {
    let ours = ours.iter().zip(["w1", "w2"]);
    let ours = ours.map(|(one, name)| format!("witness {name} {} {}\n", one.verifier(), one.url()));
    let lines: String = ours.collect();
    format!("{}{lines}group q 2 f w1 w2\nquorum q\n", line(foreign))
}

#[test]
fn its_client_is_answered_by_our_witness_and_refused_for_a_log_that_was_put_back() {
    let mut watch = Watch::begin();
    let store = watch.instance.path("countersign.sqlite3");
    assert!(feed(&watch)["lines"].is_string());
    let before = backup(&watch.instance);
    grow(&watch.instance);
    assert!(feed(&watch)["lines"].is_string());
    let seen = grown(&watch.instance);
    assert!(feed(&watch)["lines"].is_string());
    assert!(feed(&watch)["lines"].is_string(), "asked again");

    put_back(&store, &before);
    for _ in 0..2 {
        assert_eq!(feed(&watch), json!({"ahead": seen}));
        watch.restart();
    }
    while grown(&watch.instance) <= seen {}
    assert_eq!(feed(&watch), json!({"rejected": 422}));
}
