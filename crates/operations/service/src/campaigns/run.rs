use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use campaign::{
    AddressGroup, AddressKey, Event, Facts, HaltReason, InclusionProof, KillSwitch, Place,
    Progress, RateUsed, RosterDigest, SignedPlan, State, Target, TargetTree, Targets,
    allowed_addresses,
};
use directory::{Directory, ReadError, WriteError};
use futures_util::TryStreamExt;
use model::{AccountId, CampaignId, NoticeState, Timestamp};
use notice::BaseUrl;
use password::Verifier;
use store::{FindingId, InstanceKind, StoreError, TargetRow, Tx, WorkerName};
use tokio::task::JoinError;

use super::{
    CampaignError, Loaded, SealError, TellError, Words, approvals::signed_plan, freeze::plan_of,
    held, resets, take_step,
};
use crate::{DisarmedError, LogError, Mail, SendingGuard, Site, VaultError, roster::roster_in};

/// Everything that a campaign is run with.
#[derive(Debug)]
pub struct Means {
    /// The site's accounts.
    pub directory: Directory,
    /// What tries leaked passwords, as the site hashes them.
    pub verifier: Arc<Verifier>,
    /// The words of the notices.
    pub words: Words,
    /// How mail leaves.
    pub mail: Mail,
    /// Where reset links lead; `None` where people reset their passwords on the site's own pages.
    pub pages: Option<BaseUrl>,
    /// What this host may send by.
    pub guard: SendingGuard,
    /// The digest of the first roster, from the configuration.
    pub founding: RosterDigest,
}

/// Runs campaigns: one of any number, on any hosts.
pub struct Worker<'a> {
    pub(crate) site: &'a Site,
    pub(crate) means: &'a Means,
    pub(crate) name: WorkerName,
    trees: RwLock<HashMap<CampaignId, Arc<TargetTree>>>,
}

/// What a worker has found to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// Something: there may be more.
    Something,
    /// Nothing now.
    Nothing,
}

impl<'a> Worker<'a> {
    /// A worker with a name of its own, never used before.
    #[must_use]
    pub fn new(site: &'a Site, means: &'a Means) -> Self {
        let name = WorkerName::from_random(site.randomness.array());
        Self { site, means, name, trees: RwLock::default() }
    }

