//! An instance with operators, a mail server, and a site whose people it may reset.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use authority::{Approval, OperatorKey, RosterDocument, SignedArming, SignedRoster};
use campaign::Plan;
use model::{Randomness, Timestamp};
use serde_json::Value;
use testkit::{
    site::{DjangoSite, SitePerson},
    smtp::{SmtpServer, TakenMail},
};

use crate::{
    harness::{Backend, Run, TestInstance},
    judged::{assert_history, assert_reports},
    people,
};

/// What all campaigns of these tests are called.
pub(crate) const CAMPAIGN: &str = "Spring";

pub(crate) const LEAK: &str = "Bookshop 2016";

/// The leak file of most campaigns: some twenty people, nearly all with an address.
const FILE: &str = "forum.txt";

/// Nobody waits longer for anything here.
const PATIENCE: Duration = Duration::from_mins(2);

/// As quick as a rehearsal may be: three addresses, ten, everybody.
const POLICY: &str = "\
canary_addresses = 3
canary_soak_seconds = 0
step_soak_seconds = 0
ramp = [
  { reach = { addresses = 10 }, reapproval = false },
  { reach = { permille = 1000 }, reapproval = false },
]
sealed_untold_max = 1000
uncertain = { count = 1000, permille = 1000 }
refused = { count = 1000, permille = 1000 }
retry_seconds = 1
large_permille = 1000
large_approvers = 2
";

/// Everybody and everything that a campaign needs.
pub(crate) struct Office {
    pub(crate) instance: TestInstance,
    pub(crate) site: DjangoSite,
    pub(crate) smtp: SmtpServer,
    /// Exposed by a leak of their own: three accounts of one address, or whom a test names.
    pub(crate) family: Vec<SitePerson>,
    /// Where mail for each account arrives, as the server notes it.
    pub(crate) addresses: BTreeMap<String, String>,
    leak_files: Vec<String>,
    has_true_rows: AtomicBool,
}

/// Whatever a test was about, nothing may have happened that cannot.
impl Drop for Office {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        assert_history(&self.instance);
        if *self.has_true_rows.get_mut() {
            assert_reports(&self.instance);
        }
    }
}

impl Office {
    /// With a small leak, its findings, four operators, and armed.
    pub(crate) fn open(backend: Backend) -> Self {
        Self::with_leaks(backend, &[FILE])
    }

    /// With these leak files of the site's.
    pub(crate) fn with_leaks(backend: Backend, files: &[&str]) -> Self {
        Self::at(backend, backend.new_site(), files)
    }

    /// Before any leak was registered.
    pub(crate) fn without_leaks(backend: Backend) -> Self {
        let site = backend.new_site();
        Self::armed(TestInstance::of(backend, &site), site)
    }

    fn armed(instance: TestInstance, site: DjangoSite) -> Self {
        let family = people::join(&site);
        let mut office = Self::of_people(instance, site, family);
        office.found();
        office.arm();
        office
    }

    /// With these leak files of this site's.
    pub(crate) fn at(backend: Backend, site: DjangoSite, files: &[&str]) -> Self {
        let instance = TestInstance::of(backend, &site);
        Self::of(instance, site, files)
    }

    /// Of this instance, which has been made just now.
    pub(crate) fn of(instance: TestInstance, site: DjangoSite, files: &[&str]) -> Self {
        let mut office = Self::armed(instance, site);
        office.leak_files = files.iter().map(|file| (*file).to_owned()).collect();
        office.find();
        office
    }

    /// Of an application that is not Django, where these people are exposed.
    pub(crate) fn of_application(
        instance: TestInstance,
        url: &str,
        exposed: Vec<SitePerson>,
    ) -> Self {
        let mut office = Self::of_people(instance, Backend::Sqlite.new_site(), exposed);
        office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", url);
        office.found();
        office.arm();
        office.find();
        office
    }

    /// Of this instance as it is, where nobody but these people is exposed.
    pub(crate) fn of_people(
        instance: TestInstance,
        site: DjangoSite,
        family: Vec<SitePerson>,
    ) -> Self {
        let smtp = SmtpServer::start(&[]);
        Self {
            instance: configured(instance, &site, &smtp),
            addresses: people::addresses(&site),
            family,
            site,
            smtp,
            leak_files: Vec::new(),
            has_true_rows: AtomicBool::new(true),
        }
    }

    fn found(&mut self) {
        let id = self.instance_id().parse().unwrap();
        let people = OPERATORS.map(|name| key(name).public()).to_vec();
        let document = RosterDocument::founding(id, people, Timestamp::from_micros(0));
        let digest = document.digest().to_string();
        let signed = OPERATORS
            .iter()
            .fold(SignedRoster::new(document), |signed, name| signed.signed_by(&key(name)));
        let file = self.write("roster.json", &signed.to_bytes());
        self.run(&["operator", "accept", &file, "--founding-digest", &digest]).json();
        self.instance.set("COUNTERSIGN_OPERATORS_ROSTER_DIGEST", &digest);
    }

