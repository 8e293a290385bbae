use std::collections::{BTreeMap, BTreeSet};

use model::{
    ChosenPassword, CredentialVersion, LeakId, NoticeId, NoticeKind, NoticeState, SkipReason,
    SubjectId, TargetState, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Pace, SettledAddresses};
use crate::{CampaignEvent, NoticeStep, Whom};

/// What the log says of one campaign.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignFold {
    /// Where it stands; `None` before it is drafted.
    pub standing: Option<CampaignStanding>,
    /// The leaks that it is about.
    pub leaks: Vec<LeakId>,
    /// The digest of the plan that was frozen last.
    pub plan: Option<String>,
    /// Accounts in the plan.
    pub targets: u64,
    /// Addresses in the plan.
    pub addresses: u64,
    /// Exposed accounts that the plan left out.
    pub left_out: BTreeMap<SkipReason, u64>,
    /// How far it is with each account that was taken up.
    pub accounts: BTreeMap<Whom, TargetState>,
    /// How many of them are being sealed.
    pub sealing: u64,
    /// Accounts of the plan that were left alone.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// What kind of password those have chosen who came back.
    pub passwords: BTreeMap<ChosenPassword, u64>,
    /// Notices of which their recipients say that they are not right.
    pub disputed: u64,
    /// Who was sealed, by the number of their address.
    pub sealed: BTreeSet<(u64, Whom)>,
    /// Addresses of which every account is settled.
    pub done: BTreeSet<u64>,
    /// How fast.
    pub pace: Pace,
    /// Addresses with which it is through.
    pub settled: SettledAddresses,
    /// Its notices.
    pub notices: BTreeMap<NoticeId, NoticeFold>,
    /// How many of them are how far.
    pub notice_counts: BTreeMap<NoticeState, u64>,
    /// The password of each account that was to be taken out of use, as it was found in the leak.
    pub versions: BTreeMap<Whom, CredentialVersion>,
    /// Whether steps of it may be lost, since the store was put back after its plan was made.
    pub is_restored: bool,
    /// Whether the secrets of its findings were destroyed, since it is over.
    pub is_destroyed: bool,
    /// What was last said of it in public.
    pub statement: Option<StatementFold>,
    /// When the first entry about it was written.
    pub from: Option<Timestamp>,
    /// The last one.
    pub to: Option<Timestamp>,
    /// When a worker last did something for somebody.
    pub worked_at: Option<Timestamp>,
    /// When the first account was sealed.
    pub sealed_from: Option<Timestamp>,
    /// Entries about it.
    pub entries: u64,
}

/// Where a campaign stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignStanding {
    /// What operators call it.
    pub name: String,
    /// Who is answerable for it.
    pub author: String,
    /// The round that it is in.
    pub round: u32,
    /// Its state, in one word.
    pub state: String,
    /// SHA-256 of all that its decisions depend on, in hexadecimal; entries of before have none.
    pub machine: Option<String>,
}

impl CampaignStanding {
    /// Whether a row that stands so is as this says.
    pub(super) fn is_of(&self, row: &Self) -> bool {
        let is_machine = self.machine.is_none() || self.machine == row.machine;
        let is_named = self.name == row.name && self.author == row.author;
        is_named && self.round == row.round && self.state == row.state && is_machine
    }
}

/// What was said of a campaign in public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementFold {
    /// SHA-256 of the counts, in hexadecimal.
    pub sha256: String,
    /// When something was said of it for the first time.
    pub first_at: Timestamp,
    /// When this was said.
    pub at: Timestamp,
}

/// How far a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFold {
    /// The number of its address; `u64::MAX` if no address is done for it.
    pub address: u64,
    /// The attempt that was begun last; 0 before the first.
    pub attempt: u32,
    /// How far it is.
    pub state: NoticeState,
    /// What it says.
    pub kind: NoticeKind,
    /// Accounts that it was written about; others may have been added later.
    pub lines: u64,
    /// When it was written: every attempt bears this date.
    pub made_at: Timestamp,
    /// When it became so.
    pub moved_at: Timestamp,
}

impl NoticeFold {
    /// One that is written now, and that nobody has tried to send.
    pub(super) const fn pending(address: u64, kind: NoticeKind, at: Timestamp) -> Self {
        let state = NoticeState::Pending;
        Self { address, attempt: 0, state, kind, lines: 0, made_at: at, moved_at: at }
    }
}

