//! Who can write to our database renames no leak, puts no file of theirs in its place, and hides nobody
//! whose password was found.

use std::path::Path;

use crate::{
    attacker::{Attack, Owner},
    false_all_clear::{UNKNOWN, screen, unharmed},
    harness::Backend,
    office::{CAMPAIGN, LEAK, Office, wait_until},
    people,
    way_back::{ANSWER, ResetScene, ask_whether},
};

/// A leak that nobody has looked through yet.
const OTHER: &str = "Other";

const OTHER_IS: &str = "leak 2 is not as it was registered by the audit log";

const SCREEN: &[&str] = &["leak", "screen", OTHER];

macro_rules! leak {
    ($change:literal) => {
        Attack {
            harm: &[concat!("UPDATE leak SET ", $change, " WHERE id = 2")],
            refused: &[SCREEN, &["leak", "list"]],
            says: OTHER_IS,
        }
    };
}

macro_rules! file {
    ($change:literal) => {
        Attack {
            harm: &[concat!("UPDATE leak_file SET ", $change, " WHERE leak = 2")],
            refused: &[SCREEN, &["leak", "show", OTHER]],
            says: OTHER_IS,
        }
    };
}

/// What would have another file looked through, or people read another name.
const REGISTERED: &[Attack] = &[
    leak!("public_name = 'Your Bank'"),
    leak!("date = '2020'"),
    leak!("provenance = 'confirmed'"),
    file!("path = '/tmp/another.txt'"),
    file!("bytes = bytes - 1"),
    Attack {
        harm: &["DELETE FROM leak_file WHERE leak = 2", "DELETE FROM leak WHERE id = 2"],
        refused: &[&["leak", "list"], &["finding", "list"]],
        says: OTHER_IS,
    },
];

#[test]
fn a_leak_is_looked_through_as_it_was_registered() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let file = office.write("other.txt", b"nobody@example.org:secret\n");
        office.instance.add_leak(OTHER, &[Path::new(&file)]).json();
        let (owner, rows) = (Owner::of(&office), ["leak", "leak_file"]);
        owner.keep(&rows);
        owner.try_all(REGISTERED, || owner.put_back(&rows));
        let digest = owner.bytes(&[7; 32]);
        owner.write(&format!("UPDATE leak_file SET sha256 = {digest} WHERE leak = 2"));
        owner.assert_refused(&[SCREEN], OTHER_IS);
        owner.put_back(&rows);
        office.run(SCREEN).json();
    }
}

/// Whoever can write to the log's hashes has nothing signed behind them.
#[test]
fn no_leak_is_registered_behind_a_forged_log() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let file = office.write("other.txt", b"nobody@example.org:secret\n");
        let owner = Owner::of(&office);
        owner.keep(&["log_hash"]);
        owner.write(&format!("UPDATE log_hash SET hash = {}", owner.bytes(&[7; 32])));
        let added = office.instance.add_leak(OTHER, &[Path::new(&file)]);
        assert_eq!(added.code, 3, "{}", added.stderr);
        assert!(added.stderr.contains("are not those that the checkpoint of"), "{}", added.stderr);
        owner.put_back(&["log_hash"]);
    }
}

const DRAFT: &[&str] = &["campaign", "draft", "Spring", "--author", "ana", "--leak", LEAK];

#[test]
fn a_campaign_is_drafted_about_a_leak_as_it_was_registered() {
    let office = Office::open(Backend::Sqlite);
    let owner = Owner::of(&office);
    owner.keep(&["leak"]);
    for change in ["name = 'Bank'", "public_name = 'Your Bank'", "date = '2020'"] {
        owner.write(&format!("UPDATE leak SET {change}"));
        let draft = DRAFT
            .iter()
            .map(|word| if *word == LEAK && change.starts_with("name") { "Bank" } else { *word });
        let draft: Vec<_> = draft.collect();
        owner.assert_refused(&[&draft], "leak 1 is not as it was registered by the audit log");
        owner.put_back(&["leak"]);
    }
    office.run(DRAFT).json();
}

const FIRST: &str = "(SELECT MIN(subject) FROM finding)";