    /// Somebody else has written to rows, so that there may be no report.
    pub(crate) fn distrust_rows(&self) {
        self.has_true_rows.store(false, Ordering::Relaxed);
    }

    /// Proposes an arming and has two operators sign it; the file.
    pub(crate) fn arming(&self) -> String {
        self.arming_with(&[])
    }

    fn arming_with(&self, terms: &[&str]) -> String {
        let file = self.path("arming.json");
        let _ = fs::remove_file(&file);
        self.run(&[&["sending", "propose", "--output", &file], terms].concat()).json();
        let signed = SignedArming::parse(&fs::read(&file).unwrap()).unwrap();
        let signed = signed.signed_by(&key("ana")).signed_by(&key("bob"));
        self.write("armed.json", &signed.to_bytes())
    }

    pub(crate) fn arm(&self) {
        self.arm_with(&[]);
    }

    /// The same on these terms.
    pub(crate) fn arm_with(&self, terms: &[&str]) {
        let file = self.arming_with(terms);
        self.run(&["sending", "arm", &file]).json();
    }

    fn find(&self) {
        let family = self.write("family.txt", people::leaked(&self.family).as_bytes());
        let folder = &self.site.leaks_folder;
        let mut files: Vec<_> = self.leak_files.iter().map(|file| folder.join(file)).collect();
        files.push(PathBuf::from(family));
        let files: Vec<_> = files.iter().map(PathBuf::as_path).collect();
        self.instance.add_leak(LEAK, &files).json();
        self.run(&["leak", "screen", LEAK]).json();
        self.run(&["leak", "verify", LEAK]).json();
    }

    /// Drafts and freezes, with these changes to the policy; what it then shows.
    pub(crate) fn freeze(&self, changes: &str) -> Value {
        self.draft(changes);
        self.freeze_again()
    }

    /// Drafts, and tries to freeze.
    pub(crate) fn try_to_freeze(&self, changes: &str) -> Run {
        self.draft(changes);
        self.steer("freeze")
    }

    fn draft(&self, changes: &str) {
        self.draft_another(CAMPAIGN, LEAK, changes);
    }

    /// A campaign of this name about this leak.
    pub(crate) fn draft_another(&self, name: &str, leak: &str, changes: &str) {
        let policy = self.policy_file(changes);
        let draft = ["campaign", "draft", name, "--author", "ana", "--leak", leak];
        self.run(&[&draft[..], &["--policy", &policy]].concat()).json();
    }

    /// A policy with these changes, as a file.
    pub(crate) fn policy_file(&self, changes: &str) -> String {
        let mut policy: toml::Table = toml::from_str(POLICY).unwrap();
        policy.extend(toml::from_str::<toml::Table>(changes).unwrap());
        self.write("policy.toml", policy.to_string().as_bytes())
    }

    /// Freezes a campaign that is drafted, has it signed, and starts it.
    pub(crate) fn start_another(&self, name: &str) {
        self.run(&["campaign", "freeze", name]).json();
        let file = self.path("another.json");
        self.run(&["campaign", "export", name, "--output", &file]).json();
        let plan = Plan::parse(&fs::read(file).unwrap()).unwrap();
        let [ana, bob, cleo] = ["ana", "bob", "cleo"].map(|operator| self.sign(&plan, operator));
        self.run(&["campaign", "approve", name, &ana, &bob, &cleo]).json();
        self.run(&["campaign", "start", name]).json();
    }

    /// Freezes what was thawed or halted.
    pub(crate) fn freeze_again(&self) -> Value {
        self.run(&["campaign", "freeze", CAMPAIGN]).json()
    }

    /// The plan as it is exported.
    pub(crate) fn export(&self) -> Plan {
        let file = self.path("plan.json");
        let _ = fs::remove_file(&file);
        self.run(&["campaign", "export", CAMPAIGN, "--output", &file]).json();
        Plan::parse(&fs::read(file).unwrap()).unwrap()
    }

    /// Has these operators approve the present plan, which its author has signed.
    pub(crate) fn approve(&self, names: &[&str]) -> Run {
        self.sign_off(&[&["ana"], names].concat())
    }

    /// Has these operators sign the present plan.
    pub(crate) fn sign_off(&self, names: &[&str]) -> Run {
        let plan = self.export();
        let files: Vec<_> = names.iter().map(|name| self.sign(&plan, name)).collect();
        self.hand_in(&files)
    }

    /// Takes these files for approvals.
    pub(crate) fn hand_in(&self, files: &[String]) -> Run {
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        self.run(&[&["campaign", "approve", CAMPAIGN][..], &files].concat())
    }

