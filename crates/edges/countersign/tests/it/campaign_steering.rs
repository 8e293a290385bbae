//! Who may start a campaign, and what stops it.

use std::{fs, thread, time::Duration};

use authority::SignedRoster;
use serde_json::{Value, json};

use crate::{
    attacker::Owner,
    harness::{Backend, Run},
    office::{CAMPAIGN, LEAK, Office, assert_ended, ids, key, wait_until},
};

#[track_caller]
pub(crate) fn assert_refused(run: &Run, reason: &str) {
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(reason), "{}", run.stderr);
}

#[track_caller]
fn assert_untouched(office: &Office) {
    assert!(office.locked_out().is_empty());
    assert!(office.mails().is_empty());
}

#[track_caller]
fn assert_halted(office: &Office, reason: &str) {
    let status = office.status();
    assert_eq!(status["state"], "halted", "{status:#}");
    assert_eq!(status["halted_because"], reason);
}

#[test]
fn a_plan_that_nobody_could_approve_is_refused_at_once() {
    let office = Office::open(Backend::Sqlite);
    let frozen = office.try_to_freeze("large_permille = 1\nlarge_approvers = 4");
    assert_refused(&frozen, "needs 4 approvers besides its author `ana`, and the roster has 3");
    assert!(frozen.stderr.contains("countersign operator add"), "{}", frozen.stderr);
    assert_eq!(office.state(), "draft");
}

/// A list that is split into two small ones needs as many approvers as if it were one.
/// Another leak, about others.
pub(crate) const PART: &str = "Photos 2017";

pub(crate) fn find_part(office: &Office) {
    let file = office.site.leaks_folder.join("photos.txt");
    office.instance.add_leak(PART, &[&file]).json();
    for step in ["screen", "verify"] {
        office.run(&["leak", step, PART]).json();
    }
}

#[test]
fn shares_of_several_campaigns_count_together() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        find_part(&office);
        // Either list is exactly as large as a small one may be.
        let first = office.freeze("")["plan"].take();
        office.draft_another("Part", PART, "");
        let part = office.run(&["campaign", "freeze", "Part"]).json()["plan"].take();
        let count = |plan: &Value, name: &str| plan[name].as_u64().unwrap();
        let larger = count(&first, "targets").max(count(&part, "targets"));
        let permille = (larger * 1000).div_ceil(count(&first, "accounts"));
        assert_eq!(count(&part, "accounts_of_others"), count(&first, "targets"));
        for campaign in [CAMPAIGN, "Part"] {
            office.run(&["campaign", "thaw", campaign]).json();
            office.run(&["campaign", "close", campaign]).json();
        }

        let policy = format!("large_permille = {permille}\nlarge_approvers = 3");
        let freeze = |name: &str, leak: &str| {
            office.draft_another(name, leak, &policy);
            office.run(&["campaign", "freeze", name]).json()["plan"].take()
        };
        assert_eq!(count(&freeze("One", LEAK), "approvers_needed"), 2);
        assert_eq!(count(&freeze("Two", PART), "approvers_needed"), 3);
    }
}

#[test]
fn only_its_author_and_two_others_make_a_plan_signed() {
    let office = Office::open(Backend::Sqlite);
    office.freeze("");
    let plan = office.export();
    let bobs = office.sign(&plan, "bob");
    let forged = fs::read_to_string(&bobs).unwrap().replace("\"bob\"", "\"ana\"");
    let anas = office.write("ana.approval", forged.as_bytes());
    assert_refused(&office.hand_in(&[anas]), "the signature of ana is not over this plan");
    let forged = fs::read_to_string(&bobs).unwrap().replace("\"bob\"", "\"cleo\"");
    let cleos = office.write("cleo.approval", forged.as_bytes());
    assert_refused(&office.hand_in(&[cleos]), "cleo");

    let twice = [bobs.clone(), bobs.clone()];
    assert_eq!(office.hand_in(&twice).json()["state"], "frozen");
    assert_refused(&office.steer("start"), "is frozen: it cannot be started now");
    office.work();
    assert_untouched(&office);

    assert_eq!(office.steer("thaw").json()["state"], "draft");
    office.freeze_again();
    assert_refused(&office.hand_in(&[bobs]), "round");
    for signed in [&["cleo"][..], &["dan"]] {
        assert_eq!(office.sign_off(signed).json()["state"], "frozen");
        assert_refused(&office.steer("start"), "is frozen: it cannot be started now");
    }
    let status = office.instance.shown(&["campaign", "status", CAMPAIGN]);
    assert!(status.contains("ana has to sign it, too"), "{status}");
    assert_eq!(office.sign_off(&["ana"]).json()["state"], "signed");
    assert_untouched(&office);
    office.steer("start").json();
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

/// Whoever drafts in somebody else's name has nothing that is signed, and whoever is away can hand
/// the campaign over: but nobody approves what they sign as its author.
#[test]
fn a_campaign_can_be_handed_over_to_another_author() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    office.steer("halt").json();
    let hand_over = |to: &str| office.run(&["campaign", "freeze", CAMPAIGN, "--author", to]);
    let stranger = hand_over("eve");
    assert!(stranger.code == 1 && stranger.stderr.contains("eve is not in the roster"));
    assert_eq!(hand_over("bob").json()["author"], "bob");
    assert_eq!(office.sign_off(&["ana", "bob"]).json()["plan"]["is_signed_by_author"], true);
    assert_refused(&office.steer("resume"), "1 approvers have signed, 2 are needed");
    office.sign_off(&["cleo"]).json();
    office.steer("resume").json();
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn a_target_that_nobody_signed_stops_everything() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("canary_addresses = 500");
        let another = "UPDATE target SET version = (SELECT version FROM target WHERE place = 1) \
                       WHERE place = 0";
        office.instance.ask(another);
        let worked = office.run(&["worker", "--until-done"]);
        assert_refused(&worked, "does not stand in the signed plan");
        assert_halted(&office, "contradicted");
        assert_untouched(&office);
        office.freeze_again();
        office.approve(&["bob", "cleo"]).json();
        office.steer("resume").json();
        assert_refused(&office.run(&["worker", "--until-done"]), "does not stand");
        assert_untouched(&office);
    }
}

