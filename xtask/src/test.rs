//! Everything that must pass before a change is merged.

use std::{
    error::Error,
    fs,
    num::NonZero,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    fuzz,
    shell::{ChoreResult, command, output, root, run, run_and_read},
    simulation, tidy,
    tools::{self, Need, tool},
};

/// Runs every step, whatever became of the one before it, so that one run shows all that is
/// wrong. The tests come last: their own closing lines stand right above the table.
pub(crate) fn test(full: bool) -> ChoreResult {
    let mut report =
        Report { passed: full.then(Passed::of_these_files).flatten(), steps: Vec::new() };
    report.must("tools", || tools::install(if full { Need::Full } else { Need::Tests }))?;
    report.step("format", || run(&mut command("cargo fmt --all --check")));
    let linted = report.step("lints", || {
        // Without integration tests, a program is compiled there for its own tests alone.
        run(&mut by(Compiler::Clippy, "build --package xtask"))?;
        run(by(Compiler::Clippy, TESTS).arg("--no-run"))
    });
    report.step("spelling", || run(&mut tool("typos")?));
    report.step("licences", || {
        run(&mut tool("cargo deny check --hide-inclusion-graph licenses bans sources")?)
    });
    report.step("tidiness", tidy::tidy);
    report.step("simulation", || simulation::simulate(full));
    if full {
        // A tenth of all that is compiled, to find links that lead nowhere.
        report.step("documents", || run(&mut rustdoc()));
        report.step("fuzzing", || fuzz::fuzz(None));
    }
    // What a lint refuses is compiled once more without lints, so that its tests still run.
    let compiler = if linted { Compiler::Clippy } else { Compiler::Rustc };
    if full {
        for suite in SUITES {
            report.step(&format!("tests {suite}"), || {
                run_tests(tests(compiler, full).args(["--", suite]))
            });
        }
        let skipped = SUITES.iter().flat_map(|suite| ["--skip", suite]);
        report.step("other tests", || run_tests(tests(compiler, full).arg("--").args(skipped)));
    } else {
        report.step("tests", || run_tests(&mut tests(compiler, full)));
    }
    report.conclude()
}

/// Tests whose names hold one of these are a suite of their own in a full run, and all others are the last
/// one: a run that was broken off goes on with those that have not passed.
const SUITES: &[&str] = &["campaign_", "rows", "outage::", "way_back::", "kill::"];

/// Runs tests, and says once more at their end why some failed: thousands of lines stand between.
fn run_tests(tests: &mut Command) -> ChoreResult {
    let mut why = WhyFailed::default();
    run_and_read(tests, |line| why.read(line)).map_err(|error| why.added_to(&*error).into())
}

/// What failed tests have printed.
#[derive(Default)]
struct WhyFailed {
    is_told: bool,
    lines: Vec<String>,
}

impl WhyFailed {
    /// The test harness tells all of it between these two lines, once for each program of tests.
    fn read(&mut self, line: &str) {
        match line {
            "failures:" => self.is_told = true,
            _ if line.starts_with("test result: ") => self.is_told = false,
            _ if self.is_told => self.lines.push(line.to_owned()),
            _ => {}
        }
    }

    fn added_to(&self, error: &dyn Error) -> String {
        format!("{}\n{error}", self.lines.join("\n"))
    }
}

fn tests(compiler: Compiler, full: bool) -> Command {
    let mut tests = by(compiler, TESTS);
    tests.arg("--no-fail-fast").env("RUST_TEST_THREADS", test_threads().to_string());
    tests.envs(all_of_them(full));
    tests
}

/// One more than there are processors: much of a test is waiting for servers and for time to pass.
fn test_threads() -> usize {
    thread::available_parallelism().map_or(2, NonZero::get) + 1
}

fn rustdoc() -> Command {
    let mut rustdoc = cargo("doc --workspace --no-deps --document-private-items");
    rustdoc.env("RUSTDOCFLAGS", "-D warnings");
    rustdoc
}

/// What compiles our own crates.
#[derive(Clone, Copy)]
enum Compiler {
    Rustc,
    /// The compiler with Clippy's lints. `cargo clippy` uses it to check only, and would read every
    /// crate a second time, others' included: a quarter of all that a run compiles.
    Clippy,
}

const TESTS: &str = "test --workspace";

fn by(compiler: Compiler, line: &str) -> Command {
    let mut cargo = cargo(line);
    if let Compiler::Clippy = compiler {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
        cargo.env("CLIPPY_ARGS", format!("-D{CLIPPY_SEPARATOR}warnings{CLIPPY_SEPARATOR}"));
    }
    cargo
}

/// What `cargo clippy` puts between the arguments that it hands to the compiler.
const CLIPPY_SEPARATOR: &str = "__CLIPPY_HACKERY__";

fn all_of_them(full: bool) -> Option<(&'static str, &'static str)> {
    full.then_some(("COUNTERSIGN_TEST_FULL", "1"))
}