    /// One operator's approval, as a file.
    pub(crate) fn sign(&self, plan: &Plan, name: &str) -> String {
        let now = plan.frozen_at();
        let approval = Approval::sign(plan, plan.counts().targets, &key(name), now).unwrap();
        self.write(&format!("{name}.approval"), &approval.to_bytes())
    }

    /// Has two operators approve what is frozen, and starts it.
    pub(crate) fn sign_and_start(&self) {
        assert_eq!(self.approve(&["bob", "cleo"]).json()["state"], "signed");
        assert_eq!(self.steer("start").json()["state"], "canary");
    }

    /// Drafts, freezes, signs and starts.
    pub(crate) fn start(&self, policy: &str) {
        self.freeze(policy);
        self.sign_and_start();
    }

    /// `campaign start`, `halt`, `resume`, `thaw` or `close`.
    pub(crate) fn steer(&self, command: &str) -> Run {
        self.run(&["campaign", command, CAMPAIGN])
    }

    /// Where the campaign stands.
    pub(crate) fn status(&self) -> Value {
        self.steer("status").json()
    }

    pub(crate) fn state(&self) -> String {
        let shown = self.steer("status");
        // It says where a campaign stands, and that not all rows are as the log says.
        assert!(shown.code == 0 || shown.code == 3 && !self.has_true_rows(), "{}", shown.stderr);
        let status: Value = serde_json::from_str(&shown.stdout).unwrap();
        status["state"].as_str().unwrap().to_owned()
    }

    fn has_true_rows(&self) -> bool {
        self.has_true_rows.load(Ordering::Relaxed)
    }

    /// Works until the campaign no longer runs.
    pub(crate) fn work(&self) {
        assert_ended(&self.try_to_work());
    }

    /// The same, where the worker may be refused.
    pub(crate) fn try_to_work(&self) -> Run {
        self.run(&["worker", "--until-done"])
    }

    /// The same, beside the test.
    pub(crate) fn start_work(&self) -> AtWork {
        AtWork::of(self.instance.start(&["worker", "--until-done"]))
    }

    /// What became of everybody; the exit code must tell whether anybody has to be looked after.
    pub(crate) fn report(&self) -> Value {
        let run = self.steer("report");
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        let counts = [&report["notices"]["uncertain"], &report["sealing"], &report["untold"]];
        let doubtful = [&report["perhaps_sealed"], &report["skipped"]["unrecorded"]];
        let counts = counts.into_iter().chain(doubtful);
        let is_certain = counts.filter_map(Value::as_u64).sum::<u64>() == 0;
        assert_eq!(run.code, if is_certain { 0 } else { 4 }, "{}", run.stderr);
        report
    }

    /// The entries of the audit log that have this name.
    pub(crate) fn logged(&self, event: &str) -> Vec<Value> {
        let shown = self.run(&["log", "show", "--accounts"]).stdout;
        let entries = shown.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["event"] == event).collect()
    }

    /// The accounts by the numbers that stand for them in rows and log.
    pub(crate) fn subjects(&self) -> HashMap<String, String> {
        let found = self.logged("finding_made").into_iter();
        found
            .map(|entry| {
                (entry["subject"].to_string(), entry["account"].as_str().unwrap().to_owned())
            })
            .collect()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.instance.run(arguments)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.instance.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(Path::new(&path), bytes).unwrap();
        path
    }

    fn instance_id(&self) -> String {
        let shown = self.run(&["log", "show"]).stdout;
        let made: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
        made["instance"].as_str().unwrap().to_owned()
    }
}

/// What is true, whatever the program says of it.
impl Office {
    /// Everybody whose password stands in the leak and who has an address, in a fixed order.
    pub(crate) fn exposed(&self) -> Vec<&SitePerson> {
        let truth = &self.site.truth;
        let ours = truth.matches.iter().filter(|known| self.leak_files.contains(&known.file));
        let ids: BTreeSet<_> = ours.map(|known| known.account.as_str()).collect();
        let people = truth.people.iter().filter(|person| ids.contains(person.id.as_str()));
        let everybody = people.chain(&self.family);
        everybody.filter(|person| self.addresses.contains_key(&person.id)).collect()
    }

    /// Those of them whose address is theirs alone, and nothing special.
    pub(crate) fn plain(&self) -> Vec<&SitePerson> {
        self.exposed().into_iter().filter(|person| person.kind == "plain").collect()
    }

    pub(crate) fn address(&self, person: &SitePerson) -> &str {
        &self.addresses[&person.id]
    }

    /// The ids of those exposed whom Django no longer lets in with the leaked password.
    pub(crate) fn locked_out(&self) -> BTreeSet<String> {
        let exposed = self.exposed();
        let pairs: Vec<_> = exposed.iter().map(|person| (&*person.id, leaked(person))).collect();
        let opened = people::opens(&self.site, &pairs);
        let locked = exposed.iter().zip(opened).filter(|(_, opened)| !opened);
        locked.map(|(person, _)| person.id.clone()).collect()
    }

