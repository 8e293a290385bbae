//! A log as years of campaigns leave it.

use std::{collections::BTreeMap, time::Instant};

use instance::{Instance, keep_proved};
use ledger::{CampaignEvent, LogEvent, NoticeStep, RecoveryEvent};
use model::{
    CampaignId, ChosenPassword, CredentialVersion, HashFormat, LeakId, NoticeId, NoticeKind,
    NoticeState, RecordRef, SkipReason, SubjectId, SwapId, Tier, canonical::hex_of,
};
use sha2::{Digest as _, Sha256};

/// Entries that are written in one transaction.
const PORTION: usize = 10_000;

/// The last ones come after the last snapshot, of which there is one every 100,000. The snapshots
/// before are left out: each takes the place of the one before it.
const NOT_KEPT: u64 = 50_000;

/// People of one campaign.
const CROWD: u64 = 1000;

/// Ids that no row of the store has: they come after the measured campaign's.
const BEFORE: i64 = 1_000_000;

/// Everything that was written, and how long it last took to keep it.
pub(super) struct Filled {
    pub(super) people: f64,
    pub(super) kept: Option<f64>,
}

/// Writes a log of so many entries.
pub(super) struct Filler<'a> {
    instance: &'a Instance,
    entries: u64,
    written: u64,
    portion: Vec<LogEvent>,
    kept: Option<f64>,
}

impl<'a> Filler<'a> {
    pub(super) const fn new(instance: &'a Instance, entries: u64) -> Self {
        Self { instance, entries, written: 0, portion: Vec::new(), kept: None }
    }

    /// Campaign after campaign; the last one is not ended.
    pub(super) async fn fill(mut self) -> Filled {
        let mut campaign = 0;
        while self.has_room() {
            self.campaign(campaign).await;
            campaign += 1;
        }
        if !self.portion.is_empty() {
            self.write().await;
        }
        let log = self.instance.store().begin().await.unwrap();
        let people = people(self.instance, log).await;
        Filled { people, kept: self.kept }
    }

    async fn campaign(&mut self, number: i64) {
        let campaign = CampaignId(BEFORE + number);
        let people = || (0..CROWD).map(|person| number.unsigned_abs() * CROWD + person);
        for person in people() {
            self.add([found(person)]).await;
        }
        self.add(begun(campaign)).await;
        for (person, place) in people().zip(0..) {
            self.add(settled(campaign, person, place)).await;
        }
        self.add([moved(campaign, "ramp", "done")]).await;
        for person in people().filter(|person| !person.is_multiple_of(20) && person % 5 < 3) {
            self.add(returned(campaign, person)).await;
        }
        self.add([moved(campaign, "done", "closed")]).await;
    }

    fn has_room(&self) -> bool {
        self.written + (self.portion.len() as u64) < self.entries
    }

    async fn add(&mut self, events: impl IntoIterator<Item = LogEvent>) {
        if !self.has_room() {
            return;
        }
        self.portion.extend(events);
        if self.portion.len() >= PORTION {
            self.write().await;
        }
    }

    async fn write(&mut self) {
        let mut tx = self.instance.store().begin().await.unwrap();
        self.instance.record(&mut tx, &self.portion).await.unwrap();
        tx.commit().await.unwrap();
        self.written += self.portion.len() as u64;
        self.portion.clear();
        let is_over = self.written + NOT_KEPT >= self.entries;
        if is_over && self.entries > NOT_KEPT && self.kept.is_none() {
            self.keep().await;
        }
    }

    /// What is new is read before the time runs.
    async fn keep(&mut self) {
        let mut tx = self.instance.store().begin().await.unwrap();
        drop(self.instance.proved(&mut tx).await.unwrap());
        drop(tx);
        let since = Instant::now();
        if keep_proved(self.instance).await.unwrap() {
            self.kept = Some(since.elapsed().as_secs_f64());
        }
    }
}

/// Accounts that the log knows to be settled.
async fn people(instance: &Instance, mut tx: store::Tx) -> f64 {
    let log = instance.proved(&mut tx).await.unwrap();
    let known = (BEFORE..).map_while(|campaign| log.campaign(CampaignId(campaign)));
    super::number(known.map(|campaign| campaign.accounts.len() as u64).sum())
}

/// What a campaign does at an address of one account.
pub(super) fn address(
    campaign: CampaignId,
    person: u64,
    address: u64,
    notice: NoticeId,
) -> Vec<LogEvent> {
    let step = |step: NoticeStep| step.into();
    let campaign_of_step = Some(campaign);
    vec![
        CampaignEvent::AccountSealing {
            campaign,
            whom: subject(person).into(),
            credential_version: version(person),
            address: Some(address),
            findings: vec![number(person)],
            swap: Some(SwapId(number(person))),
            row: Some(hex_of(version(person).as_bytes())),
        }
        .into(),
        CampaignEvent::AccountSealed { campaign, whom: subject(person).into(), address }.into(),
        CampaignEvent::AddressDone { campaign, address, notice: Some(notice) }.into(),
        step(NoticeStep::NoticeBegun { campaign: campaign_of_step, notice, attempt: 1 }),
        ended(campaign_of_step, notice, 1, NoticeState::Sent),
    ]
}

