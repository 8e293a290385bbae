//! People with keys: on terminals, as they would sit at them.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use authority::OperatorKey;
use campaign::{Draft, Place, Plan, Policy, StoreKind, Target, Targets};
use model::{CampaignId, Document as _, Timestamp};
use serde_json::Value;
use testkit::{Terminal, TerminalRun, no_terminal, terminal};

use crate::{
    harness::{Backend, TestInstance, program},
    office::{Named, key},
};

const PASSPHRASE: &str = "correct horse battery";

/// The key file of somebody, made once for all tests: it takes scrypt a while.
fn key_file(name: &'static str) -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    static KEYS: OnceLock<BTreeMap<&str, PathBuf>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path();
        let path = |name: &'static str| {
            let file = folder.join(name);
            fs::write(&file, key(name).to_file(PASSPHRASE, &Named(name.to_owned())).unwrap())
                .unwrap();
            (name, file)
        };
        ["ana", "bob", "cleo", "dan"].map(path).into()
    });
    &keys[name]
}

/// An instance, and what its operators do with it.
struct Founding {
    instance: TestInstance,
}

impl Founding {
    fn new() -> Self {
        Self { instance: TestInstance::embedded(Backend::Sqlite) }
    }

    /// One whose first roster is ana, bob and cleo.
    fn founded() -> Self {
        let mut founding = Self::new();
        let digest = founding.found();
        for name in ["ana", "bob", "cleo"] {
            founding.sign("roster", &digest, name);
        }
        founding.accept_founding(&digest).json();
        founding.instance = founding.instance.with("COUNTERSIGN_OPERATORS_ROSTER_DIGEST", &digest);
        founding
    }

    fn path(&self, name: &str) -> String {
        self.instance.path(name).to_str().unwrap().to_owned()
    }

    /// Proposes the first roster; returns its digest.
    fn found(&self) -> String {
        let people = ["ana", "bob", "cleo"].map(|name| key(name).public().to_string());
        let in_file = self.path("cleo.pub");
        fs::write(&in_file, format!("{}\n", people[2])).unwrap();
        let (in_file, out) = (format!("@{in_file}"), self.path("roster"));
        let arguments = ["operator", "init", &people[0], &people[1], &in_file, "--output", &out];
        digest(&self.instance.run(&arguments).json())
    }

    fn accept_founding(&self, digest: &str) -> crate::harness::Run {
        let file = self.path("roster");
        self.instance.run(&["operator", "accept", &file, "--founding-digest", digest])
    }

    /// Proposes that dan becomes an operator; returns the document's digest.
    fn add_dan(&self) -> String {
        let (dan, out) = (key("dan").public().to_string(), self.path("change"));
        digest(&self.instance.run(&["operator", "add", &dan, "--output", &out]).json())
    }

    fn sign(&self, file: &str, digest: &str, name: &'static str) -> TerminalRun {
        let run = sign(&self.path(file), name)
            .answer("characters of the digest: ", &digest[..8])
            .answer_hidden("Passphrase of", PASSPHRASE)
            .run();
        assert_eq!(run.code, 0, "{}", run.output);
        assert!(!run.output.contains(PASSPHRASE), "{}", run.output);
        run
    }

    fn names(&self) -> Vec<String> {
        let listed = self.instance.run(&["operator", "list"]).json();
        let operators = listed["operators"].as_array().unwrap().iter();
        operators.map(|operator| operator["name"].as_str().unwrap().to_owned()).collect()
    }

    /// What `sending status` says, and its exit code.
    fn sending(&self) -> (i32, Value) {
        let run = self.instance.run(&["sending", "status"]);
        (run.code, serde_json::from_str(&run.stdout).unwrap())
    }
}

fn digest(result: &Value) -> String {
    result["digest"].as_str().unwrap().to_owned()
}

/// The command needs neither configuration nor store: it gets none.
fn sign(file: &str, name: &'static str) -> Terminal {
    let mut command = program(["sign", file, "--key"]);
    command.arg(key_file(name));
    terminal(command)
}

fn keygen(out: &Path) -> Command {
    program(["operator", "keygen", "ana", "--output", out.to_str().unwrap()])
}

