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

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log::to_stderr(commands::usual_level(&cli), cli.verbose, cli.log_format);
    if let Err(error) = host::keep_to_ourselves() {
        tracing::warn!(%error, "this process cannot be kept from others of its user");
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
