//! The program under a hostile scheduler: `sim/`, a workspace of its own.

use std::process::{Command, Stdio};

use crate::shell::{ChoreResult, command, root, run, run_both};

/// Seeds that nobody has run before, in every test and in a full one.
const FRESH_SEEDS: &str = "100";
const FRESH_SEEDS_FULL: &str = "2000";

/// Seeds that catch faults of the past.
const RECORDED: &str = "sim/seeds.txt";

/// With the tests' profile, other crates are compiled once for both; optimised, they are compiled
/// again, and a run takes a third of the time.
const SHARED: &str = "dev";
const FAST: &str = "sim";

/// Runs recorded seeds and fresh ones; in a full test it also finds each fault of the past anew.
///
/// Two processes at once: each runs one seed after another, and waits for SQLite half of the time.
pub(crate) fn simulate(full: bool) -> ChoreResult {
    if !full {
        compile(SHARED)?;
        let (mut replay, mut fresh) = (sim(SHARED), sim(SHARED));
        replay.args(["replay", RECORDED]);
        return run_both(&mut replay, fresh.args(["run", "--seeds", FRESH_SEEDS]));
    }
    run(sim(FAST).args(["replay", RECORDED]))?;
    let (mut search, mut fresh) = (sim(FAST), sim(FAST));
    search.args(["search", "--seeds", FRESH_SEEDS_FULL]);
    run_both(&mut search, fresh.args(["run", "--seeds", FRESH_SEEDS_FULL]))
}

/// Two at once would wait for each other's compiler, and count that as a run.
fn compile(profile: &str) -> ChoreResult {
    run(sim(profile).arg("mutants").stdout(Stdio::null()))
}

/// Passes words on to the simulation.
pub(crate) fn sim_with(words: &[&str]) -> ChoreResult {
    run(sim(SHARED).args(words))
}

/// It shares the folder of what is compiled, and not the lock file.
fn sim(profile: &str) -> Command {
    let mut sim = command("cargo run --quiet --manifest-path sim/Cargo.toml --profile");
    sim.args([profile, "--"]);
    sim.env("CARGO_TARGET_DIR", root().join("target")).env("CARGO_INCREMENTAL", "0");
    sim
}
