use std::{ops::Deref, time::Duration};

use model::{
    AccountId, CampaignId, CredentialVersion, FileId, FindingId, HashFormat, LeakId, Provenance,
    SubjectId, TargetState, Tier, Timestamp,
};
use sql::{Access, Constraint, Db, OpenOptions, QueryText, SqlError};
use store::{
    JobKind, Lease, NewAddress, NewCampaign, NewCandidate, NewFile, NewFinding, NewLeak, NewPiece,
    NewResetLine, NewTarget, Store, StoreError, StoreOptions, Tx, WorkerName,
};

/// So many transactions can be open at once.
pub(crate) const CONNECTIONS: u32 = 6;

/// Longer than any test runs.
pub(crate) const LONG: Duration = Duration::from_hours(1);

/// Makes two tests out of each function: one a database.
macro_rules! on_both {
    ($($name:ident,)+) => {$(
        mod $name {
            use crate::support::TestStore;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(TestStore::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(TestStore::postgres().await).await;
            }
        }
    )+};
}

/// An empty, migrated store of one test's own.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestStore {
    pub(crate) async fn sqlite() -> Self {
        let (url, folder) = sqlite_url();
        let store = open(&url).await;
        store.migrate().await.unwrap();
        Self { store, url, _folder: Some(folder) }.with_subjects().await
    }

    pub(crate) async fn postgres() -> Self {
        let url = testkit::postgres().database().url;
        let store = open(&url).await;
        store.migrate().await.unwrap();
        Self { store, url, _folder: None }.with_subjects().await
    }

    /// A migrated store without any row.
    pub(crate) async fn empty_at(url: &str) -> Self {
        let store = open(url).await;
        store.migrate().await.unwrap();
        Self { store, url: url.to_owned(), _folder: None }
    }

    async fn with_subjects(self) -> Self {
        self.raw(SUBJECTS).await.unwrap();
        self
    }

    /// Runs a text that this crate would never run, on a connection of its own.
    pub(crate) async fn raw(&self, text: &str) -> Result<u64, SqlError> {
        let db = self.database().await;
        let mut tx = db.begin().await?;
        let changed = tx.run(&QueryText::composed(text.to_owned())).execute().await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// The rows that such a text answers with.
    pub(crate) async fn ask<R: sql::Record>(&self, text: &str) -> Vec<R> {
        let db = self.database().await;
        let mut tx = db.read().await.unwrap();
        tx.run(&QueryText::composed(text.to_owned())).all().await.unwrap()
    }

    /// The sort of rule that refuses a text.
    pub(crate) async fn refusal(&self, text: &str) -> Constraint {
        match self.raw(text).await {
            Err(SqlError::Constraint { kind, .. }) => kind,
            other => panic!("{text}: {other:?}"),
        }
    }

    async fn database(&self) -> Db {
        let options = OpenOptions { access: Access::Create, connections_max: 1 };
        Db::open(&self.url, options).await.unwrap()
    }

    /// What a trigger says that refuses a text.
    pub(crate) async fn objection(&self, text: &str) -> String {
        self.raw(text).await.expect_err(text).to_string()
    }

    pub(crate) async fn tx(&self) -> Tx {
        self.begin().await.unwrap()
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub(crate) async fn open(url: &str) -> Store {
    Store::open(url, StoreOptions { connections_max: CONNECTIONS }).await.unwrap()
}

pub(crate) fn sqlite_url() -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    (url, folder)
}

/// The sort of rule that an operation broke.
pub(crate) fn broken<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Constraint {
    match result {
        Err(StoreError::Sql(SqlError::Constraint { kind, .. })) => kind,
        other => panic!("no rule was broken: {other:?}"),
    }
}

pub(crate) fn account(id: &str) -> AccountId {
    AccountId::new(id).unwrap()
}

/// The subject of an account: its id, if that is a number, and otherwise one that no number of a
/// test is.
pub(crate) fn subject(id: &str) -> SubjectId {
    let of_name = || 1000 + id.bytes().fold(0, |sum, byte| (sum * 31 + i64::from(byte)) % 900);
    SubjectId(id.parse().unwrap_or_else(|_| of_name()))
}

/// Every subject that a test may name.
const SUBJECTS: &str = "INSERT INTO subject (id) WITH RECURSIVE number (n) AS \
    (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 1999) SELECT n FROM number";

pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn worker(number: u8) -> WorkerName {
    WorkerName::from_random([number; 16])
}

pub(crate) fn new_leak(name: &str) -> NewLeak {
    NewLeak {
        name: name.parse().unwrap(),
        public_name: None,
        date: "2016-05".parse().unwrap(),
        provenance: Provenance::Circulating,
        added_at: time(1_463_443_200_000_000),
        spool_key: b"wrapped spool key".to_vec(),
    }
}

pub(crate) fn new_file(path: &str) -> NewFile {
    NewFile {
        path: path.to_owned(),
        sha256: [7; 32],
        bytes: 4096,
        modified_at: time(1_463_443_199_000_001),
        compression: "gzip".to_owned(),
        kept: None,
    }
}

/// A leak with files of these paths.
pub(crate) async fn leak(tx: &mut Tx, name: &str, paths: &[&str]) -> (LeakId, Vec<FileId>) {
    let files: Vec<_> = paths.iter().map(|path| new_file(path)).collect();
    let leak = tx.add_leak(&new_leak(name), &files).await.unwrap();
    let files = tx.leak_files(leak).await.unwrap();
    (leak, files.iter().map(|file| file.id).collect())
}

/// A leak of one file with so many pieces of 100 bytes.
pub(crate) async fn leak_in_pieces(store: &TestStore, name: &str, pieces: u64) -> LeakId {
    let mut tx = store.tx().await;
    let (leak, files) = leak(&mut tx, name, &["one.txt"]).await;
    let piece = |n| NewPiece { file: files[0], start: n * 100, end: n * 100 + 100 };
    tx.add_pieces(leak, &(0..pieces).map(piece).collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    leak
}

/// Takes a job that is there.
pub(crate) async fn take(tx: &mut Tx, kind: JobKind, leak: LeakId) -> Lease {
    tx.take_job(kind, leak, &worker(1), LONG).await.unwrap().expect("there is a job")
}

pub(crate) fn candidate(id: &str, line: u64, offset: u64) -> NewCandidate {
    NewCandidate {
        account: account(id),
        tier: Tier::Exact,
        line,
        offset,
        length: 24,
        sealed: format!("secrets of {id}").into_bytes(),
    }
}

pub(crate) fn version(byte: u8) -> CredentialVersion {
    CredentialVersion::from_bytes([byte; 32])
}

/// A finding with the first of an account's passwords, or another one.
pub(crate) fn new_finding(leak: LeakId, id: &str, password: u8) -> NewFinding {
    NewFinding {
        leak,
        subject: subject(id),
        version: version(password),
        tier: Tier::Lead,
        hash_format: "bcrypt".parse::<HashFormat>().unwrap(),
        verified_at: time(77),
        wrapped_key: b"key".to_vec(),
        sealed_secret: b"secret".to_vec(),
    }
}

pub(crate) async fn campaign(tx: &mut Tx, name: &str, leaks: &[LeakId]) -> CampaignId {
    let new = NewCampaign {
        name: name.to_owned(),
        author: "anna".to_owned(),
        policy: b"policy".to_vec(),
        created_at: time(5),
        leaks: leaks.to_vec(),
    };
    tx.add_campaign(new).await.unwrap()
}

pub(crate) fn address(number: u64, accounts: u32) -> NewAddress {
    let mut key = [9; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    NewAddress { number, key, accounts }
}

pub(crate) fn target(place: u64, id: &str, address: u64, findings: &[FindingId]) -> NewTarget {
    let (subject, findings) = (subject(id), findings.to_vec());
    NewTarget { place, subject, address, version: version(1), findings }
}

/// The intent to seal, on this evidence, an account whose first password was found.
pub(crate) fn reset_line(id: &str, evidence: &[FindingId]) -> NewResetLine {
    NewResetLine {
        subject: subject(id),
        version: version(1),
        replaced: version(1),
        sealed: version(200),
        wrapped_key: b"key".to_vec(),
        kept: format!("hashes of {id}").into_bytes(),
        evidence: evidence.to_vec(),
    }
}

/// A campaign on some accounts of one leak: `0`, `1` and so on.
pub(crate) struct Frozen {
    pub(crate) leak: LeakId,
    pub(crate) campaign: CampaignId,
    /// The one of each account.
    pub(crate) findings: Vec<FindingId>,
}

/// Every account has an address and a finding of its own.
pub(crate) async fn frozen(store: &TestStore, accounts: u64) -> Frozen {
    frozen_at(store, &(0..accounts).collect::<Vec<_>>()).await
}

/// Each account has the address with the number given for it.
pub(crate) async fn frozen_at(store: &TestStore, addresses: &[u64]) -> Frozen {
    let mut tx = store.tx().await;
    let (leak, _) = leak(&mut tx, "Example", &["a.txt"]).await;
    let mut findings = Vec::new();
    for n in 0..addresses.len() {
        let finding = new_finding(leak, &n.to_string(), 1);
        findings.push(tx.add_finding(&finding, &[]).await.unwrap());
    }
    let campaign = campaign(&mut tx, "First", &[leak]).await;
    freeze(&mut tx, campaign, addresses, &findings).await.unwrap();
    tx.commit().await.unwrap();
    Frozen { leak, campaign, findings }
}

/// Fixes the addresses and the targets `0`, `1` and so on of a campaign.
pub(crate) async fn freeze(
    tx: &mut Tx,
    campaign: CampaignId,
    addresses: &[u64],
    findings: &[FindingId],
) -> Result<(), StoreError> {
    let last = addresses.iter().max().copied().unwrap_or_default();
    tx.add_addresses(campaign, (0..=last).map(|number| address(number, 1))).await?;
    let targets = (0_u64..).zip(addresses.iter().zip(findings));
    let targets = targets.map(|(n, (at, finding))| target(n, &n.to_string(), *at, &[*finding]));
    tx.add_targets(campaign, &targets.collect::<Vec<_>>()).await
}

impl Frozen {
    /// Writes the intent to seal an account on its one finding.
    pub(crate) async fn intend(&self, tx: &mut Tx, account: usize) {
        let line = reset_line(&account.to_string(), &[self.findings[account]]);
        tx.put_reset_line(self.campaign, line, time(6)).await.unwrap();
        self.move_on(tx, account, TargetState::Pending, TargetState::Sealing).await;
    }

    /// Seals an account on its one finding.
    pub(crate) async fn seal(&self, tx: &mut Tx, account: usize) {
        self.intend(tx, account).await;
        self.move_on(tx, account, TargetState::Sealing, TargetState::Sealed).await;
    }

    async fn move_on(&self, tx: &mut Tx, id: usize, from: TargetState, to: TargetState) {
        let id = subject(&id.to_string());
        assert!(tx.move_target(self.campaign, id, from, to, None).await.unwrap());
    }
}
