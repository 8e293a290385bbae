use std::fs;

use instance::{Instance, LogReport};
use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::LogCommand,
    output::{self, Done, grouped},
    wiring,
};

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &LogCommand,
) -> Result<Done, CommandFailure> {
    let instance = wiring::instance(&context.config()?).await?;
    match command {
        LogCommand::Verify { against } => {
            let kept = against.as_ref().map(fs::read_to_string).transpose()?;
            let report = instance::verify_log(&instance, kept.as_deref()).await?;
            context.output.result("countersign.log_verify/1", &report, for_people)?;
        }
        LogCommand::Checkpoint => checkpoint(context, &instance).await?,
        LogCommand::Show { from } => show(&instance, *from).await?,
    }
    Ok(Done::Whole)
}

fn for_people(report: &LogReport) -> String {
    let (entries, checkpoints) = (grouped(report.entries), grouped(report.checkpoints));
    format!("{entries} entries agree with all {checkpoints} signed checkpoints\n")
}

#[derive(Serialize)]
struct Latest {
    checkpoint: String,
}

async fn checkpoint(
    context: &CommandContext<'_>,
    instance: &Instance,
) -> Result<(), CommandFailure> {
    let latest =
        Latest { checkpoint: instance::log_checkpoint(instance).await?.unwrap_or_default() };
    Ok(context
        .output
        .result("countersign.log_checkpoint/1", &latest, |latest| latest.checkpoint.clone())?)
}

async fn show(instance: &Instance, from: u64) -> Result<(), CommandFailure> {
    let mut next = from;
    loop {
        let entries = instance::log_entries(instance, next).await?;
        let Some(last) = entries.last() else { return Ok(()) };
        next = last.position + 1;
        for entry in &entries {
            output::print(&format!("{}\n", String::from_utf8_lossy(&entry.body)))?;
        }
    }
}