#[test]
fn a_key_is_made_under_a_passphrase_typed_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ana.key");
    let asked = |first: &str, second: Option<&str>| {
        let run = terminal(keygen(&file)).answer_hidden("New passphrase", first);
        match second {
            Some(second) => run.answer_hidden("again: ", second).run(),
            None => run.run(),
        }
    };
    let short = asked("too short", None);
    assert_eq!(short.code, 1);
    assert!(short.output.contains("has 9 characters, it needs at least 12"), "{}", short.output);
    let differs = asked(PASSPHRASE, Some("correct horse batteries"));
    assert_eq!(differs.code, 1);
    assert!(differs.output.contains("the two passphrases differ"), "{}", differs.output);
    let interrupted = asked("\u{3}", None);
    assert_eq!(interrupted.code, 1);
    assert!(interrupted.output.contains("interrupted: nothing was answered"));
    assert!(!file.exists());

    let made = asked(PASSPHRASE, Some(PASSPHRASE));
    assert_eq!(made.code, 0, "{}", made.output);
    assert!(made.output.contains("countersign-operator-1 ana "), "{}", made.output);
    assert!(!made.output.contains(PASSPHRASE));
    let text = fs::read_to_string(&file).unwrap();
    let key = OperatorKey::from_file(&text, PASSPHRASE).unwrap();
    assert!(made.output.contains(&key.public().to_string()));
    let permissions = fs::metadata(&file).unwrap().permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
    let again = terminal(keygen(&file)).run();
    assert!(again.output.contains("is there already"), "{}", again.output);
}

#[test]
fn three_found_a_roster_that_the_configuration_names() {
    let founding = Founding::new();
    let digest = founding.found();
    let signed = founding.sign("roster", &digest, "ana");
    assert!(signed.output.contains(&format!("digest: {digest}")), "{}", signed.output);
    let few = founding.accept_founding(&digest);
    assert_eq!(few.code, 3, "{}", few.stderr);
    assert!(few.stderr.contains("1 operators have signed, 3 are needed"), "{}", few.stderr);
    founding.sign("roster", &digest, "bob");
    founding.sign("roster", &digest, "cleo");

    let none = founding.instance.run(&["operator", "accept", &founding.path("roster")]);
    assert!(none.failure().contains("--founding-digest"), "{}", none.failure());
    let wrong = founding.accept_founding(&"0".repeat(64));
    assert_eq!(wrong.code, 3, "{}", wrong.stderr);
    assert!(wrong.stderr.contains(&format!("digest is {digest}")), "{}", wrong.stderr);

    let accepted = founding.accept_founding(&digest).json();
    let line = format!("[operators]\nroster_digest = \"{digest}\"\n");
    assert_eq!(accepted["configuration"], line);
    let unset = founding.instance.run(&["operator", "list"]);
    assert!(unset.failure().contains("`operators.roster_digest` is not set"));
    let file = founding.instance.path("countersign.toml");
    let commented = fs::read_to_string(&file).unwrap();
    let commented = commented.replace("[operators]\n", "").replace("# roster_digest", "# ");
    fs::write(&file, commented + &line).unwrap();
    assert_eq!(founding.names(), ["ana", "bob", "cleo"]);
}

#[test]
fn a_change_needs_two_signatures() {
    let founding = Founding::founded();
    let digest = founding.add_dan();
    let accept = || founding.instance.run(&["operator", "accept", &founding.path("change")]);
    founding.sign("change", &digest, "ana");
    let one = accept();
    assert_eq!(one.code, 3, "{}", one.stderr);
    assert!(one.stderr.contains("1 operators have signed, 2 are needed"), "{}", one.stderr);
    assert_eq!(founding.names().len(), 3);

    founding.sign("change", &digest, "bob");
    assert_eq!(accept().json()["operators"].as_array().unwrap().len(), 4);
    assert_eq!(founding.names(), ["ana", "bob", "cleo", "dan"]);
    assert_eq!(accept().code, 3, "nothing is taken twice");
    let log = founding.instance.run(&["log", "show"]).stdout;
    assert!(log.contains("roster_founded") && log.contains("roster_changed"), "{log}");
}

