//! Seeds that once found something.

use std::{fs, path::Path};

use crate::{
    SimResult,
    faults::{Fault, Faults},
    run::{Asked, run},
    world::World,
};

/// What came of the recorded seeds.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) lines: Vec<String>,
    pub(crate) holds: bool,
}

/// A change of the program changes what each seed does, and not what they find together: so many of the
/// next ones are tried in the place of one that finds its mutant no more.
const SEEDS_NEAR: u64 = 400;

/// Runs every line of a file: `MUTANT SEED`.
pub(crate) async fn replay(world: &World, file: &Path, faults: &Faults) -> SimResult<Replayed> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut told = Replayed { lines: Vec::new(), holds: true };
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (mutant, seed) = line.split_once(' ').ok_or_else(|| format!("`{line}`: no seed"))?;
        let seed = seed.trim().parse()?;
        let (verdict, holds) = replay_one(world, mutant, seed, faults).await?;
        told.lines.push(format!("{mutant} {seed}: {verdict}"));
        told.holds &= holds;
    }
    Ok(told)
}

/// Mutants that nothing finds but a fault that few runs have.
const FOUND_BY: &[(&str, Fault)] = &[
    ("campaign_row_believed", Fault::Editor),
    ("any_database", Fault::Failover),
    ("witness_unasked", Fault::Absence),
];

/// The first seed that breaks something with a mutant, and nothing without: of so many from one on, not
/// counting those that cannot find it.
pub(crate) async fn search(
    world: &World,
    mutant: &str,
    from: u64,
    seeds: u64,
    faults: &Faults,
) -> SimResult<Option<u64>> {
    let needed = FOUND_BY.iter().find(|(found, _)| *found == mutant).map(|(_, fault)| *fault);
    if needed.is_some_and(|fault| !faults.has(fault)) {
        return Ok(None);
    }
    let can_find = |seed: &u64| needed.is_none_or(|fault| faults.of_run(*seed).has(fault));
    for seed in (from..).filter(can_find).zip(0..seeds).map(|(seed, _)| seed) {
        let whole = Asked { seed, faults: faults.clone(), mutant: None };
        let mutated = Asked { mutant: Some(mutant.to_owned()), ..whole.clone() };
        let is_found = run(world, &mutated).await?.broken.is_some();
        if is_found && run(world, &whole).await?.broken.is_none() {
            return Ok(Some(seed));
        }
    }
    Ok(None)
}

async fn replay_one(
    world: &World,
    mutant: &str,
    seed: u64,
    faults: &Faults,
) -> SimResult<(String, bool)> {
    let whole = Asked { seed, faults: faults.clone(), mutant: None };
    let mutated = Asked { mutant: Some(mutant.to_owned()), ..whole.clone() };
    let found = run(world, &mutated).await?;
    if found.broken.is_none() {
        let another = search(world, mutant, seed + 1, SEEDS_NEAR, faults).await?;
        return Ok(match another {
            Some(seed) => (format!("found by {seed} now: record that"), true),
            None => ("the mutant is not found any more: record another seed".to_owned(), false),
        });
    }
    let (first, second) = (run(world, &whole).await?, run(world, &whole).await?);
    if let Some(what) = first.broken {
        return Ok((format!("broken without the mutant: {what}"), false));
    }
    if first != second {
        return Ok(("two runs of it differ".to_owned(), false));
    }
    Ok((format!("found: {}", found.broken.unwrap_or_default()), true))
}
