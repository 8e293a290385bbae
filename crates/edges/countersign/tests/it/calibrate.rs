//! "Not exposed" is worth something once a known password has proved how the site computes its hashes.

use std::fs;

use serde_json::{Value, json};
use testkit::{TerminalRun, site::DjangoSite, terminal};

use crate::{
    harness::{Backend, TestInstance, program_for_people, read_list},
    people,
};

const PASSWORD: &str = "Grün&Blau-7½";

/// Of that password, made over its SHA-256 as Meteor does: it looks like any other of bcrypt's.
const DIGESTED: &str = "$2b$04$sxwVw7WNDk8ugf6vP.UDqOIodvQXOtdyAlROoHloo4XVGs04PyGSu";

/// Of the same password, as it stands.
const PLAIN: &str = "$2b$04$V4Q4nBNkuU5Ypf02xALA4eR70bS.FBLQdU3hsZleh64HeDGO.UB6e";

/// SHA-256 of that password in hexadecimal, as lists of cracked digests hold it.
const DIGEST: &str = "14f0f5cb0bf316d4c129edbf448b3315194ca4e935d9dbd76a41a43add349b11";

/// Of a password that many forms read alike.
const SIMPLE: &str = "sommer1";
const OF_SIMPLE: &str = "$2b$04$u/3h80SYKJTJjfhU7fnp2uZz5fwxG8/T/ju7ylFL9mlHr0quD4fIa";

const SHAPE: &str = "$2b$*$";

/// A site one of whose accounts has a hash that says nothing of how it was made.
struct CalibrationScene {
    instance: TestInstance,
    site: DjangoSite,
    /// The account, and one more of the same kind whose password nobody knows.
    accounts: [String; 2],
}

impl CalibrationScene {
    fn open(backend: Backend) -> Self {
        let site = backend.new_site();
        let plain = site.truth.people.iter().filter(|person| person.kind == "plain");
        let [known, other]: [String; 2] =
            plain.map(|person| person.id.clone()).take(2).collect::<Vec<_>>().try_into().unwrap();
        for account in [&known, &other] {
            people::keep_hash(&site, account, DIGESTED);
        }
        let instance = TestInstance::of(backend, &site);
        Self { instance, site, accounts: [known, other] }
    }

    fn address(&self, account: usize) -> &str {
        let mut people = self.site.truth.people.iter();
        &people.find(|person| person.id == self.accounts[account]).unwrap().email
    }

    fn calibrate(&self, account: &str, password: &str) -> TerminalRun {
        let mut command = program_for_people();
        command.arg("--config").arg(self.instance.path("countersign.toml"));
        command.args(["verify", "calibrate"]);
        let asked = terminal(command).answer("Account", account);
        asked.answer_hidden("Its password", password).run()
    }

    /// Adds a leak of these passwords of both accounts; what verifying it reports.
    fn verify(&self, name: &str, passwords: [&str; 2]) -> Value {
        let file = self.instance.path(&format!("{name}.txt"));
        let lines =
            [0, 1].map(|number| format!("{}:{}\n", self.address(number), passwords[number]));
        fs::write(&file, lines.concat()).unwrap();
        self.instance.add_leak(name, &[&file]).json();
        self.instance.run(&["leak", "screen", name]).json();
        self.instance.run(&["leak", "verify", name]).json()
    }

    /// What a command tells that ends with 4.
    fn doubted(&self, arguments: &[&str]) -> Value {
        let run = self.instance.run(arguments);
        assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["judged"], json!(false));
        report
    }

    fn set_forms(&self, forms: &str) {
        let file = self.instance.path("countersign.toml");
        let mut config: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        let directory = config["directory"].as_table_mut().unwrap();
        let hash = directory.entry("hash").or_insert_with(|| toml::Table::new().into());
        hash.as_table_mut().unwrap().insert("forms".to_owned(), forms.into());
        fs::write(&file, config.to_string()).unwrap();
    }

    fn assess(&self, name: &str) -> Value {
        let file = self.instance.path(&format!("{name}.txt"));
        self.instance.run(&["assess", "--directory", file.to_str().unwrap()]).json()
    }
}

