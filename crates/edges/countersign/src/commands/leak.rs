mod inspect;

use exposure::{AddLeak, LeakError, LeakReport, RejectedLine};
use instance::Instance;
use model::{LeakName, LeakState};
use password::FormId;
use serde::Serialize;

use super::{
    CommandContext, CommandFailure, Refused,
    judged::{accounts_read, could_not_judge, without_proof},
};
use crate::{
    cli::{KeptLeakCommand, LeakAdd, LeakCommand},
    config::Config,
    output::{self, Done, Grid, Sheet, grouped},
    wiring::{self, WiringError},
};

/// The schema of one leak's report.
const LEAK: &str = "countersign.leak/1";

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &LeakCommand,
) -> Result<Done, CommandFailure> {
    match command {
        LeakCommand::Inspect { files } => inspect::run(context, files),
        LeakCommand::Kept(command) => run_kept(context, command).await,
    }
}

async fn run_kept(
    context: &CommandContext<'_>,
    command: &KeptLeakCommand,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let instance = wiring::instance(&config).await?;
    let report = match command {
        KeptLeakCommand::Rejects { name } => return rejects(context, &instance, name).await,
        KeptLeakCommand::Remove { name } => return remove(context, &instance, name).await,
        KeptLeakCommand::List => return list(context, &config, &instance).await,
        KeptLeakCommand::Show { name, output } => {
            if let Some(file) = output {
                output::write_list(file, &exposure::listed_accounts(&instance, name).await?)?;
            }
            exposure::show_leak(&instance, name, Some(named(&config)?)).await?
        }
        KeptLeakCommand::Add(arguments) => {
            exposure::add_leak(&instance, arguments.into(), context.progress()).await?
        }
        KeptLeakCommand::Screen { name } => screen(context, &config, &instance, name).await?,
        KeptLeakCommand::Verify { name } => verify(context, &config, &instance, name).await?,
    };
    context.output.result(LEAK, &report, for_people)?;
    Ok(Done::whole_if(report.judged))
}

impl From<&LeakAdd> for AddLeak {
    fn from(arguments: &LeakAdd) -> Self {
        let LeakAdd { name, public_name, date, provenance, again, files } = arguments.clone();
        Self { name, public_name, date, provenance, files, again }
    }
}

async fn screen(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
    name: &LeakName,
) -> Result<LeakReport, CommandFailure> {
    let (directory, named) = (wiring::directory(config).await?, named(config)?);
    exposure::screen_leak(instance, name, &*directory, context.progress()).await?;
    Ok(exposure::show_leak(instance, name, Some(named)).await?)
}

/// The forms that operators name today.
fn named(config: &Config) -> Result<FormId, WiringError> {
    Ok(wiring::verifier(config)?.forms_id())
}

async fn verify(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
    name: &LeakName,
) -> Result<LeakReport, CommandFailure> {
    let directory = wiring::directory(config).await?;
    let verifier = wiring::verifier(config)?;
    Ok(exposure::verify_leak(instance, name, &*directory, verifier, context.progress()).await?)
}

#[derive(Serialize)]
struct Leaks {
    leaks: Vec<LeakReport>,
}

async fn list(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
) -> Result<Done, CommandFailure> {
    let leaks = Leaks { leaks: exposure::leaks(instance, named(config)?).await? };
    context.output.result("countersign.leaks/1", &leaks, |leaks| {
        let mut sheet = Sheet::default();
        sheet.row("leak", "date        state      exposed");
        for leak in &leaks.leaks {
            let (date, state, exposed) =
                (&leak.date, leak.state, grouped(leak.counts.outcomes.exposed));
            let doubt = if leak.judged { "" } else { "  could not be judged" };
            let row = format!("{:<10}  {state:<9}  {exposed:>7}{doubt}", date.as_str());
            sheet.row(&leak.name, row);
        }
        sheet.to_string()
    })?;
    Ok(Done::whole_if(leaks.leaks.iter().all(|leak| leak.judged)))
}

#[derive(Serialize)]
struct RemovedLeak {
    removed: LeakName,
}

