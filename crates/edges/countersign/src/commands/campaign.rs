mod desk;
mod draft;
mod report;
mod view;

use std::{collections::BTreeMap, fmt::Write as _, path::Path, time::Duration};

use authority::{Approval, ApprovalError};
use campaign::CampaignName;
use campaigns::{CampaignView, HaltedAll, PlanChanges, Sample};
use model::OperatorName;
use serde::Serialize;
use tokio::time::timeout;

use self::desk::CampaignDesk;
use super::{CommandContext, CommandFailure, Refused, status::not_as_logged};
use crate::{
    cli::{CampaignCommand, RelayCheck},
    files,
    output::{Done, visible},
    wiring::{self, WiringError},
};

/// The schema of one campaign's view.
const CAMPAIGN: &str = "countersign.campaign/1";

pub(super) async fn run(
    context: &CommandContext<'_>,
    command: &CampaignCommand,
) -> Result<Done, CommandFailure> {
    match command {
        CampaignCommand::Policy => draft::print_policy(context),
        CampaignCommand::Halt { .. } => {
            halted_within(HALT_MAX, run_in_store(context, command)).await
        }
        _ => run_in_store(context, command).await,
    }
}

/// Whoever has to stop everything must not wait on a store that says nothing.
const HALT_MAX: Duration = Duration::from_mins(2);

async fn halted_within(
    limit: Duration,
    halting: impl Future<Output = Result<Done, CommandFailure>>,
) -> Result<Done, CommandFailure> {
    timeout(limit, halting).await.unwrap_or_else(|_| Err(NotHalted.into()))
}

/// Nobody knows what was stopped.
#[derive(Debug, thiserror::Error)]
#[error(
    "the store has not answered for {HALT_MAX:?}, and nothing is known to be stopped: stop the workers and page \
     servers on every host (`systemctl stop countersign`), look at the store's server, and halt again once it \
     answers"
)]
struct NotHalted;

async fn run_in_store(
    context: &CommandContext<'_>,
    command: &CampaignCommand,
) -> Result<Done, CommandFailure> {
    let config = context.config()?;
    let desk =
        CampaignDesk { context, instance: wiring::instance(&config).await?, config: &config };
    let done = desk.run(command).await;
    if done.is_ok() && command.moves_on() {
        wiring::remember(&config, &desk.instance).await?;
    }
    done
}

