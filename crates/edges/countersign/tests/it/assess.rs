use std::{fs, path::Path};

use serde_json::{Value, json};
use testkit::site::DjangoSite;

use crate::harness::{
    Backend, Run, TestInstance, assert_counts_are_true, assert_list_is_true,
    assert_shows_no_password, program, program_for_people, read_list, run, run_with_input,
};

fn assess_export(accounts: &Path, leaks: &[&Path]) -> Run {
    let mut command = program(["assess", "--accounts"]);
    command.arg(accounts).args(leaks);
    command.output().unwrap().into()
}

fn assert_assessment_is_true(mut command: std::process::Command, site: &DjangoSite) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list.jsonl");
    command.arg("--output").arg(&file).arg(&site.leaks_folder);
    let run: Run = command.output().unwrap().into();
    let report = run.json();
    assert_eq!(report["schema"], "countersign.assess/1");
    assert_eq!(report["accounts"], site.truth.accounts);
    assert_counts_are_true(&report, site);
    assert_list_is_true(&read_list(&file), site);
    assert_shows_no_password("the report", run.stdout.as_bytes(), site);
    assert_shows_no_password("the list", &fs::read(&file).unwrap(), site);
}

#[test]
fn an_export_gives_exactly_the_truth() {
    for backend in Backend::ALL {
        let site = backend.site();
        for export in [&site.users_csv, &site.users_jsonl] {
            let mut command = program(["assess", "--accounts"]);
            command.arg(export);
            assert_assessment_is_true(command, site);
        }
    }
}

#[test]
fn the_sites_own_table_gives_exactly_the_truth() {
    for backend in Backend::ALL {
        let instance = TestInstance::of_site(backend);
        assert_assessment_is_true(instance.command(&["assess", "--directory"]), backend.site());
    }
}

#[test]
fn standard_input_is_a_leak_like_any_other() {
    let site = Backend::Sqlite.site();
    let leak = site.leaks.iter().find(|leak| leak.ends_with("forum.txt")).unwrap();
    let mut command = program(["assess", "--accounts"]);
    command.arg(&site.users_csv).arg("-");
    let from_input = run_with_input(command, &fs::read(leak).unwrap()).json();
    let from_file = assess_export(&site.users_csv, &[leak]).json();
    assert!(from_file["exposed"].as_u64().unwrap() > 0);
    for count in ["records", "hits", "matches", "exposed"] {
        assert_eq!(from_input[count], from_file[count], "{count}");
    }
    assert_eq!(from_input["leaks"][0]["leak"], "-");
}

#[test]
fn each_leak_is_counted_by_itself() {
    let site = Backend::Sqlite.site();
    let leaks: Vec<_> = site.leaks.iter().map(AsRef::as_ref).collect();
    let report = assess_export(&site.users_csv, &leaks).json();
    for (leak, known) in report["leaks"].as_array().unwrap().iter().zip(&site.truth.files) {
        let matches =
            site.truth.matches.iter().filter(|known_match| known_match.file == known.file);
        assert_eq!(leak["records"], known.tally.records(), "{}", known.file);
        assert_eq!(leak["hits"], known.tally.hits, "{}", known.file);
        assert_eq!(leak["matches"], matches.count(), "{}", known.file);
    }
}

/// MD5 of `Wachs-Kerze 42`, behind a salt.
const SALTED_MD5: &str = "md5$salt$bd2dc7cc1195fe37905dd18a4f62c8ba";