    /// Does the next thing that is to be done: sees to people who wait for a mail, and then to any
    /// campaign, where it tells those who are sealed before it seals more.
    ///
    /// A campaign that something is wrong with does not keep the others from going on.
    ///
    /// # Errors
    /// [`WorkError`] of the first campaign that failed, after all have been tried.
    pub async fn work(&self) -> Result<Worked, WorkError> {
        let mut worked = Worked::Nothing;
        let mut failed = None;
        match self.see_to_requests().await {
            Ok(true) => worked = Worked::Something,
            Ok(false) => {}
            Err(error) => failed = Some(error),
        }
        for campaign in self.campaigns().await? {
            match self.work_on(campaign).await {
                Ok(Worked::Something) => worked = Worked::Something,
                Ok(Worked::Nothing) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(worked), Err)
    }

    /// Somebody sits before a page and waits.
    async fn see_to_requests(&self) -> Result<bool, WorkError> {
        let resolved = self.resolve_next().await?;
        Ok(self.send_requested().await? || resolved)
    }

    /// Sees who has chosen a new password, destroys what has been kept long enough, and holds on to
    /// the permission to send. It reads every sealed account, so do it now and then.
    ///
    /// # Errors
    /// [`WorkError`] if store or directory fail.
    pub async fn look_around(&self) -> Result<(), WorkError> {
        resets::watch_resets(self.site, &self.means.directory, &self.means.verifier).await?;
        self.finish_resets().await?;
        resets::destroy_old_secrets(self.site).await?;
        self.check_guard().await
    }

    /// Passes if this host may send now.
    ///
    /// # Errors
    /// [`WorkError::Disarmed`] says why not.
    pub async fn check_guard(&self) -> Result<(), WorkError> {
        let mut tx = self.site.store.begin().await?;
        let roster = roster_in(&mut tx, self.site, self.means.founding).await;
        let roster = roster.map_err(CampaignError::from)?;
        self.means.guard.check(&mut tx, self.site, &roster).await?;
        if self.site.kind() == InstanceKind::Site && !tx.is_durable().await? {
            return Err(WorkError::NotDurable);
        }
        Ok(tx.commit().await?)
    }

    /// Whether any campaign is under way.
    ///
    /// # Errors
    /// [`WorkError`] if the store fails.
    pub async fn is_anything_running(&self) -> Result<bool, WorkError> {
        for row in self.site.store.read().await?.campaigns().await? {
            if matches!(Loaded::new(row)?.campaign.state(), State::Running(_)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The campaigns that time or work could move on.
    async fn campaigns(&self) -> Result<Vec<CampaignId>, WorkError> {
        let mut moving = Vec::new();
        for row in self.site.store.read().await?.campaigns().await? {
            let loaded = Loaded::new(row)?;
            if let State::Frozen | State::Signed | State::Running(_) = loaded.campaign.state() {
                moving.push(loaded.id());
            }
        }
        Ok(moving)
    }

    async fn work_on(&self, campaign: CampaignId) -> Result<Worked, WorkError> {
        let state = self.tick(campaign).await?;
        if !matches!(state, State::Running(_)) {
            return Ok(Worked::Nothing);
        }
        if !self.has_work(campaign).await? {
            return Ok(Worked::Nothing);
        }
        let worked = self.tell_and_seal(campaign).await;
        if worked.as_ref().is_err_and(WorkError::is_contradiction) {
            let mut tx = self.site.store.begin().await?;
            self.halt(&mut tx, campaign, HaltReason::Contradicted).await?;
            tx.commit().await?;
        }
        if worked? == Worked::Something {
            self.tick(campaign).await?;
            return Ok(Worked::Something);
        }
        Ok(Worked::Nothing)
    }

    /// Whether a claim could find anything. A campaign that soaks for a day is asked many times
    /// over, so no signature is verified for that.
    async fn has_work(&self, campaign: CampaignId) -> Result<bool, WorkError> {
        let mut tx = self.site.store.read().await?;
        let loaded = Loaded::new(tx.campaign_by_id(campaign).await?)?;
        let allowed = allowed_addresses(&loaded.campaign);
        Ok(!tx.addresses_to_take(campaign, allowed, 1).await?.is_empty()
            || tx.notice_to_send(campaign).await?.is_some()
            || !tx.notices_left_in_flight(campaign).await?.is_empty())
    }

    async fn tell_and_seal(&self, campaign: CampaignId) -> Result<Worked, WorkError> {
        let told = self.tell_next(campaign).await?;
        let sealed = self.seal_next(campaign).await?;
        Ok(if told || sealed { Worked::Something } else { Worked::Nothing })
    }

    /// Looks whether time or what was done moves the campaign on.
    async fn tick(&self, campaign: CampaignId) -> Result<State, WorkError> {
        let mut tx = self.site.store.begin().await?;
        let mut loaded = held(&mut tx, campaign).await?;
        let (progress, now) = (progress(&mut tx, campaign).await?, tx.now().await?);
        take_step(self.site, &mut tx, &mut loaded, Event::Tick(&progress), now).await?;
        tx.commit().await?;
        Ok(loaded.campaign.state())
    }

    /// Stops a campaign that turned out not to be what was signed.
    pub(super) async fn halt(
        &self,
        tx: &mut Tx,
        campaign: CampaignId,
        reason: HaltReason,
    ) -> Result<(), WorkError> {
        let mut loaded = held(tx, campaign).await?;
        if matches!(loaded.campaign.state(), State::Running(_)) {
            let now = tx.now().await?;
            take_step(self.site, tx, &mut loaded, Event::Halt(reason), now).await?;
        }
        Ok(())
    }

    /// The tree over a campaign's targets as the store holds them, made once and then kept. Each
    /// claim holds its root against the signed plan's.
    pub(super) async fn tree(&self, campaign: CampaignId) -> Result<Arc<TargetTree>, WorkError> {
        let mut tx = self.site.store.read().await?;
        let loaded = Loaded::new(tx.campaign_by_id(campaign).await?)?;
        let plan = plan_of(&mut tx, &loaded).await?;
        if let Some(tree) = self.kept_tree(campaign).filter(|tree| tree.root() == plan.root()) {
            return Ok(tree);
        }
        let tree = Arc::new(TargetTree::new(&stored_targets(&mut tx, campaign).await?));
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        trees.insert(campaign, Arc::clone(&tree));
        Ok(tree)
    }

    fn kept_tree(&self, campaign: CampaignId) -> Option<Arc<TargetTree>> {
        self.trees.read().unwrap_or_else(PoisonError::into_inner).get(&campaign).cloned()
    }

    /// Everything that a claim is decided by, read in the transaction that claims. `None` if the
    /// campaign does not run: then nothing is checked either.
    pub(super) async fn gate(
        &self,
        tx: &mut Tx,
        campaign: CampaignId,
    ) -> Result<Option<Gate>, WorkError> {
        let loaded = held(tx, campaign).await?;
        if !matches!(loaded.campaign.state(), State::Running(_)) {
            return Ok(None);
        }
        let (kill_switch, _) = tx.kill_switch().await?;
        let roster = roster_in(tx, self.site, self.means.founding).await;
        let roster = roster.map_err(CampaignError::from)?;
        self.means.guard.check(tx, self.site, &roster).await?;
        let signed = signed_plan(tx, &loaded, &roster).await?;
        self.means.words.check(signed.plan())?;
        let now = tx.now().await?;
        let rate = RateUsed {
            this_minute: tx.addresses_taken_since(campaign, begun(now, MINUTE)).await?,
            this_hour: tx.addresses_taken_since(campaign, begun(now, HOUR)).await?,
        };
        let sealed_untold = tx.sealed_untold(campaign).await?;
        Ok(Some(Gate { loaded, signed, kill_switch, rate, sealed_untold, now }))
    }
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker({})", self.name)
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// When the clock's minute or hour began.
fn begun(now: Timestamp, window: Duration) -> Timestamp {
    let length = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().div_euclid(length).saturating_mul(length))
}

/// What a claim is decided by.
pub(super) struct Gate {
    pub(super) loaded: Loaded,
    pub(super) signed: SignedPlan,
    kill_switch: KillSwitch,
    pub(super) rate: RateUsed,
    pub(super) sealed_untold: u64,
    now: Timestamp,
}

impl Gate {
    pub(super) const fn facts(&self) -> Facts<'_> {
        Facts {
            campaign: &self.loaded.campaign,
            signed: &self.signed,
            kill_switch: self.kill_switch,
            rate: self.rate,
            sealed_untold: self.sealed_untold,
            now: self.now,
        }
    }

    pub(super) fn allowed(&self) -> u64 {
        allowed_addresses(&self.loaded.campaign)
    }
}

/// The accounts of one address, proved to stand in the signed plan.
pub(super) fn group(
    tree: &TargetTree,
    signed: &SignedPlan,
    rows: &[(TargetRow, Vec<FindingId>)],
) -> Result<AddressGroup, WorkError> {
    let accounts = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let members = rows.iter().map(|(row, findings)| {
        let proof = tree.prove(row.place).ok_or(NotInPlan { account: row.account.clone() })?;
        Ok((target(row, findings, accounts), proof))
    });
    let members = members.collect::<Result<Vec<(Target, InclusionProof)>, NotInPlan>>()?;
    Ok(AddressGroup::verify(signed, members).map_err(CampaignError::from)?)
}

fn target(row: &TargetRow, findings: &[FindingId], accounts: u32) -> Target {
    Target {
        account: row.account.clone(),
        findings: findings.iter().map(|finding| finding.get()).collect(),
        credential_version: row.version,
        address: AddressKey::from_bytes(row.address_key),
        place: Place { address: row.address, accounts },
    }
}

async fn stored_targets(tx: &mut Tx, campaign: CampaignId) -> Result<Targets, WorkError> {
    let mut findings: HashMap<AccountId, Vec<FindingId>> = HashMap::new();
    for (account, finding) in tx.target_findings(campaign).await? {
        findings.entry(account).or_default().push(finding);
    }
    let rows: Vec<_> = tx.targets(campaign).try_collect().await?;
    let targets = rows.iter().map(|row| {
        let findings = findings.get(&row.account).map_or(&[][..], Vec::as_slice);
        target(row, findings, 0)
    });
    Ok(Targets::new(targets.collect()).map_err(CampaignError::from)?)
}

async fn progress(tx: &mut Tx, campaign: CampaignId) -> Result<Progress, WorkError> {
    let notices: HashMap<_, _> = tx.notice_counts(campaign).await?.into_iter().collect();
    let of = |state| notices.get(&state).copied().unwrap_or_default();
    let (refused, uncertain) = (of(NoticeState::Refused), of(NoticeState::Uncertain));
    Ok(Progress {
        settled_addresses: match tx.first_unsettled_address(campaign).await? {
            Some(first) => first,
            None => tx.address_counts(campaign).await?.all,
        },
        final_notices: of(NoticeState::Sent) + refused + uncertain,
        refused,
        uncertain,
    })
}

/// A stored target that no plan holds.
#[derive(Debug, thiserror::Error)]
#[error("account {account:?} stands in no signed plan")]
pub struct NotInPlan {
    account: AccountId,
}

/// Why a worker could not go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// This host may not send.
    #[error(transparent)]
    Disarmed(#[from] DisarmedError),
    /// What is committed might be forgotten, and then be sent a second time.
    #[error(
        "the store may lose what it has committed, so a mail could go out twice: turn on fsync \
         and synchronous_commit (`countersign doctor` tells which)"
    )]
    NotDurable,
    /// What is kept of the campaign is not what was signed, or cannot be read.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// A stored target that no plan holds.
    #[error(transparent)]
    NotInPlan(#[from] NotInPlan),
    /// An account could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A notice could not be written.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// Something kept cannot be decrypted.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The directory could not be written to.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A thread of ours died.
    #[error("a worker thread died: {0}")]
    Thread(#[from] JoinError),
}

impl WorkError {
    /// Whether the store does not hold what was signed.
    const fn is_contradiction(&self) -> bool {
        matches!(self, Self::NotInPlan(_) | Self::Campaign(CampaignError::Group(_)))
    }

    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Disarmed(_) | Self::NotInPlan(_) | Self::NotDurable => true,
            Self::Campaign(error) => error.is_refusal(),
            _ => false,
        }
    }
}