async fn remove(
    context: &CommandContext<'_>,
    instance: &Instance,
    name: &LeakName,
) -> Result<Done, CommandFailure> {
    match exposure::remove_leak(instance, name).await {
        Err(why @ (LeakError::HasFindings { .. } | LeakError::InUse { .. })) => {
            return Err(Refused::because(why));
        }
        removed => removed?,
    }
    let removed = RemovedLeak { removed: name.clone() };
    context.output.result("countersign.leak_removed/1", &removed, |removed| {
        format!("The leak {} is removed, and its files lie where they were.\n", removed.removed)
    })?;
    Ok(Done::Whole)
}

#[derive(Serialize)]
struct LeakRejects {
    leak: LeakName,
    rejects: Vec<RejectedLine>,
}

async fn rejects(
    context: &CommandContext<'_>,
    instance: &Instance,
    name: &LeakName,
) -> Result<Done, CommandFailure> {
    let rejects = exposure::rejected_lines(instance, name).await?;
    let rejects = LeakRejects { leak: name.clone(), rejects };
    context.output.result("countersign.leak_rejects/1", &rejects, |rejects| {
        let mut table = Grid::new(["file and line", "bytes", "rejected because"]);
        for RejectedLine { file, line, bytes, reason, .. } in &rejects.rejects {
            table.row([format!("{file}:{line}"), grouped(*bytes), reason.to_string()]);
        }
        table.to_string()
    })?;
    Ok(Done::Whole)
}

fn for_people(leak: &LeakReport) -> String {
    let mut sheet = Sheet::default();
    if !leak.judged {
        let is_read = leak.incomplete_files.is_empty() && leak.counts.are_lines_judged();
        let unread = (!is_read).then_some(leak.name.as_str());
        let read = leak.read.unwrap_or_default();
        could_not_judge(&mut sheet, (&leak.counts, &read), unread.into_iter());
        if leak.state == LeakState::Verifying {
            let how = "it is not verified to its end: `countersign leak verify` goes on";
            sheet.row("COULD NOT JUDGE", format!("the leak {}: {how}", leak.name));
        }
    }
    sheet.row("leak", &leak.name);
    if let Some(name) = &leak.public_name {
        sheet.row("called in mails", name);
    }
    sheet.row("date", &leak.date).row("provenance", leak.provenance);
    sheet.row("state", leak.state);
    sheet.row("files", grouped(leak.files.len() as u64));
    for file in &leak.incomplete_files {
        sheet.row("  broke off", file);
    }
    sheet.part("pieces to be screened", leak.pieces_left);
    if let Some(read) = &leak.read {
        accounts_read(&mut sheet, read);
    }
    if leak.pieces_done > 0 {
        screened(&mut sheet, leak);
    }
    if matches!(leak.state, LeakState::Verifying | LeakState::Verified) {
        verified(&mut sheet, leak);
    }
    sheet.to_string()
}

fn screened(sheet: &mut Sheet, leak: &LeakReport) {
    sheet.row("records", grouped(leak.counts.records));
    sheet.part("of our accounts", leak.counts.hits);
    sheet.part("of somebody else", leak.counts.misses);
    sheet.part("rejected", leak.counts.rejects);
    for (reason, count) in leak.counts.rejects_by_reason.iter() {
        sheet.part(format!("  {reason}"), count);
    }
    sheet.part("candidates to be verified", leak.candidates_left);
}

fn verified(sheet: &mut Sheet, leak: &LeakReport) {
    sheet.row("exposed", grouped(leak.counts.outcomes.exposed));
    for (format, count) in &leak.counts.exposed_by_format {
        sheet.part(format, *count);
    }
    sheet.row("not exposed", grouped(leak.counts.outcomes.not_exposed));
    without_proof(sheet, &leak.counts);
    sheet.row("without a password", grouped(leak.counts.outcomes.no_password));
    sheet.row("deleted meanwhile", grouped(leak.counts.outcomes.gone));
    sheet.row("not verified", grouped(leak.counts.outcomes.unverified));
    for (reason, count) in &leak.counts.unverified_by_reason {
        sheet.part(reason, *count);
    }
}