#[test]
fn whoever_is_named_by_a_further_address_is_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let [csv, lines, leak] = ["a.csv", "a.jsonl", "leak"].map(|name| folder.path().join(name));
    let table =
        "id,email,hash,other_emails\n1,a@example.org,HASH,\"b@example.org, c@example.org\"\n";
    fs::write(&csv, table.replace("HASH", SALTED_MD5)).unwrap();
    let object = json!({"id": 1, "email": "a@example.org", "hash": SALTED_MD5,
        "other_emails": ["b@example.org", "c@example.org"]});
    fs::write(&lines, object.to_string()).unwrap();
    fs::write(&leak, "c@example.org:Wachs-Kerze 42\nd@example.org:Wachs-Kerze 42\n").unwrap();
    let instance = TestInstance::embedded(Backend::Sqlite);
    instance.run(&["account", "import", csv.to_str().unwrap()]).json();
    let copied = instance.run(&["assess", "--directory", leak.to_str().unwrap()]);
    for run in [assess_export(&csv, &[&leak]), assess_export(&lines, &[&leak]), copied] {
        let report = run.json();
        assert_eq!((&report["exposed"], &report["misses"]), (&json!(1), &json!(1)), "{report}");
    }
}

#[test]
fn nobody_whose_address_no_leak_could_name_is_said_not_to_be_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let [csv, leak] = ["a.csv", "leak"].map(|name| folder.path().join(name));
    let rows = [
        "id,email,username,hash",
        "1,Ana <ana@example.org>,ana,HASH",
        "2,\"bo@example.org; bo@example.net\",bo,HASH",
        "3,carl@example.org,carl,HASH",
    ];
    fs::write(&csv, rows.join("\n").replace("HASH", SALTED_MD5)).unwrap();
    fs::write(&leak, "ana:wrong\nbo:Wachs-Kerze 42\ncarl:wrong\n").unwrap();
    let instance = TestInstance::embedded(Backend::Sqlite);
    instance.run(&["account", "import", csv.to_str().unwrap()]).json();
    let copied = instance.run(&["assess", "--directory", leak.to_str().unwrap()]);
    for run in [assess_export(&csv, &[&leak]), copied] {
        assert_eq!(run.code, 4, "{}", run.stderr);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let counts = ["accounts_unreadable", "exposed", "not_exposed", "unverified"];
        assert_eq!(counts.map(|count| report[count].as_u64().unwrap()), [2, 1, 1, 1], "{report}");
    }
    let doctor = instance.shown(&["doctor"]);
    assert!(doctor.contains("email"), "{doctor}");
}

/// Of whoever they are about, nobody says that they are not exposed.
#[test]
fn lines_of_an_export_at_fault_are_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let [csv, leak] = ["a.csv", "leak"].map(|name| folder.path().join(name));
    let row = |id, active| format!("{id},{id}@example.org,{SALTED_MD5},{active}\n");
    let rows = [row("ana", "1"), row("", "1"), row("carl", "perhaps"), row("dan", "1")].concat();
    fs::write(&csv, format!("id,email,hash,active\n{rows}")).unwrap();
    let lines =
        ["ana@example.org:wrong", "carl@example.org:wrong", "dan@example.org:Wachs-Kerze 42"];
    fs::write(&leak, lines.join("\n")).unwrap();
    let run = assess_export(&csv, &[&leak]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let counts = ["accounts", "accounts_unreadable", "exposed", "not_exposed", "unverified"];
    let counts = counts.map(|count| report[count].as_u64().unwrap());
    assert_eq!(counts, [4, 2, 1, 1, 1], "{report:#}");
    assert_names_lines(&report["unread_lines"]);

    let instance = TestInstance::embedded(Backend::Sqlite);
    let run = instance.run(&["account", "import", csv.to_str().unwrap()]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let imported: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(imported["accounts"], 2, "{imported}");
    assert_names_lines(&imported["left_out"]);
}

fn assert_names_lines(lines: &Value) {
    let [first, second] = &lines.as_array().unwrap()[..] else { panic!("{lines}") };
    let is_named = |line: &Value, what: &str| line.as_str().unwrap().contains(what);
    assert!(is_named(first, "a.csv, line 3: an account has no id"), "{lines}");
    assert!(is_named(second, "a.csv, line 4: active of account carl"), "{lines}");
}

#[test]
fn what_cannot_be_verified_is_counted_and_listed_by_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (accounts, leak, list) =
        (folder.path().join("a.csv"), folder.path().join("leak"), folder.path().join("list.jsonl"));
    let rows = [
        "id,email,hash",
        "1,a@example.org,$joomla$never-heard-of",
        "2,b@example.org,$2b$31$abcdefghijklmnopqrstuuWyNDPyzmVwVEKSFWLYYfPb1Nf0Jj6O2",
        "3,c@example.org,pbkdf2_sha256$x$y",
        "4,d@example.org,",
        "5,e@example.org,md5$salt$5a9c7a3f2d1f2dcb9a40b8f3cc4cfd7e",
    ];
    fs::write(&accounts, rows.join("\n")).unwrap();
    fs::write(
        &leak,
        ["a", "b", "c", "d", "e"].map(|who| format!("{who}@example.org:pw")).join("\n"),
    )
    .unwrap();
    let mut command = program(["assess", "--accounts"]);
    command.arg(&accounts).arg(&leak).arg("--output").arg(&list);
    let report = partial(command);
    assert_eq!(report["judged"], false);
    let reasons = json!({"unknown_format": 1, "too_expensive": 1, "malformed": 1});
    assert_eq!((&report["unverified"], &report["unverified_by_reason"]), (&json!(3), &reasons));
    assert_eq!((&report["no_password"], &report["not_exposed"]), (&json!(1), &json!(1)));
    let listed: Vec<_> = read_list(&list).iter().map(|row| row["status"].clone()).collect();
    let expected = ["unknown_format", "too_expensive", "malformed", "without_proof"];
    assert_eq!(listed, expected.map(Value::from));
    let rows = read_list(&list);
    let heads: Vec<_> = rows.iter().map(|row| row["hash_head"].as_str().unwrap()).collect();
    assert_eq!(heads, ["$joomla$", "$2b$31$", "17 characters", "md5$"]);
    for (line, row) in (1..).zip(&rows[..3]) {
        assert_eq!(
            (&row["records"][0]["line"], row["records"].as_array().unwrap().len()),
            (&json!(line), 1)
        );
    }
}

