//! A PostgreSQL server whose data directory was copied in mid-campaign, while two hosts are armed: of
//! copy and origin only one goes on, and what the copy has not heard of is not done again.

use testkit::PostgresServer;

use crate::{
    harness::{Backend, TestInstance},
    office::{Office, wait_until},
    restored::{assert_accounted, finish},
    two_hosts::{TwoHosts, assert_refused},
    witness::{ANOTHER, Witness},
};

#[test]
fn a_copied_data_directory_tells_nobody_again_whichever_host_it_is_put_before() {
    let server = PostgresServer::start(false);
    let (database, site) = (server.database(), Backend::Sqlite.new_site());
    let instance = TestInstance::kept_in(Some(database.clone()), &site, "rehearsal");
    let office = Office::of(instance, site, &["forum.txt"]);
    let witness = Witness::of(&office.instance);
    let policy = witness.policy();
    let mut hosts = TwoHosts { office, witness };
    hosts.arm_with(&policy);
    hosts.go_to(0);
    hosts.office.smtp.behave("*", "slow");
    hosts.office.start("canary_addresses = 500\nsealed_untold_max = 8");
    let work = hosts.office.start_work();
    wait_until(|| hosts.office.mails().len() > 2);
    let copy = server.restored();
    // Of those who are told from now on, it has heard of eight at most that they are sealed.
    let known = hosts.office.mails().len();
    wait_until(|| hosts.office.mails().len() > known + 8);

    // The origin goes on, and so would the other host before the copy.
    hosts.office.instance.set("COUNTERSIGN_STORE_URL", &copy.view_of(&database).url);
    hosts.go_to(1);
    assert_refused(&hosts.office.try_to_work(), "the witness has seen");
    hosts.go_to(0);
    assert_refused(&hosts.office.try_to_work(), "this host has seen");
    drop(work);
    drop(server);
    hosts.office.smtp.behave("*", "accept");
    let told = hosts.office.told_once();

    // The copy is what is left, and its operators know it: the witness never signs for it.
    hosts.witness = Witness::called(ANOTHER, &hosts.office.instance);
    let policy = hosts.witness.policy();
    hosts.arm_with(&policy);
    for host in [1, 0] {
        hosts.go_to(host);
        assert_eq!(hosts.office.run(&["sending", "status"]).json()["armed"], true);
    }
    finish(&hosts.office);
    assert_accounted(&hosts.office, &told);
    drop(hosts);
}
