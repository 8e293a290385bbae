//! Campaigns from the first finding to the last mail, and what people do meanwhile.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use testkit::{
    dkim,
    site::{DjangoSite, SiteKind, SiteOptions, SitePerson},
};

use crate::{
    harness::Backend,
    office::{Office, ids, leaked},
    people,
};

/// Leaks of the whole campaign.
fn files() -> &'static [&'static str] {
    const ALL: [&str; 8] = [
        "forum.txt",
        "bookshop-2016.txt",
        "newsletter.csv",
        "photos.txt",
        "quiz.tsv",
        "games/part-1.txt",
        "games/part-2.txt.gz",
        "games/more/part-3.txt.zst",
    ];
    if testkit::full() { &ALL } else { &ALL[..1] }
}

/// People whose password is in no leak that counts, or who have no address.
fn unaffected(office: &Office) -> Vec<&SitePerson> {
    let exposed = ids(&office.exposed());
    let people = office.site.truth.people.iter();
    people.filter(|person| person.password.is_some() && !exposed.contains(&person.id)).collect()
}

/// As many of them as there is time to sign in: Django takes up to half a second for each.
fn some<'a>(people: &[&'a SitePerson]) -> Vec<&'a SitePerson> {
    people.iter().take(if testkit::full() { usize::MAX } else { 8 }).copied().collect()
}

/// Whom of these Django's own sign-in lets in with the password that they had before.
fn sign_in(site: &DjangoSite, people: &[&SitePerson]) -> Vec<bool> {
    let pairs: Vec<_> = people.iter().map(|person| (&*person.username, leaked(person))).collect();
    site.authenticate_all(&pairs)
}

/// Has every notice signed; the key.
fn sign_mails(office: &mut Office) -> dkim::Key {
    let key = dkim::Key::make();
    let file = office.write("dkim.pem", &key.private_pem);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    office.instance.set("COUNTERSIGN_DKIM_DOMAIN", "example.org");
    office.instance.set("COUNTERSIGN_DKIM_SELECTOR", "notices");
    office.instance.set("COUNTERSIGN_DKIM_KEY_FILE", &file);
    key
}

#[test]
fn everybody_exposed_is_sealed_and_told_once_and_nobody_else_on_sqlite() {
    run_whole_campaign(Office::with_leaks(Backend::Sqlite, files()));
}

#[test]
fn everybody_exposed_is_sealed_and_told_once_and_nobody_else_on_postgres() {
    run_whole_campaign(Office::with_leaks(Backend::Postgres, files()));
}

/// What Countersign keeps is never there.
#[test]
fn everybody_exposed_is_sealed_and_told_once_and_nobody_else_of_a_site_on_mariadb() {
    let database = testkit::mariadb().database();
    let site = DjangoSite::make(SiteKind::Mariadb(&database), SiteOptions::default());
    run_whole_campaign(Office::at(Backend::Sqlite, site, files()));
}

fn run_whole_campaign(mut office: Office) {
    let key = sign_mails(&mut office);
    let sessions = OpenSessions::begin(&office);
    office.start("");
    office.work();

    let exposed = office.exposed();
    assert!(exposed.len() > 20, "{}", exposed.len());
    assert_eq!(office.locked_out(), ids(&exposed));
    let report = office.assert_settled(&ids(&exposed));
    assert_eq!(report["targeted"], exposed.len());
    assert_eq!(report["skipped"], json!({}));
    assert_mails_are_sound(&office, &key);
    sessions.assert_ended_for_the_sealed(&office);
    assert_nobody_else_is_locked_out(&office);
    assert!(sign_in(&office.site, &some(&exposed)).into_iter().all(|lets_in| !lets_in));
    come_back(&office);
}

fn assert_nobody_else_is_locked_out(office: &Office) {
    let others = unaffected(office);
    let pairs: Vec<_> = others.iter().map(|person| (&*person.id, leaked(person))).collect();
    assert!(people::opens(&office.site, &pairs).into_iter().all(|opens| opens));
    assert!(sign_in(&office.site, &some(&others)).into_iter().all(|lets_in| lets_in));
}

/// One of somebody who is exposed, one of a member of the family, one of somebody else.
struct OpenSessions(Vec<(String, String)>);

impl OpenSessions {
    fn begin(office: &Office) -> Self {
        let people = [office.plain()[0], &office.family[2], unaffected(office)[0]];
        let begun = people.map(|person| (person.id.clone(), office.site.sign_in(&person.id)));
        Self(begun.into())
    }

    fn assert_ended_for_the_sealed(&self, office: &Office) {
        let exposed = ids(&office.exposed());
        for (id, session) in &self.0 {
            let there = office.site.has_session(session);
            assert_eq!(there, !exposed.contains(id), "the session of account {id}");
        }
    }
}

