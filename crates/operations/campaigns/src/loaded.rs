use campaign::{Campaign, Command, Event, HaltReason, Scope, State, Unsettled};
use instance::{Instance, ProvedFold, failpoint::mutant};
use ledger::{CampaignEvent, CampaignStanding, Fold, FoldRefusal, Pace};
use model::{CampaignId, CampaignState, KillSwitch, Timestamp, canonical::hex_of};
use sha2::{Digest as _, Sha256};
use store::{CampaignRow, StoreError, Tx};

use crate::{CampaignError, progress::progress_in};

/// A campaign as it is kept, and where its decisions stand.
pub(crate) struct Loaded {
    pub(crate) row: CampaignRow,
    pub(crate) campaign: Campaign,
    /// Whether what it has done is not all known, since the store was put back; told by the log.
    pub(crate) is_restored: bool,
}

impl Loaded {
    pub(crate) fn new(row: CampaignRow) -> Result<Self, CampaignError> {
        let campaign = serde_json::from_slice(&row.machine)
            .map_err(|source| CampaignError::Machine { campaign: row.id, source })?;
        Ok(Self { row, campaign, is_restored: false })
    }

    /// As [`Loaded::new`] of a campaign that there is. A row that cannot be read is none that
    /// Countersign has written.
    pub(crate) fn read(
        campaign: CampaignId,
        row: Result<CampaignRow, StoreError>,
    ) -> Result<Self, CampaignError> {
        match row.map_err(CampaignError::from).and_then(Self::new) {
            Err(error) if error.is_unreadable() => {
                tracing::error!(%error, "a campaign cannot be read");
                Err(FoldRefusal::Campaign { campaign }.into())
            }
            read => read,
        }
    }

    pub(crate) fn id(&self) -> CampaignId {
        self.row.id
    }

    /// Passes a row that is as the audit log says. Whoever may be moving it must be kept from that
    /// meanwhile.
    pub(crate) async fn proved(
        self,
        instance: &Instance,
        tx: &mut Tx,
    ) -> Result<Self, CampaignError> {
        let log = instance.proved(tx).await?;
        self.checked(&log)
    }

    fn checked(self, log: &Fold) -> Result<Self, CampaignError> {
        self.check(log)?;
        let is_restored = log.campaign(self.id()).is_some_and(|fold| fold.is_restored);
        Ok(Self { is_restored, ..self })
    }

    /// Whoever is not begun may have been sealed and told by what is lost. So only those who were begun
    /// are settled, and everybody else is for another campaign.
    pub(crate) fn check_scope(&self, scope: Scope) -> Result<(), CampaignError> {
        if self.is_restored && scope == Scope::All {
            return Err(CampaignError::Restored { name: self.row.name.clone() });
        }
        Ok(())
    }

    pub(crate) fn check(&self, log: &Fold) -> Result<(), CampaignError> {
        if mutant::is_on("campaign_row_believed") {
            return Ok(());
        }
        Ok(log.check_campaign(self.id(), &self.standing())?)
    }

    /// By the column of its state, too: campaigns are looked for by it.
    fn standing(&self) -> CampaignStanding {
        let machine = Some(logged_digest(&self.row.machine));
        CampaignStanding {
            name: self.row.name.clone(),
            author: self.row.author.clone(),
            round: self.campaign.round(),
            state: self.row.state.to_string(),
            machine,
        }
    }
}

/// What the log calls a text that a row keeps: all that a campaign decides by, or what is said of it.
pub(crate) fn logged_digest(kept: &[u8]) -> String {
    hex_of(Sha256::digest(kept).as_slice())
}

/// A campaign by its name.
pub(crate) async fn named(tx: &mut Tx, name: &str) -> Result<Loaded, CampaignError> {
    let row = tx.campaign(name).await?;
    Loaded::new(row.ok_or_else(|| CampaignError::None { name: name.to_owned() })?)
}

