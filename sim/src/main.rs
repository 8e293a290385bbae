//! Countersign's operations under a hostile scheduler.
//!
//! A seed is a whole run: hosts, workers, people, operators, a relay that lies, and everything that
//! goes wrong. Equal seeds make equal runs, to the byte. `docs/simulation.md` tells how to use it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the developer who started it"
)]

mod actors;
mod clock;
mod dice;
mod editor;
mod faults;
mod oracle;
mod relay;
mod replay;
mod restore;
mod run;
mod site;
mod strand;
mod watched_directory;
mod witness;
mod world;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use clap::{Args, Parser, Subcommand};

use faults::{Fault, Faults};
use run::Asked;
use world::World;

/// What went wrong in the simulation itself, in a sentence.
pub(crate) type SimResult<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Countersign's operations under a hostile scheduler, judged by oracles of their own.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    /// Runs many seeds; stops at the first that breaks something.
    Run {
        /// How many.
        #[arg(long, default_value_t = 200)]
        seeds: u64,
        /// The first; drawn if it is not given.
        #[arg(long)]
        from: Option<u64>,
        /// Goes on after a broken run, and counts them.
        #[arg(long)]
        keep_going: bool,
        /// Passes by seeds whose runs do not have this fault.
        #[arg(long)]
        having: Option<Fault>,
        #[command(flatten)]
        how: How,
    },
    /// Runs one seed.
    Seed {
        /// Which.
        seed: u64,
        /// Shows what happened, step by step.
        #[arg(long)]
        trace: bool,
        #[command(flatten)]
        how: How,
    },
    /// Runs recorded seeds: each breaks with its mutant, holds without, and is the same twice.
    Replay {
        /// Lines of `MUTANT SEED`.
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Searches for every mutant a seed that breaks with it and holds without; prints the lines that
    /// `replay` reads.
    Search {
        /// How many seeds each may take.
        #[arg(long, default_value_t = 2000)]
        seeds: u64,
        /// The first; drawn if it is not given.
        #[arg(long)]
        from: Option<u64>,
        #[command(flatten)]
        how: How,
    },
    /// Lists the mutants.
    Mutants,
}

/// What goes wrong.
#[derive(Debug, Clone, Args)]
struct How {
    /// Faults to leave out.
    #[arg(long, value_delimiter = ',')]
    without: Vec<Fault>,
    /// The only faults, in place of all.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Fault>,
    /// Nothing goes wrong.
    #[arg(long, conflicts_with_all = ["only", "without"])]
    calm: bool,
    /// A fault of the past to put back.
    #[arg(long)]
    mutant: Option<String>,
}

impl How {
    fn asked(&self, seed: u64) -> Asked {
        let all = <Fault as clap::ValueEnum>::value_variants();
        let without = if self.calm { all } else { &self.without };
        let faults = Faults::new(&self.only, without);
        Asked { seed, faults, mutant: self.mutant.clone() }
    }

    /// The words that say the same.
    fn words(&self) -> String {
        let names = |faults: &[Fault]| faults.iter().copied().map(name).collect::<Vec<_>>();
        let mut words = Vec::new();
        if self.calm {
            words.push("--calm".to_owned());
        }
        for (word, faults) in [("--without", &self.without), ("--only", &self.only)] {
            if !faults.is_empty() {
                words.extend([word.to_owned(), names(faults).join(",")]);
            }
        }
        words.extend(self.mutant.iter().flat_map(|name| ["--mutant".to_owned(), name.clone()]));
        words.join(" ")
    }
}

