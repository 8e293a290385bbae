//! A store that an earlier version has left in the middle of a campaign: it is brought up to date, its
//! key is rotated, and over both versions nobody is told twice, or left sealed without a word.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};
use store::testing::make_older_store;
use testkit::site::SitePerson;
use tokio::runtime::Runtime;

use crate::{
    campaign_steering::assert_refused,
    harness::{Backend, TestInstance},
    keys::{NewKey, assert_is_refused, wrapped},
    office::{LEAK, Office, ids},
    settling::go_on,
    way_back::{CHOSEN, ResetScene, choose, form},
};

/// The schema before instance keys had ids.
const SCHEMA: usize = 15;

/// What the program kept at that schema of a campaign that was halted in its middle: three people were
/// told, and a fourth by a mail that a dead worker could not write down. One mailbox is full, one is gone.
/// Of three accounts the sealing was begun, and one of them holds a value of ours. The others wait.
const ROWS: &str = include_str!("../stores/0015.rows");

/// What was there besides the store: the site's people, key and sending file, and what was mailed.
const LEFT: &str = include_str!("../stores/0015.json");

/// The site's people as they were left.
const MOVE_IN: &str = "
import json
from django.contrib.auth.models import User
User.objects.all().delete()
for person in json.loads(arguments[0]):
    User.objects.create(pk=person['id'], username=person['username'], email=person['email'],
                        password=person['hash'])
answer = None
";

#[derive(Deserialize)]
struct Left {
    key: String,
    sending: String,
    roster_digest: String,
    people: Vec<Value>,
    mails: Vec<LeftMail>,
    /// The path of a link that nobody has followed.
    link: String,
    /// Whose link that is, and whose had not left yet.
    unused: String,
    waiting: String,
}

#[derive(Deserialize)]
struct LeftMail {
    address: String,
    subject: String,
    code: String,
}

impl Left {
    /// As it was found: nothing is migrated.
    fn scene(&self, backend: Backend) -> ResetScene {
        let site = backend.new_site();
        let _ = site.django(MOVE_IN, &[&json!(self.people).to_string()]);
        let instance = TestInstance::of(backend, &site);
        replace_store(&instance);
        fs::write(instance.path("instance.key"), &self.key).unwrap();
        write_privately(&instance.path("sending.json"), &self.sending);
        let mut office = Office::of_people(instance, site, self.exposed());
        office.instance.set("COUNTERSIGN_OPERATORS_ROSTER_DIGEST", &self.roster_digest);
        ResetScene::with_pages(office)
    }

    /// Whom the campaign is about.
    fn exposed(&self) -> Vec<SitePerson> {
        let text = |person: &Value, name: &str| person[name].as_str().unwrap().to_owned();
        let people = self.people.iter().map(|person| SitePerson {
            id: text(person, "id"),
            username: text(person, "username"),
            email: text(person, "email"),
            password: Some(text(person, "password")),
            kind: text(person, "kind"),
        });
        people.filter(|person| ["plain", "household"].contains(&&*person.kind)).collect()
    }

    /// The addresses that had the notice.
    fn told(&self) -> BTreeSet<String> {
        let notices =
            self.mails.iter().filter(|mail| mail.subject.contains("needs a new password"));
        notices.map(|mail| mail.address.clone()).collect()
    }

    fn person(&self, address: &str) -> SitePerson {
        self.exposed().into_iter().find(|person| person.email == address).unwrap()
    }
}

fn replace_store(instance: &TestInstance) {
    let file = instance.path("countersign.sqlite3");
    let url = match instance.store() {
        None => {
            fs::remove_file(&file).unwrap();
            format!("sqlite:{}", file.display())
        }
        Some(database) => {
            instance.ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
            database.url.clone()
        }
    };
    Runtime::new().unwrap().block_on(make_older_store(&url, SCHEMA, ROWS));
}

