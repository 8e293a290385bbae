//! Whom a campaign leaves alone for what their site says of them, or does not let anybody write; and
//! sites that it has no way into.

use std::{collections::BTreeSet, fs, path::Path};

use authority::{RosterDocument, SignedRoster};
use model::Timestamp;
use serde_json::json;

use crate::{
    harness::{Backend, TestInstance, psql},
    office::{OPERATORS, Office, ids, key, leaked, wait_until},
    people,
};

/// The site keeps an eye on one row: nobody changes its password by a statement.
const GUARD: &str = "
from django.db import connection
account = int(arguments[0])
with connection.cursor() as cursor:
    if connection.vendor == 'sqlite':
        cursor.execute(f'''CREATE TRIGGER guard BEFORE UPDATE OF password ON auth_user
            WHEN OLD.id = {account} BEGIN SELECT RAISE(ABORT, 'not this way'); END''')
    else:
        cursor.execute('''CREATE FUNCTION guard() RETURNS TRIGGER AS
            $$ BEGIN RAISE 'not this way'; END $$ LANGUAGE plpgsql''')
        cursor.execute(f'''CREATE TRIGGER guard BEFORE UPDATE OF password ON auth_user
            FOR EACH ROW WHEN (OLD.id = {account}) EXECUTE FUNCTION guard()''')
";

