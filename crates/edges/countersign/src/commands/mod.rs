//! One file for each command: take the arguments, call the service, show the answer.

mod account;
mod assess;
mod backup;
mod campaign;
mod completions;
mod context;
mod demo;
mod doctor;
mod failure;
mod finding;
mod init;
mod judged;
mod key;
mod leak;
mod log;
mod operator;
mod reconcile;
mod restore;
mod sending;
mod serve;
mod sign;
mod status;
mod verify;
mod witness;
mod worker;

use tracing_subscriber::filter::LevelFilter;

use crate::{
    cli::{Cli, CliCommand, ConfigCommand},
    output::{self, Done, Output},
    reference, wiring,
};

pub(crate) use failure::{CommandFailure, exit_code};

use context::CommandContext;
use failure::Refused;

/// How much is logged if nobody has chosen: whoever watches a demonstration reads its story.
pub(crate) const fn usual_level(cli: &Cli) -> LevelFilter {
    match cli.command {
        CliCommand::Demo(_) => LevelFilter::WARN,
        _ => LevelFilter::INFO,
    }
}

/// Runs what was typed.
pub(crate) async fn run(cli: Cli, output: &Output) -> Result<Done, CommandFailure> {
    let context = CommandContext { cli: &cli, output };
    match &cli.command {
        CliCommand::Demo(arguments) => Box::pin(demo::run(&context, arguments)).await,
        CliCommand::Assess(arguments) => assess::run(&context, arguments).await,
        CliCommand::Init(arguments) => init::run(&context, arguments).await,
        CliCommand::Config(ConfigCommand::Check) => check_config(&context),
        CliCommand::Migrate => migrate(&context).await,
        CliCommand::Backup(arguments) => backup::run(&context, arguments).await,
        CliCommand::Restore(arguments) => restore::run(&context, arguments).await,
        CliCommand::Doctor(relay) => doctor::run(&context, *relay).await,
        CliCommand::Status => status::run(&context).await,
        CliCommand::Reconcile(arguments) => reconcile::run(&context, arguments).await,
        CliCommand::Account(command) => account::run(&context, command).await,
        CliCommand::Leak(command) => leak::run(&context, command).await,
        CliCommand::Finding(command) => finding::run(&context, command).await,
        CliCommand::Verify(command) => verify::run(&context, command).await,
        CliCommand::Operator(command) => operator::run(&context, command).await,
        CliCommand::Campaign(command) => campaign::run(&context, command).await,
        CliCommand::Sending(command) => sending::run(&context, command).await,
        CliCommand::Key(command) => key::run(&context, command).await,
        CliCommand::Sign(arguments) => sign::run(&context, arguments),
        CliCommand::Serve(arguments) => serve::run(&context, arguments).await,
        CliCommand::Worker(arguments) => worker::run(&context, arguments).await,
        CliCommand::Log(command) => log::run(&context, command).await,
        CliCommand::Witness(command) => witness::run(&context, command).await,
        CliCommand::Completions(arguments) => completions::run(arguments.shell),
        CliCommand::Reference { page } => {
            output::print(&reference::page(*page))?;
            Ok(Done::Whole)
        }
    }
}

#[derive(serde::Serialize)]
struct ConfigChecked {
    file: String,
}

/// Everything that can be checked without opening a connection.
fn check_config(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    wiring::check(&config)?;
    let checked = ConfigChecked { file: config.file.display().to_string() };
    context.output.result("countersign.config_check/1", &checked, |checked| {
        format!("{} is a good configuration\n", checked.file)
    })?;
    Ok(Done::Whole)
}

#[derive(serde::Serialize)]
struct Migrated {
    version: i64,
}

async fn migrate(context: &CommandContext<'_>) -> Result<Done, CommandFailure> {
    let store = wiring::store(&context.config()?).await?;
    store.migrate().await?;
    let migrated = Migrated { version: store::Store::schema_version_needed() };
    context.output.result("countersign.migrate/1", &migrated, |migrated| {
        format!("the store's tables are of version {}\n", migrated.version)
    })?;
    Ok(Done::Whole)
}
