//! Repository chores: test, example, bench, fuzz, docs. `cargo xtask --help` lists them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the developer who started it"
)]

mod bench;
mod debian;
mod docs;
mod example;
mod fuzz;
mod shell;
mod simulation;
mod test;
mod tidy;
mod tools;

use std::{env, process::ExitCode};

use shell::ChoreResult;

const HELP: &str = "\
Repository chores of Countersign.

Usage: cargo xtask COMMAND

Commands:
  test [--full]    Everything that must pass before a change is merged: format, lints, spelling,
                   licences, tidiness, a simulation, then all tests. Installs what is missing first.
                   --full adds documents, longer kill loops, ten times the seeds, and 60 seconds of
                   each fuzz target. Started again on the same commit, it goes on with what has not
                   passed.
  example [DIR]    Makes a site that Django runs, leaks that concern it, and the truth about both,
                   in target/example or DIR. Everybody in it is invented.
  bench [NAME]     Runs one benchmark, or all, and rewrites its section of docs/benchmarks.md.
  fuzz [TARGET]    Runs one fuzz target, or each, for 60 seconds. Part of `test --full`.
  sim [WORDS]      Runs the operations under a seeded scheduler that lets everything go wrong:
                   `sim run`, `sim seed N --trace`, `sim --help`. Part of `test`.
  docs             Regenerates docs/cli.md and docs/configuration.md from the program.
  tidy             The rules that no compiler checks: floors, circles of files, names of types,
                   sizes, words. Part of `test`.
  tools            Only installs what the tests need.

All of it is plain `cargo run`: it needs Rust, a C compiler and, on Debian, apt-get.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> ChoreResult {
    match words {
        ["-h" | "--help" | "help"] => help(),
        ["test"] => test::test(false),
        ["test", "--full"] => test::test(true),
        ["example"] => example::example(None),
        ["example", folder] if !folder.starts_with('-') => example::example(Some(folder)),
        ["bench"] => bench::bench(None),
        ["bench", name] if !name.starts_with('-') => bench::bench(Some(name)),
        ["fuzz"] => fuzz::fuzz(None),
        ["fuzz", target] if !target.starts_with('-') => fuzz::fuzz(Some(target)),
        ["sim", words @ ..] => simulation::sim_with(words),
        ["docs"] => docs::write(),
        ["tidy"] => tidy::tidy(),
        ["tools"] => tools::install(tools::Need::Tests),
        _ => Err(format!("`{}` is no chore of mine.\n\n{HELP}", words.join(" ")).into()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands in a list of chores that can fail")]
fn help() -> ChoreResult {
    println!("{HELP}");
    Ok(())
}
