//! Another instance key comes into force: nothing goes on under the one before, and everything under
//! the new one.

use std::fs;

use instance::{InstanceKey, KeyRing};
use serde_json::Value;
use testkit::{TerminalRun, terminal};

use crate::{
    harness::{Backend, Run, TestInstance},
    office::{LEAK, Office, ids, wait_until},
    restored::{QUICK, seal_more_than_are_told, unrecorded},
    serve::Served,
    undone::assert_remembered,
    way_back::{CHOSEN, ResetScene, choose, code, form},
    witness::{Watch, cosign, grow, head, log_verifier},
};

const ROTATED: &str = "the instance key was rotated: put the new key file in place and restart";

/// A key that is made, and may be in force.
pub(crate) struct NewKey {
    file: String,
    id: String,
    verifier: String,
}

impl NewKey {
    pub(crate) fn make(instance: &TestInstance) -> Self {
        let file = instance.path("next.key").to_str().unwrap().to_owned();
        let made = instance.run(&["key", "new", &file]).json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self { file, id: text("key"), verifier: text("verifier") }
    }

    /// Rotates to it, as somebody does who types this at a moment that may kill.
    fn rotate(&self, instance: &TestInstance, typed: &str, failpoint: Option<&str>) -> TerminalRun {
        let mut command = instance.command(&["key", "rotate", "--new-key", &self.file]);
        command.envs(failpoint.map(|moment| ("FAILPOINT", moment)));
        terminal(command).answer("Type the first 8 characters", typed).run()
    }

    pub(crate) fn rotated(&self, instance: &TestInstance) {
        let run = self.rotate(instance, &self.id[..8], None);
        assert_eq!(run.code, 0, "{}", run.output);
        assert!(run.output.contains("restart workers and page servers"), "{}", run.output);
    }

    /// Puts its file into the place of the one before; what that one held.
    pub(crate) fn put_in_place(&self, instance: &TestInstance) -> InstanceKey {
        let present = instance.path("instance.key");
        let before = fs::read_to_string(&present).unwrap();
        fs::rename(&self.file, &present).unwrap();
        InstanceKey::parse(&before).unwrap()
    }
}

#[track_caller]
pub(crate) fn assert_is_refused(run: &Run) {
    assert_eq!(run.code, 3, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(ROTATED), "{}", run.stderr);
}

/// How many data keys each key wraps, the first key first.
pub(crate) fn wrapped(instance: &TestInstance) -> Vec<u64> {
    let keys = instance.run(&["key", "list"]).json()["keys"].take();
    keys.as_array().unwrap().iter().map(|key| key["data_keys"].as_u64().unwrap()).collect()
}

#[test]
fn a_campaign_goes_on_under_another_key_on_sqlite() {
    a_campaign_goes_on_under_another_key(Backend::Sqlite);
}

#[test]
fn a_campaign_goes_on_under_another_key_on_postgres() {
    a_campaign_goes_on_under_another_key(Backend::Postgres);
}

fn a_campaign_goes_on_under_another_key(backend: Backend) {
    let office = Office::open(backend);
    let instance = &office.instance;
    office.smtp.behave("*", "slow");
    office.start(QUICK);
    let work = office.start_work();
    wait_until(|| office.mails().len() > 2);
    let new = NewKey::make(instance);
    let kept = head(instance);
    new.rotated(instance);
    assert_is_refused(&work.wait());
    let told = office.mails().len();
    for command in [&["worker", "--until-done"][..], &["log", "verify"], &["key", "list"]] {
        assert_is_refused(&office.run(command));
    }
    assert_eq!(office.mails().len(), told);
    assert!(told < office.addresses_of(&ids(&office.exposed())).len(), "nobody was left to tell");

    let old = new.put_in_place(instance);
    office.smtp.behave("*", "accept");
    office.work();
    assert_eq!(office.locked_out(), ids(&office.exposed()));
    let (told, report) = (office.told_once(), office.report());
    assert_eq!(
        (&report["state"], &report["sealed"]),
        (&"done".into(), &office.exposed().len().into())
    );
    // Each lane may have had one mail on its way, of which nothing could be written down any more.
    let uncertain = report["notices"]["uncertain"].as_u64().unwrap_or_default();
    let addresses = office.addresses_of(&ids(&office.exposed())).len();
    assert!(
        uncertain <= 4 && told.len() + usize::try_from(uncertain).unwrap() >= addresses,
        "{report:#}"
    );

    let kept = office.write("kept", kept.as_bytes());
    let verified = office.run(&["log", "verify", "--against", &kept]).json();
    assert_eq!(verified["verifier"], new.verifier.as_str());
    let rotation = &office.logged("key_rotated")[0];
    assert_eq!((&rotation["key"], &rotation["verifier"]), (&new.id.into(), &new.verifier.into()));
    let [of_old, of_new] = wrapped(instance)[..] else { panic!("two keys") };
    assert!(of_old == 0 && of_new > 50, "{of_old} {of_new}");
    assert_forges_nothing(&office, &old, &verified);
}

