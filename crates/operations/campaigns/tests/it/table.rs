//! A site's table, and a campaign that has done this and that to its accounts.

use std::{slice, sync::Arc, time::Duration};

use campaigns::{
    ReconcileError, ReconcileOutcome, Reconciling, Thoroughness, reconcile, swap_digest,
};
use directory::{Columns, Mapping};
use instance::{
    Unseen,
    testing::{NOW, TestSite},
};
use ledger::CampaignEvent;
use model::{
    AccountId, CampaignId, CampaignState, Credential, CredentialVersion, FindingId, HashFormat,
    LeakId, SkipReason, StoredHash, SubjectId, SwapId, SwapState, TargetState, Tier,
};
use outbox::Addressee;
use password::{CostLimits, HashForms, Verifier};
use sql::Db;
use store::{
    NewAddress, NewCampaign, NewFinding, NewResetLine, NewSwap, NewTarget, SwapBehalf, TargetRow,
    Tx, WorkerName,
};
use tempfile::TempDir;

use crate::{
    meddled::Meddled,
    sealed::{Databases, file, leak, numbers, open, run},
};

/// Longer than any test runs.
pub(crate) const LONG: Duration = Duration::from_hours(1);

pub(crate) struct Table {
    pub(crate) instance: TestSite,
    pub(crate) directory: Meddled,
    pub(crate) campaign: CampaignId,
    site: Db,
    verifier: Arc<Verifier>,
    leak: LeakId,
    store: String,
    _folder: TempDir,
}

impl Table {
    /// With the accounts `0`, `1` and so on, whose passwords are as they were found; a campaign that
    /// runs is about those below `targets`.
    pub(crate) async fn new(databases: Databases, accounts: u64, targets: u64) -> Self {
        let read = databases.site.clone();
        Self::reading(databases, &read, accounts, targets).await
    }

    /// The same, and what is read comes from a copy of the site's file that does not follow it.
    pub(crate) async fn lagging(databases: Databases, accounts: u64, targets: u64) -> Self {
        let copy = format!("sqlite:{}", databases.folder.path().join("copy.db").display());
        Self::reading(databases, &copy, accounts, targets).await
    }

    async fn reading(databases: Databases, read: &str, accounts: u64, targets: u64) -> Self {
        let instance = TestSite::at(&databases.store).await;
        let site = open(&databases.site).await;
        fill(&site, accounts).await;
        let (store, folder) = (databases.store, databases.folder);
        if read != databases.site {
            fill(&open(read).await, accounts).await;
        }
        let columns = Columns { username: None, ..Mapping::generic().columns };
        let mapping = Mapping { columns, ..Mapping::generic() };
        let directory = directory::open(read, Some(&databases.site), mapping).await.unwrap();
        let directory = Meddled::new(directory, site.clone());
        let verifier = Arc::new(Verifier::new(CostLimits::default(), HashForms::known()));
        let (leak, campaign) = begin(&instance).await;
        let table =
            Self { instance, directory, campaign, site, verifier, leak, store, _folder: folder };
        table.target(targets).await;
        table.put_into("running", CampaignState::Canary).await;
        table
    }

