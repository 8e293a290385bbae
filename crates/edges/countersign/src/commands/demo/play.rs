use std::{collections::BTreeSet, fs};

use authority::Approval;
use campaign::{Policy, RampStep, Reach};
use campaigns::{CampaignReport, NewDraft, PlanChanges, report_campaign};
use demo::{DemoLeak, DemoSite};
use directory::Directory;
use exposure::{AddLeak, LeakReport};
use model::{AccountId, Clock as _, LeakName};

use super::{
    super::{
        CommandContext, CommandFailure,
        worker::{stop_signal, work_until_done},
    },
    stage::DemoStage,
};
use crate::{ambient::SystemClock, output::grouped, wiring};

/// What the campaign is called.
pub(super) const CAMPAIGN: &str = "Autumn";

/// What came of it, before anybody compares it with the truth.
pub(super) struct Played {
    pub(super) accounts: u64,
    pub(super) leaks: Vec<LeakReport>,
    pub(super) exposed: BTreeSet<AccountId>,
    pub(super) report: CampaignReport,
    pub(super) mails: u64,
}

/// From the accounts to the report.
pub(super) async fn play(
    context: &CommandContext<'_>,
    stage: &DemoStage,
    invented: &DemoSite,
) -> Result<Played, CommandFailure> {
    let progress = context.progress();
    let accounts =
        exposure::import_accounts(&stage.instance, &invented.accounts_file, &[], &*progress)
            .await?
            .accounts;
    let (leaks, exposed) = find(context, stage, &invented.leaks).await?;
    sign(context, stage, &leaks).await?;
    seal_and_tell(context, stage).await?;
    let report = report_campaign(&stage.instance, CAMPAIGN).await?;
    campaigns::publish_statement(&stage.instance, CAMPAIGN).await?;
    let mails = fs::read_dir(stage.mailbox().join("new"))?.count() as u64;
    Ok(Played { accounts, leaks, exposed, report, mails })
}

/// `leak add`, `leak screen` and `leak verify`, for each.
async fn find(
    context: &CommandContext<'_>,
    stage: &DemoStage,
    leaks: &[DemoLeak],
) -> Result<(Vec<LeakReport>, BTreeSet<AccountId>), CommandFailure> {
    let (mut reports, mut exposed) = (Vec::new(), BTreeSet::new());
    let directory = wiring::directory(&stage.config).await?;
    for leak in leaks {
        let report = find_one(context, stage, &*directory, leak).await?;
        context.tell(format!(
            "  {}: {} records, {} accounts exposed",
            report.name,
            grouped(report.counts.records),
            grouped(report.counts.outcomes.exposed),
        ));
        let listed = exposure::listed_accounts(&stage.instance, &report.name).await?;
        let found = listed.into_iter().filter(|listed| listed.status == "exposed");
        exposed.extend(found.map(|listed| listed.account));
        reports.push(report);
    }
    Ok((reports, exposed))
}

async fn find_one(
    context: &CommandContext<'_>,
    stage: &DemoStage,
    directory: &dyn Directory,
    leak: &DemoLeak,
) -> Result<LeakReport, CommandFailure> {
    let name: LeakName = leak.name.parse()?;
    let (date, provenance) = (leak.date.parse()?, leak.provenance.parse()?);
    let (public_name, files) = (None, leak.files.clone());
    let add = AddLeak { name: name.clone(), public_name, date, provenance, files, again: false };
    exposure::add_leak(&stage.instance, add, context.progress()).await?;
    exposure::screen_leak(&stage.instance, &name, directory, context.progress()).await?;
    let verifier = wiring::verifier(&stage.config)?;
    let progress = context.progress();
    Ok(exposure::verify_leak(&stage.instance, &name, directory, verifier, progress).await?)
}

/// `campaign draft`, `freeze`, `sign`, `approve` and `start`. What an operator would read on their
/// own host, and answer by typing the count, is answered here for invented people.
async fn sign(
    context: &CommandContext<'_>,
    stage: &DemoStage,
    leaks: &[LeakReport],
) -> Result<(), CommandFailure> {
    let founding = wiring::founding_digest(&stage.config)?.ok_or("nobody founded the roster")?;
    let author = stage.operators.first().ok_or("nobody signs")?;
    let leaks = leaks.iter().map(|leak| leak.name.clone()).collect();
    let (name, author) = (CAMPAIGN.parse()?, author.name().clone());
    let draft = NewDraft { name, author, leaks, policy: policy() };
    campaigns::draft_campaign(&stage.instance, &draft, founding).await?;

    let directory = wiring::directory(&stage.config).await?;
    let words = wiring::words(&stage.config, stage.instance.kind())?;
    let progress = context.progress();
    let means = (&*directory, &words);
    campaigns::freeze_campaign(
        &stage.instance,
        CAMPAIGN,
        PlanChanges::default(),
        means,
        founding,
        &*progress,
    )
    .await?;
    let plan = campaigns::export_plan(&stage.instance, CAMPAIGN).await?;
    let counts = plan.counts();
    context.tell(format!(
        "{} has a plan for {} accounts at {} addresses.",
        plan.author(),
        grouped(counts.targets),
        grouped(counts.addresses),
    ));
    for operator in &stage.operators {
        let approval = Approval::sign(&plan, counts.targets, operator, SystemClock.now())?;
        campaigns::approve_campaign(&stage.instance, CAMPAIGN, &approval, founding).await?;
        context.tell(format!("  {} has read and signed it: {}", operator.name(), plan.digest()));
    }
    campaigns::start_campaign(&stage.instance, CAMPAIGN, &*directory, &words, founding).await?;
    Ok(())
}

/// As by default, but with seconds for days.
fn policy() -> Policy {
    let step = |reach| RampStep { reach, reapproval: false };
    Policy {
        canary_addresses: 20,
        canary_soak_seconds: 2,
        ramp: vec![step(Reach::Permille(250)), step(Reach::Permille(1000))],
        step_soak_seconds: 1,
        rate_per_minute_max: u64::from(u32::MAX),
        rate_per_hour_max: u64::from(u32::MAX),
        ..Policy::default()
    }
}

/// `worker --until-done`.
async fn seal_and_tell(
    context: &CommandContext<'_>,
    stage: &DemoStage,
) -> Result<(), CommandFailure> {
    let means = wiring::means(&stage.config, &stage.instance).await?;
    work_until_done(context, &stage.config, &stage.instance, &means, stop_signal()?).await?;
    context.tell("Everybody in the plan is settled: sealed and told, or left alone.");
    Ok(())
}
