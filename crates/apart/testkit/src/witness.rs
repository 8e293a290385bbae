//! A witness that none of us wrote, and its client: they judge ours.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    python,
    tools::{HINT, run, workspace},
};

/// Where `cargo xtask test` puts it, below the workspace.
const PACKAGES: &str = "target/tools/witness";

const NAME: &str = "witness.example.net/foreign";

/// What it says once it answers; its address follows.
const LISTENING: &str = "listening on http://";

const PATIENCE: Duration = Duration::from_mins(1);

/// aics-witness, watching over one log until this value goes.
#[derive(Debug)]
pub struct ForeignWitness {
    folder: TempDir,
    verifier: String,
    address: String,
    process: Option<Child>,
}

impl ForeignWitness {
    /// Makes a witness of the log that this verifier key belongs to, and starts it on a free port.
    ///
    /// # Panics
    /// If it is not installed or does not start.
    #[must_use]
    pub fn of(log: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (verifier, address) = (String::new(), "127.0.0.1:0".to_owned());
        let mut witness = Self { folder, verifier, address, process: None };
        witness.verifier = witness.say(&["init", "--name", NAME]);
        let (origin, _) = log.split_once('+').expect("a verifier key begins with a name");
        let _ = witness.say(&["add-log", "--origin", origin, "--vkey", log]);
        witness.start();
        witness
    }

    /// Checks what it signs: the text that it publishes.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Where it answers, or did before it was killed.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has on record of the log: `size`, `root`, and in `evidence` how many requests it has
    /// kept that contradict what it had signed.
    ///
    /// # Panics
    /// If it does not say.
    #[must_use]
    pub fn record(&self) -> Value {
        let status = self.say(&["status", "--json"]);
        let mut status: Value = serde_json::from_str(&status).expect("it prints JSON");
        status["logs"][0].take()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // It may be gone already.
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Starts it where it was before, with what it remembers.
    ///
    /// # Panics
    /// If it does not start; the message holds what it said.
    pub fn restart(&mut self) {
        self.kill();
        self.start();
    }

    fn start(&mut self) {
        let log = File::create(self.log()).expect("the witness's folder can be written to");
        let mut serve = self.command(&["serve", "--listen", &self.address]);
        serve.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        self.process = Some(serve.spawn().expect("Python starts"));
        self.address = self.announced();
    }

    /// The address that it says it listens on.
    fn announced(&self) -> String {
        let since = Instant::now();
        loop {
            let said = fs::read_to_string(self.log()).expect("the witness's log can be read");
            let address = said.split_once(LISTENING).and_then(|(_, rest)| rest.split_once(' '));
            if let Some((address, _)) = address {
                return address.to_owned();
            }
            assert!(since.elapsed() < PATIENCE, "the witness does not start: {said}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What one of its commands prints.
    fn say(&self, arguments: &[&str]) -> String {
        let output = run(&mut self.command(arguments));
        String::from_utf8(output.stdout).expect("it prints text").trim_end().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = script("foreign_witness.py");
        command.args(arguments).arg("--config").arg(self.folder.path().join("witness.json"));
        command
    }
}

impl Drop for ForeignWitness {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Has aics-witness's own client ask a witness for its signature under the checkpoint of a log of these
/// entries. `py/foreign_feeder.py` tells what it answers.
///
/// # Panics
/// If the client fails, such as when the witness does not answer as the protocol has it.
#[must_use]
pub fn foreign_feeder(url: &str, verifier: &str, entries: &[&str], checkpoint: &str) -> Value {
    let mut feeder = script("foreign_feeder.py");
    feeder.args([url, verifier]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut feeder = feeder.spawn().expect("Python starts");
    let log = json!({"entries": entries, "checkpoint": checkpoint}).to_string();
    let mut input = feeder.stdin.take().expect("its input is piped");
    input.write_all(log.as_bytes()).expect("the feeder reads its input");
    drop(input);
    let output = feeder.wait_with_output().expect("the feeder can be waited for");
    assert!(output.status.success(), "the feeder failed; its complaint stands above");
    serde_json::from_slice(&output.stdout).expect("the feeder prints JSON")
}

fn script(name: &str) -> Command {
    let packages = workspace().join(PACKAGES);
    assert!(packages.exists(), "{PACKAGES} is missing: {HINT}");
    let mut command = python(name);
    command.env("PYTHONPATH", packages);
    command
}