impl CampaignDesk<'_> {
    async fn run(&self, command: &CampaignCommand) -> Result<Done, CommandFailure> {
        let view = match command {
            CampaignCommand::Draft(arguments) => self.draft(arguments).await?,
            CampaignCommand::Approve { name, approvals } => self.approve(name, approvals).await?,
            CampaignCommand::Start { name, relay } => {
                self.greet_relay(*relay).await?;
                self.start(name).await?
            }
            CampaignCommand::Halt { name: Some(name), .. } => {
                campaigns::halt_campaign(&self.instance, name.as_str()).await?
            }
            CampaignCommand::Halt { name: None, .. } => return self.halt_all().await,
            CampaignCommand::Resume { name, relay } => {
                self.greet_relay(*relay).await?;
                self.resume(name).await?
            }
            CampaignCommand::Thaw { name } => {
                campaigns::thaw_campaign(&self.instance, name.as_str()).await?
            }
            CampaignCommand::Close { name } => {
                campaigns::close_campaign(&self.instance, name.as_str()).await?
            }
            CampaignCommand::Status { name } => return self.status(name).await,
            CampaignCommand::List => return self.list().await,
            CampaignCommand::Freeze { name, policy, author } => {
                return self.freeze(name, policy.as_deref(), author.as_ref()).await;
            }
            CampaignCommand::Finish { name, author } => {
                return self.finish(name, author.as_ref()).await;
            }
            CampaignCommand::Unsettled { name } => return report::unsettled(self, name).await,
            CampaignCommand::Show { name } => {
                self.show(name).await?;
                return self.done_if_as_logged().await;
            }
            CampaignCommand::Export { name, output } => return self.export(name, output).await,
            CampaignCommand::Report { name } => return report::run(self, name).await,
            CampaignCommand::Publish { name } => return report::publish(self, name).await,
            CampaignCommand::Policy => return Ok(Done::Whole),
        };
        self.context.output.result(CAMPAIGN, &view, view::for_people)?;
        Ok(Done::Whole)
    }

    async fn status(&self, name: &CampaignName) -> Result<Done, CommandFailure> {
        let view = campaigns::show_campaign(&self.instance, name.as_str()).await?;
        self.context.output.result(CAMPAIGN, &view, view::for_people)?;
        self.done_if_as_logged().await
    }

    /// What was shown is not to be believed where rows are not as the audit log says.
    async fn done_if_as_logged(&self) -> Result<Done, CommandFailure> {
        let found = not_as_logged(&self.instance).await?;
        for found in &found {
            tracing::error!("{found}");
        }
        Ok(if found.is_empty() { Done::Whole } else { Done::Refused })
    }

    fn founding(&self) -> Result<authority::RosterDigest, WiringError> {
        wiring::founding_digest(self.config)?.ok_or(WiringError::NoRosterDigest)
    }

    async fn draft(
        &self,
        arguments: &crate::cli::CampaignDraft,
    ) -> Result<CampaignView, CommandFailure> {
        let draft = draft::new(arguments)?;
        Ok(campaigns::draft_campaign(&self.instance, &draft, self.founding()?).await?)
    }

    /// Whoever freezes a plan sees at once what others will be asked to sign.
    async fn freeze(
        &self,
        name: &CampaignName,
        policy: Option<&Path>,
        author: Option<&OperatorName>,
    ) -> Result<Done, CommandFailure> {
        let policy = policy.map(draft::read).transpose()?;
        let directory = wiring::directory(self.config).await?;
        let words = wiring::words(self.config, self.instance.kind())?;
        let progress = self.context.progress();
        let frozen = campaigns::freeze_campaign(
            &self.instance,
            name.as_str(),
            PlanChanges { policy: policy.as_ref(), author },
            (&*directory, &words),
            self.founding()?,
            &*progress,
        );
        frozen.await?;
        self.show(name).await
    }

    async fn finish(
        &self,
        name: &CampaignName,
        author: Option<&OperatorName>,
    ) -> Result<Done, CommandFailure> {
        let changes = PlanChanges { policy: None, author };
        let words = wiring::words(self.config, self.instance.kind())?;
        let (instance, name_of, founding) = (&self.instance, name.as_str(), self.founding()?);
        let finished = campaigns::finish_campaign(instance, name_of, changes, &words, founding);
        finished.await?;
        self.show(name).await
    }

    async fn approve(
        &self,
        name: &CampaignName,
        files: &[std::path::PathBuf],
    ) -> Result<CampaignView, CommandFailure> {
        let founding = self.founding()?;
        let mut view = campaigns::show_campaign(&self.instance, name.as_str()).await?;
        for file in files {
            let approval = Approval::parse(&files::read(file)?);
            let approval = approval.map_err(|source| NoApproval { file: shown(file), source })?;
            let (instance, name) = (&self.instance, name.as_str());
            view = campaigns::approve_campaign(instance, name, &approval, founding).await?;
        }
        Ok(view)
    }

    /// Refuses what could tell nobody. A relay or folder that would take mail is tried at once if
    /// sending pauses.
    async fn greet_relay(&self, check: RelayCheck) -> Result<(), CommandFailure> {
        if check.skip_relay_check {
            return Ok(());
        }
        let greeted = wiring::greet_relay(self.config, self.instance.kind()).await;
        greeted.map_err(Refused::if_no_relay)?;
        outbox::hasten_sending(&self.instance).await?;
        Ok(())
    }

    async fn start(&self, name: &CampaignName) -> Result<CampaignView, CommandFailure> {
        let directory = wiring::directory(self.config).await?;
        let words = wiring::words(self.config, self.instance.kind())?;
        let (instance, name, founding) = (&self.instance, name.as_str(), self.founding()?);
        Ok(campaigns::start_campaign(instance, name, &*directory, &words, founding).await?)
    }

    async fn resume(&self, name: &CampaignName) -> Result<CampaignView, CommandFailure> {
        let words = wiring::words(self.config, self.instance.kind())?;
        let (instance, name, founding) = (&self.instance, name.as_str(), self.founding()?);
        Ok(campaigns::resume_campaign(instance, name, &words, founding).await?)
    }

    async fn halt_all(&self) -> Result<Done, CommandFailure> {
        let HaltedAll { halted, not_halted, switch_kept } =
            campaigns::halt_everything(&self.instance).await?;
        let reasons = not_halted.iter().map(|(name, why)| (name.clone(), why.to_string()));
        let switch_kept = switch_kept.map(|why| why.to_string());
        let answer = Stopped { halted, not_halted: reasons.collect(), switch_kept };
        self.context.output.result(
            "countersign.campaign_halt_all/1",
            &answer,
            halted_for_people,
        )?;
        if not_halted.is_empty() && answer.switch_kept.is_none() {
            return Ok(Done::Whole);
        }
        let is_refusal = not_halted.iter().all(|(_, why)| why.is_refusal());
        Ok(if is_refusal { Done::Refused } else { Done::Unsound })
    }

    async fn list(&self) -> Result<Done, CommandFailure> {
        let all = All { campaigns: campaigns::campaigns(&self.instance).await? };
        self.context
            .output
            .result("countersign.campaigns/1", &all, |all| view::list(&all.campaigns))?;
        self.done_if_as_logged().await
    }

    async fn show(&self, name: &CampaignName) -> Result<Done, CommandFailure> {
        let directory = wiring::directory(self.config).await?;
        let name = name.as_str();
        let shown = CampaignShown {
            campaign: campaigns::show_campaign(&self.instance, name).await?,
            samples: campaigns::sample_targets(&self.instance, name, &*directory).await?,
        };
        self.context.output.result("countersign.campaign_show/1", &shown, |shown| {
            view::for_people(&shown.campaign) + &view::samples(&shown.samples)
        })?;
        Ok(Done::Whole)
    }

    async fn export(&self, name: &CampaignName, output: &Path) -> Result<Done, CommandFailure> {
        files::refuse_existing(output)?;
        let plan = campaigns::export_plan(&self.instance, name.as_str()).await?;
        files::create(output, &plan.to_bytes())?;
        let exported = Exported { file: shown(output), digest: plan.digest().to_string() };
        self.context.output.result("countersign.campaign_export/1", &exported, |exported| {
            let Exported { file, digest } = exported;
            format!(
                "{}: plan {digest}\nEach approver runs, on a host of their own: countersign \
                 sign PLAN --key KEYFILE --output APPROVAL\n",
                visible(file)
            )
        })?;
        Ok(Done::Whole)
    }
}

