//! What the whole log says of what is acted on. Rows of the store are held against it: they are a
//! copy, which anybody who can write to the database may have changed.

mod campaign;
mod entry;
mod found;
mod leak;
mod leaks;
mod pace;
mod refusal;
mod settled;
mod swap;
mod swaps;
mod touched;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use model::{
    CampaignId, CredentialVersion, Discrepancy, InstanceKind, KeyId, KillSwitch, LeakId, NoticeId,
    NoticeKind, NoticeState, SubjectId, Timestamp,
};
use serde::{Deserialize, Serialize};

/// Why a snapshot cannot be made.
pub use postcard::Error as SnapshotError;

pub use self::{
    campaign::{CampaignFold, CampaignStanding, NoticeFold, StatementFold},
    entry::{ArmedFold, FoldEntry, NotedFold},
    found::{FindingRow, FoundFold},
    pace::{HOUR, MINUTE, Pace},
    refusal::FoldRefusal,
    settled::SettledAddresses,
    swaps::SwapRow,
};
use self::{leak::LeakFold, swaps::SwapsFold};
use crate::{CampaignEvent, Hash, MissingHash, NoticeStep, Reconciled, RecoveryEvent, Tree, Whom};

/// For how long it is counted how many letters somebody has got.
const LETTERS_KEPT: Duration = Duration::from_hours(24);

/// A snapshot begins with it: another form is not read.
const SNAPSHOT_FORM: u8 = 15;

/// What the entries of a log, from the first one on, say of what is acted on.
///
/// It believes what it is fed: whoever feeds it holds [`Fold::root`] against a signed checkpoint.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Fold {
    #[serde(skip)]
    tree: Tree,
    campaigns: BTreeMap<CampaignId, CampaignFold>,
    swaps: SwapsFold,
    leaks: BTreeMap<LeakId, LeakFold>,
    /// Notices of no campaign that are not final.
    requested: HashMap<NoticeId, RequestedFold>,
    /// Those that are.
    requested_ended: BTreeSet<NoticeId>,
    /// When letters were written that people had asked for, and to whom: those of the last day.
    letters: VecDeque<(Timestamp, Whom)>,
    /// The last link by which somebody has chosen a password: earlier ones work no more.
    used_links: HashMap<Whom, i64>,
    /// By whom a person was told first of one stored password.
    told: HashMap<(Whom, CredentialVersion), NoticeId>,
    /// What the store was made for.
    kind: Option<InstanceKind>,
    /// The instance key that was put into force last; `None` before another one was.
    key: Option<KeyId>,
    kill_switch: Option<KillSwitch>,
    roster: Option<String>,
    arming: Option<ArmedFold>,
    is_uncompared: bool,
    /// Whether steps were ever lost.
    is_restored: bool,
    /// Accounts that held a value of ours which nothing tells of, since steps were lost.
    unrecorded: u64,
    /// The moment of the backup that the store was made from, until operators have signed for it.
    restored_from: Option<Timestamp>,
    last_backup: Option<Timestamp>,
    /// When the site's table was last compared, and what was found.
    reconciled: Option<(Timestamp, Reconciled)>,
}

impl Fold {
    /// Takes the next entry; `body` is what the log holds of it.
    ///
    /// # Errors
    /// [`MissingHash`] never: a fold begins with the first entry.
    pub fn take(&mut self, entry: FoldEntry, body: &[u8]) -> Result<(), MissingHash> {
        let hashes = self.tree.push(body)?;
        self.follow(entry, hashes.first().unwrap_or(&Hash::default()));
        Ok(())
    }