    /// The addresses of these accounts.
    pub(crate) fn addresses_of(&self, ids: &BTreeSet<String>) -> BTreeSet<String> {
        ids.iter().map(|id| self.addresses[id].clone()).collect()
    }

    /// These accounts and those that share an address with one of them: an address that was begun is
    /// settled whole.
    pub(crate) fn with_households(&self, some: &BTreeSet<String>) -> BTreeSet<String> {
        let family = ids(&self.family.iter().collect::<Vec<_>>());
        if family.is_disjoint(some) { some.clone() } else { some | &family }
    }

    /// The mails that the server has on record, by recipient.
    pub(crate) fn mails(&self) -> BTreeMap<String, Vec<TakenMail>> {
        let mut mails: BTreeMap<String, Vec<TakenMail>> = BTreeMap::new();
        for mail in self.smtp.taken() {
            let recipient = mail.recipients[0].to_lowercase();
            mails.entry(recipient).or_default().push(mail);
        }
        mails
    }

    /// The addresses that were told, each of them once.
    #[track_caller]
    pub(crate) fn told_once(&self) -> BTreeSet<String> {
        let mails = self.mails();
        for (address, mails) in &mails {
            assert_eq!(mails.len(), 1, "{address} was told more than once");
        }
        mails.into_keys().collect()
    }

    /// Asserts that exactly these were sealed and told, that nobody else was touched, and that the
    /// report says so.
    #[track_caller]
    pub(crate) fn assert_settled(&self, sealed: &BTreeSet<String>) -> Value {
        let addresses = self.addresses_of(sealed);
        assert_eq!(self.told_once(), addresses);
        let report = self.report();
        assert_eq!(report["state"], "done", "{report:#}");
        assert_eq!(report["sealed"], sealed.len(), "{report:#}");
        assert_eq!(report["notices"], serde_json::json!({"sent": addresses.len()}));
        self.run(&["log", "verify"]).json();
        report
    }
}

/// The password that stands in the leak.
pub(crate) fn leaked(person: &SitePerson) -> &str {
    person.password.as_deref().unwrap()
}

/// The ids of these people.
pub(crate) fn ids(people: &[&SitePerson]) -> BTreeSet<String> {
    people.iter().map(|person| person.id.clone()).collect()
}

fn configured(instance: TestInstance, site: &DjangoSite, smtp: &SmtpServer) -> TestInstance {
    instance
        .with("COUNTERSIGN_DIRECTORY_WRITE_URL", &site.database_url)
        .with("COUNTERSIGN_SITE_NAME", "Example")
        .with("COUNTERSIGN_MAIL_FROM", "security@example.org")
        .with("COUNTERSIGN_MAIL_TRANSPORT", "smtp")
        .with("COUNTERSIGN_SMTP_HOST", "127.0.0.1")
        .with("COUNTERSIGN_SMTP_SECURITY", "plain")
        .with("COUNTERSIGN_SMTP_PORT", &smtp.port().to_string())
        .with("COUNTERSIGN_WORKER_LEASE", "2s")
}

/// A worker beside the test; killed when this value goes.
pub(crate) struct AtWork(Option<Child>);

impl AtWork {
    pub(crate) const fn of(child: Child) -> Self {
        Self(Some(child))
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> Run {
        self.0.take().unwrap().wait_with_output().unwrap().into()
    }

    /// Asks it to finish what it has in hand.
    pub(crate) fn stop(self) -> Run {
        self.signal("TERM");
        self.wait()
    }

    /// Lets it stand still, as a host does that is out of memory or was suspended.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        wait_until(|| self.is_frozen());
    }

    /// Whether it stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    }

    /// Lets it go on where it stood.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Worked until nothing was left to do, or said whom a halt has left untold.
#[track_caller]
pub(crate) fn assert_ended(work: &Run) {
    let is_halted = work.code == 4 && work.stderr.contains("sealed while nobody was told");
    assert!(work.code == 0 || is_halted, "{}: {}", work.code, work.stderr);
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "it does not come to pass");
        thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) const OPERATORS: [&str; 4] = ["ana", "bob", "cleo", "dan"];

pub(crate) fn key(name: &str) -> OperatorKey {
    OperatorKey::generate(name.parse().unwrap(), &Named(name.to_owned()))
}

/// Draws the same bytes for the same name.
pub(crate) struct Named(pub(crate) String);

impl Randomness for Named {
    fn fill(&self, bytes: &mut [u8]) {
        let name = self.0.bytes().cycle();
        bytes.iter_mut().zip(name).for_each(|(byte, char)| *byte = char);
    }
}
