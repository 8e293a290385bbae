//! A witness on another host: it signs for a log that grows, and for none that was put back.

use std::{
    collections::HashMap,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
};

use ledger::{AddCheckpoint, Hash, Tree, WitnessVerifier, growth_positions, prove_growth};

use crate::{
    harness::{Backend, Run, TestInstance},
    office::wait_until,
};

const NAME: &str = "witness.example.org/w1";

/// A log, and a witness that watches over it.
struct Watch {
    instance: TestInstance,
    verifier: WitnessVerifier,
    address: String,
    process: Child,
}

impl Watch {
    fn begin() -> Self {
        let instance = TestInstance::embedded(Backend::Sqlite);
        let folder = instance.path("witness").to_str().unwrap().to_owned();
        let made = instance.run(&["witness", "init", "--folder", &folder, "--name", NAME]).json();
        let verifier = made["verifier"].as_str().unwrap().parse().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let process = watch(&instance, &address);
        Self { instance, verifier, address, process }
    }

    /// Kills the witness, and starts it anew.
    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = watch(&self.instance, &self.address);
    }

    /// The log as it is: every stored hash, its size, and its signed head.
    fn log(&self) -> (HashMap<u64, Hash>, u64, String) {
        let shown = self.instance.run(&["log", "show"]).stdout;
        let (mut tree, mut stored) = (Tree::default(), Vec::new());
        for entry in shown.lines() {
            stored.extend(tree.push(entry.as_bytes()).unwrap());
        }
        let head = self.instance.run(&["log", "checkpoint"]).json()["checkpoint"].take();
        ((0..).zip(stored).collect(), tree.size(), head.as_str().unwrap().to_owned())
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
        let mut stream = TcpStream::connect(&self.address).unwrap();
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
        let (url, witness) = (format!("http://{}", self.address), self.verifier.to_string());
        self.instance.run(&["log", "cosign", "--url", &url, "--witness", &witness])
    }

    fn grow(&self) {
        let file = self.instance.path("accounts.csv");
        fs::write(&file, "id,email,password_hash\n1,a@example.org,$2b$04$abcdefghijklmnopqrstuu\n")
            .unwrap();
        self.instance.run(&["account", "import", file.to_str().unwrap()]).json();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn watch(instance: &TestInstance, address: &str) -> Child {
    let log = instance.run(&["log", "verify"]).json()["verifier"].take();
    let folder = instance.path("witness");
    let arguments = ["witness", "run", "--log", log.as_str().unwrap(), "--listen", address];
    let mut command = instance.command(&arguments);
    command.arg("--folder").arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let process = command.spawn().unwrap();
    wait_until(|| TcpStream::connect(address).is_ok());
    process
}

#[test]
fn a_witness_signs_for_a_log_that_grows_and_for_none_that_was_put_back() {
    let mut watch = Watch::begin();
    let (_, first, _) = watch.log();
    let (code, line) = watch.ask(0);
    assert_eq!(code, 200, "{line}");
    watch.verifier.read(&watch.log().2, &line).unwrap();
    let store = watch.instance.path("countersign.sqlite3");
    let before = fs::read(&store).unwrap();

    watch.grow();
    watch.restart();
    let (_, second, _) = watch.log();
    assert!(second > first);
    let (code, size) = watch.ask(0);
    assert_eq!((code, &*size), (409, &*format!("{first}\n")));
    let (code, line) = watch.ask(first);
    assert_eq!(code, 200, "{line}");
    watch.verifier.read(&watch.log().2, &line).unwrap();

    watch.grow();
    let cosigned = watch.cosign().json();
    let note = cosigned["checkpoint"].as_str().unwrap();
    assert!(note.contains(NAME), "{note}");
    let second = cosigned["entries"].as_u64().unwrap();
    assert_eq!(watch.cosign().json()["entries"], second, "asked again");

    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(watch.instance.path(&format!("countersign.sqlite3{ending}")));
    }
    fs::write(&store, before).unwrap();
    assert_eq!(watch.log().1, first);
    assert_eq!(watch.ask(first), (409, format!("{second}\n")));
    watch.restart();
    assert_eq!(watch.ask(first), (409, format!("{second}\n")));
    assert_eq!(watch.post("old 0\n").0, 400);
    let refused = watch.cosign();
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("it is a restored backup"), "{}", refused.stderr);
    watch.grow();
    watch.grow();
    watch.grow();
    watch.grow();
    let forked = watch.cosign();
    assert_eq!(forked.code, 3, "{}", forked.stderr);
    assert!(forked.stderr.contains("does not go on from the"), "{}", forked.stderr);
}