    async fn target(&self, targets: u64) {
        let mut tx = self.instance.store().begin().await.unwrap();
        let mut addresses = Vec::new();
        for number in 0..targets {
            addresses.push(NewAddress { number, key: self.address_key(number), accounts: 1 });
        }
        tx.add_addresses(self.campaign, addresses).await.unwrap();
        let mut rows = Vec::new();
        for number in 0..targets {
            let finding = self.find(&mut tx, number).await;
            let (subject, version) =
                (self.subject(&mut tx, number).await, self.version(&old(number)));
            let findings = vec![finding];
            rows.push(NewTarget { place: number, subject, address: number, version, findings });
        }
        tx.add_targets(self.campaign, &rows).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn address_key(&self, number: u64) -> [u8; 32] {
        let account = model::Account {
            id: id(number),
            email: Some(email(number)),
            username: None,
            credential: None,
            hash_changed_at: None,
            email_verified: None,
            locale: None,
            last_login_at: None,
            second_factor: None,
            active: None,
            other_emails: Vec::new(),
            unreadable: None,
        };
        let addressee = Addressee::of(&self.instance, Some(self.campaign), &account, false);
        *addressee.unwrap().key.as_bytes()
    }

    async fn find(&self, tx: &mut Tx, number: u64) -> FindingId {
        let finding = NewFinding {
            leak: self.leak,
            subject: self.subject(tx, number).await,
            version: self.version(&old(number)),
            tier: Tier::Exact,
            hash_format: "django_pbkdf2".parse::<HashFormat>().unwrap(),
            verified_at: NOW,
            wrapped_key: Vec::new(),
            sealed_secret: Vec::new(),
        };
        tx.add_finding(&finding, &[]).await.unwrap()
    }

    /// Finds the passwords of these accounts, and nothing else is known of them.
    pub(crate) async fn find_all(&self, numbers: impl IntoIterator<Item = u64>) {
        let mut tx = self.instance.store().begin().await.unwrap();
        for number in numbers {
            self.find(&mut tx, number).await;
        }
        tx.commit().await.unwrap();
    }

    /// The number of an account.
    pub(crate) async fn subject(&self, tx: &mut Tx, number: u64) -> SubjectId {
        let account = id(number);
        let named = self.instance.name_accounts(tx, slice::from_ref(&account)).await.unwrap();
        named[&account]
    }

    pub(crate) fn version(&self, hash: &StoredHash) -> CredentialVersion {
        Credential::from(hash.clone()).version(self.instance.keys())
    }

    /// What is made in the place of an account's password: another hash each time.
    pub(crate) fn made(&self, number: u64) -> StoredHash {
        let secret = self.instance.keys().sealed_secret(&id(number), self.version(&old(number)));
        self.verifier.imitate(&old(number), None, &secret, self.instance.randomness()).unwrap()
    }

    /// A campaign begins to seal an account, and this is how it is recorded to have ended. The site's
    /// row is as it was. Returns the value that was made.
    pub(crate) async fn seal(&self, number: u64, end: SwapState) -> StoredHash {
        let made = self.made(number);
        let campaign = self.campaign;
        let (expected, sealed) = (self.version(&old(number)), self.version(&made));
        let behalf = SwapBehalf::Seal { campaign, round: 1 };
        let mut tx = self.instance.store().begin().await.unwrap();
        let subject = self.subject(&mut tx, number).await;
        let swap = NewSwap { subject, behalf, expected, made: sealed };
        let owner = WorkerName::from_random([7; 16]);
        tx.take_address(campaign, number, &owner, Duration::ZERO).await.unwrap();
        let held = tx.intend_swap(&swap, &owner, LONG).await.unwrap().unwrap();
        let findings = tx.findings_of(subject).await.unwrap();
        let evidence: Vec<_> = findings.iter().map(|finding| finding.id).collect();
        let line = NewResetLine {
            subject,
            version: expected,
            replaced: expected,
            sealed,
            wrapped_key: b"key".to_vec(),
            kept: b"kept".to_vec(),
            evidence: evidence.clone(),
        };
        tx.put_reset_line(campaign, line, NOW).await.unwrap();
        let event = CampaignEvent::AccountSealing {
            campaign,
            whom: subject.into(),
            credential_version: expected,
            address: None,
            findings: evidence.iter().map(|finding| finding.0).collect(),
            swap: Some(held.id),
            row: Some(swap_digest(&swap)),
        };
        self.instance.record(&mut tx, &[event.into()]).await.unwrap();
        if end != SwapState::Intended {
            assert!(tx.end_swap(held, end).await.unwrap().is_some());
            let event = ended_event(campaign, subject, number, held.id, end);
            self.instance.record(&mut tx, &[event.into()]).await.unwrap();
        }
        let (state, reason) = ended(end);
        let from = TargetState::Pending;
        assert!(tx.move_target(campaign, subject, from, state, reason).await.unwrap());
        if end == SwapState::Undone {
            tx.drop_reset_line(campaign, subject).await.unwrap();
        }
        tx.commit().await.unwrap();
        made
    }

    /// As [`Table::seal`], and the value stands in the site's row.
    pub(crate) async fn seal_and_write(&self, number: u64, end: SwapState) -> StoredHash {
        let made = self.seal(number, end).await;
        self.write(number, made.expose()).await;
        made
    }

    /// Every account of an address is settled without a notice.
    pub(crate) async fn finish_address(&self, number: u64) {
        let text = "UPDATE campaign_address SET done_at = 5, settled_at = 5 WHERE number =";
        self.in_store(&format!("{text} {number}")).await;
    }

    /// The campaign is in this state, whatever was before.
    pub(crate) async fn put_into(&self, state: &str, word: CampaignState) {
        let state = match state {
            "running" => r#"{"running":"canary"}"#.to_owned(),
            state => format!("{state:?}"),
        };
        let machine = format!(
            r#"{{"id":{},"round":1,"state":{state},"since":{},"order":null}}"#,
            self.campaign.0,
            NOW.as_micros()
        );
        let mut tx = self.instance.store().begin().await.unwrap();
        tx.save_campaign(self.campaign, word, machine.into_bytes()).await.unwrap();
        let moved = CampaignEvent::CampaignMoved {
            campaign: self.campaign,
            round: 1,
            from: String::new(),
            to: word.to_string(),
            reason: None,
            machine: None,
        };
        self.instance.record(&mut tx, &[moved.into()]).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn state(&self) -> CampaignState {
        let mut tx = self.instance.store().read().await.unwrap();
        tx.campaign_by_id(self.campaign).await.unwrap().state
    }

    pub(crate) async fn target_of(&self, number: u64) -> TargetRow {
        let mut tx = self.instance.store().read().await.unwrap();
        let subject = self.instance.subject_of(&mut tx, &id(number)).await.unwrap().unwrap();
        tx.target(self.campaign, subject).await.unwrap()
    }

    /// Somebody writes this hash into the row of an account.
    pub(crate) async fn write(&self, number: u64, hash: &str) {
        run(&self.site, &written(number, hash), &[]).await;
    }

    pub(crate) async fn in_site(&self, text: &str) {
        run(&self.site, text, &[]).await;
    }

    pub(crate) async fn in_store(&self, text: &str) {
        run(&open(&self.store).await, text, &[]).await;
    }

    pub(crate) fn means(&self) -> Reconciling<'_> {
        Reconciling {
            instance: &self.instance,
            directory: &self.directory,
            verifier: &self.verifier,
            progress: &Unseen,
        }
    }

    pub(crate) async fn compare(&self) -> ReconcileOutcome {
        self.try_compare(Thoroughness::default()).await.unwrap()
    }

    pub(crate) async fn try_compare(
        &self,
        thoroughness: Thoroughness,
    ) -> Result<ReconcileOutcome, ReconcileError> {
        reconcile(&self.means(), thoroughness).await
    }
}

fn ended_event(
    campaign: CampaignId,
    subject: SubjectId,
    address: u64,
    swap: SwapId,
    end: SwapState,
) -> CampaignEvent {
    let whom = subject.into();
    match end {
        SwapState::Done => CampaignEvent::AccountSealed { campaign, whom, address },
        SwapState::Overtaken => CampaignEvent::AccountOvertaken { campaign, whom, swap },
        SwapState::Undone | SwapState::Intended => {
            CampaignEvent::AccountSkipped { campaign, whom, reason: SkipReason::Changed }
        }
    }
}

fn ended(end: SwapState) -> (TargetState, Option<SkipReason>) {
    match end {
        SwapState::Intended => (TargetState::Sealing, None),
        SwapState::Done => (TargetState::Sealed, None),
        SwapState::Undone => (TargetState::Skipped, Some(SkipReason::Changed)),
        SwapState::Overtaken => (TargetState::Overtaken, None),
    }
}

pub(crate) fn id(number: u64) -> AccountId {
    AccountId::new(number.to_string()).unwrap()
}

fn email(number: u64) -> String {
    format!("{number}@example.org")
}

const DIGEST: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The password that was found of an account, as it was stored.
pub(crate) fn old(number: u64) -> StoredHash {
    hash(format!("pbkdf2_sha256$2$old{number}${DIGEST}"))
}

/// The password that an account's owner has chosen since.
pub(crate) fn own(number: u64) -> StoredHash {
    hash(format!("pbkdf2_sha256$2$own{number}${DIGEST}"))
}

fn hash(text: String) -> StoredHash {
    StoredHash::from_column(Some(text)).unwrap()
}

/// What writes this hash into the row of an account.
pub(crate) fn written(number: u64, hash: &str) -> String {
    format!("UPDATE users SET password_hash = '{hash}' WHERE id = {number}")
}

async fn fill(site: &Db, accounts: u64) {
    run(site, "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, password_hash TEXT)", &[])
        .await;
    let numbers = numbers(accounts);
    let rows = format!(
        "INSERT INTO users {numbers} SELECT i, i || '@example.org', 'pbkdf2_sha256$2$old' || i || \
         '${DIGEST}' FROM n"
    );
    run(site, &rows, &[]).await;
}

async fn begin(instance: &TestSite) -> (LeakId, CampaignId) {
    let mut tx = instance.store().begin().await.unwrap();
    let leak = tx.add_leak(&leak(), &[file()]).await.unwrap();
    let new = NewCampaign {
        name: "Spring".to_owned(),
        author: "ana".to_owned(),
        policy: Vec::new(),
        created_at: NOW,
        leaks: vec![leak],
    };
    let (name, author) = (new.name.clone(), new.author.clone());
    let campaign = tx.add_campaign(new).await.unwrap();
    let (leaks, machine) = (vec![leak], None);
    let drafted = CampaignEvent::CampaignDrafted { campaign, name, author, leaks, machine };
    instance.record(&mut tx, &[drafted.into()]).await.unwrap();
    tx.commit().await.unwrap();
    (leak, campaign)
}
