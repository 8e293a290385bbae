//! Everything that a run begins with: a store with findings, a site, hosts that may send.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use authority::{Approval, OperatorKey, RosterDigest, RosterDocument, SignedArming, SignedRoster};
use campaign::{Policy, RampStep, Reach, Threshold};
use campaigns::{Means, NewDraft, PlanChanges};
use directory::Mapping;
use exposure::AddLeak;
use instance::{
    ArmingTerms, Instance, InstanceKey, InstanceOptions, Progress, SendingGuard, SendingPermission,
    Step, Witnesses, create_instance,
};
use model::{AccountId, InstanceKind, LeakName, Randomness};
use notice::{Language, Sender};
use outbox::{Mail, Outbox, Words};
use password::{CostLimits, HashForms, Verifier};
use store::{Store, StoreOptions};
use tempfile::TempDir;

use crate::{
    SimResult,
    clock::{self, HostClock, START_MILLIS},
    dice::{Dice, SeededRandomness},
    faults::{Fault, Faults},
    relay::{Server, SimulatedRelay},
    site::{self, Person, Site},
    watched_directory::WatchedDirectory,
    witness::{SimulatedLine, SimulatedWitness},
};

/// What the campaign is called.
pub(crate) const CAMPAIGN: &str = "Spring";

/// How long a piece of work stays with a worker that no longer says it is alive.
pub(crate) const LEASE: Duration = Duration::from_secs(20);

/// Databases in memory.
const FOLDER: &str = "/dev/shm";

/// Tasks of a host that may hold a connection at the same time.
const CONNECTIONS_MAX: u32 = 12;

/// One author and two who approve.
const OPERATORS: [&str; 3] = ["ana", "bob", "cleo"];

const PIECE_BYTES: u64 = 64 * 1024;

/// The files of a run as they are before it begins.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) people: Vec<Person>,
    operators: Arc<Vec<OperatorKey>>,
    founding: Option<RosterDigest>,
    /// The key by which anybody can check the log.
    log: Option<String>,
    key: InstanceKey,
    /// The accounts by the numbers that stand for them in the store.
    subjects: BTreeMap<i64, i64>,
    store_before: Vec<u8>,
    site_before: [Vec<u8>; 2],
    turn: AtomicU64,
    is_failed_over: AtomicBool,
}