/// Of `Grün&Blau-7`, made over its SHA-256 as Meteor does.
const DIGESTED: &str = "$2b$04$B5DFlVYnEbphUCrX190KUu7vXsggVAvUPkA4Gw7JUB4A1GSRsjDAG";

/// An assessment of such an account and one that is said to have no password, by a configuration.
fn assessed_by(config: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let rows = format!("id,email,hash\n1,a@example.org,{DIGESTED}\n2,b@example.org,not cached\n");
    let (accounts, config) = (write("a.csv", &rows), write("countersign.toml", config));
    let leak = write("leak", "a@example.org:Grün&Blau-7\nb@example.org:other\n");
    let mut command = program(["--config"]);
    command.arg(config).args(["assess", "--accounts"]).arg(&accounts).arg(&leak);
    command.output().unwrap().into()
}

#[test]
fn the_forms_of_a_configuration_count_for_an_export() {
    let hash = "[directory.hash]\nforms = 'meteor'\nno_password = 'not cached'\n";
    let report = assessed_by(hash).json();
    let counts = ["exposed", "not_exposed", "no_password"].map(|count| report[count].clone());
    assert_eq!(counts, [1, 0, 1].map(Value::from), "{report:#}");
}

#[test]
fn columns_that_an_export_has_not_are_refused_by_name() {
    let columns = "[directory.hash]\nforms = 'meteor'\n[directory.hash.columns]\nsalt = 'salt'\n";
    let refused = assessed_by(columns);
    assert!(refused.failure().contains("`directory.hash.columns`"), "{}", refused.failure());
}

