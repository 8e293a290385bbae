use std::fs;

use instance::{Instance, LogReport};
use serde::Serialize;

use super::{Context, Failure};
use crate::{
    cli::LogCommand,
    output::{self, Done, grouped},
    wiring,
};

pub(super) async fn run(context: &Context<'_>, command: &LogCommand) -> Result<Done, Failure> {
    let site = wiring::site(&context.config()?).await?;
    match command {
        LogCommand::Verify { against } => {
            let kept = against.as_ref().map(fs::read_to_string).transpose()?;
            let report = instance::verify_log(&site, kept.as_deref()).await?;
            context.output.result("countersign.log_verify/1", &report, for_people)?;
        }
        LogCommand::Checkpoint => checkpoint(context, &site).await?,
        LogCommand::Show { from } => show(&site, *from).await?,
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

async fn checkpoint(context: &Context<'_>, site: &Instance) -> Result<(), Failure> {
    let latest = Latest { checkpoint: instance::log_checkpoint(site).await?.unwrap_or_default() };
    Ok(context
        .output
        .result("countersign.log_checkpoint/1", &latest, |latest| latest.checkpoint.clone())?)
}

async fn show(site: &Instance, from: u64) -> Result<(), Failure> {
    let mut next = from;
    loop {
        let entries = instance::log_entries(site, next).await?;
        let Some(last) = entries.last() else { return Ok(()) };
        next = last.position + 1;
        for entry in &entries {
            output::print(&format!("{}\n", String::from_utf8_lossy(&entry.body)))?;
        }
    }
}