#[test]
fn whoever_types_another_digest_signs_nothing() {
    let founding = Founding::new();
    founding.found();
    let before = fs::read(founding.path("roster")).unwrap();
    let run = sign(&founding.path("roster"), "ana")
        .answer("characters of the digest: ", "12345678")
        .run();
    assert_eq!(run.code, 3, "{}", run.output);
    assert!(run.output.contains("nothing is signed"), "{}", run.output);
    assert_eq!(fs::read(founding.path("roster")).unwrap(), before);
}

#[test]
fn a_wrong_passphrase_signs_nothing() {
    let founding = Founding::new();
    let digest = founding.found();
    let run = sign(&founding.path("roster"), "ana")
        .answer("characters of the digest: ", &digest[..8])
        .answer_hidden("Passphrase of", "correct horse batterY")
        .run();
    assert_eq!(run.code, 1, "{}", run.output);
    assert!(run.output.contains("the passphrase is wrong"), "{}", run.output);
}

#[test]
fn two_operators_arm_a_host_for_sending() {
    let founding = Founding::founded();
    let (code, status) = founding.sending();
    assert_eq!((code, &status["armed"]), (3, &Value::Bool(false)));
    let reason = status["reason"].as_str().unwrap();
    assert!(reason.contains("sending.json does not exist: this host is not armed"), "{reason}");

    let file = founding.path("arming");
    let propose = founding.instance.run(&["sending", "propose", "--output", &file]).json();
    let digest = digest(&propose);
    let (code, status) = founding.sending();
    assert_eq!(code, 3);
    assert!(status["reason"].as_str().unwrap().contains("does not exist"), "{status}");

    let arm = || founding.instance.run(&["sending", "arm", &file]);
    founding.sign("arming", &digest, "bob");
    let one = arm();
    assert_eq!(one.code, 3, "{}", one.stderr);
    assert!(one.stderr.contains("1 operators have signed, 2 are needed"), "{}", one.stderr);
    founding.sign("arming", &digest, "cleo");
    let armed = arm().json();
    assert_eq!(armed["signers"], serde_json::json!(["bob", "cleo"]));
    let (code, status) = founding.sending();
    assert_eq!((code, &status["armed"]), (0, &Value::Bool(true)));
    assert_eq!(status["lease_until"], armed["lease_until"]);
    assert!(founding.instance.run(&["log", "show"]).stdout.contains("sending_armed"));
}

#[test]
fn three_operators_read_that_they_cannot_approve_a_large_plan() {
    let founding = Founding::founded();
    let list = || founding.instance.shown(&["operator", "list"]);
    assert!(
        list().contains("these 3 cannot approve one: `countersign operator add`"),
        "{}",
        list()
    );
}