#[test]
fn totals_that_do_not_add_up_are_published_nowhere() {
    let office = Office::open(Backend::Sqlite);
    office.freeze("canary_addresses = 500");
    let early = office.steer("publish");
    assert!(early.failure().contains("there is nothing to say of it"), "{}", early.stderr);
    office.sign_and_start();
    office.work();
    let (report, said) = (office.report(), office.steer("publish").json());
    assert_eq!(said["sealed"], report["sealed"]);
    assert_eq!(said["leaks"], json!([[LEAK, "2016-05"]]));
    assert_eq!(office.logged("statement_made").len(), 1);
    office.distrust_rows();
    office.instance.ask("UPDATE target SET state = 'reset' WHERE place = 0");
    for command in ["report", "publish"] {
        let refused = office.steer(command);
        let said = "NOTHING IS TO BE PUBLISHED: the campaign's totals do not reconcile";
        assert_refused(&refused, said);
        assert!(refused.stdout.is_empty(), "{}", refused.stdout);
    }
    assert_eq!(office.logged("statement_made").len(), 1);
    Owner::of(&office).write("DELETE FROM statement");
    let status = office.run(&["status"]);
    assert_eq!(status.code, 3, "{}", status.stderr);
    assert!(status.stdout.contains("what was said in public of campaign 1"), "{}", status.stdout);
}

#[test]
fn a_campaign_stands_still_once_somebody_who_signed_may_not_any_more() {
    let office = Office::open(Backend::Sqlite);
    office.start("canary_addresses = 3\ncanary_soak_seconds = 3600");
    let file = office.path("removal.json");
    office.run(&["operator", "remove", "cleo", "--output", &file]).json();
    let removal = SignedRoster::parse(&fs::read(&file).unwrap()).unwrap();
    let removal = removal.signed_by(&key("ana")).signed_by(&key("bob"));
    let file = office.write("removed.json", &removal.to_bytes());
    office.run(&["operator", "accept", &file]).json();
    let status = office.run(&["status"]);
    assert_eq!(status.code, 3, "{}", status.stderr);
    assert!(status.stdout.contains("cleo is not in the roster"), "{}", status.stdout);
    let shown = office.instance.shown(&["status"]);
    assert!(shown.contains("NOT SIGNED") && !shown.contains("goes on"), "{shown}");
    let work = office.try_to_work();
    assert_eq!(work.code, 3, "{}", work.stderr);
    assert!(office.mails().is_empty() && office.locked_out().is_empty());
    office.steer("halt").json();
    office.freeze_again();
    office.approve(&["bob", "dan"]);
    assert_eq!(office.run(&["status"]).code, 0);
}

