//! Rendered notices, checked in for people to read, and held against the rules.

use std::{env, fs, path::PathBuf};

use model::{Provenance, Tier};
use notice::{Composer, Language, ResetRequired, lint};

use crate::facts::{exposure, facts, one_exposure, posting, site};

/// Set to 1 to write the examples anew.
const UPDATE_VARIABLE: &str = "COUNTERSIGN_UPDATE_NOTICES";

/// Every shape that the facts can have.
fn examples() -> Vec<(&'static str, ResetRequired)> {
    let circulating = exposure(Tier::Username, "Collection 7", "2019-03", Provenance::Circulating);
    let unknown = exposure(Tier::Lead, "anything", "", Provenance::Unknown);
    let dated = exposure(Tier::Exact, "Example Books", "2016-05-17", Provenance::Confirmed);
    let jane = "jane@example.net";
    vec![
        ("one_account", facts(jane, &[Some("janedoe")], one_exposure())),
        ("no_username", facts(jane, &[None], vec![unknown.clone()])),
        (
            "three_accounts",
            facts(jane, &[Some("janedoe"), Some("jane.work"), None], vec![dated, circulating]),
        ),
    ]
}

fn path(name: &str, language: Language) -> PathBuf {
    testkit::workspace().join(format!("docs/notices/reset_required.{name}.{language}.txt"))
}

/// The message as it is, and then both its parts as they read.
fn shown(name: &str, facts: &ResetRequired, language: Language) -> String {
    let composer = Composer::new(site(language)).unwrap();
    let message = composer.reset_required(facts, language, &posting(7)).unwrap();
    let rendered = composer.preview(facts, language).unwrap();
    let (headers, _) =
        std::str::from_utf8(message.bytes()).unwrap().split_once("\r\n\r\n").unwrap();
    let envelope = format!("{} -> {}", message.envelope_from(), message.recipient());
    let headers = headers.replace("\r\n", "\n");
    let (text, html) = (rendered.text, rendered.html);
    let rule = "-".repeat(72);
    format!("{name}, {language}\n{envelope}\n{rule}\n{headers}\n{rule}\n{text}{rule}\n{html}")
}

#[test]
fn the_examples_show_what_is_sent() {
    let update = env::var_os(UPDATE_VARIABLE).is_some_and(|value| value == "1");
    for (name, facts) in examples() {
        for language in Language::ALL {
            let (path, now) = (path(name, *language), shown(name, &facts, *language));
            if update {
                fs::write(&path, &now).unwrap();
            }
            let checked_in = fs::read_to_string(&path).unwrap_or_default();
            let path = path.display();
            assert_eq!(
                checked_in, now,
                "{path} is not what is sent: {UPDATE_VARIABLE}=1 renews it"
            );
        }
    }
}

#[test]
fn every_notice_keeps_the_rules() {
    for (name, facts) in examples() {
        for language in Language::ALL {
            let site = site(*language);
            let rendered = Composer::new(site.clone()).unwrap().preview(&facts, *language).unwrap();
            let faults = lint(&rendered, &site, &facts, *language);
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            assert!(faults.is_empty(), "{name} {language}: {faults:#?}\n{}", rendered.text);
        }
    }
}