const LAST: &str = "(SELECT MAX(subject) FROM finding)";

const FREEZE: &[&str] = &["campaign", "freeze", "Spring"];

#[test]
fn nobody_who_was_found_is_hidden_from_a_campaign() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.run(DRAFT).json();
        let (owner, rows) = (Owner::of(&office), ["finding_record", "finding"]);
        owner.keep(&rows);
        for harm in [
            format!("UPDATE finding SET state = 'reset' WHERE subject = {FIRST}"),
            format!("UPDATE finding SET state = 'dismissed' WHERE subject = {FIRST}"),
            format!(
                "UPDATE finding SET wrapped_key = NULL, sealed_secret = NULL WHERE subject = {FIRST}"
            ),
            format!("DELETE FROM finding WHERE subject = {FIRST}"),
        ] {
            owner.write(&harm);
            owner.assert_refused(&[FREEZE], "the store keeps no finding of it that is open");
            if harm.starts_with("DELETE") {
                let commands: &[&[&str]] = &[&["leak", "show", LEAK], &["finding", "list"]];
                owner.assert_refused(commands, "findings of leak 1, and");
            }
            owner.put_back(&rows[1..]);
        }
        let another = "(SELECT MIN(id) FROM subject WHERE id NOT IN (SELECT subject FROM finding))";
        owner.write(&format!("UPDATE finding SET subject = {another} WHERE subject = {FIRST}"));
        let commands: &[&[&str]] =
            &[&["leak", "show", LEAK, "--output", "x.jsonl"], &["finding", "list"]];
        owner.assert_refused(commands, "the store keeps no finding of it");
        owner.put_back(&rows[1..]);
        owner.write("DELETE FROM campaign_leak");
        owner.assert_refused(&[FREEZE], "campaign 1 does not stand where the audit log says");
    }
}

/// Of each what belongs to the other would be told, and a key blamed that is the right one.
#[test]
fn no_finding_is_exchanged_for_another() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let (owner, rows) = (Owner::of(&office), ["finding_record", "finding"]);
        owner.keep(&rows);
        let number = |whom: &str| format!("(SELECT id FROM kept_finding WHERE subject = {whom})");
        let [one, other] = [FIRST, LAST].map(|whom| whom.replace("finding", "kept_finding"));
        let [first, last] = [&one, &other].map(|whom| number(whom));
        let give =
            |what: &str, of: &str| format!("UPDATE finding SET subject = {what} WHERE id = {of}");
        let aside = "UPDATE finding_record SET finding = -1 - finding".to_owned();
        let give_records = |to: &str, of: &str| {
            format!("UPDATE finding_record SET finding = {to} WHERE finding = -1 - {of}")
        };
        let back = "UPDATE finding_record SET finding = -1 - finding WHERE finding < 0".to_owned();
        let version = owner.bytes(&[7; 32]);
        let exchanges = [
            vec![give(&other, &first), give(&one, &last)],
            vec![aside, give_records(&last, &first), give_records(&first, &last), back],
            vec![format!("UPDATE finding SET version = {version} WHERE id = {first}")],
            vec![format!("UPDATE finding SET tier = 'lead' WHERE id = {first}")],
        ];
        let show = office.instance.ask(&format!("SELECT MIN(id) FROM finding WHERE id = {first}"));
        let show: String = show.chars().filter(char::is_ascii_digit).collect();
        for exchange in exchanges {
            for harm in &exchange {
                owner.write(harm);
            }
            let commands: &[&[&str]] = &[&["finding", "list"], &["finding", "show", &show]];
            owner.assert_refused(commands, "in leak 1 is not as the audit log says: another");
            let doctor = office.run(&["doctor", "--skip-relay-check"]).stdout;
            assert!(doctor.contains("is not as the audit log says: another"), "{doctor}");
            owner.put_back(&rows[..1]);
            owner.put_back(&rows[1..]);
        }
        office.run(&["finding", "list"]).json();
    }
}

