use instance::{BackupFile, MissingInput, RestoreError, RestoreReport, check_backup, restore};

use super::{CommandContext, CommandFailure, backup::sheet};
use crate::{
    cli::Restore,
    output::{Done, visible},
    wiring,
};

const WAY_ON: &str = "The store is disarmed: nothing is sealed or sent. Now:\n\
     1. make sure that nobody uses the old store any more;\n\
     2. countersign log verify; and countersign key rotate --new-key, for each key that has come into \
     force since the backup, in turn: else nobody recognises who was sealed under it;\n\
     3. countersign sending propose, two operators who sign, countersign sending arm;\n\
     4. countersign reconcile --list --tries 1000000: who is sealed of whom the log does not know? Tell \
     them by hand if mails did not reach them;\n\
     5. countersign campaign finish, for each campaign that was under way.\n";

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Restore,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let backup = BackupFile::open(&arguments.file).map_err(RestoreError::from)?;
    let progress = context.progress();
    if arguments.check {
        let key = wiring::instance_key(&config)?;
        let report = check_backup(backup, &key, &*progress)?;
        context.output.result("countersign.restore_check/1", &report, |report| {
            format!(
                "{}\nEvery frame is whole, and the audit log is as it was signed.\n",
                sheet(report)
            )
        })?;
        return Ok(Done::Whole);
    }
    let target = wiring::restore_target(&config).await?;
    let report = restore(backup, target, &*progress).await?;
    context.output.result("countersign.restore/1", &report, for_people)?;
    Ok(Done::Whole)
}

fn for_people(report: &RestoreReport) -> String {
    let missing = report.missing_inputs.iter().map(cannot_be_screened);
    let parts = [sheet(&report.backup).to_string()].into_iter();
    let parts = parts.chain(faults(report.log_faults)).chain(missing);
    parts.chain([WAY_ON.to_owned()]).collect::<Vec<_>>().join("\n")
}

fn faults(count: usize) -> Option<String> {
    (count > 0).then(|| {
        format!("{count} entries of the audit log break a rule: `countersign log verify`.\n")
    })
}

fn cannot_be_screened(MissingInput { leak, file }: &MissingInput) -> String {
    visible(format!(
        "The leak `{leak}` cannot be screened: {} is not here. Copy it from the old host, or register \
         the leak anew.\n",
        file.display()
    ))
}
