use instance::{BackupReport, back_up};
use model::canonical::hex_of;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::Backup,
    output::{Done, Sheet, grouped},
    wiring,
};

/// What else is needed to go on elsewhere.
const NOT_IN_IT: &str = "Not in it: the instance key, the configuration, sending files, and encrypted copies of standard \
     input\n(the folder `spool`). Keep a copy of the key, apart from this file.\n";

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Backup,
) -> Result<Done, CommandFailure> {
    let instance = wiring::instance(&context.config()?).await?;
    let report = back_up(&instance, &arguments.file, &*context.progress()).await?;
    context.output.result("countersign.backup/1", &report, |report| {
        format!("{}\n{NOT_IN_IT}", sheet(report))
    })?;
    Ok(Done::Whole)
}

/// What a backup holds, for people.
pub(super) fn sheet(report: &BackupReport) -> Sheet {
    let BackupReport { file, header, rows, requests_left_out, .. } = report;
    let mut sheet = Sheet::default();
    sheet
        .row("backup", file.display())
        .row("instance", format!("{}, a {}", header.instance, header.kind))
        .row("instance key", header.key)
        .row("made at", format!("{}, by Countersign {}", header.made_at, header.program))
        .row("tables", format!("of version {}, {} rows", header.schema, grouped(*rows)))
        .row("audit log", format!("{} entries", grouped(header.log.size)))
        .row("  root", hex_of(&header.log.root));
    if *requests_left_out > 0 {
        let requests = grouped(*requests_left_out);
        sheet.row("left out", format!("{requests} requests for mails that nobody had looked at"));
    }
    sheet
}
