use std::fs;

use instance::{CosignedCheckpoint, Instance, LogReport, cosign_log};
use ledger::{HistoryFault, PolicyWitness, WitnessVerifier};
use model::AccountId;
use serde::Serialize;
use url::Url;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::LogCommand,
    config::Config,
    output::{self, Done, grouped, visible},
    wiring,
    witness_line::HttpWitnesses,
};

/// More faults are no help to anybody; `--json` has them all.
const FAULTS_SHOWN_MAX: usize = 20;

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &LogCommand,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let instance = wiring::instance(&config).await?;
    match command {
        LogCommand::Verify { against } => {
            let kept = against.as_ref().map(fs::read_to_string).transpose()?;
            let report = instance::verify_log(&instance, kept.as_deref()).await?;
            context.output.result("countersign.log_verify/1", &report, for_people)?;
            if !report.history.faults.is_empty() {
                return Ok(Done::Refused);
            }
        }
        LogCommand::Cosign { url, witness } => {
            cosign(context, &config, &instance, url, witness).await?;
        }
        LogCommand::Checkpoint => checkpoint(context, &instance).await?,
        LogCommand::Show { from, accounts: false } => show(&instance, *from).await?,
        LogCommand::Show { from, accounts: true } => show_named(&instance, *from).await?,
    }
    Ok(Done::Whole)
}

fn for_people(report: &LogReport) -> String {
    let (entries, checkpoints) = (grouped(report.entries), grouped(report.checkpoints));
    let verifier = &report.verifier;
    let before = report.retired_verifiers.iter();
    let before = before
        .map(|key| format!("up to entry {}, before: {}\n", grouped(key.signed_to), key.verifier));
    let before = before.collect::<Vec<_>>().concat();
    format!(
        "{entries} entries agree with all {checkpoints} signed checkpoints\nwhoever has this key can \
         check them: {verifier}\n{before}{}",
        visible(history(&report.history.faults))
    )
}

/// What one who wrote to the log with our own key cannot have meant, or a fault of ours.
fn history(faults: &[HistoryFault]) -> String {
    if faults.is_empty() {
        return "every entry can stand where it does\n".to_owned();
    }
    let shown = faults.iter().take(FAULTS_SHOWN_MAX).map(ToString::to_string);
    let mut lines: Vec<_> = shown.collect();
    if let Some(more @ 1..) = faults.len().checked_sub(FAULTS_SHOWN_MAX) {
        lines.push(format!("and {} more", grouped(more as u64)));
    }
    lines.push(WAY_ON.to_owned());
    lines.join("\n")
}

const WAY_ON: &str = "The log was signed as it stands, and cannot have come about so. Run `countersign \
                      campaign halt --all`, then `countersign log show --accounts`, and find out what \
                      happened to the people of these entries before anything goes on.\n";

#[derive(Serialize)]
struct CosignedLog {
    entries: u64,
    checkpoint: String,
    witness: String,
    seconds: u64,
}

async fn cosign(
    context: &CommandContext<'_>,
    config: &Config,
    instance: &Instance,
    url: &Url,
    witness: &WitnessVerifier,
) -> Result<(), CommandFailure> {
    let asked = PolicyWitness { verifier: witness.clone(), url: url.to_string() };
    let witnesses = wiring::witnesses();
    witnesses.recall_from(&config.resolve(&config.settings.sending.file))?;
    let known = witnesses.signed_by(witness.name().as_str());
    let cosigned = cosign_log(instance, &asked, known, &HttpWitnesses::new()).await?;
    let CosignedCheckpoint { size, note, cosigned } = cosigned;
    let shown = CosignedLog {
        entries: size,
        checkpoint: note + &cosigned.line,
        witness: witness.name().to_string(),
        seconds: cosigned.seconds,
    };
    Ok(context
        .output
        .result("countersign.log_cosign/1", &shown, |shown| shown.checkpoint.clone())?)
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

async fn show_named(instance: &Instance, from: u64) -> Result<(), CommandFailure> {
    let mut next = from;
    loop {
        let entries = instance::named_log_entries(instance, next).await?;
        let Some((last, _)) = entries.last() else { return Ok(()) };
        next = last.position + 1;
        for (entry, account) in &entries {
            output::print(&format!("{}\n", named(&entry.body, account.as_ref())?))?;
        }
    }
}

/// An entry is an object that begins with its version, so there is something before the account.
fn named(body: &[u8], account: Option<&AccountId>) -> Result<String, serde_json::Error> {
    let entry = String::from_utf8_lossy(body);
    Ok(match (account, entry.strip_suffix('}')) {
        (Some(account), Some(open)) => {
            format!("{open},\"account\":{}}}", serde_json::to_string(account)?)
        }
        _ => entry.into_owned(),
    })
}