/// SHA-1 of `otto` and that password, by Python's hashlib.
const NAMED_BESIDE: &str = "69457a029a947beadafe3c9a767b04f4c13217e0";

#[test]
fn columns_that_forms_need_are_named_where_none_fits() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    people::keep_hash(&scene.site, &scene.accounts[0], NAMED_BESIDE);
    let run = scene.calibrate(&scene.accounts[0], PASSWORD);
    assert_eq!(run.code, 3, "{}", run.output);
    for shown in ["without user", "smf", "without salt", "`directory.hash.columns`"] {
        assert!(run.output.contains(shown), "{shown}: {}", run.output);
    }
}

#[test]
fn a_form_is_found_written_down_and_proved() {
    for backend in Backend::ALL {
        let scene = CalibrationScene::open(backend);
        let first = scene.verify("First", [PASSWORD, "another"]);
        assert_eq!((&first["exposed"], &first["not_exposed"]), (&json!(0), &json!(2)));
        assert_eq!(first["without_proof"], json!({ SHAPE: 2 }));
        assert_eq!(scene.assess("First")["without_proof"], json!({ SHAPE: 2 }));
        let listed = ["tried.jsonl", "assessed.jsonl"].map(|name| scene.instance.path(name));
        let [tried, assessed] = listed.each_ref().map(|file| file.to_str().unwrap());
        scene.instance.run(&["leak", "show", "First", "--output", tried]).json();
        let leaked = scene.instance.path("First.txt");
        let leaked = leaked.to_str().unwrap();
        scene.instance.run(&["assess", "--directory", "--output", assessed, leaked]).json();
        for file in &listed {
            let listed = read_list(file);
            let told = listed.iter().map(|row| (&row["status"], &row["hash_head"]));
            let expected = (&json!("without_proof"), &json!(SHAPE));
            assert_eq!(told.collect::<Vec<_>>(), [expected, expected]);
            assert_ne!(listed[0]["account"], listed[1]["account"]);
        }
        let shown = scene.instance.shown(&["leak", "show", "First"]);
        assert!(
            shown.contains("WITHOUT PROOF, $2b$*$") && shown.contains("verify calibrate"),
            "{shown}"
        );

        let doctor = scene.instance.run(&["doctor", "--skip-relay-check"]).stdout;
        assert!(doctor.contains("WITHOUT PROOF"), "{doctor}");
        let status = scene.instance.run(&["status"]).json();
        assert_eq!(status["doubtful"]["First"]["without_proof"], json!({ SHAPE: 2 }));

        let run = scene.calibrate(scene.address(0), PASSWORD);
        assert_eq!(run.code, 0, "{}", run.output);
        assert!(
            run.output.contains("the form bcrypt_sha256_hex, which the configuration has now"),
            "{}",
            run.output
        );
        assert!(run.output.contains("nobody's own"), "{}", run.output);
        for secret in ["Blau-7", &DIGESTED[7..]] {
            assert!(!run.output.contains(secret), "{}", run.output);
        }
        let config = fs::read_to_string(scene.instance.path("countersign.toml")).unwrap();
        let config: toml::Table = config.parse().unwrap();
        assert_eq!(
            config["directory"]["hash"]["forms"].as_str(),
            Some("django\nbcrypt_sha256_hex\nbcrypt")
        );

        assert_eq!(scene.assess("First")["exposed"], 1);
        let second = scene.verify("Second", ["another", "another"]);
        assert_eq!((&second["not_exposed"], &second["without_proof"]), (&json!(2), &json!({})));
        // What was said in another form stays without proof.
        let first = scene.doubted(&["leak", "show", "First"]);
        assert_eq!(first["without_proof"], json!({ SHAPE: 2 }));
        let run = scene.calibrate(&scene.accounts[0], PASSWORD);
        assert!(run.code == 0 && !run.output.contains("has now"), "{}", run.output);
    }
}