#[test]
fn the_status_says_that_nothing_can_be_sent_and_what_makes_it_so() {
    let founding = Founding::founded();
    let status = || {
        let words = founding.instance.shown(&["status"]);
        (founding.instance.run(&["status"]).json()["sending"].take(), words)
    };
    let (sending, words) = status();
    assert_eq!(sending["armed"], false);
    assert!(words.contains("sending propose") && !words.contains("goes on"), "{words}");

    let file = founding.path("arming");
    let propose = founding.instance.run(&["sending", "propose", "--output", &file]).json();
    for name in ["ana", "bob"] {
        founding.sign("arming", &digest(&propose), name);
    }
    founding.instance.run(&["sending", "arm", &file]).json();
    let (sending, words) = status();
    assert_eq!((&sending["armed"], &sending["reason"]), (&Value::Bool(true), &Value::Null));
    assert!(words.contains("goes on"), "{words}");

    founding.instance.ask("UPDATE arming SET lease_until = armed_at");
    let (sending, words) = status();
    assert_eq!(sending["armed"], false, "{sending}");
    assert!(!words.contains("goes on"), "{words}");
    for expected in ["nothing can be sent from this host", "was armed until", "sending propose"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
}

#[test]
fn a_copied_store_is_not_armed() {
    let founding = Founding::founded();
    let file = founding.path("arming");
    let propose = founding.instance.run(&["sending", "propose", "--output", &file]).json();
    for name in ["ana", "bob"] {
        founding.sign("arming", &digest(&propose), name);
    }
    founding.instance.run(&["sending", "arm", &file]).json();
    let (store, copy) = (founding.path("countersign.sqlite3"), founding.path("copy"));
    fs::copy(&store, &copy).unwrap();
    fs::rename(&copy, &store).unwrap();
    let (code, status) = founding.sending();
    assert_eq!(code, 3);
    assert!(status["reason"].as_str().unwrap().contains("it was copied or moved"), "{status}");
    let again = founding.instance.run(&["sending", "arm", &file]);
    assert_eq!(again.code, 3, "{}", again.stderr);
}

/// A plan of ana's to reset three accounts, frozen just now.
fn plan(name: &str) -> Plan {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    let now = Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap());
    let reason = campaign::Reason {
        leak: model::LeakId(1),
        name: "Example Books".parse().unwrap(),
        date: "2016-05".parse().unwrap(),
        public_name: None,
        is_suspect: false,
        provenance: model::Provenance::Circulating,
        targets: 3,
    };
    let draft = Draft {
        instance: "0123456789abcdef".parse().unwrap(),
        store: StoreKind::Site,
        campaign: CampaignId(7),
        name: name.parse().unwrap(),
        author: "ana".parse().unwrap(),
        accounts: 10_000,
        others: None,
        skipped: BTreeMap::new(),
        reasons: vec![reason],
        policy: Policy::default(),
        mails: [].into(),
        is_witnessed: false,
        templates: [("reset/en".parse().unwrap(), campaign::TemplateDigest::from_bytes([9; 32]))]
            .into(),
    };
    let targets = Targets::new((0..3).map(target).collect()).unwrap();
    Plan::freeze(draft, &targets, 1, now).unwrap()
}

fn target(number: u8) -> Target {
    Target {
        account: model::AccountId::new(format!("account-{number}")).unwrap(),
        findings: vec![7],
        credential_version: model::CredentialVersion::from_bytes([0; 32]),
        address: campaign::AddressKey::from_bytes([number; 32]),
        place: Place { address: 0, accounts: 0 },
    }
}

/// A plan that was exported to a host where somebody signs.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn with(plan: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plan"), plan).unwrap();
        Self { folder }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("approval")
    }

    fn sign(&self, name: &'static str) -> Command {
        let mut command = program(["sign"]);
        command.arg(self.folder.path().join("plan")).arg("--key").arg(key_file(name));
        command.arg("--output").arg(self.out());
        command
    }
}

/// Signs a plan as its reader does: on a terminal, by typing its count. What is handed back.
pub(crate) fn sign_plan(plan: &Plan, name: &'static str) -> Vec<u8> {
    let desk = Desk::with(&plan.to_bytes());
    sign_at(&desk, plan, name);
    fs::read(desk.out()).unwrap()
}

fn sign_at(desk: &Desk, plan: &Plan, name: &'static str) -> TerminalRun {
    let run = terminal(desk.sign(name))
        .answer("Type the number: ", &plan.counts().targets.to_string())
        .answer_hidden("Passphrase of", PASSPHRASE)
        .run();
    assert_eq!(run.code, 0, "{}", run.output);
    run
}

#[test]
fn a_plan_is_signed_by_whoever_types_its_count() {
    let plan = plan("Spring");
    let desk = Desk::with(&plan.to_bytes());
    let run = sign_at(&desk, &plan, "bob");
    for line in plan.signing_text().lines() {
        assert!(run.output.contains(line), "{line} in {}", run.output);
    }
    let approval = authority::Approval::parse(&fs::read(desk.out()).unwrap()).unwrap();
    assert_eq!(
        (approval.operator().as_str(), approval.document().as_bytes()),
        ("bob", plan.digest().as_bytes())
    );
}