/// A campaign by its name that is as the audit log says, and the log, for a transaction that asked
/// nothing else before.
pub(crate) async fn seen<'a>(
    instance: &'a Instance,
    tx: &mut Tx,
    name: &str,
) -> Result<(Loaded, ProvedFold<'a>), CampaignError> {
    let log = instance.proved(tx).await?;
    let loaded = named(tx, name).await?;
    loaded.check(&log)?;
    Ok((loaded, log))
}

/// A campaign that nobody else can move or claim from until the transaction ends.
pub(crate) async fn held(
    instance: &Instance,
    tx: &mut Tx,
    id: CampaignId,
) -> Result<Loaded, CampaignError> {
    Loaded::read(id, tx.hold_campaign(id).await)?.proved(instance, tx).await
}

/// A campaign that others may read, and nobody may move until the transaction ends.
pub(crate) async fn shared(
    instance: &Instance,
    tx: &mut Tx,
    id: CampaignId,
) -> Result<Loaded, CampaignError> {
    Loaded::read(id, tx.share_campaign(id).await)?.proved(instance, tx).await
}

/// A campaign by its name, held.
pub(crate) async fn held_by_name(
    instance: &Instance,
    tx: &mut Tx,
    name: &str,
) -> Result<Loaded, CampaignError> {
    let id = named(tx, name).await?.id();
    held(instance, tx, id).await
}

/// The kill switch, and a campaign that nobody else can move or claim from; nobody moves either until
/// the transaction ends. Whoever holds both holds them in this order, so that nobody waits for each
/// other.
pub(crate) async fn held_gate(
    instance: &Instance,
    tx: &mut Tx,
    id: CampaignId,
) -> Result<(KillSwitch, Loaded, LoggedCampaign), CampaignError> {
    let (position, _) = tx.kill_switch().await?;
    let loaded = Loaded::read(id, tx.hold_campaign(id).await)?;
    let log = instance.proved(tx).await?;
    let (position, loaded) = checked_gate(&log, position, loaded)?;
    Ok((position, loaded, LoggedCampaign::of(&log, id)))
}

/// What the audit log says of a campaign that claims are decided by.
pub(crate) struct LoggedCampaign {
    /// Whom it must not leave as they are.
    pub(crate) unsettled: Unsettled,
    /// How many addresses were begun of late.
    pub(crate) pace: Pace,
}

impl LoggedCampaign {
    fn of(log: &Fold, id: CampaignId) -> Self {
        let pace = log.campaign(id).map(|fold| fold.pace).unwrap_or_default();
        Self { unsettled: progress_in(log, id).unsettled, pace }
    }
}

/// The same of a campaign that others may read.
pub(crate) async fn shared_gate(
    instance: &Instance,
    tx: &mut Tx,
    id: CampaignId,
) -> Result<(KillSwitch, Loaded), CampaignError> {
    let (position, _) = tx.kill_switch().await?;
    let loaded = Loaded::read(id, tx.share_campaign(id).await)?;
    checked_gate(&*instance.proved(tx).await?, position, loaded)
}

fn checked_gate(
    log: &Fold,
    position: KillSwitch,
    loaded: Loaded,
) -> Result<(KillSwitch, Loaded), CampaignError> {
    log.check_kill_switch(position)?;
    Ok((position, loaded.checked(log)?))
}

/// Whether everything is stopped, and since when; nobody else moves it until the transaction ends.
pub(crate) async fn kill_switch(
    instance: &Instance,
    tx: &mut Tx,
) -> Result<(KillSwitch, Timestamp), CampaignError> {
    let (position, since) = tx.kill_switch().await?;
    instance.proved(tx).await?.check_kill_switch(position)?;
    Ok((position, since))
}