/// Of that password's SHA-256 in capitals, by Python's bcrypt.
const OURS: &str = "$2b$04$/mMwjWay7FR3FvxOPRoc1uhYVjjvCIXv398ozzc3qdju4qNb86.DW";

/// What the operators have described is among what is tried.
#[test]
fn a_description_of_the_sites_own_is_proved() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    people::keep_hash(&scene.site, &scene.accounts[0], OURS);
    scene.set_forms("django\nours: <hash> := sha256|HEX|bcrypt");
    let run = scene.calibrate(scene.address(0), PASSWORD);
    assert_eq!(run.code, 0, "{}", run.output);
    assert!(run.output.contains("the form ours"), "{}", run.output);
    assert!(!run.output.contains("configuration has now"), "{}", run.output);
    let found = scene.verify("Ours", ["another", "another"]);
    assert_eq!((&found["not_exposed"], &found["without_proof"]), (&json!(2), &json!({})));
}

/// A site that has changed how it digests has hashes of both kinds.
#[test]
fn plain_accounts_are_found_after_another_form_was_proved() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    people::keep_hash(&scene.site, &scene.accounts[1], PLAIN);
    let run = scene.calibrate(scene.address(0), PASSWORD);
    assert!(
        run.code == 0 && run.output.contains("bcrypt, which the configuration"),
        "{}",
        run.output
    );
    let found = scene.verify("Both", [PASSWORD, PASSWORD]);
    assert_eq!((&found["exposed"], &found["not_exposed"]), (&json!(2), &json!(0)));
}

/// The form that needs no name elsewhere is meant, though others give the same of this password.
#[test]
fn a_plain_account_is_calibrated_beside_another_form() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    people::keep_hash(&scene.site, &scene.accounts[1], PLAIN);
    let run = scene.calibrate(scene.address(0), PASSWORD);
    assert_eq!(run.code, 0, "{}", run.output);
    scene.set_forms("django\nbcrypt_sha256_hex");
    let run = scene.calibrate(scene.address(1), PASSWORD);
    assert!(run.code == 0 && run.output.contains("the form bcrypt,"), "{}", run.output);
    let found = scene.verify("Both", [PASSWORD, PASSWORD]);
    assert_eq!((&found["exposed"], &found["not_exposed"]), (&json!(2), &json!(0)));
}

/// Nothing that did not match is kept: it has to be screened once more.
#[test]
fn a_leak_that_was_verified_in_other_forms_is_no_all_clear() {
    for backend in Backend::ALL {
        let scene = CalibrationScene::open(backend);
        let (verify, show) = (["leak", "verify", "First"], ["leak", "show", "First"]);
        assert_eq!(scene.verify("First", [PASSWORD, "another"])["in_other_forms"], 0);
        assert_eq!(scene.calibrate(scene.address(0), PASSWORD).code, 0);
        for command in [verify, ["leak", "screen", "First"], show] {
            assert_eq!(scene.doubted(&command)["in_other_forms"], 2);
        }
        let shown = scene.instance.shown(&show);
        assert!(shown.starts_with("COULD NOT JUDGE") && shown.contains("--again"), "{shown}");
        let status = scene.instance.run(&["status"]).json();
        assert_eq!(status["doubtful"]["First"]["in_other_forms"], 2);
        assert!(scene.instance.shown(&["status"]).contains("leak add --again"));

        let file = scene.instance.path("First.txt");
        let refused = scene.instance.add_leak("Again", &[&file]);
        assert!(refused.failure().contains("`--again`"), "{}", refused.stderr);
        let add = ["leak", "add", "--again", "--name", "Again", "--date", "2016"];
        let rest = ["--provenance", "confirmed", file.to_str().unwrap()];
        scene.instance.run(&[&add[..], &rest].concat()).json();
        scene.instance.run(&["leak", "screen", "Again"]).json();
        assert_eq!(scene.instance.run(&["leak", "verify", "Again"]).json()["exposed"], 1);
        let first = scene.instance.run(&show).json();
        assert_eq!((&first["judged"], &first["in_other_forms"]), (&json!(true), &json!(0)));
        scene.set_forms("django\nbcrypt\nbcrypt_sha256_hex");
        assert_eq!(scene.instance.run(&show).json()["judged"], true, "the order says nothing");
    }
}

