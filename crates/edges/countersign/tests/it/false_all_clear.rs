//! Nobody is told that nothing was found unless their password, as it is stored now, was compared with all
//! that leaks say of them.

use std::path::{Path, PathBuf};

use serde_json::json;
use testkit::site::SitePerson;

use crate::{
    harness::{Backend, read_list},
    office::Office,
    people,
    serve::Served,
    way_back::{ANSWER, ResetScene, ask_whether, form},
};

/// What Request Tracker writes of a password after SHA-512, which no form without a name fits.
pub(crate) const UNKNOWN: &str = "$rt$12$tHVJ.c1qLoiqCzqFPxuAu.ny6.MoFlMyGljeNBYmKmdybQrQe6OUy";

/// Of a password in no leak, as another program than the site's would store it: whether the site computes it
/// so, no known password has shown.
const UNPROVED: &str = "$2b$04$gOjoGLSBUOAEoZnSqS.1PuqaRk7vMfDQEU2jtsY2QLUcyiv0/2SHW";

const SECOND: &str = "Second";

/// Adds a leak of these lines and looks through it.
pub(crate) fn screen(office: &Office, name: &str, lines: &[(&SitePerson, &str)]) {
    let lines: Vec<_> = lines.iter().map(|(who, what)| format!("{}:{what}", who.email)).collect();
    let file = office.write(&format!("{name}.txt"), lines.join("\n").as_bytes());
    office.instance.add_leak(name, &[Path::new(&file)]).json();
    office.run(&["leak", "screen", name]).json();
}

