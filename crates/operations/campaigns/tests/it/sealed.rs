//! A site with any number of sealed accounts.

use std::{sync::Arc, time::Duration};

use campaigns::{ResetWatch, swap_digest, watch_resets, watch_round};
use directory::{Columns, Mapping};
use instance::testing::{NOW, TestSite};
use ledger::{CampaignEvent, Whom};
use model::{
    AccountId, CampaignId, CampaignState, Credential, Provenance, StoredHash, SubjectId, SwapState,
};
use password::{CostLimits, HashForms, Verifier};
use sql::{Access, Db, OpenOptions, QueryText};
use store::{
    NewAddress, NewCampaign, NewFile, NewLeak, NewResetLine, NewSwap, SwapBehalf, WorkerName,
};
use tempfile::TempDir;

use crate::counted::Counted;

/// What every account's row held, and holds since it was sealed.
const OLD: &str = "old hash";
const OURS: &str = "our hash";

/// Makes two tests out of each function: one a database, for the store and for the site.
macro_rules! on_both {
    ($($name:ident,)+) => {$(
        mod $name {
            use crate::sealed::Databases;

            #[tokio::test]
            async fn sqlite() {
                super::$name(Databases::sqlite()).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name(Databases::postgres()).await;
            }
        }
    )+};
}

pub(crate) use on_both;

/// Two empty ones.
pub(crate) struct Databases {
    pub(crate) store: String,
    pub(crate) site: String,
    pub(crate) folder: TempDir,
}

impl Databases {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        Self { store: url("store.db"), site: url("site.db"), folder }
    }

    pub(crate) fn postgres() -> Self {
        let url = || testkit::postgres().database().url;
        Self { store: url(), site: url(), folder: tempfile::tempdir().unwrap() }
    }
}

/// The accounts `0`, `1` and so on, sealed by one campaign. The site's change column says of all of
/// them that they changed long ago, and at noon of the day that matters of `0`.
pub(crate) struct Sealed {
    pub(crate) instance: TestSite,
    pub(crate) directory: Counted,
    site: Db,
    verifier: Arc<Verifier>,
    watch: ResetWatch,
    campaign: CampaignId,
    _folder: TempDir,
}

impl Sealed {
    pub(crate) async fn new(databases: Databases, accounts: u64) -> Self {
        Self::with(databases, accounts, Some("changed".to_owned())).await
    }

    /// The directory does not know the change column.
    pub(crate) async fn without_changes(databases: Databases, accounts: u64) -> Self {
        Self::with(databases, accounts, None).await
    }

    async fn with(databases: Databases, accounts: u64, changed_at: Option<String>) -> Self {
        let instance = TestSite::at(&databases.store).await;
        let campaign = seal(&instance, &open(&databases.store).await, accounts).await;
        let site = open(&databases.site).await;
        fill(&site, accounts).await;
        let columns = Columns { changed_at, username: None, ..Mapping::generic().columns };
        let mapping = Mapping { columns, ..Mapping::generic() };
        let directory = directory::open(&databases.site, None, mapping).await.unwrap();
        Self {
            instance,
            directory: Counted::new(directory),
            site,
            verifier: Arc::new(Verifier::new(CostLimits::default(), HashForms::known())),
            watch: ResetWatch::default(),
            campaign,
            _folder: databases.folder,
        }
    }

    /// Another process takes the watch over.
    pub(crate) fn restart(&mut self) {
        self.watch = ResetWatch::default();
    }

    /// A round some minutes after the one before: how many have chosen a new password.
    pub(crate) async fn round_after(&mut self, minutes: u64) -> u64 {
        self.instance.wait(Duration::from_mins(minutes));
        let (directory, watch) = (&self.directory, &mut self.watch);
        watch_round(&self.instance, directory, &self.verifier, watch).await.unwrap()
    }

    /// A look at everybody.
    pub(crate) async fn look_at_all(&self) -> u64 {
        watch_resets(&self.instance, &self.directory, &self.verifier, "Spring").await.unwrap()
    }

    /// The owner of an account chooses a password, at a time of the day that matters.
    pub(crate) async fn choose(&self, account: u64, time: &str) {
        self.log_sealing(account).await;
        self.run(&format!(
            "UPDATE users SET password_hash = 'own hash', changed = '2016-06-08 {time}' WHERE id \
             = {account}"
        ))
        .await;
    }

    /// The same, and the change column says nothing of it.
    pub(crate) async fn choose_silently(&self, account: u64) {
        self.log_sealing(account).await;
        let text = format!("UPDATE users SET password_hash = 'own hash' WHERE id = {account}");
        self.run(&text).await;
    }

