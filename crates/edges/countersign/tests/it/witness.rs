//! A witness on another host: it signs for a log that grows, and for none that was put back.

use std::{
    collections::HashMap,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use ledger::{AddCheckpoint, Hash, Tree, WitnessVerifier, growth_positions, prove_growth};

use crate::{
    harness::{Backend, Run, TestInstance},
    office::wait_until,
};

const NAME: &str = "witness.example.org/w1";

/// One that has not seen what [`NAME`] has.
pub(crate) const ANOTHER: &str = "witness.example.org/w2";

/// A witness of an instance's log, as a process.
pub(crate) struct Witness {
    verifier: WitnessVerifier,
    folder: PathBuf,
    address: String,
    process: Option<Child>,
}

impl Witness {
    pub(crate) fn of(instance: &TestInstance) -> Self {
        Self::called(NAME, instance)
    }

    /// One of several.
    pub(crate) fn called(name: &str, instance: &TestInstance) -> Self {
        let folder = instance.path(&name.replace('/', "-"));
        let mut init = instance.command(&["witness", "init", "--name", name]);
        let made: Run = init.arg("--folder").arg(&folder).output().unwrap().into();
        let verifier = made.json()["verifier"].as_str().unwrap().parse().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut witness = Self { verifier, folder, address, process: None };
        witness.start(instance);
        witness
    }

    pub(crate) fn verifier(&self) -> String {
        self.verifier.to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The policy that asks it alone.
    pub(crate) fn policy(&self) -> String {
        format!("witness w1 {} {}\nquorum w1\n", self.verifier, self.url())
    }

    pub(crate) fn start(&mut self, instance: &TestInstance) {
        self.start_knowing(instance, &[&log_verifier(instance)]);
    }

    /// Starts it with these keys of logs.
    pub(crate) fn start_knowing(&mut self, instance: &TestInstance, logs: &[&str]) {
        let address = &self.address;
        let mut command = instance.command(&["witness", "run", "--listen", address]);
        command.args(logs.iter().flat_map(|log| ["--log", log]));
        command.arg("--folder").arg(&self.folder).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        wait_until(|| TcpStream::connect(address).is_ok());
    }

    /// Loses what it knows of every log, until it is told again; where that is kept.
    pub(crate) fn forget(&mut self, instance: &TestInstance) -> PathBuf {
        self.kill();
        let kept = self.folder.with_extension("kept");
        fs::rename(&self.folder, &kept).unwrap();
        private_folder(&self.folder);
        fs::copy(kept.join("witness.key"), self.folder.join("witness.key")).unwrap();
        self.start(instance);
        kept
    }

    pub(crate) fn remember(&mut self, kept: &Path, instance: &TestInstance) {
        self.kill();
        fs::remove_dir_all(&self.folder).unwrap();
        fs::rename(kept, &self.folder).unwrap();
        self.start(instance);
    }

    pub(crate) fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let _ = process.kill();
        let _ = process.wait();
    }
}

fn private_folder(path: &Path) {
    fs::DirBuilder::new().mode(0o700).create(path).unwrap();
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A log, and a witness that watches over it.
pub(crate) struct Watch {
    pub(crate) instance: TestInstance,
    pub(crate) witness: Witness,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let instance = TestInstance::embedded(Backend::Sqlite);
        let witness = Witness::of(&instance);
        Self { instance, witness }
    }

    /// Kills the witness, and starts it anew.
    pub(crate) fn restart(&mut self) {
        self.witness.kill();
        self.witness.start(&self.instance);
    }

    /// The log as it is: every stored hash, its size, and its signed head.
    fn log(&self) -> (HashMap<u64, Hash>, u64, String) {
        let shown = self.instance.run(&["log", "show"]).stdout;
        let (mut tree, mut stored) = (Tree::default(), Vec::new());
        for entry in shown.lines() {
            stored.extend(tree.push(entry.as_bytes()).unwrap());
        }
        ((0..).zip(stored).collect(), tree.size(), head(&self.instance))
    }

    /// Asks for a signature, as whoever knows that the witness has seen so many entries.
    fn ask(&self, old: u64) -> (u16, String) {
        let (stored, size, note) = self.log();
        let proof = if old > size {
            Vec::new()
        } else {
            let positions = growth_positions(old, size).unwrap().into_iter();
            prove_growth(old, size, &positions.map(|at| (at, stored[&at])).collect()).unwrap()
        };
        self.post(&AddCheckpoint { old, proof, note }.to_string())
    }

    fn post(&self, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.witness.address).unwrap();
        let length = body.len();
        let head = format!(
            "POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (code, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn cosign(&self) -> Run {
        cosign(&self.instance, &self.witness.url(), &self.witness.verifier())
    }
}

/// Has a witness sign an instance's log.
pub(crate) fn cosign(instance: &TestInstance, url: &str, witness: &str) -> Run {
    instance.run(&["log", "cosign", "--url", url, "--witness", witness])
}

/// Lets an instance's log grow.
pub(crate) fn grow(instance: &TestInstance) {
    let file = instance.path("accounts.csv");
    fs::write(&file, "id,email,password_hash\n1,a@example.org,$2b$04$abcdefghijklmnopqrstuu\n")
        .unwrap();
    instance.run(&["account", "import", file.to_str().unwrap()]).json();
}

/// The signed head of an instance's log.
pub(crate) fn head(instance: &TestInstance) -> String {
    let head = instance.run(&["log", "checkpoint"]).json()["checkpoint"].take();
    head.as_str().unwrap().to_owned()
}

/// The key that checks an instance's log.
pub(crate) fn log_verifier(instance: &TestInstance) -> String {
    let log = instance.run(&["log", "verify"]).json()["verifier"].take();
    log.as_str().unwrap().to_owned()
}

/// Puts a file of SQLite back as it was: the file stays the same one.
pub(crate) fn put_back(store: &Path, before: &[u8]) {
    for ending in ["sqlite3-wal", "sqlite3-shm"] {
        let _ = fs::remove_file(store.with_extension(ending));
    }
    fs::write(store, before).unwrap();
}

/// An instance's store in SQLite, whole, also while somebody writes to it.
pub(crate) fn backup(instance: &TestInstance) -> Vec<u8> {
    let copy = instance.path("backup.sqlite3");
    let _ = fs::remove_file(&copy);
    instance.ask(&format!("VACUUM INTO '{}'", copy.display()));
    fs::read(copy).unwrap()
}

#[test]
fn a_witness_signs_for_a_log_that_grows_and_for_none_that_was_put_back() {
    let mut watch = Watch::begin();
    let (_, first, _) = watch.log();
    let (code, line) = watch.ask(0);
    assert_eq!(code, 200, "{line}");
    watch.witness.verifier.read(&watch.log().2, &line).unwrap();
    let store = watch.instance.path("countersign.sqlite3");
    let before = backup(&watch.instance);

    grow(&watch.instance);
    watch.restart();
    let (_, second, _) = watch.log();
    assert!(second > first);
    let (code, size) = watch.ask(0);
    assert_eq!((code, &*size), (409, &*format!("{first}\n")));
    let (code, line) = watch.ask(first);
    assert_eq!(code, 200, "{line}");
    watch.witness.verifier.read(&watch.log().2, &line).unwrap();

    grow(&watch.instance);
    let cosigned = watch.cosign().json();
    let note = cosigned["checkpoint"].as_str().unwrap();
    assert!(note.contains(NAME), "{note}");
    let second = cosigned["entries"].as_u64().unwrap();
    assert_eq!(watch.cosign().json()["entries"], second, "asked again");

    put_back(&store, &before);
    assert_eq!(watch.log().1, first);
    assert_eq!(watch.ask(first), (409, format!("{second}\n")));
    watch.restart();
    assert_eq!(watch.ask(first), (409, format!("{second}\n")));
    assert_eq!(watch.post("old 0\n").0, 400);
    let refused = watch.cosign();
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("it is a restored backup"), "{}", refused.stderr);
    grow(&watch.instance);
    grow(&watch.instance);
    grow(&watch.instance);
    grow(&watch.instance);
    let forked = watch.cosign();
    assert_eq!(forked.code, 3, "{}", forked.stderr);
    assert!(forked.stderr.contains("does not go on from the"), "{}", forked.stderr);
}
