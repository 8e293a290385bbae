//! Two hosts that send: what one of them has sent the other must not send again, though the store
//! was put back meanwhile.

use std::{fs, path::Path, thread, time::Duration};

use authority::SignedArming;
use model::Document as _;

use crate::{
    harness::{Backend, Run},
    office::{Office, ids, key, wait_until},
    witness::{Witness, backup, put_back},
};

/// Whatever was under way has come to its end by then.
const SETTLED_AFTER: Duration = Duration::from_secs(7);

const HOSTS: [&str; 2] = ["sending.json", "sending-2.json"];

/// A site whose store two hosts use, and whoever is a witness elsewhere.
pub(crate) struct TwoHosts<W> {
    pub(crate) office: Office,
    pub(crate) witness: W,
}

impl TwoHosts<Witness> {
    fn open() -> Self {
        let office = Office::open(Backend::Sqlite);
        let witness = Witness::of(&office.instance);
        Self { office, witness }
    }

    fn armed() -> Self {
        let mut hosts = Self::open();
        let policy = hosts.witness.policy();
        hosts.arm_with(&policy);
        hosts
    }
}

impl<W> TwoHosts<W> {
    /// Arms both hosts to send with the witnesses of this policy.
    pub(crate) fn arm_with(&mut self, policy: &str) {
        let policy = self.office.write("witnesses", policy.as_bytes());
        let armed = self.arming(&["--witnesses", &policy]);
        assert_eq!(self.arm(&armed).json()["hosts"], 2);
        self.go_to(1);
        self.office.run(&["sending", "adopt"]).json();
    }

    /// From now on the other commands are those of this host.
    pub(crate) fn go_to(&mut self, host: usize) {
        let file = self.office.path(HOSTS[host]);
        self.office.instance.set("COUNTERSIGN_SENDING_FILE", &file);
    }

    /// This host is armed, and may not send.
    fn assert_held_up(&self, why: &str) {
        let status = self.office.run(&["status"]);
        assert_eq!(status.code, 3, "{}", status.stderr);
        assert!(status.stdout.contains(why), "{}", status.stdout);
    }

    /// What both hosts propose, signed by two.
    fn arming(&mut self, more: &[&str]) -> String {
        let (run, file) = self.propose(more);
        run.json();
        let signed = SignedArming::parse(&fs::read(&file).unwrap()).unwrap();
        let signed = signed.signed_by(&key("ana")).signed_by(&key("bob"));
        self.office.write("armed.json", &signed.to_bytes())
    }

    fn propose(&mut self, more: &[&str]) -> (Run, String) {
        let files = HOSTS.map(|host| self.office.path(&format!("{host}.arming")));
        for file in &files {
            let _ = fs::remove_file(file);
        }
        self.go_to(1);
        self.office.run(&["sending", "propose", "--output", &files[1]]).json();
        self.go_to(0);
        let propose = ["sending", "propose", "--output", &files[0], "--with", &files[1]];
        let run = self.office.run(&[&propose[..], more].concat());
        let [file, _] = files;
        (run, file)
    }

    fn arm(&self, file: &str) -> Run {
        self.office.run(&["sending", "arm", file])
    }
}

#[track_caller]
pub(crate) fn assert_refused(run: &Run, reason: &str) {
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains(reason), "{}", run.stderr);
}

#[test]
fn two_hosts_are_armed_only_with_a_witness() {
    let mut hosts = TwoHosts::open();
    let (proposed, file) = hosts.propose(&[]);
    assert_refused(&proposed, "2 hosts are to send, and no witness tells them");
    assert!(!Path::new(&file).exists());
    drop(hosts);

    let mut hosts = TwoHosts::armed();
    for host in [0, 1] {
        hosts.go_to(host);
        let status = hosts.office.run(&["sending", "status"]).json();
        assert_eq!((&status["armed"], &status["hosts"]), (&true.into(), &2.into()), "{status:#}");
    }
    hosts.office.start("");
    hosts.go_to(0);
    hosts.office.work();
    hosts.office.assert_settled(&ids(&hosts.office.exposed()));
}