/// Whoever has stolen the old key signs no checkpoint of what came after it.
fn assert_forges_nothing(office: &Office, old: &InstanceKey, verified: &Value) {
    let id = office.logged("store_made")[0]["instance"].as_str().unwrap().to_owned();
    let key = KeyRing::new(old.clone()).checkpoint_key(&id);
    assert_eq!(verified["retired_verifiers"][0]["verifier"], key.verifier().to_string());
    let forged = key.sign(verified["entries"].as_u64().unwrap(), [7; 32]).unwrap();
    let forged = office.write("forged", forged.as_bytes());
    let refused = office.run(&["log", "verify", "--against", &forged]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("signed by a key that was retired"), "{}", refused.stderr);
}

#[test]
fn a_rotation_that_is_killed_is_finished_by_running_it_again() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let instance = &office.instance;
        let new = NewKey::make(instance);
        let killed = new.rotate(instance, &new.id[..8], Some("data_keys_wrapped:1"));
        assert_ne!(killed.code, 0, "{}", killed.output);
        assert_is_refused(&office.run(&["status"]));

        // With the new key everything goes on, half of it wrapped by either.
        fs::copy(instance.path("instance.key"), instance.path("old.key")).unwrap();
        fs::copy(&new.file, instance.path("instance.key")).unwrap();
        let [of_old, of_new] = wrapped(instance)[..] else { panic!("two keys") };
        assert!(of_old > 0 && of_new > 0, "{of_old} {of_new}");
        let doctor = instance.shown(&["doctor", "--skip-relay-check"]);
        assert!(doctor.contains("run `countersign key rotate` to finish"), "{doctor}");
        office.start("");
        office.work();
        office.assert_settled(&ids(&office.exposed()));

        // It is run again as it was before, with the old key in its place.
        fs::copy(instance.path("old.key"), instance.path("instance.key")).unwrap();
        let again = instance.run(&["key", "rotate", "--new-key", &new.file]).json();
        assert_eq!(again["wrapped"], of_old, "nothing was wrapped by the old key since");
        assert_is_refused(&office.run(&["status"]));
        new.put_in_place(instance);
        assert_eq!(wrapped(instance)[0], 0);
        assert_eq!(instance.run(&["key", "rotate"]).json()["wrapped"], 0);
        office.run(&["log", "verify"]).json();
    }
}

/// What the store that is restored knows nothing of: a rotation, and a campaign under the new key.
#[test]
fn whoever_was_sealed_under_a_later_key_is_recognised_once_the_store_has_it() {
    let mut office = Office::open(Backend::Sqlite);
    let (backup, present) = (office.path("site.backup"), office.path("instance.key"));
    office.run(&["backup", &backup]).json();
    let of_then = fs::read_to_string(&present).unwrap();
    let new = NewKey::make(&office.instance);
    new.rotated(&office.instance);
    let _ = new.put_in_place(&office.instance);
    seal_more_than_are_told(&office);
    let sealed = office.locked_out();

    office.instance.set("COUNTERSIGN_STORE_URL", "sqlite:restored.sqlite3");
    let other = office.run(&["restore", &backup]);
    assert!(other.stderr.contains("countersign key rotate --new-key"), "{}", other.stderr);
    fs::copy(&present, &new.file).unwrap();
    fs::write(&present, of_then).unwrap();
    office.run(&["restore", &backup]).json();
    office.arm();
    let blind = office.run(&["reconcile", "--list", "--tries", "1000000"]);
    assert_eq!(blind.code, 4, "{}", blind.stderr);
    let blind: Value = serde_json::from_str(&blind.stdout).unwrap();
    assert!(blind["unjudged"].as_u64().unwrap() >= sealed.len() as u64, "{blind:#}");
    assert_eq!(blind["found"], serde_json::json!({}));

    new.rotated(&office.instance);
    let _ = new.put_in_place(&office.instance);
    office.draft_another("Summer", LEAK, QUICK);
    let uncompared = office.run(&["campaign", "freeze", "Summer"]);
    assert_eq!(uncompared.code, 3, "{}", uncompared.stderr);
    assert_eq!(unrecorded(&office), sealed);
    office.run(&["campaign", "freeze", "Summer"]).json();
    assert_eq!(unrecorded(&office), sealed);
}

