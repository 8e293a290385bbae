//! Names that are hard to write into a mail's head, read by parsers that we did not write.

use std::fs;

use authority::{Approval, RosterDocument, SignedArming, SignedRoster};
use campaign::Plan;
use model::Timestamp;
use serde_json::{Value, json};

use crate::{
    harness::{Backend, TestInstance},
    judged::{assert_history, assert_reports},
    office::{OPERATORS, key},
};

const SENDER: &str = "security@lantern.example";

/// bcrypt of `Grain-Loft6`, as cheap as it can be.
const HASH: &str = "$2b$04$gOjoJckjz9Rl/cH.Th1gFuYqkBvYjBqk7uXyzlQDuEiZsl90Uo3GK";

const POLICY: &str = "canary_soak_seconds = 0\nstep_soak_seconds = 0\nramp = [ { reach = { permille = 1000 }, reapproval = false } ]\n\
                      large_permille = 1000\nlarge_approvers = 2\n";

/// RFC 2047, section 2: an encoded word has at most 75 characters, its line at most 76.
const WORD_CHARS_MAX: usize = 75;
const LINE_CHARS_MAX: u64 = 76;

/// RFC 5322, section 2.1.1.
const ANY_LINE_CHARS_MAX: u64 = 998;

/// The site's name, its language, and what the sender is called if not after the site.
const NAMES: &[(&str, &str, Option<&str>)] = &[
    ("Lantern Books", "en", Some("Quill, Ink & Co")),
    ("Lantern Books", "en", Some("Support (Billing)")),
    ("Lantern Books", "en", Some("The \"Heron\" Club")),
    ("Lantern Books", "en", Some("back\\slash")),
    ("Lantern Books", "en", Some("Mr. Fox: <shop>; @home")),
    ("Lantern Books", "de", Some("Buchhandlung Müller, Söhne")),
    ("Lantern Books", "de", Some("ÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖÖ")),
    ("Straßenbäckerei Ü", "de", None),
    ("図書館と本屋の大きな協同組合図書館", "en", None),
    ("Кооператив Фонарь", "de", None),
    ("𝔏antern 📚📚📚📚📚📚📚📚📚📚", "en", None),
];

/// An instance that mails one person at a time, into a folder.
struct Lantern {
    instance: TestInstance,
    dkim: testkit::dkim::Key,
}

impl Lantern {
    /// With somebody for each name, as nobody is told twice.
    fn open() -> Self {
        let dkim = testkit::dkim::Key::make();
        let instance = TestInstance::embedded(Backend::Sqlite)
            .with("COUNTERSIGN_MAIL_FROM", SENDER)
            .with("COUNTERSIGN_DKIM_DOMAIN", "lantern.example")
            .with("COUNTERSIGN_DKIM_SELECTOR", "s1")
            .with("COUNTERSIGN_DKIM_KEY_FILE", "dkim.pem");
        fs::write(instance.path("dkim.pem"), &dkim.private_pem).unwrap();
        let mut lantern = Self { instance, dkim };
        lantern.import();
        lantern.found();
        lantern.arm();
        lantern
    }

    fn import(&self) {
        let row = |at| format!("{at},lev{at}@example.org,Łukasz-ГрÖße-{at},{HASH},true\n");
        let rows: String = (0..NAMES.len()).map(row).collect();
        let file =
            self.write("users.csv", format!("id,email,username,hash,email_verified\n{rows}"));
        self.run(&["account", "import", &file]);
    }

    fn found(&mut self) {
        let shown = self.instance.run(&["log", "show"]).stdout;
        let made: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
        let id = made["instance"].as_str().unwrap().parse().unwrap();
        let people = OPERATORS.map(|name| key(name).public()).to_vec();
        let document = RosterDocument::founding(id, people, Timestamp::from_micros(0));
        let digest = document.digest().to_string();
        let sign = |signed: SignedRoster, name: &&str| signed.signed_by(&key(name));
        let signed = OPERATORS.iter().fold(SignedRoster::new(document), sign);
        let file = self.write("roster", signed.to_bytes());
        self.run(&["operator", "accept", &file, "--founding-digest", &digest]);
        self.instance.set("COUNTERSIGN_OPERATORS_ROSTER_DIGEST", &digest);
        self.instance.set("COUNTERSIGN_SITE_NAME", "Lantern Books");
    }

    fn arm(&self) {
        let file = self.path("arming");
        self.run(&["sending", "propose", "--output", &file]);
        let signed = SignedArming::parse(&fs::read(&file).unwrap()).unwrap();
        let signed = signed.signed_by(&key("ana")).signed_by(&key("bob"));
        let file = self.write("armed", signed.to_bytes());
        self.run(&["sending", "arm", &file]);
    }