/// A report looks first who has chosen a new password, and whether it is the leaked one again.
#[test]
fn a_report_judges_by_no_finding_that_was_changed() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    office.work();
    let people = office.exposed();
    let chosen: Vec<_> =
        people.iter().map(|person| (&*person.id, "plums in an old boat")).collect();
    people::change_passwords(&office.site, &chosen);
    let owner = Owner::of(&office);
    owner.keep(&["finding"]);
    let version = owner.bytes(&[7; 32]);
    owner.write(&format!("UPDATE finding SET version = {version} WHERE subject = {FIRST}"));
    let report: &[&[&str]] = &[&["campaign", "report", CAMPAIGN]];
    owner.assert_refused(report, "in leak 1 is not as the audit log says: another");
    owner.put_back(&["finding"]);
    assert_eq!(office.report()["reset_unjudged"], 0);
}

#[test]
fn nobody_whose_password_was_found_is_told_that_it_was_not() {
    for backend in Backend::ALL {
        let scene = ResetScene::with_pages(Office::open(backend));
        let office = &scene.office;
        let (closed, deleted) = (office.plain()[0], office.plain()[1]);
        let owner = Owner::of(office);
        owner.write("UPDATE finding SET state = 'reset'");
        let served = scene.serve();
        ask_whether(&served, closed);
        let text = scene.mail(closed, ANSWER, 1).text();
        assert!(text.contains("We found it there"), "{text}");
        owner.write_all(&["DELETE FROM finding_record", "DELETE FROM finding"]);
        ask_whether(&served, deleted);
        wait_until(|| office.instance.has_none("mail_request"));
        assert_eq!(office.told_once().len(), 1);
        let log = served.stop();
        assert!(log.contains("the store keeps no finding of it"), "{log}");
    }
}

/// Whoever can write to the store would have somebody told that nothing was found whom nobody could check, or
/// told what was found of somebody else.
#[test]
fn nobody_who_could_not_be_checked_is_told_that_nothing_was_found() {
    for backend in Backend::ALL {
        let scene = ResetScene::with_pages(Office::open(backend));
        let office = &scene.office;
        let unknown = unharmed(office)[0];
        people::keep_hash(&office.site, &unknown.id, UNKNOWN);
        screen(office, OTHER, &[(unknown, "Tr0ub4dor&3")]);
        assert_eq!(office.run(&["leak", "verify", OTHER]).code, 4);
        let owner = Owner::of(office);
        let rows = ["unverified_record", "unverified", "tried", "subject"];
        owner.keep(&rows);
        let exchange = |whom: &str, with: &str| {
            let hash = format!("(SELECT account_hash FROM kept_subject WHERE id = {with})");
            format!("UPDATE subject SET account_hash = {hash} WHERE id = {whom}")
        };
        let aside = format!(
            "UPDATE subject SET account_hash = {} WHERE id = {FIRST}",
            owner.bytes(&[7; 32])
        );
        let exchanged = [aside, exchange(LAST, FIRST), exchange(FIRST, LAST)];
        for harm in ["unverified", "tried"] {
            owner.write("DELETE FROM unverified_record");
            owner.write(&format!("DELETE FROM {harm} WHERE leak = 2"));
            let status = office.run(&["status"]);
            assert_eq!(status.code, 3, "{harm}: {}", status.stderr);
            assert!(status.stdout.contains("what leak 2 left unchecked"), "{}", status.stdout);
            let counting: &[&[&str]] = &[&["leak", "list"], &["leak", "show", OTHER]];
            owner.assert_refused(counting, "what leak 2 left unchecked");
            let served = scene.serve();
            ask_whether(&served, unknown);
            wait_until(|| office.instance.has_none("mail_request"));
            assert!(office.mails().is_empty(), "{harm}");
            assert!(served.stop().contains("what leak 2 left unchecked"), "{harm}");
            owner.put_back(&rows[..3]);
        }
        owner.write_all(&exchanged.each_ref().map(|text| &**text));
        let served = scene.serve();
        for person in office.exposed() {
            ask_whether(&served, person);
        }
        wait_until(|| office.instance.has_none("mail_request"));
        let log = served.stop();
        assert!(log.contains("is found for an account that is not theirs"), "{log}");
    }
}
