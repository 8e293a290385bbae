//! One file for each command: take the arguments, call the service, show the answer.

mod account;
mod assess;
mod campaign;
mod completions;
mod demo;
mod doctor;
mod finding;
mod init;
mod leak;
mod log;
mod operator;
mod sending;
mod serve;
mod sign;
mod worker;

use std::{error::Error, fmt::Display, process::ExitCode, sync::Arc};

use instance::Progress;
use tracing_subscriber::filter::LevelFilter;

use crate::{
    cli::{Cli, CliCommand, ConfigCommand},
    config::Config,
    output::{self, Done, Output},
    progress::Bars,
    reference,
    wiring::{self, MailError, WiringError},
};

/// A command may fail in any way that its operation may; what matters here is what it says.
pub(crate) type CommandFailure = Box<dyn Error>;

/// A guard said no: nothing broke, and trying again will not help.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Refused(CommandFailure);

impl Refused {
    fn because(reason: impl Into<CommandFailure>) -> CommandFailure {
        Box::new(Self(reason.into()))
    }
}

impl Refused {
    /// A host that has no sending file is one that may not send.
    fn if_disarmed(error: WiringError) -> CommandFailure {
        match error {
            WiringError::Mail(MailError::Sending(_)) => Self::because(error),
            _ => error.into(),
        }
    }
}

/// How a program ends that failed in this way.
pub(crate) fn exit_code(failure: &(dyn Error + 'static)) -> ExitCode {
    let code = if failure.is::<Refused>() { output::EXIT_REFUSED } else { output::EXIT_ERROR };
    ExitCode::from(code)
}

/// What every command is given.
struct CommandContext<'a> {
    cli: &'a Cli,
    output: &'a Output,
}

impl CommandContext<'_> {
    fn config(&self) -> Result<Config, CommandFailure> {
        Ok(Config::load(self.cli.config.as_deref())?)
    }

    fn progress(&self) -> Arc<dyn Progress> {
        Arc::new(Bars::new(self.cli.quiet))
    }

    /// Tells somebody who waits what has been done.
    fn tell(&self, text: impl Display) {
        if !self.cli.quiet {
            Output::tell(text);
        }
    }
}

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
        CliCommand::Doctor => doctor::run(&context).await,
        CliCommand::Account(command) => account::run(&context, command).await,
        CliCommand::Leak(command) => leak::run(&context, command).await,
        CliCommand::Finding(command) => finding::run(&context, command).await,
        CliCommand::Operator(command) => operator::run(&context, command).await,
        CliCommand::Campaign(command) => campaign::run(&context, command).await,
        CliCommand::Sending(command) => sending::run(&context, command).await,
        CliCommand::Sign(arguments) => sign::run(&context, arguments),
        CliCommand::Serve(arguments) => serve::run(&context, arguments).await,
        CliCommand::Worker(arguments) => worker::run(&context, arguments).await,
        CliCommand::Log(command) => log::run(&context, command).await,
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