/// Each mail has an id of its own, one recipient, and a signature that dkimpy takes for good; the
/// one to the family names all of its accounts.
fn assert_mails_are_sound(office: &Office, key: &dkim::Key) {
    let mails = office.smtp.taken();
    let ids: BTreeSet<_> = mails.iter().map(|mail| header(&mail.bytes, "Message-ID")).collect();
    assert_eq!(ids.len(), mails.len());
    assert!(mails.iter().all(|mail| mail.recipients.len() == 1));
    let verdicts = key.verify(mails.iter().map(|mail| &mail.bytes));
    assert_eq!(verdicts.len(), mails.len());
    for verdict in verdicts {
        assert!(verdict.is_good(), "{verdict:?}");
        assert_eq!(verdict.names, ["notices._domainkey.example.org."]);
    }
    let family = office.address(&office.family[0]);
    let mail = String::from_utf8_lossy(&office.mails()[family][0].bytes).into_owned();
    for member in &office.family {
        assert!(mail.contains(&member.username), "{} is not in {mail}", member.username);
    }
}

fn header(mail: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(mail);
    let line = text.lines().find(|line| line.starts_with(&format!("{name}:")));
    line.unwrap().to_owned()
}

/// Two people use the site's own "Forgot password?": one chooses a new password, the other the
/// leaked one again.
fn come_back(office: &Office) {
    let (careful, careless) = (office.plain()[0], office.plain()[1]);
    reset(office, careful, "something that is in no leak");
    assert_eq!(resets(office), json!([1, 0]));
    let (name, old) = (careful.username.as_str(), leaked(careful));
    let tried =
        office.site.authenticate_all(&[(name, "something that is in no leak"), (name, old)]);
    assert_eq!(tried, [true, false]);
    reset(office, careless, leaked(careless));
    assert_eq!(resets(office), json!([2, 1]));
    assert_eq!(office.report()["sealed"], office.exposed().len());
}

fn reset(office: &Office, person: &SitePerson, password: &str) {
    let before = office.smtp.taken().len();
    office.site.request_reset(&person.email, office.smtp.port());
    let mails = office.smtp.taken();
    assert_eq!(mails.len(), before + 1, "Django mails a sealed person");
    assert!(office.site.reset_by_mail(&mails[before].bytes, password));
}

fn resets(office: &Office) -> Value {
    let report = office.report();
    json!([report["reset_since"], report["reused"]])
}

#[test]
fn whoever_is_quicker_is_left_alone() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.freeze("");
        let plain = office.plain();
        let [one, two, same, moved, gone, silent, signed_in, ..] = plain[..] else {
            panic!("{} people are too few", plain.len())
        };
        let sibling = &office.family[1];
        let mine = |person: &SitePerson| format!("{}'s own choice", person.username);
        let (for_one, for_two, for_sibling) = (mine(one), mine(two), mine(sibling));
        people::change_passwords(
            &office.site,
            &[
                (&one.id, &for_one),
                (&two.id, &for_two),
                (&sibling.id, &for_sibling),
                (&same.id, leaked(same)),
            ],
        );
        people::change_address(&office.site, &moved.id, "elsewhere@example.org");
        people::leave(&office.site, &gone.id);
        people::forgo_password(&office.site, &silent.id);
        // A sign-in puts a hash of today's cost in the place of the old one.
        assert!(office.site.authenticate(&signed_in.username, leaked(signed_in)));
        office.sign_and_start();
        office.work();

        let mut sealed = ids(&office.exposed());
        for person in [one, two, sibling, moved, gone, silent] {
            assert!(sealed.remove(&person.id));
        }
        let report = office.assert_settled(&sealed);
        let skipped = json!({"changed": 3, "address_changed": 1, "gone": 1, "no_password": 1});
        assert_eq!(report["skipped"], skipped);
        assert_eq!(report["targeted"], office.exposed().len());
        let chosen = [(&*one.id, &*for_one), (&*two.id, &*for_two), (&*moved.id, leaked(moved))];
        assert_eq!(people::opens(&office.site, &chosen), [true; 3]);
        let refused = [(&*same.id, leaked(same)), (&*signed_in.id, leaked(signed_in))];
        assert_eq!(people::opens(&office.site, &refused), [false; 2]);
        let family = office.address(sibling);
        let mail = String::from_utf8_lossy(&office.mails()[family][0].bytes).into_owned();
        assert!(mail.contains("family_one") && mail.contains("family_three"), "{mail}");
        assert!(!mail.contains("family_two"), "{mail}");
    }
}