fn write_privately(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn an_older_campaign_is_settled_under_another_key_on_sqlite() {
    an_older_campaign_is_settled_under_another_key(Backend::Sqlite);
}

#[test]
fn an_older_campaign_is_settled_under_another_key_on_postgres() {
    an_older_campaign_is_settled_under_another_key(Backend::Postgres);
}

fn an_older_campaign_is_settled_under_another_key(backend: Backend) {
    let left: Left = serde_json::from_str(LEFT).unwrap();
    let scene = left.scene(backend);
    let office = &scene.office;
    let early = office.steer("status");
    assert!(early.failure().contains("run `countersign migrate`"), "{}", early.stderr);
    office.run(&["migrate"]).json();
    assert_sends_nothing(office);
    rotate(&office.instance);
    assert_sends_nothing(office);
    office.arm();
    assert_refused(&office.steer("freeze"), "`countersign campaign finish Spring`");
    office.steer("finish").json();
    go_on(office);
    left.assert_settled(office);
    left.assert_others_are_told(office);
    left.assert_mails_count(&scene);
}

/// What was armed by the earlier version is armed no more.
#[track_caller]
fn assert_sends_nothing(office: &Office) {
    assert_refused(&office.try_to_work(), "does not say which file it is");
    assert!(office.mails().is_empty());
}

fn rotate(instance: &TestInstance) {
    let new = NewKey::make(instance);
    new.rotated(instance);
    assert_is_refused(&instance.run(&["worker", "--until-done"]));
    let _ = new.put_in_place(instance);
    let [of_old, of_new] = wrapped(instance)[..] else { panic!("two keys") };
    assert!(of_old == 0 && of_new > 0, "{of_old} {of_new}");
}

/// What the end must be.
impl Left {
    /// Nobody is written to who may have been before, and whoever is sealed was told or is listed.
    fn assert_settled(&self, office: &Office) {
        assert!(office.mails().is_empty());
        let report = office.report();
        assert_eq!((&report["state"], &report["untold"]), (&json!("done"), &json!(0)));
        let expected = json!({"sent": 3, "refused": 1, "uncertain": 3});
        assert_eq!(report["notices"], expected, "{report:#}");
        let unsettled = office.steer("unsettled");
        let unsettled: Value = serde_json::from_str(&unsettled.stdout).unwrap();
        assert_eq!(unsettled["accounts"], json!([]));
        let listed = unsettled["unreached"].as_array().unwrap().iter();
        let listed = listed.map(|person| person["account"].as_str().unwrap().to_owned());
        let mut told = office.exposed();
        told.retain(|person| self.told().contains(&person.email));
        assert_eq!(office.locked_out(), &listed.collect() | &ids(&told), "{unsettled:#}");
    }

    /// Whoever still has the leaked password is for another campaign.
    fn assert_others_are_told(&self, office: &Office) {
        let others = &ids(&office.exposed()) - &office.locked_out();
        // Steps may be lost: until the table was compared, nobody knows who else is sealed.
        let compared = office.run(&["reconcile", "--tries", "1000000"]);
        assert!([0, 4].contains(&compared.code), "{}", compared.stderr);
        office.draft_another("Summer", LEAK, "canary_addresses = 500");
        office.start_another("Summer");
        office.work();
        assert_eq!(office.locked_out(), ids(&office.exposed()));
        let told = office.told_once();
        assert_eq!(told, office.addresses_of(&others));
        assert!(told.is_disjoint(&self.told()));
        let report = office.run(&["campaign", "report", "Summer"]).json();
        assert_eq!(report["sealed"], others.len(), "{report:#}");
        office.run(&["log", "verify"]).json();
    }

    /// What was mailed is still ours; a link has had its time, and another one comes.
    fn assert_mails_count(&self, scene: &ResetScene) {
        let served = scene.serve();
        for LeftMail { address, subject, code } in &self.mails {
            let asked = format!("code={}&address={}", form(code), form(address));
            let answer = served.post("/check", &asked);
            assert!(answer.contains("This notice is from us"), "{subject}: {answer}");
        }
        assert!(!served.get(&self.link).starts_with("HTTP/1.1 200"));
        for address in [&self.unused, &self.waiting] {
            let person = self.person(address);
            let chosen = choose(&served, &scene.ask(&served, &person, 1), CHOSEN);
            assert!(chosen.starts_with("HTTP/1.1 200"), "{chosen}");
            assert!(scene.lets_in(&person, CHOSEN));
        }
        served.stop();
        assert_eq!(scene.office.report()["reset_since"], 3);
    }
}