/// One of twenty has changed the password, and one of twenty-five mails is put off once.
fn settled(campaign: CampaignId, person: u64, place: u64) -> Vec<LogEvent> {
    let whom = subject(person).into();
    if person.is_multiple_of(20) {
        let reason = SkipReason::Changed;
        let skipped = CampaignEvent::AccountSkipped { campaign, whom, reason };
        let done = CampaignEvent::AddressDone { campaign, address: place, notice: None };
        return vec![skipped.into(), done.into()];
    }
    let notice = NoticeId(number(person));
    let mut events = address(campaign, person, place, notice);
    if person % 25 == 1 {
        events.pop();
        events.push(ended(Some(campaign), notice, 1, NoticeState::Pending));
        let campaign = Some(campaign);
        events.push(NoticeStep::NoticeBegun { campaign, notice, attempt: 2 }.into());
        events.push(ended(campaign, notice, 2, NoticeState::Sent));
    }
    events
}

/// Every second one by a link.
fn returned(campaign: CampaignId, person: u64) -> Vec<LogEvent> {
    let mut events = Vec::new();
    if person.is_multiple_of(2) {
        let notice = NoticeId(number(person) + 1_000_000_000);
        let (kind, row) = (NoticeKind::ResetLink, Some(digest(person)));
        let whom = subject(person).into();
        events.push(RecoveryEvent::RequestedNoticeMade { notice, kind, whom, row }.into());
        events.push(NoticeStep::NoticeBegun { campaign: None, notice, attempt: 1 }.into());
        events.push(ended(None, notice, 1, NoticeState::Sent));
        let (whom, link) = (subject(person).into(), number(person));
        events.push(RecoveryEvent::PasswordChosen { whom, link }.into());
    }
    let (whom, password) = (subject(person).into(), ChosenPassword::Another);
    events.push(CampaignEvent::AccountReset { campaign, whom, password }.into());
    events
}

fn found(person: u64) -> LogEvent {
    LogEvent::FindingMade {
        leak: LeakId(BEFORE),
        whom: subject(person).into(),
        credential_version: version(person),
        hash_format: "django_pbkdf2".parse::<HashFormat>().unwrap(),
        tier: Tier::Exact,
        records: vec![RecordRef {
            file: "/srv/leaks/forum.txt".to_owned(),
            member: None,
            line: person,
            offset: person * 40,
        }],
    }
}

fn begun(campaign: CampaignId) -> Vec<LogEvent> {
    let approved = |operator: &str| {
        let operator = operator.to_owned();
        CampaignEvent::CampaignApproved { campaign, round: 1, operator }.into()
    };
    vec![
        CampaignEvent::CampaignDrafted {
            campaign,
            name: format!("Campaign {}", campaign.0),
            author: "ana".to_owned(),
            leaks: vec![LeakId(BEFORE)],
            machine: Some(digest(0)),
        }
        .into(),
        CampaignEvent::CampaignFrozen {
            campaign,
            round: 1,
            plan: digest(1),
            targets: CROWD,
            addresses: CROWD,
            skipped: BTreeMap::new(),
            author_signs: false,
        }
        .into(),
        moved(campaign, "draft", "frozen"),
        approved("bob"),
        approved("cleo"),
        moved(campaign, "frozen", "ramp"),
    ]
}

fn moved(campaign: CampaignId, from: &str, to: &str) -> LogEvent {
    let (from, to) = (from.to_owned(), to.to_owned());
    let machine = Some(digest(2));
    CampaignEvent::CampaignMoved { campaign, round: 1, from, to, reason: None, machine }.into()
}

fn ended(
    campaign: Option<CampaignId>,
    notice: NoticeId,
    attempt: u32,
    state: NoticeState,
) -> LogEvent {
    NoticeStep::NoticeEnded { campaign, notice, attempt, state }.into()
}

fn subject(person: u64) -> SubjectId {
    SubjectId(number(person))
}

fn version(person: u64) -> CredentialVersion {
    CredentialVersion::from_bytes(Sha256::digest(person.to_be_bytes()).into())
}

fn digest(of: u64) -> String {
    hex_of(Sha256::digest(of.to_be_bytes()).as_slice())
}

fn number(person: u64) -> i64 {
    BEFORE + i64::try_from(person).unwrap()
}