/// The result of a run that could not judge everything.
fn partial(mut command: std::process::Command) -> Value {
    let run: Run = command.output().unwrap().into();
    assert_eq!(run.code, 4, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

/// The leaked site wrote HTML, or in an older encoding.
#[test]
fn a_secret_is_found_as_it_was_before_somebody_changed_it() {
    let folder = tempfile::tempdir().unwrap();
    let (accounts, leak) = (folder.path().join("a.csv"), folder.path().join("leak"));
    // By Python: MD5 of `salt` and `Grün&Blau'7`.
    let hash = "md5$salt$f23643853348745dc6d8a808cb45a449";
    fs::write(&accounts, format!("id,email,hash\n1,a@example.org,{hash}\n")).unwrap();
    fs::write(&leak, "a@example.org:GrÃ¼n&amp;Blau&#039;7\n").unwrap();
    let report = assess_export(&accounts, &[&leak]).json();
    assert_eq!(report["exposed"], 1);
    // What stands before and behind the `;` may be all of it.
    assert_eq!(report["secrets"], 4);
    assert!(report["other_readings"].as_u64().unwrap() > 1, "{report}");
}

#[test]
fn a_summary_begins_with_what_could_not_be_judged() {
    let folder = tempfile::tempdir().unwrap();
    let (accounts, leak) = (folder.path().join("a.csv"), folder.path().join("leak"));
    let shown = |rows: &[&str], lines: &str| {
        fs::write(&accounts, rows.join("\n")).unwrap();
        fs::write(&leak, lines).unwrap();
        let mut command = program_for_people();
        command.args(["assess", "--accounts"]).arg(&accounts).arg(&leak);
        let run: Run = command.output().unwrap().into();
        (run.code, run.stdout.lines().next().unwrap().to_owned())
    };
    let (code, first) =
        shown(&["id,email,hash", "1,a@example.org,$66$x$unheard-of"], "a@example.org:pw");
    assert_eq!(code, 4);
    assert!(first.starts_with("COULD NOT JUDGE") && first.contains("1 of 1 accounts"), "{first}");
    let known = "1,a@example.org,md5$salt$5a9c7a3f2d1f2dcb9a40b8f3cc4cfd7e";
    let (code, first) = shown(&["id,email,hash", known], "a@example.org:pw");
    assert_eq!((code, first.starts_with("accounts")), (0, true), "{first}");
    let (code, first) = shown(&["id,email,hash", known], "no\nrecord\nhere\na@example.org:pw\n");
    assert_eq!(code, 4);
    let expected = first.starts_with("COULD NOT JUDGE") && first.contains("most of its lines");
    assert!(expected, "{first}");
}

#[test]
fn a_table_of_its_own_form_and_with_a_pepper_is_mapped_by_the_configuration() {
    for mode in ["append", "prepend", "hmac_sha256"] {
        let instance = TestInstance::embedded(Backend::Sqlite);
        let (site, pepper, leak) =
            (instance.path("site.sqlite3"), instance.path("pepper"), instance.path("leak.txt"));
        let mut make = testkit::python("pepper_site.py");
        assert!(make.arg(&site).args(["s3cret-pepper", mode]).status().unwrap().success());
        fs::write(&pepper, "s3cret-pepper\n").unwrap();
        fs::write(&leak, "anna@example.org:anna!\nbert@example.org;bert!\ncarl@example.org:no\n")
            .unwrap();
        let instance = instance
            .with("COUNTERSIGN_DIRECTORY_PRESET", "generic")
            .with("COUNTERSIGN_DIRECTORY_URL", &format!("sqlite:{}", site.display()))
            .with("COUNTERSIGN_DIRECTORY_TABLE", "member")
            .with("COUNTERSIGN_DIRECTORY_COLUMNS_ID", "uid")
            .with("COUNTERSIGN_DIRECTORY_COLUMNS_EMAIL", "mail")
            .with("COUNTERSIGN_DIRECTORY_COLUMNS_USERNAME", "")
            .with("COUNTERSIGN_DIRECTORY_COLUMNS_HASH", "digest")
            .with("COUNTERSIGN_DIRECTORY_COLUMNS_EMAIL_VERIFIED", "confirmed")
            .with("COUNTERSIGN_DIRECTORY_HASH_PEPPER_FILE", "pepper");
        let assess = ["assess", "--directory", leak.to_str().unwrap()];
        let peppered = instance.with("COUNTERSIGN_DIRECTORY_HASH_PEPPER_MODE", mode);
        assert_eq!(peppered.run(&assess).json()["exposed"], 2, "{mode}");
        let other = if mode == "append" { "prepend" } else { "append" };
        let wrong = peppered.with("COUNTERSIGN_DIRECTORY_HASH_PEPPER_MODE", other);
        assert_eq!(wrong.run(&assess).json()["exposed"], 0, "{mode} read as {other}");
    }
}

#[test]
fn a_file_that_breaks_off_is_read_as_far_as_it_goes_and_said_to_be_incomplete() {
    let site = Backend::Sqlite.site();
    let whole = site.leaks.iter().find(|leak| leak.extension().is_some_and(|e| e == "gz")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.gz");
    let bytes = fs::read(whole).unwrap();
    fs::write(&broken, &bytes[..bytes.len() - 20]).unwrap();
    let run = assess_export(&site.users_csv, &[&broken]);
    assert_eq!(run.code, 4, "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["rejects_by_reason"]["truncated_member"], 1);
    assert_eq!(report["leaks"][0]["incomplete_files"], json!([broken.to_str().unwrap()]));
}

#[test]
fn a_mistake_is_told_with_the_file_and_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = folder.path().join("users.csv");
    let check = |rows: &str, expected: &[&str]| {
        fs::write(&accounts, rows).unwrap();
        let run = assess_export(&accounts, &[&accounts]);
        for part in expected {
            assert!(run.failure().contains(part), "{part} in {}", run.failure());
        }
    };
    check("id,email\n1,a@example.org\n", &["users.csv", "hash"]);
    check("id,email,hash\n1,a@example.org\n", &["users.csv", "2"]);
    check("", &["users.csv", "empty"]);

    fs::write(&accounts, "id,email,hash\n1,a@example.org,x\n").unwrap();
    let missing = assess_export(&accounts, &[Path::new("/nowhere/leak.txt")]);
    assert!(missing.failure().contains("/nowhere/leak.txt"));
    assert_eq!(run(["assess", "--accounts", "users.csv"]).code, 2, "no leak is a usage error");
    assert_eq!(run(["assess", "leak.txt"]).code, 2, "no accounts is a usage error");
}

/// Three with the same hash; of two of them something else cannot be read.
const PARTLY_GARBLED: &str = "
import sqlite3, sys
site = sqlite3.connect(sys.argv[1])
site.execute('CREATE TABLE users (id INTEGER PRIMARY KEY, email, username, password_hash, seen)')
hash = '$2b$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6'
for id, seen in ((1, 'yesterday'), (2, 'yesterday'), (3, '2016-06-08')):
    site.execute('INSERT INTO users VALUES (?, ?, NULL, ?, ?)', (id, f'{id}@example.org', hash, seen))
site.commit()
";

#[test]
fn nobody_whose_row_cannot_be_read_whole_is_said_not_to_be_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.sqlite3");
    let made =
        std::process::Command::new("python3").args(["-c", PARTLY_GARBLED]).arg(&file).status();
    assert!(made.unwrap().success());
    let (config, leak) = (folder.path().join("site.toml"), folder.path().join("leak.txt"));
    let directory = format!("[directory]\npreset = 'generic'\nurl = 'sqlite:{}'\n", file.display());
    fs::write(&config, directory + "columns.last_login_at = 'seen'\n").unwrap();
    let lines = "1@example.org:Correct horse\n2@example.org:wrong\n3@example.org:wrong\n";
    fs::write(&leak, lines).unwrap();
    let mut command = program(["--config"]);
    command.arg(&config).args(["assess", "--directory"]).arg(&leak);
    let run: Run = command.output().unwrap().into();
    let report: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    let counts = ["accounts", "accounts_unreadable", "exposed", "not_exposed", "unverified"];
    let counts = counts.map(|count| report[count].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 1, 1, 1], "{report:#}");
    assert_eq!(report["unverified_by_reason"], json!({"unreadable_row": 1}), "{report:#}");
}
