//! The program under a hostile scheduler: `sim/`, a workspace of its own.

use std::process::Command;

use crate::shell::{ChoreResult, command, root, run};

/// Seeds that nobody has run before, in every test and in a full one.
const FRESH_SEEDS: &str = "100";
const FRESH_SEEDS_FULL: &str = "2000";

/// Seeds that catch faults of the past.
const RECORDED: &str = "sim/seeds.txt";

/// With the tests' profile, other crates are compiled once for both; optimised, they are compiled
/// again, and a run takes a third of the time.
const SHARED: &str = "dev";
const FAST: &str = "sim";

/// Runs recorded seeds, then fresh ones; in a full test it also finds each fault of the past anew.
pub(crate) fn simulate(full: bool) -> ChoreResult {
    let (seeds, profile) = if full { (FRESH_SEEDS_FULL, FAST) } else { (FRESH_SEEDS, SHARED) };
    run(sim(profile).args(["replay", RECORDED]))?;
    run(sim(profile).args(["run", "--seeds", seeds]))?;
    if full {
        run(sim(profile).args(["search", "--seeds", seeds]))?;
    }
    Ok(())
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
