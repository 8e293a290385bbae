//! An instance with operators, a mail server, and a site whose people it may reset.

use std::{collections::BTreeMap, fs, path::Path};

use campaign::{Approval, OperatorKey, Plan, RosterDocument, SignedArming, SignedRoster};
use model::{Randomness, Timestamp};
use serde_json::Value;
use testkit::{
    site::DjangoSite,
    smtp::{SmtpServer, TakenMail},
};

use crate::harness::{Backend, Instance, Run};

/// What all campaigns of these tests are called.
pub(crate) const CAMPAIGN: &str = "Spring";

const LEAK: &str = "Bookshop 2016";

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
    pub(crate) instance: Instance,
    pub(crate) site: DjangoSite,
    pub(crate) smtp: SmtpServer,
}

impl Office {
    /// With the findings of all leaks of the site, four operators, and armed.
    pub(crate) fn open(backend: Backend) -> Self {
        let site = backend.site().copy();
        let smtp = SmtpServer::start(&[]);
        let instance = Instance::of(backend, &site)
            .with("COUNTERSIGN_DIRECTORY_WRITE_URL", &site.database_url)
            .with("COUNTERSIGN_SITE_NAME", "Example")
            .with("COUNTERSIGN_MAIL_FROM", "security@example.org")
            .with("COUNTERSIGN_MAIL_TRANSPORT", "smtp")
            .with("COUNTERSIGN_SMTP_HOST", "127.0.0.1")
            .with("COUNTERSIGN_SMTP_SECURITY", "plain")
            .with("COUNTERSIGN_SMTP_PORT", &smtp.port().to_string())
            .with("COUNTERSIGN_WORK_LEASE_SECONDS", "2");
        let mut office = Self { instance, site, smtp };
        office.found();
        office.arm();
        office.find();
        office
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

    pub(crate) fn arm(&self) {
        let file = self.path("arming.json");
        let _ = fs::remove_file(&file);
        self.run(&["sending", "propose", "--out", &file]).json();
        let signed = SignedArming::parse(&fs::read(&file).unwrap()).unwrap();
        let signed = signed.signed_by(&key("ana")).signed_by(&key("bob"));
        let signed = self.write("armed.json", &signed.to_bytes());
        self.run(&["sending", "arm", &signed]).json();
    }

    fn find(&self) {
        self.instance.add_leak(LEAK, &[&self.site.leaks_folder]).json();
        self.run(&["leak", "screen", LEAK]).json();
        self.run(&["leak", "verify", LEAK]).json();
    }

    /// Drafts and freezes; what it then shows.
    pub(crate) fn freeze(&self, policy: &str) -> Value {
        let policy = self.write("policy.toml", format!("{POLICY}{policy}").as_bytes());
        let draft = ["campaign", "draft", CAMPAIGN, "--author", "ana", "--leak", LEAK];
        self.run(&[&draft[..], &["--policy", &policy]].concat()).json();
        self.run(&["campaign", "freeze", CAMPAIGN]).json()
    }

    /// The plan as it is exported.
    pub(crate) fn export(&self) -> Plan {
        let file = self.path("plan.json");
        let _ = fs::remove_file(&file);
        self.run(&["campaign", "export", CAMPAIGN, "--out", &file]).json();
        Plan::parse(&fs::read(file).unwrap()).unwrap()
    }

    /// Has these operators approve the present plan.
    pub(crate) fn approve(&self, names: &[&str]) -> Run {
        let plan = self.export();
        let files: Vec<_> = names.iter().map(|name| self.sign(&plan, name)).collect();
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        self.run(&[&["campaign", "approve", CAMPAIGN][..], &files].concat())
    }

    /// One operator's approval, as a file.
    pub(crate) fn sign(&self, plan: &Plan, name: &str) -> String {
        let now = plan.frozen_at();
        let approval = Approval::sign(plan, plan.counts().targets, &key(name), now).unwrap();
        self.write(&format!("{name}.approval"), &approval.to_bytes())
    }

    /// Drafts, freezes, signs and starts.
    pub(crate) fn start(&self) {
        self.freeze("");
        assert_eq!(self.approve(&["bob", "cleo"]).json()["state"], "signed");
        assert_eq!(self.run(&["campaign", "start", CAMPAIGN]).json()["state"], "canary");
    }

    /// Works until the campaign no longer runs.
    pub(crate) fn work(&self) -> Run {
        self.run(&["worker", "--until-done"])
    }

    pub(crate) fn report(&self) -> Value {
        let run = self.run(&["campaign", "report", CAMPAIGN]);
        assert!(matches!(run.code, 0 | 4), "{}", run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.instance.run(arguments)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.instance.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(Path::new(&path), bytes).unwrap();
        path
    }

    fn instance_id(&self) -> String {
        let shown = self.run(&["log", "show"]).stdout;
        let made: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
        made["instance"].as_str().unwrap().to_owned()
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
}

pub(crate) const OPERATORS: [&str; 4] = ["ana", "bob", "cleo", "dan"];

pub(crate) fn key(name: &str) -> OperatorKey {
    OperatorKey::generate(name.parse().unwrap(), &Named(name.to_owned()))
}

/// Draws the same bytes for the same name.
struct Named(String);

impl Randomness for Named {
    fn fill(&self, bytes: &mut [u8]) {
        let name = self.0.bytes().cycle();
        bytes.iter_mut().zip(name).for_each(|(byte, char)| *byte = char);
    }
}
