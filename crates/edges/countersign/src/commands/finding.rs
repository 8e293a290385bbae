use directory::Directory;
use exposure::{FindingReport, FindingSelection, PasswordNow, list_findings, show_finding};
use instance::Instance;
use model::FindingId;
use serde::Serialize;

use super::{CommandContext, CommandFailure};
use crate::{
    cli::{FindingCommand, FindingFilter},
    output::{Done, Grid, Sheet},
    wiring,
};

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &FindingCommand,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let instance = wiring::instance(&config).await?;
    let directory = wiring::directory(&config).await?;
    match command {
        FindingCommand::List(filter) => list(context, &instance, &*directory, filter).await?,
        FindingCommand::Show { id } => {
            let finding = show_finding(&instance, &*directory, FindingId(*id)).await?;
            context.output.result("countersign.finding/1", &finding, one)?;
        }
    }
    Ok(Done::Whole)
}

#[derive(Serialize)]
struct Findings {
    findings: Vec<FindingReport>,
}

async fn list(
    context: &CommandContext<'_>,
    instance: &Instance,
    directory: &dyn Directory,
    filter: &FindingFilter,
) -> Result<(), CommandFailure> {
    let FindingFilter { leak, account } = filter;
    let selection = FindingSelection { leak: leak.clone(), account: account.clone() };
    let findings = Findings { findings: list_findings(instance, directory, &selection).await? };
    Ok(context.output.result("countersign.findings/1", &findings, all)?)
}

fn all(findings: &Findings) -> String {
    let mut table = Grid::new(["finding", "account", "leak", "state", "password", "verified"]);
    for finding in &findings.findings {
        table.row([
            finding.finding.to_string(),
            finding.account.to_string(),
            finding.leak.to_string(),
            finding.state.to_string(),
            finding.password.to_string(),
            finding.verified_at.to_string(),
        ]);
    }
    table.to_string()
}

fn one(finding: &FindingReport) -> String {
    let mut sheet = Sheet::default();
    sheet.row("finding", finding.finding).row("account", &finding.account);
    sheet.row("leak", &finding.leak).row("found by", finding.tier);
    sheet.row("stored as", finding.hash_format).row("state", finding.state);
    sheet.row("password", explained(finding.password));
    sheet.row("verified", finding.verified_at);
    for record in &finding.records {
        let at = format!("{record}, at byte {}", record.offset);
        sheet.row("record", at);
    }
    sheet.to_string()
}

const fn explained(password: PasswordNow) -> &'static str {
    match password {
        PasswordNow::Unchanged => "unchanged: stored as it was when it was verified",
        PasswordNow::Changed => {
            "hash changed: the account has another password, or the same one is hashed anew"
        }
        PasswordNow::Removed => "removed: the account has no password any more",
        PasswordNow::Gone => "gone: the site has deleted the account",
    }
}