/// Nobody learns from a good directory that half of it cannot be verified.
#[test]
fn the_doctor_tells_which_hashes_cannot_be_verified() {
    let instance = TestInstance::embedded(Backend::Sqlite);
    let file = instance.path("accounts.csv");
    let rows = [
        "id,email,hash",
        "1,a@example.org,md5$salt$5a9c7a3f2d1f2dcb9a40b8f3cc4cfd7e",
        "2,b@example.org,$66$salt$unheard-of-these",
        "3,c@example.org,!bcrypt!12!tHVJ.c1qLoiqCzqFPxuAu.",
        "4,d@example.org,",
    ];
    fs::write(&file, rows.join("\n")).unwrap();
    instance.run(&["account", "import", file.to_str().unwrap()]).json();
    let detail = hashes_checked(&instance, "note");
    for part in ["66.7 % CANNOT BE VERIFIED, 2 of 3", "$66$ 1", "!bcrypt!*! 1", "django_md5 1"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    assert!(!detail.contains("unheard") && !detail.contains("tHVJ"), "{detail}");
    let instance = instance.with("COUNTERSIGN_DIRECTORY_HASH_PEPPER_FILE", "nowhere");
    let detail = hashes_checked(&instance, "bad");
    assert!(detail.contains("nowhere"), "{detail}");
}

fn hashes_checked(instance: &TestInstance, expected: &str) -> String {
    let doctor = instance.run(&["doctor", "--skip-relay-check"]);
    let doctor: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
    let checks = doctor["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["what"] == "stored hashes").unwrap();
    assert_eq!(check["check"], expected, "{check}");
    check["detail"].as_str().unwrap().to_owned()
}

#[test]
fn whoever_is_out_or_cannot_be_written_is_left_alone_and_counted_on_sqlite() {
    leave_some_alone(Backend::Sqlite);
}

#[test]
fn whoever_is_out_or_cannot_be_written_is_left_alone_and_counted_on_postgres() {
    leave_some_alone(Backend::Postgres);
}

/// One is deactivated before the plan, one after it, one so late that a replica does not know yet,
/// and one has a row that the site guards.
fn leave_some_alone(backend: Backend) {
    let mut office = Office::open(backend);
    let [before, after, late, guarded] = [0, 1, 2, 3].map(|nth| office.plain()[nth].id.clone());
    people::deactivate(&office.site, &before);
    let frozen = office.freeze("refused = { count = 1, permille = 1000 }");
    assert_eq!(frozen["plan"]["skipped"], json!({"inactive": 1}));
    office.sign_and_start();
    people::deactivate(&office.site, &after);
    let replica = office.site.copy();
    office.instance.set("COUNTERSIGN_DIRECTORY_URL", &replica.database_url);
    people::deactivate(&office.site, &late);
    let _ = office.site.django(&format!("{GUARD}\nanswer = None"), &[&guarded]);
    office.work();

    let untouched: BTreeSet<_> = [before, after, late, guarded].into();
    let sealed = &ids(&office.exposed()) - &untouched;
    assert_eq!(office.locked_out(), sealed);
    let report = office.assert_settled(&sealed);
    assert_eq!(report["left_out"], json!({"inactive": 1}));
    assert_eq!(report["skipped"], json!({"inactive": 2, "unwritable": 1}));
    assert_eq!(office.logged("account_skipped").len(), 3);
    // What it is judged by opens the replica.
    drop(office);
}

#[test]
fn rows_that_somebody_else_holds_keep_nobody_elses_mail() {
    let office = Office::open(Backend::Postgres);
    office.start("canary_addresses = 500\nsealed_untold_max = 500");
    let held: Vec<_> = office.plain().into_iter().take(5).map(|person| person.id.clone()).collect();
    let locking = format!(
        "BEGIN; SELECT 1 FROM auth_user WHERE id IN ({}) FOR UPDATE; SELECT pg_sleep(600); COMMIT",
        held.join(", ")
    );
    let mut holder = psql(&office.site.database_url, &locking).spawn().unwrap();
    let locked = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' \
                  AND wait_event = 'PgSleep'";
    wait_until(|| !psql(&office.site.database_url, locked).output().unwrap().stdout.is_empty());
    let work = office.start_work();
    let others = office.addresses_of(&(&ids(&office.exposed()) - &held.iter().cloned().collect()));
    wait_until(|| office.told_once().is_superset(&others));
    assert!(office.status()["held_up"].as_u64() > Some(0), "{:#}", office.status());
    assert!(holder.try_wait().unwrap().is_none(), "it holds them still");
    holder.kill().unwrap();
    holder.wait().unwrap();
    let free =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    psql(&office.site.database_url, free).output().unwrap();
    office.instance.ask("UPDATE campaign_address SET lease_until = 0 WHERE lease_owner = ''");
    assert_eq!(work.wait().code, 0);
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn a_grant_that_is_lost_is_no_fault_of_anybodys_row() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    let guard = "
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute('CREATE TRIGGER broken BEFORE UPDATE ON auth_user BEGIN SELECT no_such_thing(); END')
answer = None";
    let _ = office.site.django(guard, &[]);
    let worker = office.start_work();
    std::thread::sleep(std::time::Duration::from_secs(6));
    worker.stop();
    let status = office.status();
    assert_eq!((&status["state"], &status["skipped"]), (&json!("canary"), &json!({})));
    assert!(office.locked_out().is_empty() && office.mails().is_empty());
    let mend = guard.replace(
        "CREATE TRIGGER broken BEFORE UPDATE ON auth_user BEGIN SELECT no_such_thing(); END",
        "DROP TRIGGER broken",
    );
    let _ = office.site.django(&mend, &[]);
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

/// bcrypt of `Grain-Loft6`, as cheap as it can be.
const HASH: &str = "$2b$04$gOjoJckjz9Rl/cH.Th1gFuYqkBvYjBqk7uXyzlQDuEiZsl90Uo3GK";

const LEAK: &str = "Bookshop 2016";

/// Founds a roster, imports two accounts, finds one of them in a leak, and drafts a campaign.
fn drafted(instance: TestInstance) -> TestInstance {
    let instance = instance
        .with("COUNTERSIGN_SITE_NAME", "Example")
        .with("COUNTERSIGN_MAIL_FROM", "security@example.org");
    let mut instance = instance;
    let shown = instance.run(&["log", "show"]).stdout;
    let made: serde_json::Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    let id = made["instance"].as_str().unwrap().parse().unwrap();
    let people = OPERATORS.map(|name| key(name).public()).to_vec();
    let document = RosterDocument::founding(id, people, Timestamp::from_micros(0));
    let digest = document.digest().to_string();
    let new = SignedRoster::new(document);
    let signed = OPERATORS.iter().fold(new, |signed, name| signed.signed_by(&key(name)));
    let roster = write(&instance, "roster.json", &signed.to_bytes());
    instance.run(&["operator", "accept", &roster, "--founding-digest", &digest]).json();
    instance.set("COUNTERSIGN_OPERATORS_ROSTER_DIGEST", &digest);

    let rows = format!(
        "id,email,hash,email_verified\n1,ann@example.org,{HASH},t\n2,bob@example.org,{HASH},t\n"
    );
    let users = write(&instance, "users.csv", rows.as_bytes());
    instance.run(&["account", "import", &users]).json();
    let leak = write(&instance, "leak.txt", b"ann@example.org:Grain-Loft6\n");
    instance.add_leak(LEAK, &[Path::new(&leak)]).json();
    instance.run(&["leak", "screen", LEAK]).json();
    assert_eq!(instance.run(&["leak", "verify", LEAK]).json()["exposed"], 1);
    instance.run(&["campaign", "draft", "Spring", "--author", "ana", "--leak", LEAK]).json();
    instance
}

fn write(instance: &TestInstance, name: &str, bytes: &[u8]) -> String {
    let path = instance.path(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_copy_is_searched_and_planned_for_and_never_sealed() {
    for backend in Backend::ALL {
        let instance = drafted(TestInstance::of_copy(backend));
        let frozen = instance.run(&["campaign", "freeze", "Spring"]);
        assert_eq!(frozen.code, 3, "{}", frozen.stderr);
        for part in ["cannot seal passwords", "a copy", "`directory.write_url`"] {
            assert!(frozen.stderr.contains(part), "{part} in {}", frozen.stderr);
        }
        let doctor = instance.run(&["doctor", "--skip-relay-check"]);
        let doctor: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
        let checks = doctor["checks"].as_array().unwrap();
        let grant = checks.iter().find(|check| check["what"] == "write grant").unwrap();
        assert_eq!(grant["check"], "note");
        assert!(grant["detail"].as_str().unwrap().contains("a copy"), "{grant}");
        assert_eq!(instance.run(&["campaign", "status", "Spring"]).json()["state"], "draft");
    }
}

#[test]
fn a_rehearsal_seals_its_own_copy() {
    let instance = drafted(TestInstance::embedded(Backend::Sqlite));
    let plan = &instance.run(&["campaign", "freeze", "Spring"]).json()["plan"];
    assert_eq!(plan["targets"], 1);
}

/// Nobody has to guess whether nobody is exposed, or whether all were left out.
#[test]
fn a_plan_without_anybody_says_why_each_was_left_out() {
    let instance = drafted(TestInstance::embedded(Backend::Sqlite));
    // An import without the column that says whether an address is verified.
    let rows = format!("id,email,hash\n1,ann@example.org,{HASH}\n2,bob@example.org,{HASH}\n");
    let users = write(&instance, "again.csv", rows.as_bytes());
    instance.run(&["account", "import", &users]).json();
    let frozen = instance.run(&["campaign", "freeze", "Spring"]);
    assert_eq!(frozen.code, 3, "{}", frozen.stderr);
    for part in ["all 1 exposed accounts are left alone", "1 unreachable", "email_verified"] {
        assert!(frozen.stderr.contains(part), "{part} in {}", frozen.stderr);
    }
}

#[test]
fn without_the_second_grant_or_addresses_nothing_is_frozen() {
    let mut office = Office::open(Backend::Sqlite);
    office.instance.unset("COUNTERSIGN_DIRECTORY_WRITE_URL");
    let frozen = office.try_to_freeze("");
    assert_eq!(frozen.code, 3, "{}", frozen.stderr);
    assert!(frozen.stderr.contains("`directory.write_url` is not set"), "{}", frozen.stderr);
    let url = office.site.database_url.clone();
    office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &url);
    office.instance.set("COUNTERSIGN_DIRECTORY_COLUMNS_EMAIL", "");
    let frozen = office.run(&["campaign", "freeze", "Spring"]);
    assert_eq!(frozen.code, 3, "{}", frozen.stderr);
    assert!(frozen.stderr.contains("cannot tell anybody"), "{}", frozen.stderr);
}

#[test]
fn a_copy_of_the_site_that_is_written_to_is_found_out() {
    for backend in Backend::ALL {
        let copy = backend.new_site();
        let mut office = Office::open(backend);
        office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &copy.database_url);
        let frozen = office.try_to_freeze("");
        assert_eq!(frozen.code, 3, "{}", frozen.stderr);
        assert!(frozen.stderr.contains("two databases"), "{}", frozen.stderr);
        let doctor = office.run(&["doctor"]);
        assert_eq!(doctor.code, 1, "{}", doctor.stdout);
        let doctor: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
        let checks = doctor["checks"].as_array().unwrap();
        let written = checks.iter().find(|check| check["what"] == "written to").unwrap();
        assert_eq!(written["check"], "bad", "{written}");
    }
}

/// Days pass between the verifying and the plan, and owners do not wait for it.
#[test]
fn whoever_chose_another_password_before_the_plan_is_left_alone_and_stops_nobody() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let [changed, opened] = [0, 1].map(|nth| office.plain()[nth]);
        people::change_passwords(&office.site, &[(&changed.id, "a password of my own")]);
        // A site may hash anew whoever signs in: that is the leaked password still.
        people::hash_slowly(&office.site, &[(&opened.id, leaked(opened))], 5);
        office.start("canary_addresses = 500");
        office.work();
        let sealed = &ids(&office.exposed()) - &BTreeSet::from([changed.id.clone()]);
        let report = office.assert_settled(&sealed);
        assert_eq!(report["skipped"], json!({"changed": 1}), "{report:#}");
        assert_eq!(report["state"], "done");
    }
}