#[test]
fn whatever_is_found_proves_its_own_form() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    scene.instance.run(&["config", "check"]).json();
    let scene = CalibrationScene {
        instance: scene.instance.with("COUNTERSIGN_DIRECTORY_HASH_FORMS", "django\nmeteor"),
        ..scene
    };
    let found = scene.verify("Found", [PASSWORD, "another"]);
    assert_eq!((&found["exposed"], &found["without_proof"]), (&json!(1), &json!({})));
    let other = scene.verify("Other", ["another", "another"]);
    assert_eq!((&other["not_exposed"], &other["without_proof"]), (&json!(2), &json!({})));
}

/// A digest fits the slow hash as it stands, and says nothing of how passwords are read.
#[test]
fn a_digest_in_a_leak_proves_nothing() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    let found = scene.verify("Digests", [DIGEST, "another"]);
    assert_eq!((&found["exposed"], &found["without_proof"]), (&json!(1), &json!({ SHAPE: 1 })));
    let other = scene.verify("Other", ["one", "another"]);
    assert_eq!(other["without_proof"], json!({ SHAPE: 2 }));
    assert_eq!(scene.assess("Digests")["without_proof"], json!({ SHAPE: 1 }));
}

/// Of other passwords these forms would not give the same.
#[test]
fn a_password_that_several_forms_read_alike_proves_nothing() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    people::keep_hash(&scene.site, &scene.accounts[0], OF_SIMPLE);
    let before = fs::read(scene.instance.path("countersign.toml")).unwrap();
    let run = scene.calibrate(&scene.accounts[0], SIMPLE);
    assert_eq!(run.code, 3, "{}", run.output);
    for told in ["fits bcrypt", "fits phpbb", "nothing is proved", "Grün&Blau"] {
        assert!(run.output.contains(told), "{told}: {}", run.output);
    }
    assert_eq!(fs::read(scene.instance.path("countersign.toml")).unwrap(), before);
    assert!(scene.instance.has_none("form_proof"));
    people::keep_hash(&scene.site, &scene.accounts[0], PLAIN);
    let run = scene.calibrate(&scene.accounts[0], PASSWORD);
    assert!(run.code == 0 && run.output.contains("the form bcrypt"), "{}", run.output);
}

#[test]
fn nobody_but_countersign_proves_a_form() {
    for backend in Backend::ALL {
        let scene = CalibrationScene::open(backend);
        scene.verify("First", ["one", "another"]);
        scene
            .instance
            .ask("INSERT INTO form_proof (fingerprint) SELECT DISTINCT substr(forms, 1, 32) FROM batch_shape");
        let shown = scene.instance.run(&["leak", "show", "First"]).json();
        assert_eq!(shown["without_proof"], json!({ SHAPE: 2 }));
    }
}

#[test]
fn a_password_that_fits_no_form_proves_nothing() {
    let scene = CalibrationScene::open(Backend::Sqlite);
    let before = fs::read(scene.instance.path("countersign.toml")).unwrap();
    let run = scene.calibrate(&scene.accounts[0], "something else");
    assert_eq!(run.code, 3, "{}", run.output);
    assert!(run.output.contains("type the password again"), "{}", run.output);
    let run = scene.calibrate("nobody.of.this.name", PASSWORD);
    assert!(run.code == 1 && run.output.contains("the site has no account"), "{}", run.output);
    assert_eq!(fs::read(scene.instance.path("countersign.toml")).unwrap(), before);
    assert!(scene.instance.has_none("form_proof"));
}
