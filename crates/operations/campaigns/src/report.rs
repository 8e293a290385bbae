use std::collections::{BTreeMap, BTreeSet};

use campaign::{Plan, Reckoning};
use futures_util::future::BoxFuture;
use instance::{Instance, limits::LOG_ENTRIES_PER_READ};
use ledger::{CampaignEvent, NoticeStep};
use model::{AccountId, CampaignId, NoticeId, NoticeState, SkipReason, TargetState, Timestamp};
use serde::Serialize;
use store::Tx;

use crate::{
    CampaignError, ReportError,
    loaded::{Loaded, named},
    view::accounts,
};

/// What became of everybody in a campaign, counted from the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct CampaignReport {
    /// What operators call it.
    pub name: String,
    /// Where it stands.
    pub state: &'static str,
    /// Accounts in the signed plan.
    pub targeted: u64,
    /// Addresses in the signed plan.
    pub addresses: u64,
    /// Exposed accounts that the plan left out, by reason.
    pub left_out: BTreeMap<SkipReason, u64>,
    /// Accounts of the plan that were left alone after all, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Accounts not touched yet.
    pub pending: u64,
    /// Accounts whose sealing has begun and is not known to have ended.
    pub sealing: u64,
    /// Accounts whose old password was taken out of use, whatever happened since.
    pub sealed: u64,
    /// Of these, those whose owner has chosen a new password since.
    pub reset_since: u64,
    /// Of these, those whose new password is the leaked one again.
    pub reused: u64,
    /// Of those sealed, those whose notice the mail server would not have.
    pub sealed_unreached: u64,
    /// Notices by how far they are: `sent`, `refused` and `uncertain` are final.
    pub notices: BTreeMap<NoticeState, u64>,
    /// Notices of which their recipients say that they are not right.
    pub disputed: u64,
    /// The first entry of the log that is about it, and the last: when it happened.
    pub from: Option<Timestamp>,
    /// The last one.
    pub to: Option<Timestamp>,
    /// When the first password was taken out of use.
    pub sealed_from: Option<Timestamp>,
    /// Entries of the log that these counts were made of.
    pub log_entries: u64,
}

impl CampaignReport {
    /// Whether nobody has to be looked after: every notice was taken or refused for sure.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.notices.get(&NoticeState::Uncertain).is_none_or(|count| *count == 0)
    }
}

/// Counts a campaign from the audit log, and holds the counts against the rows.
///
/// # Errors
/// [`ReportError::Irreconcilable`] if somebody is missing or counted twice: nothing is to be
/// published then.
pub fn report_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<CampaignReport, ReportError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let loaded = named(&mut tx, name).await?;
        let tale = Tale::read(&mut tx, loaded.id()).await?;
        let logged = tale.reckoning().reconcile()?;
        let rows = rows(&mut tx, &loaded).await?.reconcile()?;
        rows.agree(&logged)?;
        Ok(tale.report(&loaded, logged))
    })
}

/// The same counts from the rows.
async fn rows(tx: &mut Tx, loaded: &Loaded) -> Result<Reckoning, ReportError> {
    let id = loaded.id();
    let plan = tx.plan(id).await?.map(|body| Plan::parse(&body)).transpose();
    let plan = plan.map_err(CampaignError::from)?;
    let (accounts, skipped) = accounts(tx, loaded).await?;
    let addresses = tx.address_counts(id).await?;
    let counts = plan.as_ref().map(Plan::counts).filter(|_| addresses.all > 0);
    Ok(Reckoning {
        targets: counts.map_or(0, |counts| counts.targets),
        addresses: counts.map_or(0, |counts| counts.addresses),
        accounts,
        skipped,
        notices: tx.recount_notices(id).await?.into_iter().collect(),
        addresses_open: addresses.all - addresses.done,
        addresses_skipped: addresses.untold,
    })
}

/// What the log tells of one campaign.
#[derive(Debug, Default)]
struct Tale {
    targets: u64,
    addresses: u64,
    left_out: BTreeMap<SkipReason, u64>,
    accounts: BTreeMap<AccountId, TargetState>,
    skipped: BTreeMap<SkipReason, u64>,
    reused: u64,
    disputed: u64,
    sealed_of_address: BTreeMap<u64, u64>,
    done: BTreeSet<u64>,
    notices: BTreeMap<NoticeId, (u64, NoticeState)>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    sealed_from: Option<Timestamp>,
    entries: u64,
}

impl Tale {
    async fn read(tx: &mut Tx, campaign: CampaignId) -> Result<Self, ReportError> {
        let (mut tale, mut next) = (Self::default(), 0);
        loop {
            let entries = tx.log_entries_of(campaign, next, LOG_ENTRIES_PER_READ).await?;
            let Some(last) = entries.last() else { return Ok(tale) };
            next = last.position + 1;
            for entry in &entries {
                let event = CampaignEvent::of(campaign, &entry.body);
                let position = entry.position;
                let event = event.map_err(|source| ReportError::Entry { position, source })?;
                if let Some(event) = event {
                    tale.tell(event, entry.at);
                }
            }
        }
    }

