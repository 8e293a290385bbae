use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::AccountCommand,
    config::Preset,
    output::{Done, grouped},
    wiring,
};

#[derive(Serialize)]
struct Imported {
    accounts: u64,
}

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &AccountCommand,
) -> Result<Done, CommandFailure> {
    let AccountCommand::Import { file } = command;
    let config = context.config()?;
    if config.settings.directory.preset != Preset::Embedded {
        return Err("accounts are imported into the embedded directory, but `directory.preset` \
                    names the site's own table"
            .into());
    }
    let instance = wiring::instance(&config).await?;
    let accounts = exposure::import_accounts(&instance, file, context.progress().as_ref()).await?;
    context.output.result("countersign.account_import/1", &Imported { accounts }, |imported| {
        format!("imported {} accounts\n", grouped(imported.accounts))
    })?;
    Ok(Done::Whole)
}
