//! Which leaks are not registered, and which are taken out again.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::{
    harness::{Backend, Run, TestInstance, run_with_input},
    office::Office,
};

struct LeakScene {
    instance: TestInstance,
    file: PathBuf,
}

impl LeakScene {
    fn open(backend: Backend) -> Self {
        let instance = TestInstance::of_site(backend);
        let file = instance.path("leak.txt");
        let email = &backend.site().truth.people[0].email;
        fs::write(&file, format!("{email}:no password of theirs\n")).unwrap();
        Self { instance, file }
    }

    fn add(&self, name: &str, date: &str, more: &[&str]) -> Run {
        let mut command = self.instance.command(&["leak", "add", "--name", name, "--date", date]);
        command.args(["--provenance", "circulating"]).args(more).arg(&self.file);
        command.output().unwrap().into()
    }

    fn verify(&self, name: &str) {
        self.instance.run(&["leak", "screen", name]).json();
        self.instance.run(&["leak", "verify", name]).json();
    }
}

#[test]
fn a_leak_of_the_future_and_the_same_files_twice_are_refused() {
    let scene = LeakScene::open(Backend::Sqlite);
    let future = scene.add("First", "2999", &[]);
    assert!(future.failure().contains("2999 is in the future"), "{}", future.failure());
    scene.add("First", "2016-05", &[]).json();
    let twice = scene.add("Second", "2016-05", &[]);
    let expected = ["leak.txt is a file of the leak `First` already", "--again"];
    assert!(expected.iter().all(|part| twice.failure().contains(part)), "{}", twice.failure());
    scene.add("Second", "2016-05", &["--again"]).json();
}

#[test]
fn an_archive_on_standard_input_is_called_by_its_name() {
    let scene = LeakScene::open(Backend::Sqlite);
    let archive = b"PK\x03\x04\x14\0\0\0leak.txt\nana@example.org:pw\n";
    let add = [
        "leak",
        "add",
        "--name",
        "Zipped",
        "--date",
        "2016-05",
        "--provenance",
        "circulating",
        "-",
    ];
    for arguments in [&add[..], &["assess", "--directory", "-"]] {
        let refused = run_with_input(scene.instance.command(arguments), archive);
        let expected = "\"standard input\" is a zip archive: unpack it, or use gzip or zstd";
        assert!(refused.failure().contains(expected), "{}", refused.failure());
    }
    assert_eq!(scene.instance.run(&["leak", "list"]).json()["leaks"], json!([]));
}

#[test]
fn a_leak_is_removed_with_all_that_is_known_of_it() {
    for backend in Backend::ALL {
        let scene = LeakScene::open(backend);
        for is_verified in [false, true] {
            scene.add("Wrong", "2016-05", &[]).json();
            if is_verified {
                scene.verify("Wrong");
            }
            let removed = scene.instance.run(&["leak", "remove", "Wrong"]).json();
            assert_eq!(removed["removed"], "Wrong");
            assert_eq!(scene.instance.run(&["leak", "list"]).json()["leaks"], json!([]));
            for table in ["leak_file", "job", "tried", "unverified", "batch_shape", "candidate"] {
                assert!(scene.instance.has_none(table), "{table}");
            }
        }
        let log = scene.instance.run(&["log", "show"]).stdout;
        assert_eq!(log.matches("leak_removed").count(), 2, "{log}");
        assert!(scene.file.exists());
        assert_eq!(scene.instance.run(&["leak", "remove", "Wrong"]).code, 1);
    }
}

#[test]
fn a_leak_that_exposes_somebody_stays() {
    let office = Office::open(Backend::Sqlite);
    let refused = office.run(&["leak", "remove", "Bookshop 2016"]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("findings"), "{}", refused.stderr);
    office.freeze("");
    let refused = office.run(&["leak", "remove", "Bookshop 2016"]);
    assert!(refused.code == 3 && refused.stderr.contains("campaign"), "{}", refused.stderr);
}