    /// Of whom it is recorded that they came back, the log tells that they were sealed.
    async fn log_sealing(&self, account: u64) {
        let keys = self.instance.keys();
        let [version, made] = [OLD.to_owned(), format!("{OURS} {account}")]
            .map(|hash| Credential::from(hash_of(hash)).version(keys));
        let subject = SubjectId(i64::try_from(account + 1).unwrap());
        let (campaign, round) = (self.campaign, 1);
        let behalf = SwapBehalf::Seal { campaign, round };
        let swap = NewSwap { subject, behalf, expected: version, made };
        let mut tx = self.instance.store().begin().await.unwrap();
        let owner = WorkerName::from_random([7; 16]);
        let held = tx.intend_swap(&swap, &owner, Duration::from_mins(1)).await.unwrap().unwrap();
        tx.end_swap(held, SwapState::Done).await.unwrap().unwrap();
        let line = NewResetLine {
            subject,
            version,
            replaced: version,
            sealed: made,
            wrapped_key: Vec::new(),
            kept: Vec::new(),
            evidence: Vec::new(),
        };
        tx.put_reset_line(campaign, line, NOW).await.unwrap();
        let whom = Whom::from(subject);
        let sealing = CampaignEvent::AccountSealing {
            campaign,
            whom: whom.clone(),
            credential_version: version,
            address: None,
            findings: Vec::new(),
            swap: Some(held.id),
            row: Some(swap_digest(&swap)),
        };
        let sealed = CampaignEvent::AccountSealed { campaign, whom, address: 0 };
        self.instance.record(&mut tx, &[sealing.into(), sealed.into()]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// So many accounts that are not sealed change at noon.
    pub(crate) async fn change_others(&self, accounts: u64) {
        let numbers = numbers(accounts);
        self.run(&format!(
            "INSERT INTO users (id, changed) {numbers} SELECT i + 1000000, changed FROM n, users \
             WHERE id = 0"
        ))
        .await;
    }

    async fn run(&self, text: &str) {
        run(&self.site, text, &[]).await;
    }
}

pub(crate) async fn open(url: &str) -> Db {
    Db::open(url, OpenOptions { access: Access::Create, connections_max: 1 }).await.unwrap()
}

pub(crate) async fn run(db: &Db, text: &str, values: &[&[u8]]) {
    let mut tx = db.begin().await.unwrap();
    let text = QueryText::composed(text.to_owned());
    let query = values.iter().fold(tx.run(&text), |query, value| query.bind(value.to_vec()));
    query.execute().await.unwrap();
    tx.commit().await.unwrap();
}

/// A query that gives the numbers from 0 on as `i`.
pub(crate) fn numbers(count: u64) -> String {
    format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})")
}

async fn fill(site: &Db, accounts: u64) {
    let table = "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT, password_hash TEXT, \
                 changed TIMESTAMP)";
    run(site, table, &[]).await;
    let numbers = numbers(accounts);
    let rows = format!("INSERT INTO users {numbers} SELECT i, 'a', '{OURS}', NULL FROM n");
    run(site, &rows, &[]).await;
    run(site, "UPDATE users SET changed = '2016-01-01 08:00:00'", &[]).await;
    run(site, "UPDATE users SET changed = '2016-06-08 12:00:00' WHERE id = 0", &[]).await;
}

/// Accounts by the thousand come into the store as they do not in production: by a few statements.
async fn seal(instance: &TestSite, store: &Db, accounts: u64) -> CampaignId {
    let campaign = campaign(instance).await;
    let numbers = numbers(accounts);
    let [old, ours] = [OLD, OURS].map(|text| {
        *Credential::from(hash_of(text.to_owned())).version(instance.keys()).as_bytes()
    });
    let mut tx = instance.store().begin().await.unwrap();
    let ids: Vec<_> = (0..accounts).map(|n| AccountId::new(n.to_string()).unwrap()).collect();
    // The account of number n is subject n + 1.
    instance.name_accounts(&mut tx, &ids).await.unwrap();
    tx.commit().await.unwrap();
    let findings = format!(
        "INSERT INTO finding (leak, subject, version, tier, hash_format, state, verified_at) \
         {numbers} SELECT 1, i + 1, $1, 'exact', 'bcrypt', 'open', 5 FROM n"
    );
    run(store, &findings, &[&old]).await;
    let targets = format!(
        "INSERT INTO target (campaign, place, subject, address, version, finding, state, open) \
         SELECT {campaign}, subject - 1, subject, 0, version, id, 'sealed', TRUE FROM \
         finding"
    );
    run(store, &targets, &[]).await;
    let lines = format!(
        "INSERT INTO reset_line (campaign, subject, version, replaced_version, sealed_version, \
         intended_at) SELECT {campaign}, subject, version, version, $1, 5 FROM finding"
    );
    run(store, &lines, &[&ours]).await;
    CampaignId(campaign)
}

fn hash_of(text: String) -> StoredHash {
    StoredHash::from_column(Some(text)).unwrap()
}

/// A campaign with one address.
pub(crate) async fn campaign(instance: &TestSite) -> i64 {
    let mut tx = instance.store().begin().await.unwrap();
    let leak = tx.add_leak(&leak(), &[file()]).await.unwrap();
    let campaign = NewCampaign {
        name: "Spring".to_owned(),
        author: "ana".to_owned(),
        policy: Vec::new(),
        created_at: NOW,
        leaks: vec![leak],
    };
    let campaign = tx.add_campaign(campaign).await.unwrap();
    tx.save_campaign(campaign, CampaignState::Done, Vec::new()).await.unwrap();
    let address = NewAddress { number: 0, key: [0; 32], accounts: 1 };
    tx.add_addresses(campaign, [address]).await.unwrap();
    tx.commit().await.unwrap();
    campaign.0
}

pub(crate) fn leak() -> NewLeak {
    NewLeak {
        name: "Forum".parse().unwrap(),
        public_name: None,
        date: "2016".parse().unwrap(),
        provenance: Provenance::Unknown,
        added_at: NOW,
        spool_key: Vec::new(),
    }
}

pub(crate) fn file() -> NewFile {
    NewFile {
        path: "leak.txt".to_owned(),
        sha256: [0; 32],
        bytes: 1,
        modified_at: NOW,
        compression: "none".to_owned(),
        kept: None,
    }
}