fn name(fault: Fault) -> String {
    let value = clap::ValueEnum::to_possible_value(&fault);
    value.map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn main() -> ExitCode {
    clock::override_sqlite();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(obey(Cli::parse().command)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn obey(command: SimCommand) -> SimResult<bool> {
    match command {
        SimCommand::Run { seeds, from, keep_going, having, how } => {
            check_mutant(how.mutant.as_deref())?;
            let from = from.unwrap_or_else(fresh);
            let faults = how.asked(from).faults;
            let has = |seed: &u64| having.is_none_or(|fault| faults.of_run(*seed).has(fault));
            let seeds: Vec<_> = (from..from + seeds).filter(has).collect();
            run_many(&seeds, keep_going, &how).await
        }
        SimCommand::Seed { seed, trace, how } => {
            check_mutant(how.mutant.as_deref())?;
            run_one(seed, trace, &how).await
        }
        SimCommand::Replay { file, how } => {
            let told = replay::replay(&World::make().await?, &file, &how.asked(0).faults).await?;
            told.lines.iter().for_each(|line| println!("{line}"));
            Ok(told.holds)
        }
        SimCommand::Search { seeds, from, how } => {
            let (world, from) = (World::make().await?, from.unwrap_or_else(fresh));
            let mut is_complete = true;
            println!("# MUTANT SEED: each breaks something with the mutant, and holds without.");
            for (mutant, _) in failpoint::mutant::MUTANTS {
                let faults = how.asked(0).faults;
                let found = replay::search(&world, mutant, from, seeds, &faults).await?;
                match found {
                    Some(seed) => println!("{mutant} {seed}"),
                    None => println!("# {mutant}: not found in {seeds} seeds from {from}"),
                }
                is_complete &= found.is_some();
            }
            Ok(is_complete)
        }
        SimCommand::Mutants => {
            for (name, what) in failpoint::mutant::MUTANTS {
                println!("{name}: {what}");
            }
            Ok(true)
        }
    }
}

fn check_mutant(name: Option<&str>) -> SimResult {
    let known = failpoint::mutant::MUTANTS;
    match name {
        Some(name) if known.iter().all(|(known, _)| *known != name) => {
            Err(format!("there is no mutant `{name}`: `sim mutants` lists them").into())
        }
        _ => Ok(()),
    }
}

/// A seed that nobody has run before.
#[expect(clippy::disallowed_methods, reason = "it is drawn once, and printed")]
fn fresh() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() % 1_000_000_000 * 10_000
}

async fn run_many(seeds: &[u64], keep_going: bool, how: &How) -> SimResult<bool> {
    let world = World::make().await?;
    let (start, mut steps, mut ran) = (Instant::now(), 0, 0);
    let mut broken = BTreeMap::<String, Vec<u64>>::new();
    for &seed in seeds {
        let outcome = run::run(&world, &how.asked(seed)).await?;
        steps += outcome.steps;
        ran += 1;
        if let Some(what) = outcome.broken {
            println!("seed {seed}: {what}");
            broken.entry(kind_of(&what)).or_default().push(seed);
            if !keep_going {
                println!("to see it: cargo xtask sim seed {seed} --trace {}", how.words());
                break;
            }
        }
    }
    for (what, seeds) in &broken {
        println!("{} times: {what}", seeds.len());
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
    let per_second = |count: u64| count as f64 / start.elapsed().as_secs_f64();
    println!(
        "{ran} seeds from {}: {} broken; {:.1} seeds and {:.0} steps a second",
        seeds.first().unwrap_or(&0),
        broken.values().map(Vec::len).sum::<usize>(),
        per_second(ran),
        per_second(steps)
    );
    Ok(broken.is_empty())
}

/// What is broken, without who and how often.
fn kind_of(what: &str) -> String {
    let words = what.split(' ').map(|word| {
        let is_special = word.chars().any(|c| c.is_ascii_digit());
        if is_special { ".." } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

async fn run_one(seed: u64, trace: bool, how: &How) -> SimResult<bool> {
    let world = World::make().await?;
    let outcome = run::run(&world, &how.asked(seed)).await?;
    if trace {
        outcome.trace.iter().for_each(|line| println!("{line}"));
    }
    match outcome.broken {
        None => println!("seed {seed}: holds, {} steps", outcome.steps),
        Some(ref what) => println!("seed {seed}: {what}"),
    }
    Ok(outcome.broken.is_none())
}
