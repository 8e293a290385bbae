use std::{path::Path, sync::Arc};

use directory::{Directory, Export};
use exposure::{Assessment, ProvedForms};
use instance::Instance;
use model::Clock as _;
use password::Verifier;

use super::{
    CommandContext, CommandFailure,
    judged::{accounts_read, could_not_judge, unread_lines, without_proof},
};
use crate::{
    ambient::SystemClock,
    cli::Assess,
    config::Config,
    files,
    output::{self, Done, Sheet, grouped},
    wiring,
};

pub(super) async fn run(
    context: &CommandContext<'_>,
    arguments: &Assess,
) -> Result<Done, CommandFailure> {
    arguments.output.as_deref().map_or(Ok(()), files::refuse_existing)?;
    let assessment = if let Some(file) = &arguments.accounts {
        assess_export(context, arguments, file).await?
    } else {
        let config = context.config()?;
        let directory = wiring::directory(&config).await?;
        let verifier = wiring::verifier(&config)?;
        let instance = instance_if_any(&config).await;
        let proved = match &instance {
            Some(instance) => Some(exposure::proved_forms(instance).await?),
            None => None,
        };
        assess(context, arguments, &*directory, verifier, proved.as_ref()).await?
    };
    if let Some(file) = &arguments.output {
        output::write_list(file, &assessment.list)?;
    }
    context.output.result("countersign.assess/1", &assessment, for_people)?;
    Ok(Done::whole_if(assessment.judged))
}

/// Hashes have the forms that the configuration names, where there is one.
async fn assess_export(
    context: &CommandContext<'_>,
    arguments: &Assess,
    file: &Path,
) -> Result<Assessment, CommandFailure> {
    let config = context.config_if_any()?;
    let no_password = config.as_ref().map(wiring::export_without_password).transpose()?;
    let verifier = wiring::verifier_if_any(config.as_ref())?;
    let export = Export::read(file, SystemClock.now())?;
    let export = export.with_no_password(&no_password.unwrap_or_default());
    let mut assessment = assess(context, arguments, &export, verifier, None).await?;
    assessment.doubt(export.faults());
    Ok(assessment)
}

async fn assess(
    context: &CommandContext<'_>,
    arguments: &Assess,
    directory: &dyn Directory,
    verifier: Arc<Verifier>,
    proved: Option<&ProvedForms<'_>>,
) -> Result<Assessment, CommandFailure> {
    let progress = context.progress();
    Ok(exposure::assess(directory, &arguments.leaks, verifier, proved, progress).await?)
}

/// An assessment needs none; without one there is no proof but what it finds itself.
async fn instance_if_any(config: &Config) -> Option<Instance> {
    let opened = wiring::instance(config).await;
    opened.inspect_err(|error| tracing::debug!(%error, "no proof is kept that could be read")).ok()
}

fn for_people(assessment: &Assessment) -> String {
    let mut sheet = Sheet::default();
    if !assessment.judged {
        let unread = assessment.leaks.iter().filter(|leak| !leak.judged);
        could_not_judge(
            &mut sheet,
            (&assessment.counts, &assessment.read),
            unread.map(|leak| &*leak.leak),
        );
        unread_lines(&mut sheet, "could not read", &assessment.unread_lines);
    }
    accounts_read(&mut sheet, &assessment.read);
    sheet.row("records", grouped(assessment.counts.records));
    sheet.part("of these accounts", assessment.counts.hits);
    sheet.part("of somebody else", assessment.counts.misses);
    sheet.part("rejected", assessment.counts.rejects);
    for (reason, count) in assessment.counts.rejects_by_reason.iter() {
        sheet.part(format!("  {reason}"), count);
    }
    sheet.row("secrets to try", grouped(assessment.secrets));
    let all = assessment.secrets + assessment.other_readings;
    let times = format!("other readings, {} times the work", times(all, assessment.secrets));
    sheet.part(times, assessment.other_readings);
    sheet.row("exposed now", grouped(assessment.counts.outcomes.exposed));
    for (format, count) in &assessment.counts.exposed_by_format {
        sheet.part(format, *count);
    }
    sheet.row("in a leak, not exposed", grouped(assessment.counts.outcomes.not_exposed));
    without_proof(&mut sheet, &assessment.counts);
    sheet.row("in a leak, without a password", grouped(assessment.counts.outcomes.no_password));
    sheet.row("in a leak, not verified", grouped(assessment.counts.outcomes.unverified));
    for (reason, count) in &assessment.counts.unverified_by_reason {
        sheet.part(reason, *count);
    }
    if assessment.counts.outcomes.gone > 0 {
        sheet.row("deleted meanwhile", grouped(assessment.counts.outcomes.gone));
    }
    format!("{sheet}\n{}", leaks(assessment))
}

/// In hundredths, rounded up.
fn times(all: u64, some: u64) -> String {
    let percent = (all * 100).div_ceil(some.max(1));
    format!("{}.{:02}", percent / 100, percent % 100)
}

fn leaks(assessment: &Assessment) -> String {
    let mut sheet = Sheet::default();
    sheet.row("leak", "exposed  matches  records");
    for leak in &assessment.leaks {
        let (exposed, matches) = (grouped(leak.exposed), grouped(leak.matches));
        let records = grouped(leak.records);
        sheet.row(&leak.leak, format!("{exposed:>7}  {matches:>7}  {records:>7}"));
        for file in &leak.incomplete_files {
            sheet.row("  broke off", file);
        }
    }
    sheet.to_string()
}