impl CampaignFold {
    /// Takes an event; returns the notice that begins by it.
    pub(super) fn take(&mut self, event: CampaignEvent, at: Timestamp) -> Option<NoticeId> {
        self.from.get_or_insert(at);
        self.to = Some(at);
        self.entries += 1;
        if event.is_work() {
            self.worked_at = Some(at);
        }
        if matches!(event, CampaignEvent::AccountSealed { .. }) {
            self.sealed_from.get_or_insert(at);
        }
        match event {
            CampaignEvent::Notice(step) => self.follow_notice(step, at),
            CampaignEvent::StatementMade { sha256, .. } => {
                let first_at = self.statement.as_ref().map_or(at, |first| first.first_at);
                self.statement = Some(StatementFold { sha256, first_at, at });
                None
            }
            event => {
                self.follow(event, at);
                None
            }
        }
    }

    /// Accounts that it has not taken up, as long as it may.
    pub(super) fn still_pending(&self) -> u64 {
        let state = self.standing.as_ref().map_or("", |standing| standing.state.as_str());
        let may_go_on = !matches!(state, "" | "draft" | "done" | "closed");
        let pending = self.targets.saturating_sub(self.accounts.len() as u64);
        if may_go_on && !self.is_restored { pending } else { 0 }
    }

    /// A notice that is not final.
    pub(super) fn open_notice(&self) -> Option<NoticeId> {
        let open = self.notices.iter().find(|(_, notice)| !notice.state.is_final());
        open.map(|(notice, _)| *notice)
    }

    /// An address where somebody is sealed, and that is not done.
    pub(super) fn untold_address(&self) -> Option<u64> {
        let is_sealed = |whom: &Whom| self.accounts.get(whom) == Some(&TargetState::Sealed);
        let mut sealed = self.sealed.iter();
        let untold = sealed.find(|(of, whom)| !self.done.contains(of) && is_sealed(whom));
        untold.map(|(address, _)| *address)
    }

    /// Whether the site has put back what this campaign had taken out of use.
    pub(super) fn is_put_back(&self, whom: &Whom) -> bool {
        self.accounts.get(whom) == Some(&TargetState::PutBack)
    }

    /// Whether a password of theirs was taken out of use, and was not put back.
    pub(super) fn is_out_of_use(&self, whom: &Whom) -> bool {
        matches!(self.accounts.get(whom), Some(TargetState::Sealed | TargetState::Reset))
    }

    /// Whom a notice tells that a password is out of use, and which one.
    pub(super) fn people_of(&self, notice: NoticeId) -> Vec<(Whom, CredentialVersion)> {
        let address = self.notices.get(&notice).map(|notice| notice.address);
        let sealed = address.into_iter().flat_map(|address| self.sealed_at(address));
        let sealed = sealed.filter(|whom| !self.is_put_back(whom));
        let version = |whom: &Whom| Some((whom.clone(), *self.versions.get(whom)?));
        sealed.filter_map(version).collect()
    }

    /// Whether somebody was sealed at an address for sure, whatever became of them later.
    #[must_use]
    pub fn was_sealed_at(&self, address: u64, whom: &Whom) -> bool {
        self.sealed.contains(&(address, whom.clone()))
    }

    /// Who was sealed at an address for sure.
    pub fn sealed_at(&self, address: u64) -> impl Iterator<Item = &Whom> {
        let from = (address, Whom::Subject(SubjectId(i64::MIN)));
        let sealed = self.sealed.range(from..).take_while(move |(of, _)| *of == address);
        sealed.map(|(_, whom)| whom)
    }

    /// How many were sealed at an address with which it is not through, also those who have chosen a password
    /// since: nobody there was told for good.
    #[must_use]
    pub fn untold(&self) -> u64 {
        let from = (self.settled.without_gap(), Whom::Subject(SubjectId(i64::MIN)));
        let is_left = |(address, whom): &&(u64, Whom)| {
            !self.settled.contains(*address) && self.is_out_of_use(whom)
        };
        self.sealed.range(from..).filter(is_left).count() as u64
    }