#[test]
fn only_a_person_who_types_the_new_keys_id_rotates() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let new = NewKey::make(&instance);
    let wrong = new.rotate(&instance, "00000000", None);
    assert_eq!(wrong.code, 3, "{}", wrong.output);
    let nobody = instance.run(&["key", "rotate", "--new-key", &new.file]);
    assert!(nobody.failure().contains("a person has to answer"), "{}", nobody.stderr);
    assert_eq!(wrapped(&instance).len(), 1);
    let again = instance.run(&["key", "new", &new.file]);
    assert!(again.failure().contains("is there already"), "{}", again.stderr);
    new.rotated(&instance);
    let old = instance.path("instance.key").to_str().unwrap().to_owned();
    let copy = instance.path("old.key").to_str().unwrap().to_owned();
    fs::copy(&old, &copy).unwrap();
    new.put_in_place(&instance);
    let back = terminal(instance.command(&["key", "rotate", "--new-key", &copy]))
        .answer("Type the first 8 characters", &id_of(&instance, 0)[..8])
        .run();
    assert_eq!(back.code, 3, "{}", back.output);
    assert!(back.output.contains("the store has had key"), "{}", back.output);
}

fn id_of(instance: &TestInstance, number: usize) -> String {
    let keys = instance.run(&["key", "list"]).json();
    keys["keys"][number]["key"].as_str().unwrap().to_owned()
}

#[test]
fn what_people_were_mailed_before_works_under_another_key() {
    let scene = ResetScene::open(Backend::Sqlite);
    let (office, person) = (&scene.office, scene.office.plain()[0]);
    let mail = &office.mails()[office.address(person)][0];
    let (code, address) = (form(&code(mail)), form(office.address(person)));
    let is_checked = |served: &Served| {
        let answer = served.post("/check", &format!("code={code}&address={address}"));
        answer.contains("This notice is from us")
    };
    let served = scene.serve();
    let link = scene.ask(&served, person, 1);
    assert!(is_checked(&served));
    let new = NewKey::make(&office.instance);
    new.rotated(&office.instance);
    let log = served.ended();
    assert!(log.contains(ROTATED), "{log}");
    // There is no way back by a store from before.
    assert_remembered(office);
    new.put_in_place(&office.instance);

    let served = scene.serve();
    assert!(is_checked(&served));
    assert!(served.get(&link).starts_with("HTTP/1.1 200"));
    let later = scene.ask(&served, person, 2);
    let chosen = choose(&served, &link, CHOSEN);
    assert!(chosen.starts_with("HTTP/1.1 200") && !chosen.contains("aria-invalid"), "{chosen}");
    assert!(scene.lets_in(person, CHOSEN));
    assert!(!served.get(&later).starts_with("HTTP/1.1 200"), "they have come back");
    served.stop();
    assert_eq!(office.report()["reset_since"], 1);
}

#[test]
fn a_witness_that_knows_both_keys_signs_on() {
    let mut watch = Watch::begin();
    let sign =
        |watch: &Watch| cosign(&watch.instance, &watch.witness.url(), &watch.witness.verifier());
    sign(&watch).json();
    let (present, new) = (log_verifier(&watch.instance), NewKey::make(&watch.instance));
    watch.witness.kill();
    watch.witness.start_knowing(&watch.instance, &[&present, &new.verifier]);
    grow(&watch.instance);
    sign(&watch).json();
    new.rotated(&watch.instance);
    new.put_in_place(&watch.instance);
    let last = head(&watch.instance);
    assert_eq!(last.lines().filter(|line| line.starts_with('—')).count(), 2, "{last}");
    sign(&watch).json();
    grow(&watch.instance);
    sign(&watch).json();
    // The old one may be forgotten now, and should be.
    watch.witness.kill();
    watch.witness.start_knowing(&watch.instance, &[&new.verifier]);
    grow(&watch.instance);
    sign(&watch).json();
    assert_eq!(log_verifier(&watch.instance), new.verifier);
}