fn answer(scene: &ResetScene, served: &Served, person: &SitePerson) -> String {
    ask_whether(served, person);
    let text = scene.mail(person, ANSWER, 1).text();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Plain people whose password stands in no leak.
pub(crate) fn unharmed(office: &Office) -> Vec<&SitePerson> {
    let exposed: Vec<_> = office.exposed().iter().map(|person| person.id.clone()).collect();
    let people = office.site.truth.people.iter();
    let plain = people.filter(|person| person.kind == "plain" && person.password.is_some());
    plain.filter(|person| !exposed.contains(&person.id)).collect()
}

#[test]
fn there_are_three_answers() {
    for backend in Backend::ALL {
        let scene = ResetScene::with_pages(Office::open(backend));
        let office = &scene.office;
        let people = unharmed(office);
        let [unnamed, tried, unknown, changed, waiting, emptied, unproved] = people[..7] else {
            panic!("too few people")
        };
        people::keep_hash(&office.site, &unknown.id, UNKNOWN);
        people::keep_hash(&office.site, &unproved.id, UNPROVED);
        let lines =
            [tried, unknown, changed, emptied, unproved].map(|person| (person, "Tr0ub4dor&3"));
        people::forgo_password(&office.site, &emptied.id);
        screen(office, SECOND, &lines);
        office.run(&["leak", "verify", SECOND]);
        // The leaked one, which was not theirs when it was tried.
        people::change_passwords(
            &office.site,
            &[(&changed.id, "Tr0ub4dor&3"), (&emptied.id, "Tr0ub4dor&3")],
        );
        screen(office, "Third", &[(waiting, "Tr0ub4dor&3")]);
        // Whoever may write rows does not date what the log dates.
        office.instance.ask("UPDATE leak SET looked_at = 1351728000000000");
        office.instance.ask("UPDATE tried SET tried_at = 1352332800000000");

        let served = scene.serve();
        let text = answer(&scene, &served, unnamed);
        let is_unnamed = text.contains("last looked through the stolen data that we had on");
        assert!(is_unnamed && !text.contains("2012"), "{text}");
        let text = answer(&scene, &served, tried);
        let is_tried = text.contains("We last compared it on");
        assert!(is_tried && !text.contains("2012"), "{text}");
        for person in [unknown, changed, waiting, emptied, unproved] {
            let text = answer(&scene, &served, person);
            let is_open = text.contains("We could not check that.") && text.contains("What to do");
            assert!(is_open && !text.contains("not found it"), "{text}");
        }
        let text = answer(&scene, &served, office.exposed()[0]);
        assert!(text.contains("We found it there"), "{text}");
        served.stop();
        assert_is_told_to_operators(office);
    }
}

fn assert_is_told_to_operators(office: &Office) {
    let status = office.run(&["status"]).json();
    let expected = json!({ "accounts": 1, "by_leak": { SECOND: 1 }, "partly_read": [] });
    assert_eq!(status["not_checked"], expected);
    assert!(office.instance.shown(&["status"]).contains("could not check"));
    let file = office.instance.path("list.jsonl");
    let shown = office.run(&["leak", "show", SECOND, "--output", file.to_str().unwrap()]);
    assert_eq!(shown.code, 4, "{}", shown.stderr);
    let listed = read_list(&file);
    let of = |status: &str| listed.iter().find(|row| row["status"] == status).unwrap();
    let (row, unproved) = (of("unknown_format"), of("without_proof"));
    let found = (listed.len(), &row["hash_head"], &row["records"][0]["line"]);
    assert_eq!(found, (2, &json!("$rt$12$"), &json!(2)));
    assert_eq!(unproved["hash_head"], "$2b$*$");
    office.draft_another("Autumn", SECOND, "");
    let shown = office.run(&["campaign", "status", "Autumn"]).json();
    assert_eq!(shown["not_checked"], 1);
}

/// From then on, nobody knows whether it was looked for as it is stored.
#[test]
fn what_was_tried_in_other_forms_than_todays_is_not_denied() {
    let scene = ResetScene::with_pages(Office::open(Backend::Sqlite));
    let office = &scene.office;
    let tried = unharmed(office)[0];
    screen(office, SECOND, &[(tried, "Tr0ub4dor&3")]);
    office.run(&["leak", "verify", SECOND]).json();
    let file = office.instance.path("countersign.toml");
    let mut config: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    let hash: toml::Table = "forms = \"django\\nmeteor\"".parse().unwrap();
    config["directory"].as_table_mut().unwrap().insert("hash".to_owned(), hash.into());
    std::fs::write(&file, config.to_string()).unwrap();
    let served = scene.serve();
    let text = answer(&scene, &served, tried);
    assert!(text.contains("We could not check that.") && !text.contains("not found it"), "{text}");
    served.stop();
}

/// Whom the rest of it names, nobody knows.
#[test]
fn whom_a_leak_that_broke_off_may_name_is_not_denied() {
    let scene = ResetScene::with_pages(Office::open(Backend::Sqlite));
    let office = &scene.office;
    let is_packed = |leak: &&PathBuf| leak.extension().is_some_and(|end| end == "gz");
    let whole = office.site.leaks.iter().find(is_packed).unwrap();
    let bytes = std::fs::read(whole).unwrap();
    let broken = office.write("broken.gz", &bytes[..bytes.len() - 20]);
    office.instance.add_leak("Broken", &[Path::new(&broken)]).json();
    assert_eq!(office.run(&["leak", "screen", "Broken"]).code, 4);
    assert_eq!(office.run(&["leak", "verify", "Broken"]).code, 4);
    let served = scene.serve();
    let text = answer(&scene, &served, unharmed(office)[0]);
    assert!(text.contains("We could not compare all of the stolen data"), "{text}");
    assert!(!text.contains("not found it") && !text.contains("looked through"), "{text}");
    served.stop();
    assert_eq!(office.run(&["status"]).json()["not_checked"]["partly_read"], json!(["Broken"]));
    assert!(office.instance.shown(&["status"]).contains("the leak Broken could not be read"));
}

#[test]
fn where_no_leak_was_looked_through_nothing_is_said_in_any_language() {
    let scene = ResetScene::with_pages(Office::without_leaks(Backend::Sqlite));
    let office = &scene.office;
    let people = unharmed(office);
    screen(office, SECOND, &[(people[2], "Tr0ub4dor&3")]);
    let served = scene.serve();
    let text = answer(&scene, &served, people[0]);
    assert!(text.contains("We have not compared it with any stolen data yet."), "{text}");
    assert!(!text.contains("not found it"), "{text}");
    let posted = format!("lang=de&address={}", form(&people[1].email));
    served.post("/affected", &posted);
    let text = scene.mail(people[1], "Ihre Frage", 1).text();
    assert!(text.contains("Das konnten wir nicht prüfen."), "{text}");
    served.stop();
}