#[test]
fn a_target_changed_while_people_are_told_stops_the_telling() {
    let office = Office::open(Backend::Sqlite);
    let first = office.plain()[0];
    office.smtp.behave("*", "slow");
    office.smtp.behave(office.address(first), "busy");
    office.start("canary_addresses = 500");
    let work = office.start_work();
    let busy = || office.smtp.commands().iter().any(|command| command == "RCPT busy");
    wait_until(busy);
    let version = "(SELECT version FROM target AS other WHERE other.subject <> target.subject)";
    let accounts = office.subjects();
    let (subject, _) = accounts.iter().find(|(_, account)| **account == first.id).unwrap();
    office
        .instance
        .ask(&format!("UPDATE target SET version = {version} WHERE subject = {subject}"));
    assert_refused(&work.wait(), "does not stand in the signed plan");
    assert_halted(&office, "contradicted");
    assert!(!office.told_once().contains(office.address(first)));
    let report = office.report();
    assert_eq!(report["notices"]["sent"], office.mails().len(), "what was in hand is finished");
    assert_eq!(report["notices"].get("inflight"), None, "{report:#}");
}

/// Mails in hand at the same time.
const LANES: usize = 2;

#[test]
fn after_a_halt_nothing_begins_until_two_sign_again() {
    for backend in Backend::ALL {
        let mut office = Office::open(backend);
        office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", &LANES.to_string());
        office.smtp.behave("*", "slow");
        office.start("canary_addresses = 500");
        let work = office.start_work();
        wait_until(|| office.mails().len() > LANES);
        assert_eq!(office.steer("halt").json()["state"], "halted");
        let (begun, begun_before) = (office.logged("notice_begun").len(), office.mails().len());
        assert_ended(&work.wait());
        thread::sleep(Duration::from_secs(2));
        assert_eq!(office.logged("notice_begun").len(), begun);
        assert!(office.mails().len() <= begun_before + LANES);
        assert_eq!(office.report()["notices"]["sent"], office.mails().len());
        assert_halted(&office, "operator");

        assert_refused(&office.steer("resume"), "there is no plan until it is frozen");
        office.freeze_again();
        assert_refused(&office.steer("resume"), "");
        office.approve(&["bob"]).json();
        assert_refused(&office.steer("resume"), "");
        office.approve(&["dan"]).json();
        office.smtp.behave("*", "accept");
        assert_eq!(office.steer("resume").json()["state"], "canary");
        office.work();
        office.assert_settled(&ids(&office.exposed()));
    }
}

fn halt_all(office: &Office) -> Value {
    office.run(&["campaign", "halt", "--all"]).json()["halted"].clone()
}

/// The signatures for another campaign release the kill switch; nobody in it is touched.
fn release_for_part(office: &Office) {
    find_part(office);
    office.draft_another("Part", PART, "");
    office.start_another("Part");
    for command in ["halt", "close"] {
        office.run(&["campaign", command, "Part"]).json();
    }
}

#[test]
fn the_kill_switch_outlives_every_plan_of_before() {
    let office = Office::open(Backend::Sqlite);
    office.freeze("");
    office.approve(&["bob", "cleo"]).json();
    assert_eq!(halt_all(&office), json!([]));
    assert_refused(&office.steer("start"), "everything was stopped at");
    release_for_part(&office);
    assert_refused(&office.steer("start"), "everything was stopped at");
    office.work();
    assert_untouched(&office);
    office.steer("thaw").json();
    office.freeze_again();
    office.sign_and_start();
    office.smtp.behave("*", "slow");
    let work = office.start_work();
    wait_until(|| !office.mails().is_empty());
    assert_eq!(halt_all(&office), json!(["Spring"]));
    assert_ended(&work.wait());
    assert_halted(&office, "operator");

    office.freeze_again();
    office.approve(&["bob", "cleo"]).json();
    assert_eq!(halt_all(&office), json!([]));
    assert_refused(&office.steer("resume"), "everything was stopped at");
    office.freeze_again();
    office.approve(&["cleo", "dan"]).json();
    office.steer("resume").json();
    office.smtp.behave("*", "accept");
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn a_step_that_is_to_be_signed_for_again_waits_for_it() {
    let office = Office::open(Backend::Sqlite);
    let ramp = "ramp = [{ reach = { addresses = 6 }, reapproval = false }, \
                { reach = { permille = 1000 }, reapproval = true }]";
    office.start(ramp);
    office.work();
    assert_halted(&office, "reapproval_due");
    assert_eq!(office.told_once().len(), 6);
    office.freeze_again();
    office.approve(&["bob", "cleo"]).json();
    office.steer("resume").json();
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn a_canary_is_waited_for() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("canary_addresses = 3\ncanary_soak_seconds = 3600");
        let mut work = office.start_work();
        wait_until(|| office.state() == "soak");
        thread::sleep(Duration::from_secs(2));
        assert!(!work.has_ended());
        assert_eq!(office.told_once(), office.addresses_of(&office.locked_out()));
        assert_eq!(office.mails().len(), 3);
        let stopped = work.stop();
        assert_eq!(stopped.code, 0, "{}", stopped.stderr);
    }
}