/// Takes a campaign one step further, and records it.
pub(crate) async fn take_step(
    instance: &Instance,
    tx: &mut Tx,
    loaded: &mut Loaded,
    event: Event<'_>,
    now: Timestamp,
) -> Result<(), CampaignError> {
    let (next, commands) = campaign::step(&loaded.campaign, event, now)?;
    if next == loaded.campaign {
        return Ok(());
    }
    let ends = matches!(next.state(), State::Done | State::Closed);
    if ends && !mutant::is_on("close_untold") {
        instance.proved(tx).await?.check_settled(loaded.id())?;
    }
    let machine = serde_json::to_vec(&next)
        .map_err(|source| CampaignError::Machine { campaign: loaded.id(), source })?;
    let digest = logged_digest(&machine);
    tx.save_campaign(loaded.id(), next.state().word(), machine).await?;
    for command in commands {
        obey(tx, loaded.id(), &next, command).await?;
    }
    instance.record(tx, &[moved(&loaded.campaign, &next, digest).into()]).await?;
    loaded.campaign = next;
    Ok(())
}

/// Does what a step asks of the store.
async fn obey(
    tx: &mut Tx,
    id: CampaignId,
    next: &Campaign,
    command: Command,
) -> Result<(), CampaignError> {
    match command {
        Command::ReleaseUntouched if next.state() == State::Draft => {
            tx.drop_targets(id).await?;
            tx.drop_addresses(id).await?;
        }
        Command::ReleaseUntouched => tx.release_targets(id).await?,
        Command::DestroySecretsAt(at) => tx.set_destroy_secrets_at(id, Some(at)).await?,
    }
    Ok(())
}

fn moved(before: &Campaign, after: &Campaign, machine: String) -> CampaignEvent {
    CampaignEvent::CampaignMoved {
        campaign: after.id(),
        round: after.round(),
        from: before.state().to_string(),
        to: after.state().to_string(),
        reason: halt_reason(after).map(|reason| reason.to_string()),
        machine: Some(machine),
    }
}

pub(crate) const fn halt_reason(campaign: &Campaign) -> Option<HaltReason> {
    match campaign.state() {
        State::Halted { reason, .. } => Some(reason),
        _ => None,
    }
}

/// Stops a campaign if it runs; `false` if it does not.
pub(crate) async fn halt(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    reason: HaltReason,
) -> Result<bool, CampaignError> {
    let mut loaded = held(instance, tx, campaign).await?;
    let runs = matches!(loaded.campaign.state(), State::Running(_));
    if runs {
        let now = tx.now().await?;
        take_step(instance, tx, &mut loaded, Event::Halt(reason), now).await?;
    }
    Ok(runs)
}

/// What became of the campaigns that ran when all of them were to stop.
#[derive(Debug, Default)]
pub struct HaltedAll {
    /// The names of those that are halted.
    pub halted: Vec<String>,
    /// The others, and why their rows could not be moved.
    pub not_halted: Vec<(String, CampaignError)>,
    /// Why the row of the kill switch is as it was, if it takes no change.
    pub switch_kept: Option<StoreError>,
}

/// Stops every campaign that runs. One that something is wrong with keeps no other one running.
pub(crate) async fn halt_all(
    instance: &Instance,
    reason: HaltReason,
) -> Result<HaltedAll, CampaignError> {
    let mut all = HaltedAll::default();
    let running = instance.store().read().await?.campaign_names_in(CampaignState::RUNNING).await?;
    for (campaign, name) in running {
        match halt_alone(instance, campaign, reason).await {
            Ok(true) => all.halted.push(name),
            Ok(false) => {}
            Err(error) => all.not_halted.push((name, error)),
        }
    }
    Ok(all)
}

/// The same, in a transaction of its own.
pub(crate) async fn halt_alone(
    instance: &Instance,
    campaign: CampaignId,
    reason: HaltReason,
) -> Result<bool, CampaignError> {
    let mut tx = instance.store().begin().await?;
    let ran = halt(instance, &mut tx, campaign, reason).await?;
    tx.commit().await?;
    Ok(ran)
}
