//! A store that standbys follow, one of which takes over in the middle of a campaign.

use testkit::{PostgresServer, TestDatabase};

use crate::{
    harness::{Backend, TestInstance},
    history::psql,
    office::{Office, ids, wait_until},
    restored::{assert_accounted, finish},
    two_hosts::assert_refused,
    witness::{ANOTHER, Witness},
};

/// A server and one that follows it; an instance is kept in a database of theirs.
struct Pair {
    office: Office,
    primary: Option<PostgresServer>,
    standby: PostgresServer,
    database: TestDatabase,
}

impl Pair {
    fn open(is_durable: bool, kind: &str) -> Self {
        let primary = PostgresServer::start(is_durable);
        let (database, standby) = (primary.database(), primary.standby());
        let site = Backend::Sqlite.new_site();
        let instance = TestInstance::kept_in(Some(database.clone()), &site, kind);
        let office = Office::of(instance, site, &["forum.txt"]);
        Self { office, primary: Some(primary), standby, database }
    }

    /// No commit is answered before the standby has it.
    fn wait_for_standby(&self) {
        configure(&self.database, "synchronous_standby_names = '*'");
        let ask = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        wait_until(|| psql(&self.database.url, ask) == "1");
    }

    /// From now on the standby hears of nothing that is committed.
    fn cut_off(&self) {
        configure(&self.standby.view_of(&self.database), "primary_conninfo = ''");
        let ask = "SELECT COUNT(*) FROM pg_stat_replication";
        wait_until(|| psql(&self.database.url, ask) == "0");
    }

    /// The server is gone, and the other one takes its place.
    fn fail_over(&mut self) {
        drop(self.primary.take());
        let view = self.standby.view_of(&self.database);
        assert_eq!(psql(&view.url, "SELECT pg_promote()"), "t");
        configure(&view, "synchronous_standby_names = ''");
        self.office.instance.set("COUNTERSIGN_STORE_URL", &view.url);
    }
}

fn configure(database: &TestDatabase, setting: &str) {
    psql(&database.url, &format!("ALTER SYSTEM SET {setting}"));
    psql(&database.url, "SELECT pg_reload_conf()");
}

#[test]
fn whoever_was_told_before_a_standby_took_over_is_not_told_again() {
    let mut pair = Pair::open(false, "rehearsal");
    pair.wait_for_standby();
    pair.office.smtp.behave("*", "slow");
    pair.office.start("canary_addresses = 500");
    let work = pair.office.start_work();
    wait_until(|| pair.office.mails().len() > 3);
    pair.fail_over();
    drop(work);
    pair.office.smtp.behave("*", "accept");
    let refused = pair.office.try_to_work();
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("or a standby has taken over"), "{}", refused.stderr);

    pair.office.arm();
    let worked = pair.office.try_to_work();
    let exposed = ids(&pair.office.exposed());
    let told = pair.office.told_once().len();
    let report = pair.office.report();
    assert_eq!(report["sealed"], exposed.len(), "{report:#}\n{}", worked.stderr);
    let uncertain = report["notices"]["uncertain"].as_u64().unwrap_or_default();
    let sent = report["notices"]["sent"].as_u64().unwrap();
    let addresses = pair.office.addresses_of(&exposed).len() as u64;
    assert_eq!((sent + uncertain, told as u64 >= sent), (addresses, true), "{report:#}");
    assert!(uncertain <= 8, "only those who were being told: {report:#}");
}

#[test]
fn what_a_standby_that_takes_over_never_heard_of_is_not_done_again() {
    let mut pair = Pair::open(false, "rehearsal");
    let witness = Witness::of(&pair.office.instance);
    let policy = pair.office.write("witnesses", witness.policy().as_bytes());
    pair.office.arm_with(&["--witnesses", &policy]);
    pair.office.smtp.behave("*", "slow");
    pair.office.start("canary_addresses = 500\nsealed_untold_max = 8");
    let work = pair.office.start_work();
    wait_until(|| pair.office.mails().len() > 2);
    pair.cut_off();
    // Of those who are told from now on, it has heard of eight at most that they are sealed.
    let known = pair.office.mails().len();
    wait_until(|| pair.office.mails().len() > known + 8);
    drop(work);
    pair.fail_over();
    pair.office.smtp.behave("*", "accept");
    let told = pair.office.told_once();
    assert_refused(&pair.office.try_to_work(), "or a standby has taken over");

    // Something is lost, so the witness never signs for what is left.
    let proposed = pair.office.path("proposed.json");
    let again = ["sending", "propose", "--output", &proposed, "--witnesses", &policy];
    assert_refused(&pair.office.run(&again), "the witness has seen");
    let another = Witness::called(ANOTHER, &pair.office.instance);
    let policy = pair.office.write("witnesses", another.policy().as_bytes());
    pair.office.arm_with(&["--witnesses", &policy]);
    finish(&pair.office);
    assert_accounted(&pair.office, &told);
}

#[test]
fn a_site_with_a_standby_that_lags_sends_only_before_a_witness() {
    let pair = Pair::open(true, "site");
    let work = || pair.office.run(&["worker", "--until-done"]);
    let refused = work();
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    let words = "1 standbys follow the store's server, and no commit waits for them";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    let doctor = pair.office.run(&["doctor"]).stdout;
    assert!(doctor.contains("so nothing is sent without a witness"), "{doctor}");

    pair.wait_for_standby();
    assert_eq!(work().code, 0, "{}", work().stderr);

    configure(&pair.database, "synchronous_standby_names = ''");
    wait_until(|| work().code == 3);
    let witness = Witness::of(&pair.office.instance);
    let policy = pair.office.write("witnesses", witness.policy().as_bytes());
    pair.office.arm_with(&["--witnesses", &policy]);
    assert_eq!(work().code, 0, "{}", work().stderr);
}

/// As a site has to: nobody waits an hour here for what comes after the canary.
const SITE_POLICY: &str = "
    canary_addresses = 500
    canary_soak_seconds = 3600
    step_soak_seconds = 3600
    sealed_untold_max = 3
    retry_seconds = 60
    uncertain = { count = 100, permille = 50 }
    refused = { count = 100, permille = 200 }
    large_permille = 10
    large_approvers = 3";

/// It may begin to lag at any time: nobody is sealed or told until commits wait again.
#[test]
fn a_site_whose_standby_begins_to_lag_tells_nobody_until_commits_wait_again() {
    let pair = Pair::open(true, "site");
    let office = &pair.office;
    pair.wait_for_standby();
    office.smtp.behave("*", "slow");
    office.freeze(SITE_POLICY);
    office.approve(&["bob", "cleo", "dan"]).json();
    office.steer("start").json();
    let work = office.start_work();
    wait_until(|| !office.mails().is_empty());
    configure(&pair.database, "synchronous_standby_names = ''");
    let ended = work.wait();
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("no commit waits for them"), "{}", ended.stderr);
    let told = office.told_once().len();
    assert_eq!(office.try_to_work().code, 3);
    assert_eq!(office.told_once().len(), told);

    pair.wait_for_standby();
    office.smtp.behave("*", "accept");
    let work = office.start_work();
    let everybody = office.addresses_of(&ids(&office.exposed()));
    wait_until(|| office.told_once().len() == everybody.len());
    assert_eq!(work.stop().code, 0);
}