#[test]
fn a_wrong_count_is_refused() {
    let desk = Desk::with(&plan("Spring").to_bytes());
    for (typed, reason) in [
        ("30", "30 was typed, but the plan resets 3 accounts"),
        ("yes", "`yes` is no number of accounts"),
        ("", "`` is no number of accounts"),
    ] {
        let run = terminal(desk.sign("bob")).answer("Type the number: ", typed).run();
        assert_eq!(run.code, 3, "{}", run.output);
        assert!(run.output.contains(reason), "{}", run.output);
        assert!(!desk.out().exists());
    }
}

#[test]
fn an_approval_goes_into_a_file_that_somebody_names() {
    let desk = Desk::with(&plan("Spring").to_bytes());
    let run = sign(desk.folder.path().join("plan").to_str().unwrap(), "bob").run();
    assert_eq!(run.code, 1, "{}", run.output);
    assert!(run.output.contains("say with --output into which file"), "{}", run.output);
}

#[test]
fn a_roster_can_be_signed_into_another_file() {
    let founding = Founding::new();
    let digest = founding.found();
    let before = fs::read(founding.path("roster")).unwrap();
    let mut command =
        program(["sign", &founding.path("roster"), "--output", &founding.path("signed")]);
    command.arg("--key").arg(key_file("ana"));
    let run = terminal(command)
        .answer("characters of the digest: ", &digest[..8])
        .answer_hidden("Passphrase of", PASSPHRASE)
        .run();
    assert_eq!(run.code, 0, "{}", run.output);
    assert!(run.output.contains("\"kind\": \"roster\""), "{}", run.output);
    assert_eq!(fs::read(founding.path("roster")).unwrap(), before);
    assert_ne!(fs::read(founding.path("signed")).unwrap(), before);
}

#[test]
fn what_is_no_document_is_not_signed() {
    let founding = Founding::new();
    let file = founding.path("countersign.toml");
    let run = sign(&file, "ana").run();
    assert_eq!(run.code, 1, "{}", run.output);
    assert!(run.output.contains("this is no document to be signed"), "{}", run.output);
}

#[test]
fn the_author_signs_what_they_wrote() {
    let plan = plan("Spring");
    let desk = Desk::with(&plan.to_bytes());
    let run = sign_at(&desk, &plan, "ana");
    assert!(run.output.contains("author: ana, who has to sign as well"), "{}", run.output);
    let approval = authority::Approval::parse(&fs::read(desk.out()).unwrap()).unwrap();
    assert_eq!(approval.operator().as_str(), "ana");
}

#[test]
fn no_pipe_can_answer() {
    let desk = Desk::with(&plan("Spring").to_bytes());
    let piped = format!("3\n{PASSPHRASE}\n");
    let alone = no_terminal(desk.sign("bob")).input(&piped).run();
    assert_eq!(alone.code, 1, "{}", alone.output);
    assert!(alone.output.contains("there is no terminal to ask on"), "{}", alone.output);
    let run = terminal(desk.sign("bob")).input(&piped).answer("Type the number: ", "4").run();
    assert_eq!(run.code, 3, "{}", run.output);
    assert!(run.output.contains("4 was typed"), "{}", run.output);
    assert!(!desk.out().exists());
}

#[test]
fn a_plans_name_cannot_repaint_the_terminal() {
    let desk = Desk::with(&plan("Spring\u{202e}\u{2028}round: 9").to_bytes());
    let run = terminal(desk.sign("bob")).answer("Type the number: ", "0").run();
    assert!(run.output.contains(r"Spring\u{202e}\u{2028}round: 9"), "{}", run.output);
    assert!(!run.output.contains('\u{202e}'));

    let painted = String::from_utf8(plan("Spring").to_bytes()).unwrap();
    let desk = Desk::with(painted.replace("Spring", r"\u001b[2J").as_bytes());
    let run = terminal(desk.sign("bob")).run();
    assert_eq!(run.code, 1, "{}", run.output);
    assert!(!run.output.contains('\u{1b}'), "{:?}", run.output);
    let file = desk.folder.path().join("x\u{1b}[2J");
    let run = terminal(program(["sign", file.to_str().unwrap(), "--key", "k"])).run();
    assert!(run.output.contains(r"x\u{1b}[2J cannot be read"), "{:?}", run.output);
}
