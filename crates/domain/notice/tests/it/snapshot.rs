//! Rendered notices, checked in for people to read, and held against the rules.

use std::{env, fs, path::PathBuf};

use model::{Provenance, Tier};
use notice::{Answer, Composer, Facts, Language, ResetRequired, lint};

use crate::facts::{
    answer, done, exposure, facts, link, not_named, nothing_found, one_exposure, posting, site,
    switched_off,
};

/// Set to 1 to write the examples anew.
const UPDATE_VARIABLE: &str = "COUNTERSIGN_UPDATE_NOTICES";

const JANE: &str = "jane@example.net";

/// A notice of some kind, and what the rules say of it.
struct Example {
    name: String,
    shown: String,
    faults: Vec<String>,
}

/// Every kind of notice, in every shape that its facts can have.
fn examples(language: Language) -> Vec<Example> {
    let mut examples = Vec::new();
    for (shape, facts) in reset_required() {
        examples.push(example(shape, &facts, language));
    }
    for (shape, username) in [("one_account", Some("janedoe")), ("no_username", None)] {
        let link = link(JANE, username, "https://www.example.org");
        examples.push(example(shape, &link, language));
    }
    for (shape, username, known) in [("all_known", Some("janedoe"), true), ("no_more", None, false)]
    {
        examples.push(example(shape, &done(JANE, username, known), language));
    }
    for (shape, username, told) in exposure_answer() {
        examples.push(example(shape, &answer(JANE, username, told), language));
    }
    examples
}

fn reset_required() -> Vec<(&'static str, ResetRequired)> {
    let circulating = exposure(Tier::Username, "Collection 7", "2019-03", Provenance::Circulating);
    let unknown = exposure(Tier::Lead, "anything", "", Provenance::Unknown);
    let dated = exposure(Tier::Exact, "Example Books", "2016-05-17", Provenance::Confirmed);
    let three = [Some("janedoe"), Some("jane.work"), None];
    vec![
        ("one_account", facts(JANE, &[Some("janedoe")], one_exposure())),
        ("no_username", facts(JANE, &[None], vec![unknown])),
        ("three_accounts", facts(JANE, &three, vec![dated, circulating])),
    ]
}

fn exposure_answer() -> [(&'static str, Option<&'static str>, Answer); 8] {
    let unknown = exposure(Tier::Lead, "anything", "", Provenance::Unknown);
    [
        ("nothing_found", Some("janedoe"), nothing_found()),
        ("not_named", Some("janedoe"), not_named()),
        ("not_checked", Some("janedoe"), not_checked(true, false)),
        ("partly_compared", Some("janedoe"), not_checked(false, true)),
        ("nothing_compared", Some("janedoe"), not_checked(false, false)),
        ("under_review", Some("janedoe"), Answer::UnderReview),
        ("switched_off", Some("janedoe"), switched_off(one_exposure(), false)),
        ("chosen_since", None, switched_off(vec![unknown], true)),
    ]
}

const fn not_checked(is_named: bool, is_partial: bool) -> Answer {
    Answer::NotChecked { is_named, is_partial }
}

/// The message as it is, then both its parts as they read, and what is wrong with them.
fn example<F: Facts>(shape: &str, facts: &F, language: Language) -> Example {
    let site = site(language);
    let composer = Composer::new(site.clone()).unwrap();
    let message = composer.compose(facts, language, &posting(7)).unwrap();
    let rendered = composer.preview(facts, language).unwrap();
    let faults = lint(&rendered, &site, facts, language).iter().map(ToString::to_string).collect();
    let (headers, _) =
        std::str::from_utf8(message.bytes()).unwrap().split_once("\r\n\r\n").unwrap();
    let envelope = format!("{} -> {}", message.envelope_from(), message.recipient());
    let headers = headers.replace("\r\n", "\n");
    let (text, html) = (rendered.text, rendered.html);
    let rule = "-".repeat(72);
    let shown =
        format!("{shape}, {language}\n{envelope}\n{rule}\n{headers}\n{rule}\n{text}{rule}\n{html}");
    Example { name: format!("{}.{shape}.{language}", F::KIND), shown, faults }
}

fn path(name: &str) -> PathBuf {
    testkit::workspace().join(format!("docs/notices/{name}.txt"))
}

#[test]
fn the_examples_show_what_is_sent() {
    let update = env::var_os(UPDATE_VARIABLE).is_some_and(|value| value == "1");
    for Example { name, shown, .. } in Language::ALL.iter().copied().flat_map(examples) {
        let path = path(&name);
        if update {
            fs::write(&path, &shown).unwrap();
        }
        let checked_in = fs::read_to_string(&path).unwrap_or_default();
        let path = path.display();
        assert_eq!(checked_in, shown, "{path} is not what is sent: {UPDATE_VARIABLE}=1 renews it");
    }
}

#[test]
fn every_notice_keeps_the_rules() {
    for Example { name, shown, faults } in Language::ALL.iter().copied().flat_map(examples) {
        assert!(faults.is_empty(), "{name}: {faults:#?}\n{shown}");
    }
}
