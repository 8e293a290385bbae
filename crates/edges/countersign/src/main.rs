//! `countersign`: configuration, wiring, command line.

mod ambient;
mod cli;
mod commands;
mod config;
mod files;
mod host;
mod log;
mod output;
mod progress;
mod reference;
mod terminal;
mod wiring;
mod witness_line;

use std::{io, process::ExitCode};

use clap::Parser;

use cli::Cli;

/// Before anything else, nobody else may look into this process.
fn main() -> ExitCode {
    run(host::keep_to_ourselves())
}

#[tokio::main]
async fn run(kept: io::Result<()>) -> ExitCode {
    let cli = Cli::parse();
    log::to_stderr(commands::usual_level(&cli), cli.verbose, cli.log_format);
    if let Err(error) = kept.and_then(|()| host::survive_a_quota()) {
        tracing::warn!(%error, "the system does not let this process be as it should");
    }
    let output = output::Output::new(cli.json);
    match commands::run(cli, &output).await {
        Ok(done) => done.exit_code(),
        Err(error) => {
            output::Output::error(error.as_ref());
            commands::exit_code(error.as_ref())
        }
    }
}