    fn follow(&mut self, event: CampaignEvent, at: Timestamp) {
        use CampaignEvent as E;
        match event {
            E::CampaignDrafted { name, author, machine, leaks, .. } => {
                self.leaks = leaks;
                let state = "draft".to_owned();
                self.standing = Some(CampaignStanding { name, author, round: 0, state, machine });
            }
            E::CampaignHandedOver { author, .. } => {
                self.standing.iter_mut().for_each(|standing| standing.author.clone_from(&author));
            }
            E::CampaignFrozen { plan, targets, addresses, skipped, .. } => {
                self.plan = Some(plan);
                (self.targets, self.addresses, self.left_out) = (targets, addresses, skipped);
            }
            E::CampaignMoved { round, from, to, machine, .. } => {
                // Whom a draft is about is looked up as they are now.
                self.is_restored &= from != "draft";
                // Its targets are taken back; nobody had been touched.
                if to == "draft" {
                    (self.targets, self.addresses) = (0, 0);
                }
                self.stand(round, to, machine);
            }
            E::AccountSealing { whom, credential_version, address, .. } => {
                if let Some(address) = address {
                    self.pace.begin(address, at);
                }
                self.versions.insert(whom.clone(), credential_version);
                self.put(whom, TargetState::Sealing);
            }
            E::SealingUndone { whom, .. } => {
                let before = self.accounts.remove(&whom);
                self.sealing -= u64::from(before == Some(TargetState::Sealing));
            }
            E::AccountOvertaken { whom, .. } => self.put(whom, TargetState::Overtaken),
            E::AccountSealed { whom, address, .. } => self.seal(whom, address),
            E::AccountFoundSealed { whom, address, skipped, reopened, .. } => {
                if let Some(count) = skipped.and_then(|reason| self.skipped.get_mut(&reason)) {
                    *count = count.saturating_sub(1);
                }
                self.seal(whom, address);
                if reopened {
                    self.done.remove(&address);
                    self.settled.reopen(address);
                }
            }
            E::AccountPutBack { whom, .. } => self.put(whom, TargetState::PutBack),
            E::AccountSkipped { whom, reason, .. } => {
                self.put(whom, TargetState::Skipped);
                *self.skipped.entry(reason).or_default() += 1;
            }
            E::AccountReset { whom, password, .. } => {
                self.put(whom, TargetState::Reset);
                *self.passwords.entry(password).or_default() += 1;
            }
            E::SecretsDestroyed { .. } => self.is_destroyed = true,
            E::AddressDone { address, notice, .. } => {
                self.done.insert(address);
                let lines = self.sealed_at(address).count() as u64;
                let pending = NoticeFold::pending(address, NoticeKind::ResetRequired, at);
                match notice {
                    Some(notice) => self.put_notice(notice, NoticeFold { lines, ..pending }),
                    None => self.settled.add(address),
                }
            }
            E::SealingTaken { .. }
            | E::CampaignWritten { .. }
            | E::CampaignApproved { .. }
            | E::StatementMade { .. }
            | E::KillSwitchMoved { .. }
            | E::Notice(_) => {}
        }
    }

    /// A notice that no address is done for shows as one too many when the sums are compared.
    fn follow_notice(&mut self, step: NoticeStep, at: Timestamp) -> Option<NoticeId> {
        let (notice, attempt, state) = match step {
            NoticeStep::NoticeBegun { notice, attempt, .. } => {
                (notice, attempt, NoticeState::Inflight)
            }
            NoticeStep::NoticeEnded { notice, attempt, state, .. } => (notice, attempt, state),
            NoticeStep::NoticeDisputed { .. } => {
                self.disputed += 1;
                return None;
            }
        };
        let logged = self.notices.get(&notice).copied();
        let nowhere = NoticeFold::pending(u64::MAX, NoticeKind::ResetRequired, at);
        let logged = logged.unwrap_or(nowhere);
        self.put_notice(notice, NoticeFold { attempt, state, moved_at: at, ..logged });
        if state.is_final() {
            self.settled.add(logged.address);
        }
        matches!(step, NoticeStep::NoticeBegun { .. }).then_some(notice)
    }

    fn put_notice(&mut self, notice: NoticeId, now: NoticeFold) {
        *self.notice_counts.entry(now.state).or_default() += 1;
        let before = self.notices.insert(notice, now).map(|before| before.state);
        if let Some(count) = before.and_then(|state| self.notice_counts.get_mut(&state)) {
            *count -= 1;
        }
        self.notice_counts.retain(|_, count| *count > 0);
    }

    fn stand(&mut self, round: u32, state: String, machine: Option<String>) {
        if let Some(standing) = &mut self.standing {
            (standing.round, standing.state, standing.machine) = (round, state, machine);
        }
    }

    fn seal(&mut self, whom: Whom, address: u64) {
        self.sealed.insert((address, whom.clone()));
        self.put(whom, TargetState::Sealed);
    }

    fn put(&mut self, whom: Whom, state: TargetState) {
        self.sealing += u64::from(state == TargetState::Sealing);
        let before = self.accounts.insert(whom, state);
        self.sealing -= u64::from(before == Some(TargetState::Sealing));
    }
}