    fn tell(&mut self, event: CampaignEvent, at: Timestamp) {
        self.from.get_or_insert(at);
        self.to = Some(at);
        self.entries += 1;
        if matches!(event, CampaignEvent::AccountSealed { .. }) {
            self.sealed_from.get_or_insert(at);
        }
        self.follow(event);
    }

    fn follow(&mut self, event: CampaignEvent) {
        use CampaignEvent as E;
        match event {
            E::CampaignFrozen { targets, addresses, skipped, .. } => {
                (self.targets, self.addresses, self.left_out) = (targets, addresses, skipped);
            }
            // Its targets are taken back; nobody had been touched.
            E::CampaignMoved { to, .. } if to == "draft" => {
                (self.targets, self.addresses) = (0, 0);
            }
            E::AccountSealing { account, .. } => self.put(account, TargetState::Sealing),
            E::AccountSealed { account, address, .. } => {
                self.put(account, TargetState::Sealed);
                *self.sealed_of_address.entry(address).or_default() += 1;
            }
            E::AccountSkipped { account, reason, .. } => {
                self.put(account, TargetState::Skipped);
                *self.skipped.entry(reason).or_default() += 1;
            }
            E::AccountReset { account, reused, .. } => {
                self.put(account, TargetState::Reset);
                self.reused += u64::from(reused);
            }
            E::AddressDone { address, notice, .. } => {
                self.done.insert(address);
                if let Some(notice) = notice {
                    self.notices.insert(notice, (address, NoticeState::Pending));
                }
            }
            E::Notice(NoticeStep::NoticeBegun { notice, .. }) => {
                self.move_notice(notice, NoticeState::Inflight);
            }
            E::Notice(NoticeStep::NoticeEnded { notice, state, .. }) => {
                self.move_notice(notice, state);
            }
            E::Notice(NoticeStep::NoticeDisputed { .. }) => self.disputed += 1,
            E::CampaignMoved { .. }
            | E::CampaignDrafted { .. }
            | E::CampaignApproved { .. }
            | E::StatementMade { .. }
            | E::SecretsDestroyed { .. }
            | E::KillSwitchMoved { .. } => {}
        }
    }

    fn put(&mut self, account: AccountId, state: TargetState) {
        self.accounts.insert(account, state);
    }

    /// A notice that no address is done for shows as one too many when the sums are compared.
    fn move_notice(&mut self, notice: NoticeId, state: NoticeState) {
        self.notices.entry(notice).or_insert((u64::MAX, state)).1 = state;
    }

    fn reckoning(&self) -> Reckoning {
        let mut accounts = BTreeMap::new();
        for state in self.accounts.values().filter(|state| **state != TargetState::Skipped) {
            *accounts.entry(*state).or_default() += 1;
        }
        let pending = self.targets.saturating_sub(self.accounts.len() as u64);
        if pending > 0 {
            accounts.insert(TargetState::Pending, pending);
        }
        let done = self.done.len() as u64;
        Reckoning {
            targets: self.targets,
            addresses: self.addresses,
            accounts,
            skipped: self.skipped.clone(),
            notices: self.notice_counts(),
            addresses_open: self.addresses.saturating_sub(done),
            addresses_skipped: done.saturating_sub(self.notices.len() as u64),
        }
    }

    fn notice_counts(&self) -> BTreeMap<NoticeState, u64> {
        let mut counts = BTreeMap::new();
        for (_, state) in self.notices.values() {
            *counts.entry(*state).or_default() += 1;
        }
        counts
    }

    fn sealed_unreached(&self) -> u64 {
        let refused = self.notices.values().filter(|(_, state)| *state == NoticeState::Refused);
        refused.filter_map(|(address, _)| self.sealed_of_address.get(address)).sum()
    }

    fn report(self, loaded: &Loaded, counts: Reckoning) -> CampaignReport {
        let of = |state| counts.accounts.get(&state).copied().unwrap_or_default();
        CampaignReport {
            name: loaded.row.name.clone(),
            state: loaded.campaign.state().as_str(),
            targeted: counts.targets,
            addresses: counts.addresses,
            pending: of(TargetState::Pending),
            sealing: of(TargetState::Sealing),
            sealed: counts.was_sealed(),
            reset_since: of(TargetState::Reset),
            reused: self.reused,
            disputed: self.disputed,
            sealed_unreached: self.sealed_unreached(),
            skipped: counts.skipped,
            notices: counts.notices,
            left_out: self.left_out,
            from: self.from,
            to: self.to,
            sealed_from: self.sealed_from,
            log_entries: self.entries,
        }
    }
}
