//! kill -9 at random moments: whatever it interrupts, the counts come out the same.

use std::{fmt::Write as _, fs, path::PathBuf, thread, time::Duration};

use serde_json::Value;

use crate::harness::{Backend, Run, TestInstance, kill};

const NAME: &str = "Interrupted";

/// Strangers around the records that matter, so that a step takes long enough to be interrupted.
fn strangers() -> usize {
    if testkit::full() { 2_000_000 } else { 200_000 }
}

/// Kills of each step on each backend.
fn kills() -> u32 {
    if testkit::full() { 40 } else { 4 }
}

/// A leak of many pieces: strangers, with the site's own leak file among them.
fn padded_leak(instance: &TestInstance, backend: Backend) -> PathBuf {
    let file = instance.path("padded.txt");
    let mut text = String::new();
    for number in 0..strangers() {
        let _ = writeln!(text, "stranger{number}@example.net:pass{number}");
    }
    let known = backend.site().leaks.iter().find(|leak| leak.ends_with("forum.txt")).unwrap();
    let mut bytes = text.clone().into_bytes();
    bytes.extend(fs::read(known).unwrap());
    bytes.push(b'\n');
    bytes.extend(text.into_bytes());
    fs::write(&file, bytes).unwrap();
    file
}

/// What must not depend on how often the work was interrupted.
fn counts(report: &Value) -> Vec<Value> {
    let names = ["lines", "records", "hits", "misses", "rejects_by_reason", "matches", "exposed"];
    names.iter().map(|name| report[name].clone()).collect()
}

fn work_through(instance: &TestInstance, step: &str, kills: u32) -> Value {
    let mut moments = Moments(u64::from(kills) + step.len() as u64);
    for _ in 0..kills {
        let child = instance.start(&["leak", step, NAME]);
        thread::sleep(moments.next());
        if !kill(child) {
            break;
        }
    }
    let done = instance.run(&["leak", step, NAME]);
    done.json()
}

fn interrupted(backend: Backend, kills: u32) -> (TestInstance, Value) {
    let instance = TestInstance::of_site(backend)
        .with("COUNTERSIGN_WORKER_PIECE_BYTES", "32768")
        .with("COUNTERSIGN_WORKER_LEASE", "1s");
    let leak = padded_leak(&instance, backend);
    instance.add_leak(NAME, &[&leak]).json();
    work_through(&instance, "screen", kills);
    let report = work_through(&instance, "verify", kills);
    (instance, report)
}

#[test]
fn killed_and_resumed_gives_what_an_undisturbed_run_gives() {
    for backend in Backend::ALL {
        let (whole, undisturbed) = interrupted(backend, 0);
        let (resumed, disturbed) = interrupted(backend, kills());
        assert!(undisturbed["exposed"].as_u64().unwrap() > 10);
        assert_eq!(counts(&disturbed), counts(&undisturbed));
        let accounts = |instance: &TestInstance| {
            let list = instance.list(NAME);
            list.into_iter()
                .map(|row| (row["account"].clone(), row["status"].clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(accounts(&resumed), accounts(&whole));
        resumed.run(&["log", "verify"]).json();
    }
}

#[test]
fn a_kill_while_a_leak_is_added_leaves_nothing_registered() {
    let instance = TestInstance::of_site(Backend::Sqlite);
    let leak = padded_leak(&instance, Backend::Sqlite);
    let name = ["leak", "add", "--name", NAME, "--date", "2016", "--provenance", "unknown"];
    let mut moments = Moments(7);
    for _ in 0..kills() {
        let mut command = instance.command(&name);
        let mut child = command.arg(&leak).spawn().unwrap();
        thread::sleep(moments.next() / 10);
        let _ = child.kill();
        let ended = child.wait().unwrap();
        let leaks = instance.run(&["leak", "list"]).json()["leaks"].as_array().unwrap().len();
        assert!(leaks == 0 || ended.success() || ended.code().is_none());
        if leaks == 1 {
            break;
        }
    }
    let again: Run = instance.command(&name).arg(&leak).output().unwrap().into();
    let leaks = instance.run(&["leak", "list"]).json()["leaks"].as_array().unwrap().len();
    assert_eq!(leaks, 1, "{}", again.stderr);
    instance.run(&["log", "verify"]).json();
}

/// Moments to kill at: drawn from a fixed seed, so that a failure can be seen again.
pub(crate) struct Moments(u64);

impl Moments {
    pub(crate) const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> Duration {
        // Numerical Recipes' generator: any spread of moments will do.
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Duration::from_millis(30 + (self.0 >> 16) % 400)
    }
}