#[derive(Serialize)]
struct Stopped {
    halted: Vec<String>,
    /// Why the row of each of these could not be moved. Nothing begins in them either.
    not_halted: BTreeMap<String, String>,
    /// Why the row of the kill switch could not be moved. The audit log says that it is pulled.
    switch_kept: Option<String>,
}

fn halted_for_people(answer: &Stopped) -> String {
    let (count, names) = (answer.halted.len(), visible(answer.halted.join(", ")));
    let mut text = format!("nothing begins any more; {count} campaigns were halted: {names}\n");
    for (name, why) in &answer.not_halted {
        let (name, why) = (visible(name), visible(why));
        // Writing into a text cannot fail.
        let _ =
            writeln!(text, "{name} is not marked as halted, though nothing begins in it: {why}");
    }
    if let Some(why) = &answer.switch_kept {
        let _ = writeln!(
            text,
            "the kill switch is pulled by the audit log alone; once its row takes changes again, run \
             `campaign halt --all` once more: {}",
            visible(why)
        );
    }
    text
}

#[derive(Serialize)]
struct All {
    campaigns: Vec<CampaignView>,
}

#[derive(Serialize)]
struct CampaignShown {
    #[serde(flatten)]
    campaign: CampaignView,
    samples: Vec<Sample>,
}

#[derive(Serialize)]
struct Exported {
    file: String,
    digest: String,
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

#[derive(Debug, thiserror::Error)]
#[error("{file}: {source}")]
struct NoApproval {
    file: String,
    source: ApprovalError,
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_halt_does_not_wait_on_a_store_that_says_nothing() {
        let soon = Duration::from_millis(10);
        let silent = halted_within(soon, pending()).await.map(drop).unwrap_err().to_string();
        assert!(silent.contains("nothing is known to be stopped: stop the workers"), "{silent}");
        assert!(halted_within(soon, ready(Ok(Done::Whole))).await.is_ok());
    }
}