impl World {
    /// Made by the program's own operations, once in a process.
    pub(crate) async fn make() -> SimResult<Self> {
        clock::set_database(START_MILLIS);
        let randomness: &dyn Randomness = &SeededRandomness::new(0);
        let folder = tempfile::Builder::new().prefix("countersign-sim-").tempdir_in(FOLDER)?;
        let people = site::people(randomness)?;
        let operators =
            OPERATORS.iter().map(|name| Ok(OperatorKey::generate(name.parse()?, randomness)));
        let operators = Arc::new(operators.collect::<SimResult<Vec<_>>>()?);
        let key = InstanceKey::generate(randomness);
        let mut world = Self {
            folder,
            people,
            operators,
            founding: None,
            log: None,
            key,
            subjects: BTreeMap::new(),
            store_before: Vec::new(),
            site_before: [Vec::new(), Vec::new()],
            turn: AtomicU64::new(0),
            is_failed_over: AtomicBool::new(false),
        };
        fs::write(world.path("standby.db"), [])?;
        world.fill().await?;
        world.store_before = fs::read(world.store_file())?;
        world.site_before = [fs::read(world.primary_file())?, fs::read(world.replica_file())?];
        Ok(world)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store_file(&self) -> PathBuf {
        let is_standby = self.is_failed_over.load(Ordering::SeqCst);
        self.path(if is_standby { "standby.db" } else { "store.db" })
    }

    /// A standby of the store takes its place: another file, as it would be another timeline.
    pub(crate) fn fail_over(&self) {
        self.is_failed_over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn primary_file(&self) -> PathBuf {
        self.path(&format!("site-{}.db", self.turn.load(Ordering::SeqCst)))
    }

    pub(crate) fn replica_file(&self) -> PathBuf {
        self.path(&format!("replica-{}.db", self.turn.load(Ordering::SeqCst)))
    }

    /// The same files as before every run. The store stays in its inode, by which it knows itself;
    /// the site's get other names, since a directory's connections close when they like.
    pub(crate) fn restore(&self) -> SimResult {
        for file in [self.primary_file(), self.replica_file()] {
            remove(&file);
        }
        self.turn.fetch_add(1, Ordering::SeqCst);
        self.is_failed_over.store(false, Ordering::SeqCst);
        fs::write(self.primary_file(), &self.site_before[0])?;
        fs::write(self.replica_file(), &self.site_before[1])?;
        fs::write(self.store_file(), &self.store_before)?;
        remove_logs(&self.store_file());
        for host in 0..HOSTS {
            remove(&self.sending_file(host));
        }
        clock::set_database(START_MILLIS);
        Ok(())
    }

    async fn fill(&mut self) -> SimResult {
        let mut site = Site::open(&self.primary_file(), &self.replica_file()).await?;
        site.fill(&self.people).await?;
        site.close().await?;
        let store = self.store().await?;
        store.migrate().await?;
        let randomness = Arc::new(SeededRandomness::new(1));
        let clock = HostClock(AtomicI64::new(0));
        let kind = InstanceKind::Rehearsal;
        create_instance(&store, &self.key, kind, &clock, &*randomness).await?;
        store.close().await;

        let instance = self.instance(0, &randomness).await?;
        self.found(&instance).await?;
        self.find(&instance).await?;
        self.subjects = subjects(&instance, &self.people).await?;
        self.log = Some(instance::verify_log(&instance, None).await?.verifier);
        instance.store().close().await;
        Ok(())
    }

    async fn found(&mut self, instance: &Instance) -> SimResult {
        let people = self.operators.iter().map(OperatorKey::public).collect();
        let document =
            RosterDocument::founding(instance.signing_id()?, people, instance.clock().now());
        let roster =
            self.operators.iter().fold(SignedRoster::new(document), SignedRoster::signed_by);
        let digest = roster.document().digest();
        instance::accept_roster(instance, &roster, digest).await?;
        self.founding = Some(digest);
        Ok(())
    }

    async fn find(&self, instance: &Instance) -> SimResult {
        let file = self.path("leak.txt");
        fs::write(&file, site::leak(&self.people))?;
        let name = leak_name()?;
        let (date, provenance) = ("2012-06".parse()?, "circulating".parse()?);
        let public_name = None;
        let add = AddLeak {
            name: name.clone(),
            public_name,
            date,
            provenance,
            files: vec![file],
            again: false,
        };
        let (directory, verifier) = (self.directory().await?, verifier());
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        exposure::add_leak(instance, add, Arc::clone(&silent)).await?;
        exposure::screen_leak(instance, &name, &*directory, Arc::clone(&silent)).await?;
        exposure::verify_leak(instance, &name, &*directory, verifier, silent).await?;
        Ok(())
    }

    async fn store(&self) -> SimResult<Store> {
        let url = format!("sqlite:{}", self.store_file().display());
        Ok(Store::open(&url, StoreOptions { connections_max: CONNECTIONS_MAX }).await?)
    }

    async fn instance(
        &self,
        clock_off_millis: i64,
        randomness: &Arc<SeededRandomness>,
    ) -> SimResult<Instance> {
        let options = InstanceOptions {
            lease: LEASE,
            piece_bytes: PIECE_BYTES,
            spool_folder: self.folder.path().to_owned(),
        };
        let clock = Arc::new(HostClock(AtomicI64::new(clock_off_millis)));
        let randomness = Arc::clone(randomness) as Arc<dyn Randomness>;
        let store = self.store().await?;
        Ok(Instance::open(store, self.key.clone(), clock, randomness, options).await?)
    }

    /// Read through the replica, written to through the primary.
    async fn directory(&self) -> SimResult<Arc<dyn directory::Directory>> {
        let url = |file: PathBuf| format!("sqlite:{}", file.display());
        let (read, write) = (url(self.replica_file()), url(self.primary_file()));
        let opened = directory::open(&read, Some(&write), Mapping::generic()).await?;
        Ok(Arc::new(WatchedDirectory(opened)))
    }

    /// A witness of the store's log, which has seen nothing of it yet.
    pub(crate) fn witness(&self, seed: u64, faults: &Faults) -> SimResult<SimulatedWitness> {
        let log = self.log.as_ref().ok_or("there is no log yet")?;
        SimulatedWitness::new(log.parse()?, seed, faults)
    }

    pub(crate) fn subjects(&self) -> BTreeMap<i64, i64> {
        self.subjects.clone()
    }

    fn founding(&self) -> SimResult<RosterDigest> {
        Ok(self.founding.ok_or("nobody founded the roster")?)
    }

    fn sending_file(&self, host: usize) -> PathBuf {
        self.path(&format!("sending-{host}.json"))
    }
}

/// Hosts, each with a store's pool and a sending file of its own.
pub(crate) const HOSTS: usize = 2;

/// A host on which workers run.
pub(crate) struct Host {
    pub(crate) instance: Instance,
    pub(crate) means: Means,
    founding: RosterDigest,
    operators: Arc<Vec<OperatorKey>>,
}

impl World {
    /// Two hosts that may send, and a campaign that is under way.
    pub(crate) async fn begin(
        &self,
        dice: &mut Dice,
        faults: &Faults,
        server: &Arc<Server>,
        witness: &Arc<SimulatedWitness>,
    ) -> SimResult<Vec<Arc<Host>>> {
        self.arm(dice, witness).await?;
        let hosts = self.open(dice, faults, server, witness).await?;
        hosts[0].launch(policy(dice, faults)).await?;
        Ok(hosts)
    }

    /// Two operators permit both hosts to send, whatever the store has become.
    pub(crate) async fn arm(&self, dice: &mut Dice, witness: &Arc<SimulatedWitness>) -> SimResult {
        let randomness = Arc::new(SeededRandomness::new(dice.roll()));
        let first = self.instance(0, &randomness).await?;
        let files: Vec<_> = (0..HOSTS).map(|host| self.sending_file(host)).collect();
        arm_hosts(&first, &self.operators, self.founding()?, &files, witness).await?;
        first.store().close().await;
        Ok(())
    }

    /// Both hosts, as their processes begin.
    pub(crate) async fn open(
        &self,
        dice: &mut Dice,
        faults: &Faults,
        server: &Arc<Server>,
        witness: &Arc<SimulatedWitness>,
    ) -> SimResult<Vec<Arc<Host>>> {
        let randomness = Arc::new(SeededRandomness::new(dice.roll()));
        let mut hosts = Vec::new();
        for host in 0..HOSTS {
            let is_off = host > 0 && faults.has(Fault::Clock);
            let off = if is_off { i64::try_from(dice.below(5000))? } else { 0 };
            let instance = self.instance(off, &randomness).await?;
            hosts.push(self.host(host, instance, server, witness).await?);
        }
        Ok(hosts)
    }

    /// The store holds this again, in the same inode.
    pub(crate) fn put_back(&self, store: &[u8]) -> SimResult {
        remove_logs(&self.store_file());
        Ok(fs::write(self.store_file(), store)?)
    }

    async fn host(
        &self,
        number: usize,
        instance: Instance,
        server: &Arc<Server>,
        witness: &Arc<SimulatedWitness>,
    ) -> SimResult<Arc<Host>> {
        let guard = SendingGuard::open(&self.sending_file(number))?;
        let witnesses = Witnesses::new(Box::new(SimulatedLine(Arc::clone(witness))));
        let means = Means {
            directory: self.directory().await?,
            verifier: verifier(),
            outbox: Outbox {
                words: words()?,
                mail: Mail {
                    transport: Box::new(SimulatedRelay(Arc::clone(server))),
                    signer: None,
                    bounces: None,
                },
                pages: None,
                permission: SendingPermission::new(guard, self.founding()?, witnesses),
            },
        };
        let (founding, operators) = (self.founding()?, Arc::clone(&self.operators));
        Ok(Arc::new(Host { instance, means, founding, operators }))
    }
}

impl Host {
    /// From the draft to the canary.
    async fn launch(&self, policy: Policy) -> SimResult {
        let (name, author) = (CAMPAIGN.parse()?, OPERATORS[0].parse()?);
        let draft = NewDraft { name, author, leaks: vec![leak_name()?], policy };
        campaigns::draft_campaign(&self.instance, &draft, self.founding).await?;
        self.freeze().await?;
        self.sign().await?;
        let (directory, words) = (&*self.means.directory, &self.means.outbox.words);
        campaigns::start_campaign(&self.instance, CAMPAIGN, directory, words, self.founding)
            .await?;
        Ok(())
    }

    /// Fixes the plan.
    pub(crate) async fn freeze(&self) -> SimResult {
        let (directory, words) = (&*self.means.directory, &self.means.outbox.words);
        let (instance, means) = (&self.instance, (directory, words));
        campaigns::freeze_campaign(
            instance,
            CAMPAIGN,
            PlanChanges::default(),
            means,
            self.founding,
            &Silent,
        )
        .await?;
        Ok(())
    }

    /// Fixes a plan that settles whoever was begun, and touches nobody else.
    pub(crate) async fn finish(&self) -> SimResult {
        let words = &self.means.outbox.words;
        let changes = PlanChanges::default();
        campaigns::finish_campaign(&self.instance, CAMPAIGN, changes, words, self.founding).await?;
        Ok(())
    }

    /// Has the plan signed by everybody.
    pub(crate) async fn sign(&self) -> SimResult {
        let instance = &self.instance;
        let plan = campaigns::export_plan(instance, CAMPAIGN).await?;
        for operator in &*self.operators {
            let now = instance.clock().now();
            let approval = Approval::sign(&plan, plan.counts().targets, operator, now)?;
            campaigns::approve_campaign(instance, CAMPAIGN, &approval, self.founding).await?;
        }
        Ok(())
    }

    pub(crate) async fn resume(&self) -> SimResult {
        let words = &self.means.outbox.words;
        campaigns::resume_campaign(&self.instance, CAMPAIGN, words, self.founding).await?;
        Ok(())
    }
}

/// Two operators permit the first host to send.
async fn arm_hosts(
    instance: &Instance,
    operators: &[OperatorKey],
    founding: RosterDigest,
    files: &[PathBuf],
    witness: &Arc<SimulatedWitness>,
) -> SimResult {
    let [first, others @ ..] = files else { return Ok(()) };
    let asked = &Witnesses::new(Box::new(SimulatedLine(Arc::clone(witness))));
    let mut with = Vec::new();
    for file in others {
        with.push(instance::propose_arming(instance, file, ArmingTerms::default(), asked).await?);
    }
    let terms = ArmingTerms { with, witnesses: Some(witness.policy()?) };
    let proposal = instance::propose_arming(instance, first, terms, asked).await?;
    let signed = operators.iter().take(2).fold(proposal, SignedArming::signed_by);
    let roster = instance::roster(instance, founding).await?;
    instance::arm(instance, &signed, &roster, first, asked).await?;
    for file in others {
        instance::adopt_proposal(instance, file, &roster).await?;
    }
    Ok(())
}

fn remove(file: &Path) {
    let _ = fs::remove_file(file);
    remove_logs(file);
}

fn remove_logs(file: &Path) {
    for suffix in ["-wal", "-shm"] {
        let mut log = file.as_os_str().to_owned();
        log.push(suffix);
        let _ = fs::remove_file(log);
    }
}

fn policy(dice: &mut Dice, faults: &Faults) -> Policy {
    let step = |reach, reapproval| RampStep { reach, reapproval };
    let halts = faults.has(Fault::Halt) && dice.happens(200);
    let few = Threshold { count: 1, permille: 0 };
    let many = Threshold { count: 1000, permille: 1000 };
    Policy {
        canary_addresses: 1 + dice.below(4),
        canary_soak_seconds: 30,
        ramp: vec![step(Reach::Permille(600), false), step(Reach::Permille(1000), halts)],
        step_soak_seconds: 10,
        rate_per_minute_max: 1000,
        rate_per_hour_max: 1000,
        sealed_untold_max: 1 + dice.below(8),
        refused: if faults.has(Fault::Threshold) { few } else { many },
        uncertain: many,
        retry_seconds: 15,
        large_permille: 1000,
        ..Policy::default()
    }
}

async fn subjects(instance: &Instance, people: &[Person]) -> SimResult<BTreeMap<i64, i64>> {
    let accounts = people.iter().map(|person| AccountId::new(person.id.to_string()));
    let accounts = accounts.collect::<Result<Vec<_>, _>>()?;
    let named = instance.subjects_of(&mut instance.store().read().await?, &accounts).await?;
    let named =
        named.into_iter().map(|(account, subject)| Ok((subject.0, account.as_str().parse()?)));
    named.collect()
}

fn words() -> SimResult<Words> {
    let site = notice::Site {
        sender: Sender::new("Lighthouse".parse()?, "security@lighthouse.example".parse()?, None)?,
        reset_path: "Sign in > Forgot password".parse()?,
        check_path: "Help > Check a notice".parse()?,
        name: "Lighthouse".parse()?,
        is_rehearsal: false,
    };
    let language: Language = "en".parse()?;
    Ok(Words::new(&site, language, None, None)?)
}

fn verifier() -> Arc<Verifier> {
    Arc::new(Verifier::new(CostLimits::default(), HashForms::known()))
}

fn leak_name() -> SimResult<LeakName> {
    Ok("Forum".parse()?)
}

/// Nobody waits.
#[derive(Debug)]
pub(crate) struct Silent;

impl Progress for Silent {
    fn begin(&self, _: Step, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}
