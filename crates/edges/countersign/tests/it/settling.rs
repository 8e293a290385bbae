//! Nobody is left sealed and untold: what is refused while somebody is, and the ways on.

use serde_json::{Value, json};

use crate::{
    campaign_steering::assert_refused,
    harness::Backend,
    office::{Office, assert_ended, ids, wait_until},
};

/// A campaign that was halted while some people are sealed and no mail gets through.
fn halted_untold(backend: Backend) -> (Office, u64) {
    let mut office = Office::open(backend);
    office.start("canary_addresses = 500\nsealed_untold_max = 4");
    office.smtp.stop();
    let work = office.start_work();
    wait_until(|| sealed(&office) >= 4);
    office.steer("halt").json();
    assert_ended(&work.wait());
    let sealed = sealed(&office);
    office.smtp.restart();
    (office, sealed)
}

fn sealed(office: &Office) -> u64 {
    office.status()["accounts"]["sealed"].as_u64().unwrap_or_default()
}

/// The plan of the round is signed by two, and carried out.
pub(crate) fn go_on(office: &Office) {
    office.approve(&["bob", "dan"]).json();
    office.steer("resume").json();
    office.work();
}

#[test]
fn nothing_says_that_all_is_well_while_somebody_sealed_was_not_told() {
    let (office, sealed) = halted_untold(Backend::Sqlite);
    for command in ["close", "publish"] {
        let refused = office.steer(command);
        assert_refused(&refused, &format!("{sealed} that are sealed while nobody was told"));
        assert!(refused.stderr.contains("`finish`"), "{}", refused.stderr);
    }
    let report = office.report();
    assert_eq!((&report["sealed"], &report["untold"]), (&json!(sealed), &json!(sealed)));
    assert_eq!(office.steer("report").code, 4);
    let listed = office.steer("unsettled");
    assert_eq!(listed.code, 4);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let accounts = listed["accounts"].as_array().unwrap();
    assert_eq!(accounts.len() as u64, sealed);
    let locked_out = office.locked_out();
    for person in accounts {
        assert!(locked_out.contains(person["account"].as_str().unwrap()), "{person}");
        assert_eq!(person["state"], "sealed");
    }
}

#[test]
fn those_who_were_begun_are_told_and_nobody_else_is_touched() {
    for backend in Backend::ALL {
        let (office, sealed) = halted_untold(backend);
        let begun = office.locked_out();
        assert_eq!(begun.len() as u64, sealed);
        let plan = office.steer("finish").json();
        assert_eq!(plan["plan"]["is_current"], true, "{plan:#}");
        go_on(&office);
        office.assert_settled(&begun);
        assert_eq!(office.locked_out(), begun);
        assert_eq!(office.steer("unsettled").code, 0);
        office.steer("publish").json();
        office.steer("close").json();
    }
}

#[test]
fn who_is_sealed_is_told_first_when_it_goes_on() {
    let (office, _) = halted_untold(Backend::Sqlite);
    let begun = office.locked_out();
    office.freeze_again();
    go_on(&office);
    office.assert_settled(&ids(&office.exposed()));
    let log = office.run(&["log", "show", "--accounts"]).stdout;
    let log: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_fresh = |entry: &Value| {
        let account = entry["account"].as_str();
        entry["event"] == "account_sealed" && account.is_some_and(|id| !begun.contains(id))
    };
    let before = log.iter().take_while(|entry| !is_fresh(entry));
    let told = before.filter(|entry| entry["event"] == "notice_ended" && entry["state"] == "sent");
    assert_eq!(told.count(), office.addresses_of(&begun).len());
}

#[test]
fn a_campaign_that_many_dead_mailboxes_have_halted_goes_on_with_the_others() {
    let office = Office::open(Backend::Sqlite);
    let exposed = office.exposed();
    let dead: Vec<_> = exposed.iter().map(|person| office.address(person)).step_by(2).collect();
    for address in &dead {
        office.smtp.behave(address, "refused");
    }
    office.start("canary_addresses = 500\nrefused = { count = 3, permille = 100 }");
    office.work();
    let mut rounds = 1;
    while office.status()["state"] == "halted" {
        assert_eq!(office.status()["halted_because"], "refused");
        office.freeze_again();
        go_on(&office);
        rounds += 1;
        assert!(rounds < 20, "{:#}", office.status());
    }
    assert!(rounds > 1);
    let report = office.report();
    assert_eq!((&report["state"], &report["untold"]), (&json!("done"), &json!(0)));
    assert_eq!(report["sealed"], exposed.len());
}

#[test]
fn the_policy_of_a_later_round_may_differ() {
    let (office, _) = halted_untold(Backend::Sqlite);
    let changed = office.write(
        "slower.toml",
        b"rate_per_minute_max = 500\nlarge_permille = 1000\nlarge_approvers = 2\ncanary_soak_seconds = 0\nstep_soak_seconds = 0\n",
    );
    let frozen = office.run(&["campaign", "freeze", "Spring", "--policy", &changed]);
    frozen.json();
    go_on(&office);
    assert_eq!(office.steer("unsettled").code, 0);
}