    /// What it holds, but for the tree: so that another one need not begin with the first entry.
    ///
    /// # Errors
    /// What the serialiser reports; no fold can cause it.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        postcard::to_extend(self, vec![SNAPSHOT_FORM])
    }

    /// A fold that goes on where a snapshot was made, with the tree of as many entries; `None` if
    /// another version has made it.
    #[must_use]
    pub fn resume(snapshot: &[u8], tree: Tree) -> Option<Self> {
        let (&SNAPSHOT_FORM, body) = snapshot.split_first()? else { return None };
        let fold: Self = postcard::from_bytes(body).ok()?;
        Some(Self { tree, ..fold })
    }

    /// Entries so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The root over them.
    ///
    /// # Errors
    /// [`MissingHash`] never: a fold begins with the first entry.
    pub fn root(&self) -> Result<Hash, MissingHash> {
        self.tree.root()
    }

    /// What became of everybody in a campaign; nothing of one that the log does not know.
    #[must_use]
    pub fn campaign(&self, campaign: CampaignId) -> Option<&CampaignFold> {
        self.campaigns.get(&campaign)
    }

    /// Passes a store of the kind that it was made as.
    ///
    /// # Errors
    /// [`FoldRefusal::Kind`].
    pub fn check_kind(&self, row: InstanceKind) -> Result<(), FoldRefusal> {
        match self.kind {
            Some(logged) if logged != row => Err(FoldRefusal::Kind { row, logged }),
            _ => Ok(()),
        }
    }

    /// The instance key that was put into force last; `None` as long as the first one is.
    #[must_use]
    pub const fn key_in_force(&self) -> Option<KeyId> {
        self.key
    }

    /// Passes a kill switch that stands as it was moved last.
    ///
    /// # Errors
    /// [`FoldRefusal::KillSwitch`].
    pub fn check_kill_switch(&self, row: KillSwitch) -> Result<(), FoldRefusal> {
        let logged = self.kill_switch.unwrap_or(KillSwitch::Released);
        if row == logged { Ok(()) } else { Err(FoldRefusal::KillSwitch { row, logged }) }
    }

    /// Passes the digest of the newest roster document, or that there is none.
    ///
    /// # Errors
    /// [`FoldRefusal::Roster`].
    pub fn check_roster(&self, digest: Option<&str>) -> Result<(), FoldRefusal> {
        if self.roster.as_deref() == digest { Ok(()) } else { Err(FoldRefusal::Roster) }
    }

    /// Passes the digest of the signed document that permits sending.
    ///
    /// # Errors
    /// [`FoldRefusal::Arming`].
    pub fn check_arming(&self, digest: &str) -> Result<(), FoldRefusal> {
        match &self.arming {
            Some(ArmedFold { digest: logged, .. })
                if logged.as_deref().is_none_or(|d| d == digest) =>
            {
                Ok(())
            }
            _ => Err(FoldRefusal::Arming),
        }
    }

    /// When sending was armed, or something was last sealed or sent.
    #[must_use]
    pub fn arming_used_at(&self) -> Option<Timestamp> {
        self.arming.as_ref().map(|arming| arming.used_at)
    }

    /// Passes a store that holds no arming, if none was ever taken.
    ///
    /// # Errors
    /// [`FoldRefusal::NoRow`].
    pub fn check_no_arming(&self) -> Result<(), FoldRefusal> {
        if self.arming.is_none() { Ok(()) } else { Err(FoldRefusal::NoRow { table: "arming" }) }
    }

    /// Passes the campaigns that the store holds, if none is missing there.
    ///
    /// # Errors
    /// [`FoldRefusal::NoCampaign`].
    pub fn check_campaigns(&self, rows: &[CampaignId]) -> Result<(), FoldRefusal> {
        match self.campaigns.keys().find(|campaign| !rows.contains(campaign)) {
            Some(campaign) => Err(FoldRefusal::NoCampaign { campaign: *campaign }),
            None => Ok(()),
        }
    }

    /// Passes a campaign that stands where it moved to last.
    ///
    /// # Errors
    /// [`FoldRefusal::Campaign`].
    pub fn check_campaign(
        &self,
        id: CampaignId,
        row: &CampaignStanding,
    ) -> Result<(), FoldRefusal> {
        let logged = self.campaign(id).and_then(|campaign| campaign.standing.as_ref());
        if logged.is_some_and(|logged| logged.is_of(row)) {
            return Ok(());
        }
        Err(FoldRefusal::Campaign { campaign: id })
    }

    /// Passes a campaign that may end: no swap of it is open, every notice is final, and whoever is
    /// sealed has one.
    ///
    /// # Errors
    /// [`FoldRefusal`] names what is left.
    pub fn check_settled(&self, id: CampaignId) -> Result<(), FoldRefusal> {
        if let Some((swap, _)) = self.open_swaps().find(|(_, of)| *of == Some(id)) {
            return Err(FoldRefusal::Swap { swap });
        }
        let Some(campaign) = self.campaign(id) else { return Ok(()) };
        if let Some(notice) = campaign.open_notice() {
            return Err(FoldRefusal::Notice { notice });
        }
        match campaign.untold_address() {
            Some(address) => Err(FoldRefusal::Address { campaign: id, address }),
            None => Ok(()),
        }
    }

    /// Passes an address that somebody may take up: it is not done.
    ///
    /// # Errors
    /// [`FoldRefusal::Address`].
    pub fn check_address(&self, id: CampaignId, address: u64) -> Result<(), FoldRefusal> {
        if self.campaign(id).is_some_and(|campaign| campaign.done.contains(&address)) {
            return Err(FoldRefusal::Address { campaign: id, address });
        }
        Ok(())
    }

    /// Passes the digest of the plan that was frozen last.
    ///
    /// # Errors
    /// [`FoldRefusal::Plan`].
    pub fn check_plan(&self, id: CampaignId, digest: &str) -> Result<(), FoldRefusal> {
        let logged = self.campaign(id).and_then(|campaign| campaign.plan.as_deref());
        if logged == Some(digest) { Ok(()) } else { Err(FoldRefusal::Plan { campaign: id }) }
    }

    /// Passes the campaigns that have taken a password of somebody out of use by their rows, if none
    /// is missing there that has done so for sure, and was not put back.
    ///
    /// # Errors
    /// [`FoldRefusal::ResetLine`].
    pub fn check_resets(&self, subject: SubjectId, rows: &[CampaignId]) -> Result<(), FoldRefusal> {
        let whom = Whom::Subject(subject);
        let is_kept = |id: &CampaignId| rows.contains(id);
        let mut missing = self.campaigns.iter().filter(|(id, _)| !is_kept(id));
        match missing.find(|(_, campaign)| campaign.is_out_of_use(&whom)) {
            Some((campaign, _)) => Err(FoldRefusal::ResetLine { campaign: *campaign, subject }),
            None => Ok(()),
        }
    }

    /// What was last said in public of each campaign of which anything was.
    pub fn statements(&self) -> impl Iterator<Item = (CampaignId, &StatementFold)> {
        self.campaigns.iter().filter_map(|(id, fold)| Some((*id, fold.statement.as_ref()?)))
    }

    /// Passes a notice that may begin: it is as it was left, it is to all people to whom it is due,
    /// and nobody has told one of them of the same password before. Returns when it was written.
    ///
    /// # Errors
    /// [`FoldRefusal`] says what is against it.
    pub fn check_begin(
        &self,
        campaign: CampaignId,
        notice: NoticeId,
        attempts: u32,
        subjects: &[SubjectId],
    ) -> Result<Timestamp, FoldRefusal> {
        let unknown = || FoldRefusal::Notice { notice };
        let fold = self.campaign(campaign).ok_or_else(unknown)?;
        let NoticeFold { address, made_at, lines, .. } =
            *check_notice(fold.notices.get(&notice), notice, attempts)?;
        if fold.sealed_at(address).next().is_none() {
            return Err(unknown());
        }
        if (subjects.len() as u64) < lines {
            return Err(FoldRefusal::Lines { notice });
        }
        for subject in subjects {
            let whom = Whom::Subject(*subject);
            if !fold.was_sealed_at(address, &whom) {
                return Err(FoldRefusal::Lines { notice });
            }
            // It says what to do all the same, and another campaign seals nobody before it is sent.
            if fold.is_put_back(&whom) {
                continue;
            }
            if let Some(earlier) = self.told_by(fold, &whom)
                && earlier != notice
            {
                return Err(FoldRefusal::Told { notice, earlier });
            }
        }
        Ok(made_at)
    }

    /// Passes a notice of no campaign that may begin: it is as it was left, and tells what it was
    /// written for, to whom. `row` is SHA-256 of its row. Returns when it was written.
    ///
    /// # Errors
    /// [`FoldRefusal::Notice`].
    pub fn check_requested(
        &self,
        notice: NoticeId,
        attempts: u32,
        row: &str,
    ) -> Result<Timestamp, FoldRefusal> {
        let logged = self.requested.get(&notice);
        let standing = check_notice(logged.map(|logged| &logged.standing), notice, attempts)?;
        let is_of_row = |logged: &RequestedFold| logged.row.as_deref().is_none_or(|of| of == row);
        let made_at = logged.is_some_and(is_of_row).then_some(standing.made_at);
        made_at.ok_or(FoldRefusal::Notice { notice })
    }

    /// Whether a step may be lost by which a notice was sent: the store was put back since.
    #[must_use]
    pub fn is_perhaps_sent(&self, campaign: Option<CampaignId>, notice: NoticeId) -> bool {
        match campaign {
            Some(campaign) => self.campaign(campaign).is_some_and(|fold| fold.is_restored),
            None => self.requested.get(&notice).is_some_and(|fold| fold.is_restored),
        }
    }

    /// Whether operators have signed that steps may be lost, and the site's table was not compared
    /// as a whole since.
    #[must_use]
    pub const fn is_uncompared(&self) -> bool {
        self.is_uncompared
    }

    /// How many accounts may hold a value of ours that nothing tells of, since operators have signed
    /// that steps may be lost: any number until the table was compared, and then no more than it held.
    #[must_use]
    pub const fn unrecorded_explained(&self) -> u64 {
        if self.is_uncompared { u64::MAX } else { self.unrecorded }
    }

    /// The moment of the backup that the store was made from, as long as no operators have signed that
    /// they know it.
    #[must_use]
    pub const fn restored_from(&self) -> Option<Timestamp> {
        self.restored_from
    }

    /// When the last backup was made.
    #[must_use]
    pub const fn last_backup(&self) -> Option<Timestamp> {
        self.last_backup
    }

    /// When the site's table was last compared with what is kept, and what was found.
    #[must_use]
    pub const fn last_reconciled(&self) -> Option<&(Timestamp, Reconciled)> {
        self.reconciled.as_ref()
    }

    /// What became of each campaign, by its number.
    pub fn campaigns(&self) -> impl Iterator<Item = (CampaignId, &CampaignFold)> {
        self.campaigns.iter().map(|(id, fold)| (*id, fold))
    }

    /// Whether a link is later than those by which this person has chosen a password.
    #[must_use]
    pub fn is_link_unused(&self, subject: SubjectId, link: i64) -> bool {
        self.used_links.get(&Whom::Subject(subject)).is_none_or(|used| link > *used)
    }

    fn told_by(&self, campaign: &CampaignFold, whom: &Whom) -> Option<NoticeId> {
        let version = campaign.versions.get(whom)?;
        self.told.get(&(whom.clone(), *version)).copied()
    }

    /// `hash` is the entry's in the log's tree.
    fn follow(&mut self, entry: FoldEntry, hash: &Hash) {
        if let (Some(arming), Some(at)) = (&mut self.arming, entry.uses_arming_at()) {
            arming.used_at = arming.used_at.max(at);
        }
        match entry {
            FoldEntry::Campaign(campaign, at, event) => {
                self.swaps.follow_campaign(campaign, &event, (hash, at));
                self.follow_campaign(campaign, at, *event);
            }
            FoldEntry::StoreMade(kind) => self.kind = Some(kind),
            FoldEntry::KeyRotated(key) => {
                self.key = Some(key);
                // By this very key accounts may have been sealed of which nothing tells.
                self.is_uncompared |= self.is_restored;
            }
            FoldEntry::KillSwitch(position) => self.kill_switch = Some(position),
            FoldEntry::Roster(digest) => self.roster = Some(digest),
            FoldEntry::Armed(armed) => self.arm(armed),
            FoldEntry::BackupMade(at) => self.last_backup = Some(at),
            FoldEntry::Restored(from) => {
                self.lose_steps();
                (self.arming, self.restored_from) = (None, Some(from));
            }
            FoldEntry::Requested(at, step) => self.follow_requested(step, at),
            FoldEntry::Recovery(at, event) => {
                self.swaps.follow_choice(&event, (hash, at));
                self.follow_recovery(at, event);
            }
            FoldEntry::LeakAdded(added, at) => {
                self.leaks.insert(added.leak, LeakFold::added(&added, at));
            }
            FoldEntry::LeakScreened(leak, looked_at) => {
                self.leaks.entry(leak).or_default().screen(looked_at);
            }
            FoldEntry::BatchVerified(leak, noted) => {
                self.leaks.entry(leak).or_default().note(noted);
            }
            FoldEntry::LeakVerified(leak, at) => {
                self.leaks.entry(leak).or_default().verified_at = Some(at);
            }
            FoldEntry::LeakRemoved(leak) => drop(self.leaks.remove(&leak)),
            FoldEntry::FindingMade(leak, whom, found) => {
                self.leaks.entry(leak).or_default().found.insert(whom, found);
            }
            FoldEntry::ValueFound(swap) => self.swaps.find(swap),
            FoldEntry::Reconciled(at, result, whole) => self.compare(at, *result, whole),
            FoldEntry::Other => {}
        }
    }

    fn compare(&mut self, at: Timestamp, result: Reconciled, whole: bool) {
        if whole {
            let unrecorded = result.found(Discrepancy::Unrecorded);
            self.unrecorded = unrecorded.min(self.unrecorded_explained());
            self.is_uncompared = false;
        }
        self.reconciled = Some((at, result));
    }

    fn follow_recovery(&mut self, at: Timestamp, event: RecoveryEvent) {
        match event {
            RecoveryEvent::RequestedNoticeMade { notice, row, kind, whom } => {
                if kind != NoticeKind::ResetDone {
                    let is_old = |(of, _): &(Timestamp, Whom)| of.after(LETTERS_KEPT) < at;
                    while self.letters.front().is_some_and(is_old) {
                        self.letters.pop_front();
                    }
                    self.letters.push_back((at, whom));
                }
                let standing = NoticeFold::pending(0, kind, at);
                self.requested.insert(notice, RequestedFold { standing, row, is_restored: false });
            }
            RecoveryEvent::PasswordChosen { whom, link } => {
                let last = self.used_links.entry(whom).or_insert(link);
                *last = link.max(*last);
            }
            RecoveryEvent::ChoiceIntended { .. }
            | RecoveryEvent::ChoiceTaken { .. }
            | RecoveryEvent::ChoiceEnded { .. } => {}
        }
    }

    /// Once the store was restored, only an arming counts whose signers know it.
    fn arm(&mut self, armed: ArmedFold) {
        if armed.is_restored {
            self.lose_steps();
            self.restored_from = None;
        }
        if self.restored_from.is_none() {
            self.arming = Some(armed);
        }
    }

    /// Whatever was under way may have gone further than this log tells.
    fn lose_steps(&mut self) {
        (self.is_uncompared, self.is_restored) = (true, true);
        self.campaigns.values_mut().for_each(|campaign| campaign.is_restored = true);
        self.requested.values_mut().for_each(|requested| requested.is_restored = true);
    }

    fn follow_campaign(&mut self, campaign: CampaignId, at: Timestamp, event: CampaignEvent) {
        let fold = self.campaigns.entry(campaign).or_default();
        // Their password works again: whoever takes it out of use anew has to tell them anew.
        if let CampaignEvent::AccountPutBack { whom, .. } = &event
            && let Some(version) = fold.versions.get(whom)
        {
            self.told.remove(&(whom.clone(), *version));
        }
        if let Some(begun) = fold.take(event, at) {
            for person in fold.people_of(begun) {
                self.told.entry(person).or_insert(begun);
            }
        }
    }

    /// Of one that is final the number alone is kept, and so it never begins again.
    fn follow_requested(&mut self, step: NoticeStep, at: Timestamp) {
        let (notice, attempt, state) = match step {
            NoticeStep::NoticeBegun { notice, attempt, .. } => {
                (notice, attempt, NoticeState::Inflight)
            }
            NoticeStep::NoticeEnded { notice, attempt, state, .. } => (notice, attempt, state),
            NoticeStep::NoticeDisputed { .. } => return,
        };
        if state.is_final() {
            if self.requested.remove(&notice).is_some() {
                self.requested_ended.insert(notice);
            }
        } else if let Some(requested) = self.requested.get_mut(&notice) {
            let standing = &mut requested.standing;
            (standing.attempt, standing.state, standing.moved_at) = (attempt, state, at);
        }
    }
}

/// A notice that no campaign sends.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RequestedFold {
    standing: NoticeFold,
    /// SHA-256 of its row, in hexadecimal.
    row: Option<String>,
    /// As [`CampaignFold::is_restored`].
    is_restored: bool,
}

fn check_notice(
    logged: Option<&NoticeFold>,
    notice: NoticeId,
    attempts: u32,
) -> Result<&NoticeFold, FoldRefusal> {
    let is_left_so =
        |logged: &&NoticeFold| logged.state == NoticeState::Pending && logged.attempt == attempts;
    logged.filter(is_left_so).ok_or(FoldRefusal::Notice { notice })
}

#[cfg(test)]
mod tests;