    /// Writes to the person of this number under these names; the mail.
    fn write_to(&mut self, person: usize) -> Vec<u8> {
        let (site, language, sender) = NAMES[person];
        self.instance.set("COUNTERSIGN_SITE_NAME", site);
        self.instance.set("COUNTERSIGN_SITE_LANGUAGE", language);
        self.instance.set("COUNTERSIGN_MAIL_FROM_NAME", sender.unwrap_or(site));
        let campaign = format!("C{person}");
        self.find(person, &campaign);
        self.sign(&campaign);
        let before = self.mails();
        self.run(&["worker", "--until-done"]);
        let mut mails = self.mails();
        mails.retain(|mail| !before.contains(mail));
        assert_eq!(mails.len(), 1, "{site}: {person}");
        mails.remove(0)
    }

    fn find(&self, person: usize, leak: &str) {
        let leaked = self.write(leak, format!("lev{person}@example.org:Grain-Loft6\n"));
        self.instance.add_leak(leak, &[leaked.as_ref()]).json();
        self.run(&["leak", "screen", leak]);
        self.run(&["leak", "verify", leak]);
    }

    fn sign(&self, campaign: &str) {
        let (policy, plan) = (self.write("policy", POLICY), self.path(&format!("{campaign}.plan")));
        let draft = ["campaign", "draft", campaign, "--author", "ana", "--leak", campaign];
        self.run(&[&draft[..], &["--policy", &policy]].concat());
        self.run(&["campaign", "freeze", campaign]);
        self.run(&["campaign", "export", campaign, "--output", &plan]);
        let plan = Plan::parse(&fs::read(plan).unwrap()).unwrap();
        let approval = |name: &str| {
            let count = plan.counts().targets;
            let approval = Approval::sign(&plan, count, &key(name), plan.frozen_at()).unwrap();
            self.write(name, approval.to_bytes())
        };
        let [ana, bob, cleo] = ["ana", "bob", "cleo"].map(approval);
        self.run(&["campaign", "approve", campaign, &ana, &bob, &cleo]);
        self.run(&["campaign", "start", campaign]);
    }

    fn mails(&self) -> Vec<Vec<u8>> {
        let Ok(files) = fs::read_dir(self.instance.path("mail/new")) else { return Vec::new() };
        files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) {
        let run = self.instance.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    }

    fn path(&self, name: &str) -> String {
        self.instance.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.instance.path(name), bytes).unwrap();
        self.path(name)
    }
}

/// What Python reads in a mail's head.
fn head(mail: &[u8]) -> Value {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), mail).unwrap();
    let read = testkit::python("mail_head.py").arg(file.path()).output().unwrap();
    serde_json::from_slice(&read.stdout).unwrap_or_else(|_| panic!("{read:?}"))
}

fn assert_is_well_formed(head: &Value) {
    let words = head["words"].as_array().unwrap();
    assert!(words.iter().all(|word| word.as_str().unwrap().len() <= WORD_CHARS_MAX), "{head:#}");
    assert_eq!(head["broken"], json!([]), "{head:#}");
    let lines = head["lines"].as_array().unwrap();
    assert!(lines.iter().all(|chars| chars.as_u64().unwrap() <= LINE_CHARS_MAX), "{head:#}");
    assert!(head["longest_line"].as_u64().unwrap() <= ANY_LINE_CHARS_MAX, "{head:#}");
}

#[test]
fn any_name_of_a_site_or_a_sender_is_read_as_it_was_written() {
    let mut lantern = Lantern::open();
    let mut signed = Vec::new();
    for (person, (site, _, sender)) in NAMES.iter().enumerate() {
        let mail = lantern.write_to(person);
        let head = head(&mail);
        let sender = sender.unwrap_or(site);
        assert_eq!(head["from"], json!([[sender, SENDER]]), "one mailbox, and its name");
        assert!(head["subject"].as_str().unwrap().contains(site), "{head:#}");
        assert_is_well_formed(&head);
        let begin = mail.windows(15).position(|part| part == b"DKIM-Signature:").unwrap();
        signed.push(mail[begin..].to_vec());
    }
    let verdicts = lantern.dkim.verify(signed);
    for (verdict, (site, ..)) in verdicts.iter().zip(NAMES) {
        assert!(verdict.is_good(), "{site}: {verdict:?}");
    }
    assert_history(&lantern.instance);
    assert_reports(&lantern.instance);
}
