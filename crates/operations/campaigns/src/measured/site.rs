//! A site with a store, whose campaign claims one address after another.

use std::{
    env, fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use authority::{Approval, OperatorKey, RosterDigest, RosterDocument, SignedArming, SignedRoster};
use campaign::{Policy, Threshold};
use directory::{Directory, Mapping};
use exposure::AddLeak;
use instance::{
    ArmingTerms, Instance, InstanceKey, InstanceOptions, Progress, SendingGuard, SendingPermission,
    Unseen, create_instance,
    testing::{Counter, key, no_witnesses},
};
use model::{CampaignId, Clock, InstanceKind, Secret, StoredHash, Timestamp};
use notice::{Maildir, Sender, Site};
use outbox::{Mail, Outbox, Words};
use password::{CostLimits, HashForms, Verifier};
use sql::{Access, Db, OpenOptions, QueryText};
use store::{Store, StoreOptions};
use tempfile::TempDir;

use crate::{
    Means, NewDraft, PlanChanges, approve_campaign, draft_campaign, export_plan, freeze_campaign,
    start_campaign,
};

const CAMPAIGN: &str = "Spring";
const LEAK: &str = "Forum";

/// One author and two who approve.
const OPERATORS: [&str; 3] = ["ana", "bob", "cleo"];

/// A cheap hash, as the site makes them.
const LIKE: &str =
    "$pbkdf2-sha256$i=10$c2FsdHNhbHRzYWx0$T5ntHrMeTVVhQwCgYSRARwbo5kY5rWvmc9vYRay6Xa8";

/// All that a claim needs.
pub(super) struct MeasuredSite {
    pub(super) instance: Instance,
    pub(super) means: Means,
    founding: RosterDigest,
    key: InstanceKey,
    folder: TempDir,
}

impl MeasuredSite {
    /// With so many accounts, each with an address of its own and a leaked password.
    pub(super) async fn new(accounts: u64) -> Self {
        let folder = tempfile::tempdir_in(env::var("COUNTERSIGN_BENCH_FOLDER").unwrap()).unwrap();
        let randomness = Counter::default();
        let key = InstanceKey::generate(&randomness);
        let store = store(&folder).await;
        store.migrate().await.unwrap();
        let kind = InstanceKind::Rehearsal;
        create_instance(&store, &key, kind, &HostClock, &randomness).await.unwrap();
        let instance = open(&folder, &key).await;
        let founding = found(&instance).await;
        let directory = table(&folder, accounts).await;
        find(&instance, &*directory, folder.path().join("leak.txt")).await;
        arm(&instance, founding, &folder.path().join("sending.json")).await;
        let means = means(directory, founding, &folder);
        Self { instance, means, founding, key, folder }
    }

    /// A campaign about all of them that is under way.
    pub(super) async fn launch(&self) -> CampaignId {
        let (instance, founding) = (&self.instance, self.founding);
        let (directory, words) = (&*self.means.directory, &self.means.outbox.words);
        let draft = NewDraft {
            name: CAMPAIGN.parse().unwrap(),
            author: OPERATORS[0].parse().unwrap(),
            leaks: vec![LEAK.parse().unwrap()],
            policy: policy(),
        };
        draft_campaign(instance, &draft, founding).await.unwrap();
        let (changes, means) = (PlanChanges::default(), (directory, words));
        freeze_campaign(instance, CAMPAIGN, changes, means, founding, &Unseen).await.unwrap();
        let plan = export_plan(instance, CAMPAIGN).await.unwrap();
        for name in OPERATORS {
            let now = instance.clock().now();
            let signed = Approval::sign(&plan, plan.counts().targets, &key(name), now).unwrap();
            approve_campaign(instance, CAMPAIGN, &signed, founding).await.unwrap();
        }
        start_campaign(instance, CAMPAIGN, directory, words, founding).await.unwrap();
        let mut tx = instance.store().read().await.unwrap();
        tx.campaign(CAMPAIGN).await.unwrap().unwrap().id
    }

    /// Another process, which knows nothing of the log yet.
    pub(super) async fn open(&self) -> Instance {
        open(&self.folder, &self.key).await
    }
}

/// Nothing but the store holds it up.
fn policy() -> Policy {
    let many = Threshold { count: 1_000_000, permille: 1000 };
    Policy {
        canary_addresses: 1_000_000,
        rate_per_minute_max: 1_000_000,
        rate_per_hour_max: 1_000_000,
        sealed_untold_max: 1_000_000,
        refused: many,
        uncertain: many,
        large_permille: 1000,
        ..Policy::default()
    }
}

async fn store(folder: &TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    Store::open(&url, StoreOptions { connections_max: 2 }).await.unwrap()
}

async fn open(folder: &TempDir, key: &InstanceKey) -> Instance {
    let options = InstanceOptions {
        lease: Duration::from_hours(1),
        piece_bytes: 1 << 20,
        spool_folder: folder.path().to_owned(),
    };
    let (clock, randomness) = (Arc::new(HostClock), Arc::new(Counter::default()));
    Instance::open(store(folder).await, key.clone(), clock, randomness, options).await.unwrap()
}

async fn found(instance: &Instance) -> RosterDigest {
    let keys = OPERATORS.map(key);
    let people = keys.iter().map(OperatorKey::public).collect();
    let id = instance.signing_id().unwrap();
    let document = RosterDocument::founding(id, people, instance.clock().now());
    let roster = keys.iter().fold(SignedRoster::new(document), SignedRoster::signed_by);
    let digest = roster.document().digest();
    instance::accept_roster(instance, &roster, digest).await.unwrap();
    digest
}

/// The site's table, with everybody in it.
async fn table(folder: &TempDir, accounts: u64) -> Arc<dyn Directory> {
    let url = format!("sqlite:{}", folder.path().join("site.db").display());
    let options = OpenOptions { access: Access::Create, connections_max: 1 };
    let site = Db::open(&url, options).await.unwrap();
    let columns = "id BIGINT PRIMARY KEY, email TEXT, username TEXT, password_hash TEXT";
    let rows: Vec<_> = (0..accounts).map(row).collect();
    let leaked: Vec<_> =
        (0..accounts).map(|n| format!("p{n}@example.net:leaked secret {n}\n")).collect();
    fs::write(folder.path().join("leak.txt"), leaked.concat()).unwrap();
    let mut tx = site.begin().await.unwrap();
    for text in [
        format!("CREATE TABLE users ({columns})"),
        format!("INSERT INTO users VALUES {}", rows.join(", ")),
    ] {
        tx.run(&QueryText::composed(text)).execute().await.unwrap();
    }
    tx.commit().await.unwrap();
    directory::open(&url, Some(&url), Mapping::generic()).await.unwrap()
}

fn row(number: u64) -> String {
    let like = StoredHash::from_column(Some(LIKE.to_owned())).unwrap();
    let secret = Secret::new(format!("leaked secret {number}").into_bytes());
    let hash = verifier().imitate(&like, None, &secret, &Counter::default()).unwrap();
    format!("({number}, 'p{number}@example.net', 'user{number}', '{}')", hash.expose())
}

async fn find(instance: &Instance, directory: &dyn Directory, file: PathBuf) {
    let name: model::LeakName = LEAK.parse().unwrap();
    let add = AddLeak {
        name: name.clone(),
        public_name: None,
        date: "2012-06".parse().unwrap(),
        provenance: "circulating".parse().unwrap(),
        files: vec![file],
        again: false,
    };
    let unseen: Arc<dyn Progress> = Arc::new(Unseen);
    exposure::add_leak(instance, add, Arc::clone(&unseen)).await.unwrap();
    exposure::screen_leak(instance, &name, directory, Arc::clone(&unseen)).await.unwrap();
    exposure::verify_leak(instance, &name, directory, verifier(), unseen).await.unwrap();
}

async fn arm(instance: &Instance, founding: RosterDigest, file: &std::path::Path) {
    let asked = &no_witnesses();
    let terms = ArmingTerms::default();
    let proposal = instance::propose_arming(instance, file, terms, asked).await.unwrap();
    let keys = OPERATORS.map(key);
    let signed = keys.iter().take(2).fold(proposal, SignedArming::signed_by);
    let roster = instance::roster(instance, founding).await.unwrap();
    instance::arm(instance, &signed, &roster, file, asked).await.unwrap();
}

fn means(directory: Arc<dyn Directory>, founding: RosterDigest, folder: &TempDir) -> Means {
    let site = Site {
        sender: Sender::new(
            "Lighthouse".parse().unwrap(),
            "security@lighthouse.example".parse().unwrap(),
            None,
        )
        .unwrap(),
        reset_path: "Sign in > Forgot password".parse().unwrap(),
        check_path: "Help > Check a notice".parse().unwrap(),
        name: "Lighthouse".parse().unwrap(),
        is_rehearsal: false,
    };
    let words = Words::new(&site, "en".parse().unwrap(), None, None).unwrap();
    let transport = Box::new(Maildir::open(&folder.path().join("mail")).unwrap());
    let mail = Mail { transport, signer: None, bounces: None };
    let guard = SendingGuard::open(&folder.path().join("sending.json")).unwrap();
    let permission = SendingPermission::new(guard, founding, no_witnesses());
    let outbox = Outbox { words, mail, pages: None, permission };
    Means { directory, verifier: verifier(), outbox }
}

fn verifier() -> Arc<Verifier> {
    Arc::new(Verifier::new(CostLimits::default(), HashForms::known()))
}

/// The time of this machine.
#[derive(Debug)]
struct HostClock;

impl Clock for HostClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "what is armed now ends by the time of the store"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}