#[test]
fn a_plan_that_was_signed_with_a_witness_is_not_carried_out_without() {
    let mut hosts = TwoHosts::armed();
    hosts.go_to(0);
    hosts.office.start("");
    let plan = hosts.office.export().signing_text();
    assert!(plan.contains("witnesses: nobody is sealed or told without their signature"), "{plan}");
    hosts.office.arm();
    assert_refused(&hosts.office.try_to_work(), "was signed for with witnesses");
    assert!(hosts.office.locked_out().is_empty() && hosts.office.mails().is_empty());
    hosts.office.steer("halt");
    hosts.office.freeze_again();
    hosts.office.approve(&["bob", "cleo"]);
    assert_eq!(hosts.office.steer("resume").code, 0);
    hosts.office.work();
    hosts.office.assert_settled(&ids(&hosts.office.exposed()));
}

#[test]
fn what_one_host_has_sent_the_other_does_not_send_again() {
    let mut hosts = TwoHosts::armed();
    hosts.office.start("");
    let store = hosts.office.instance.path("countersign.sqlite3");
    let before = backup(&hosts.office.instance);
    hosts.go_to(0);
    hosts.office.work();
    let told = hosts.office.told_once();

    put_back(&store, &before);
    hosts.go_to(1);
    assert_refused(&hosts.office.try_to_work(), "the witness has seen");
    let status = hosts.office.run(&["sending", "status"]);
    assert_refused(&status, "");
    assert!(status.stdout.contains("it is a restored backup"), "{}", status.stdout);
    hosts.go_to(0);
    assert_refused(&hosts.office.try_to_work(), "this host has seen");
    assert_eq!(hosts.office.told_once(), told);
}

#[test]
fn what_is_halted_from_a_host_that_sends_nothing_stays_halted() {
    let mut hosts = TwoHosts::armed();
    hosts.office.start("");
    let store = hosts.office.instance.path("countersign.sqlite3");
    let before = backup(&hosts.office.instance);
    let none = hosts.office.path("none.json");
    hosts.office.instance.set("COUNTERSIGN_SENDING_FILE", &none);
    hosts.office.run(&["campaign", "halt", "--all"]).json();

    put_back(&store, &before);
    hosts.go_to(0);
    assert_refused(&hosts.office.try_to_work(), "the witness has seen");
    assert!(hosts.office.locked_out().is_empty() && hosts.office.mails().is_empty());
}

#[test]
fn nobody_is_sealed_while_the_witness_is_silent() {
    let mut hosts = TwoHosts::armed();
    hosts.office.start("canary_addresses = 500\nsealed_untold_max = 8");
    hosts.office.smtp.behave("*", "slow");
    let work = hosts.office.start_work();
    wait_until(|| hosts.office.smtp.connections() > 1);
    hosts.witness.kill();
    // Whoever has got leave by now is sealed and told; nobody is after that.
    thread::sleep(SETTLED_AFTER);
    let (sealed, mails) = (hosts.office.locked_out(), hosts.office.mails().len());
    assert!(sealed.len() < hosts.office.exposed().len(), "too late to see anything");
    thread::sleep(SETTLED_AFTER);
    assert_eq!((hosts.office.locked_out(), hosts.office.mails().len()), (sealed, mails));
    hosts.assert_held_up("too few witnesses sign for the log");
    hosts.witness.start(&hosts.office.instance);
    let done = work.wait();
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("too few witnesses sign for the log"), "{}", done.stderr);
    assert_eq!(hosts.office.run(&["status"]).code, 0);
    hosts.office.assert_settled(&ids(&hosts.office.exposed()));
}

#[test]
fn a_witness_that_has_forgotten_is_believed_by_no_process_that_has_just_begun() {
    let mut hosts = TwoHosts::armed();
    hosts.office.start("ramp = [{ reach = { permille = 1000 }, reapproval = true }]");
    hosts.office.work();
    let told = hosts.office.told_once();
    let kept = hosts.witness.forget(&hosts.office.instance);
    hosts.assert_held_up("it has lost what it knew");
    hosts.office.freeze_again();
    hosts.office.approve(&["bob", "cleo"]).json();
    hosts.office.steer("resume").json();
    let refused = hosts.office.try_to_work();
    assert_eq!((refused.code, hosts.office.told_once()), (1, told), "{}", refused.stderr);
    assert!(refused.stderr.contains("it has lost what it knew"), "{}", refused.stderr);
    hosts.witness.remember(&kept, &hosts.office.instance);
    hosts.office.work();
    hosts.office.assert_settled(&ids(&hosts.office.exposed()));
}
