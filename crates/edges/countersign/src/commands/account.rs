use exposure::AccountImport;
use model::InstanceKind;
use serde::Serialize;

use super::{CommandContext, CommandFailure, judged::unread_lines};
use crate::{
    cli::AccountCommand,
    config::Preset,
    output::{Done, Sheet, grouped},
    wiring,
};

#[derive(Serialize)]
struct Imported {
    accounts: u64,
    /// What is wrong with the lines that were left out.
    left_out: Vec<String>,
    /// Whether a campaign may act on them.
    sealable: bool,
}

fn for_people(imported: &Imported) -> String {
    let whose = if imported.sealable {
        "They are this rehearsal's own: sealing them changes nothing at any site."
    } else {
        "They are a copy: they can be searched and planned for, and not sealed. A campaign needs your \
         own table (`directory.preset`, `directory.write_url`)."
    };
    let mut sheet = Sheet::default();
    unread_lines(&mut sheet, "left out", &imported.left_out);
    format!("imported {} accounts\n{sheet}{whose}\n", grouped(imported.accounts))
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
    let (no_password, progress) = (wiring::export_without_password(&config)?, context.progress());
    let AccountImport { accounts, left_out } =
        exposure::import_accounts(&instance, file, &no_password, &*progress).await?;
    let sealable = instance.kind() == InstanceKind::Rehearsal;
    let imported = Imported { accounts, left_out, sealable };
    context.output.result("countersign.account_import/1", &imported, for_people)?;
    Ok(Done::whole_if(imported.left_out.is_empty()))
}