/// What incremental compilation keeps costs a seventh of a cold build, and helps whoever edits one
/// crate and tests it: not who tests everything.
fn cargo(line: &str) -> Command {
    let mut cargo = command(&format!("cargo {line}"));
    cargo.env("CARGO_INCREMENTAL", "0");
    cargo
}

/// What each step took, and which of them failed.
#[derive(Default)]
struct Report {
    steps: Vec<TestStep>,
    passed: Option<Passed>,
}

struct TestStep {
    name: String,
    took: Duration,
    failure: Option<String>,
}

impl Report {
    /// Runs a step that all later ones need.
    fn must(&mut self, name: &str, run: impl FnOnce() -> ChoreResult) -> ChoreResult {
        self.step(name, run);
        match self.steps.iter().find_map(|step| step.failure.clone()) {
            Some(failure) => Err(failure.into()),
            None => Ok(()),
        }
    }

    /// Runs a step, unless it has passed before, and says whether it passed.
    fn step(&mut self, name: &str, run: impl FnOnce() -> ChoreResult) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let (state, failure) = match &self.passed {
            Some(passed) if passed.has(name) => ("passed before", None),
            _ => match run() {
                Ok(()) => ("ok", None),
                Err(error) => ("FAILED", Some(error.to_string())),
            },
        };
        let took = start.elapsed();
        println!("== {name}: {state}, {}", seconds(took));
        match (&failure, &self.passed) {
            (Some(failure), _) => println!("{failure}"),
            (None, Some(passed)) => passed.note(name),
            (None, None) => {}
        }
        let is_passed = failure.is_none();
        self.steps.push(TestStep { name: name.to_owned(), took, failure });
        is_passed
    }

    fn conclude(self) -> ChoreResult {
        println!("\n{:<18} {:>9}", "step", "time");
        for step in &self.steps {
            let failed = if step.failure.is_some() { "  FAILED" } else { "" };
            println!("{:<18} {:>9}{failed}", step.name, seconds(step.took));
        }
        let total: Duration = self.steps.iter().map(|step| step.took).sum();
        println!("{:<18} {:>9}", "total", seconds(total));
        let failed = self.steps.iter().filter(|step| step.failure.is_some());
        let failed: Vec<_> = failed.map(|step| step.name.as_str()).collect();
        if failed.is_empty() {
            println!("\nall passed");
            return Ok(());
        }
        Err(format!("failed: {}", failed.join(", ")).into())
    }
}

/// Which steps of a full run have passed, of the very files that are here.
struct Passed {
    folder: PathBuf,
}

impl Passed {
    /// `None` if files differ from those that are committed.
    fn of_these_files() -> Option<Self> {
        let changed = output(&mut command("git status --porcelain")).ok()?;
        let tree = output(&mut command("git rev-parse HEAD^{tree}")).ok()?;
        let folder = root().join("target/passed").join(tree.trim());
        changed.trim().is_empty().then_some(Self { folder })
    }

    /// Tools are looked for each time: they may be gone.
    fn has(&self, step: &str) -> bool {
        step != "tools" && self.file(step).exists()
    }

    /// Whoever cannot write it down runs the step again.
    fn note(&self, step: &str) {
        let _ = fs::create_dir_all(&self.folder).and_then(|()| fs::write(self.file(step), ""));
    }

    fn file(&self, step: &str) -> PathBuf {
        self.folder.join(step.replace([' ', ':'], "_"))
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_run_and_stops_no_other() {
        let mut report = Report::default();
        report.step("first", || Err("broken".into()));
        report.step("second", || Ok(()));
        assert_eq!(report.steps.len(), 2);
        assert_eq!(report.conclude().unwrap_err().to_string(), "failed: first");
    }

    #[test]
    fn what_has_passed_before_is_not_run_again() {
        let folder =
            std::env::temp_dir().join(format!("countersign-passed-{}", std::process::id()));
        let report =
            || Report { passed: Some(Passed { folder: folder.clone() }), ..Report::default() };
        assert!(report().step("tests x::", || Ok(())));
        assert!(!report().step("other", || Err("broken".into())));
        assert!(report().step("tests x::", || Err("run again".into())));
        assert!(!report().step("other", || Err("broken".into())));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn why_tests_failed_is_told_at_the_end() {
        let mut why = WhyFailed::default();
        for line in [
            "test a ... FAILED",
            "failures:",
            "---- a ----",
            "test result: FAILED.",
            "test b ... ok",
        ] {
            why.read(line);
        }
        assert_eq!(why.lines, ["---- a ----"]);
    }

    #[test]
    fn a_step_that_others_need_stops_the_run() {
        let mut report = Report::default();
        assert!(report.must("tools", || Ok(())).is_ok());
        assert!(report.must("tools", || Err("broken".into())).is_err());
    }
}
