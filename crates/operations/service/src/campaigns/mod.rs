//! Campaigns: put together, signed, run, halted, and accounted for.
//!
//! What may happen is decided in the `campaign` crate. Here it is loaded, recorded together with
//! its entry in the audit log, and done.

mod addressee;
mod approvals;
mod claim;
mod draft;
mod evidence;
mod examine;
mod failure;
mod freeze;
mod kept;
mod report;
mod resets;
mod run;
mod seal;
mod specimen;
mod statement;
mod steer;
mod tell;
mod view;
mod words;

use campaign::{Campaign, Command, Event, HaltReason, State};
use ledger::CampaignEvent;
use model::{CampaignId, Timestamp};
use store::{CampaignRow, Tx};

use crate::Site;

pub(crate) use addressee::Addressee;
pub use approvals::{approve_campaign, export_plan};
pub use draft::{NewDraft, draft_campaign};
pub(crate) use evidence::secret;
pub use failure::CampaignError;
pub use freeze::freeze_campaign;
pub(crate) use kept::Kept;
pub use report::{CampaignReport, ReportError, report_campaign};
pub(crate) use resets::watch_account;
pub use resets::watch_resets;
pub use run::{Means, NotInPlan, WorkError, Worked, Worker};
pub use seal::SealError;
pub use statement::{Statement, StatementCounts, StatementError, publish_statement, statements};
pub use steer::{
    close_campaign, halt_campaign, halt_everything, resume_campaign, start_campaign, thaw_campaign,
};
pub use tell::TellError;
pub(crate) use tell::exposures;
pub use view::{CampaignView, PlanView, Sample, campaigns, sample_targets, show_campaign};
pub use words::{Words, WordsError};

/// A campaign as it is kept, and where its decisions stand.
pub(crate) struct Loaded {
    pub(crate) row: CampaignRow,
    pub(crate) campaign: Campaign,
}

impl Loaded {
    pub(crate) fn new(row: CampaignRow) -> Result<Self, CampaignError> {
        let campaign = serde_json::from_slice(&row.machine)
            .map_err(|source| CampaignError::Machine { campaign: row.id, source })?;
        Ok(Self { row, campaign })
    }

    pub(crate) fn id(&self) -> CampaignId {
        self.row.id
    }
}

/// A campaign by its name.
pub(crate) async fn named(tx: &mut Tx, name: &str) -> Result<Loaded, CampaignError> {
    let row = tx.campaign(name).await?;
    Loaded::new(row.ok_or_else(|| CampaignError::None { name: name.to_owned() })?)
}

/// A campaign that nobody else can move or claim from until the transaction ends.
pub(crate) async fn held(tx: &mut Tx, id: CampaignId) -> Result<Loaded, CampaignError> {
    Loaded::new(tx.hold_campaign(id).await?)
}

/// A campaign by its name, held.
pub(crate) async fn held_by_name(tx: &mut Tx, name: &str) -> Result<Loaded, CampaignError> {
    let id = named(tx, name).await?.id();
    held(tx, id).await
}

/// Takes a campaign one step further, and records it.
pub(crate) async fn take_step(
    site: &Site,
    tx: &mut Tx,
    loaded: &mut Loaded,
    event: Event<'_>,
    now: Timestamp,
) -> Result<(), CampaignError> {
    let (next, commands) = campaign::step(&loaded.campaign, event, now)?;
    if next == loaded.campaign {
        return Ok(());
    }
    let machine = serde_json::to_vec(&next)
        .map_err(|source| CampaignError::Machine { campaign: loaded.id(), source })?;
    tx.save_campaign(loaded.id(), next.state().as_str(), machine).await?;
    for command in commands {
        obey(tx, loaded.id(), &next, command).await?;
    }
    site.record(tx, &[moved(&loaded.campaign, &next).into()]).await?;
    loaded.campaign = next;
    Ok(())
}

/// What a step asks of the store. Approvals are void by their round, and workers look at the
/// campaign themselves.
async fn obey(
    tx: &mut Tx,
    id: CampaignId,
    next: &Campaign,
    command: Command,
) -> Result<(), CampaignError> {
    match command {
        Command::VoidApprovals | Command::Allow { .. } | Command::WakeAt(_) => {}
        Command::ReleaseUntouched if next.state() == State::Draft => {
            tx.drop_targets(id).await?;
            tx.drop_addresses(id).await?;
        }
        Command::ReleaseUntouched => tx.release_targets(id).await?,
        Command::DestroySecretsAt(at) => tx.set_destroy_secrets_at(id, Some(at)).await?,
    }
    Ok(())
}

fn moved(before: &Campaign, after: &Campaign) -> CampaignEvent {
    CampaignEvent::CampaignMoved {
        campaign: after.id(),
        round: after.round(),
        from: before.state().to_string(),
        to: after.state().to_string(),
        reason: halt_reason(after).map(|reason| reason.to_string()),
    }
}

pub(crate) const fn halt_reason(campaign: &Campaign) -> Option<HaltReason> {
    match campaign.state() {
        State::Halted { reason, .. } => Some(reason),
        _ => None,
    }
}
