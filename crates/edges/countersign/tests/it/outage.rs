//! A relay that fails: nobody is locked out in silence, nobody is given up for a fault of ours,
//! and one person's dead mailbox keeps nobody else's mail.

use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, process::Stdio, thread,
    time::Duration,
};

use serde_json::{Value, json};
use testkit::{CommitProxy, LostCommit, smtp::SmtpServer};

use crate::{
    campaign_kill::FILES,
    campaign_steering::{PART, find_part},
    harness::Backend,
    office::{AtWork, CAMPAIGN, Office, assert_ended, ids, wait_until},
};

/// What a relay answers to everybody's RCPT, DATA or final dot until its operator puts it right.
const ABOUT_US: [(&str, u64); 18] = [
    ("RCPT 504 5.5.2 <client>: Helo command rejected: need fully-qualified hostname", 504),
    ("RCPT 554 5.7.1 Relay access denied", 554),
    ("RCPT 530 5.7.0 Authentication required", 530),
    ("RCPT 550 5.7.1 Sender address rejected: not owned by user", 550),
    ("RCPT 553 5.1.8 sender is unknown", 553),
    ("RCPT 551 relaying denied", 551),
    ("RCPT 550 5.3.2 System not accepting network messages", 550),
    ("RCPT 552 5.3.4 Message too big for system", 552),
    ("RCPT 554 Service unavailable; Client host blocked using a blocklist", 554),
    ("RCPT 550 Your message was rejected due to the poor reputation of your network", 550),
    ("RCPT 503 5.5.1 bad sequence of commands", 503),
    ("RCPT 535 5.7.8 credentials invalid", 535),
    ("RCPT 451 4.3.0 Temporary lookup failure", 451),
    ("RCPT 452 4.3.1 Insufficient system storage", 452),
    ("RCPT 421 4.7.0 too many connections", 421),
    ("DATA 550 5.7.1 no", 550),
    ("DOT 554 5.7.1 Your host is blocked for its reputation", 554),
    ("DOT 501 5.5.4 no", 501),
];

/// The same, by the command that it comes to first.
const EARLIER: [(&str, &str, u64); 5] = [
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", 530),
    ("MAIL", "552 5.3.4 Message size exceeds fixed limit", 552),
    ("MAIL", "550 5.1.1 user unknown", 550),
    ("MAIL", "451 4.7.1 greylisted", 451),
    ("EHLO", "504 5.5.2 need a full name", 504),
];

const FAST: &str = "canary_addresses = 500";

/// A worker on a busy machine keeps what it has in hand: a lease that is over would make mails
/// uncertain.
fn open(backend: Backend) -> Office {
    let mut office = Office::open(backend);
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "15s");
    office
}

/// Signs, and starts without asking the relay.
fn start_blindly(office: &Office, policy: &str) {
    office.freeze(policy);
    assert_eq!(office.approve(&["bob", "cleo"]).json()["state"], "signed");
    let start = ["campaign", "start", CAMPAIGN, "--skip-relay-check"];
    assert_eq!(office.run(&start).json()["state"], "canary");
}

fn pause(office: &Office) -> Value {
    office.run(&["status"]).json()["sending_paused"].take()
}

/// Nobody waits for the probe that is due next.
fn hasten(office: &Office) {
    office.instance.ask("UPDATE sending_pause SET probe_at = 0");
}

fn sealed(office: &Office) -> u64 {
    office.status()["accounts"]["sealed"].as_u64().unwrap_or_default()
}

/// Waits until the pause says so; a pause that has not begun yet begins by itself.
fn wait_for_code(office: &Office, code: u64) {
    wait_until(|| {
        hasten(office);
        pause(office)["code"] == code
    });
}

#[test]
fn whatever_a_relay_has_against_us_everybody_is_told_once_it_works_on_sqlite() {
    break_in_every_way(Backend::Sqlite);
}

#[test]
fn whatever_a_relay_has_against_us_everybody_is_told_once_it_works_on_postgres() {
    break_in_every_way(Backend::Postgres);
}

fn break_in_every_way(backend: Backend) {
    let office = open(backend);
    office.smtp.behave("*", ABOUT_US[0].0);
    start_blindly(&office, FAST);
    let work = office.start_work();
    for (behaviour, code) in ABOUT_US {
        office.smtp.behave("*", behaviour);
        wait_for_code(&office, code);
    }
    for (command, reply, code) in EARLIER {
        office.smtp.behave("*", ABOUT_US[1].0);
        wait_for_code(&office, ABOUT_US[1].1);
        office.smtp.behave(command, reply);
        wait_for_code(&office, code);
        office.smtp.behave(command, "");
    }
    office.smtp.behave("*", "accept");
    hasten(&office);
    assert_eq!(work.wait().code, 0);
    office.assert_settled(&ids(&office.exposed()));
    assert_eq!(pause(&office), Value::Null);
}

/// What keeps us from coming as far as that on a relay that wants TLS and a password.
const BEFORE_MAIL: [(&str, &str, u64); 6] = [
    ("CONNECT", "554 5.7.1 no service for you", 554),
    ("CONNECT", "421 4.3.2 too busy", 421),
    ("STARTTLS", "454 4.7.0 TLS not available due to local problem", 454),
    ("AUTH", "535 5.7.8 username and password not accepted", 535),
    ("AUTH", "534 5.7.9 please log in with your web browser and try again", 534),
    ("AUTH", "454 4.7.0 temporary authentication failure", 454),
];

#[test]
fn whatever_keeps_us_from_speaking_to_the_relay_everybody_is_told_once_it_lets_us() {
    let mut office = open(Backend::Sqlite);
    sign_in_to_a_relay(&mut office);
    let [first, ..] = BEFORE_MAIL;
    office.smtp.behave(first.0, first.1);
    start_blindly(&office, FAST);
    let work = office.start_work();
    for (command, reply, code) in BEFORE_MAIL {
        office.smtp.behave(command, reply);
        wait_for_code(&office, code);
        office.smtp.behave(command, "");
        // Nobody is to be told before the last word.
        office.smtp.behave("MAIL", "451 4.3.0 not now");
    }
    office.smtp.behave("MAIL", "");
    hasten(&office);
    assert_eq!(work.wait().code, 0);
    office.assert_settled(&ids(&office.exposed()));
}

/// A relay with STARTTLS that takes mail of one user alone.
fn sign_in_to_a_relay(office: &mut Office) {
    office.smtp = SmtpServer::start(&["--starttls", "--name", "127.0.0.1", "--login", "us:secret"]);
    let password = office.write("password", b"secret");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let (port, ca) = (office.smtp.port().to_string(), office.smtp.folder().join("ca.pem"));
    for (name, value) in [
        ("COUNTERSIGN_SMTP_PORT", &*port),
        ("COUNTERSIGN_SMTP_SECURITY", "starttls"),
        ("COUNTERSIGN_SMTP_CA_FILE", ca.to_str().unwrap()),
        ("COUNTERSIGN_SMTP_USERNAME", "us"),
        ("COUNTERSIGN_SMTP_PASSWORD_FILE", &password),
    ] {
        office.instance.set(name, value);
    }
}

#[test]
fn while_mail_does_not_leave_hardly_anybody_is_tried_by_however_many_workers() {
    for backend in Backend::ALL {
        let office = open(backend);
        office.smtp.behave("*", "RCPT 554 5.7.1 <{}>: Relay access denied");
        start_blindly(&office, "canary_addresses = 500\nretry_seconds = 60");
        let workers = [office.start_work(), office.start_work()];
        wait_until(|| pause(&office) != Value::Null);
        thread::sleep(Duration::from_secs(3));
        let (tried, shut) = (office.smtp.connections(), sealed(&office));
        thread::sleep(Duration::from_secs(4));
        assert_eq!(office.smtp.connections(), tried, "the next probe is a minute away");
        assert_eq!(sealed(&office), shut, "nobody more is sealed");
        // What eight lanes had in hand when it was found out, and the second opinion.
        assert!(tried <= 9, "{tried} attempts");

        let shown = office.status();
        let paused = &shown["sending_paused"];
        assert_eq!((&paused["phase"], &paused["code"]), (&json!("recipient"), &json!(554)));
        assert!(paused["answer"].as_str().unwrap().contains("5.7.1"), "{paused}");
        assert!(paused["remedy"].as_str().unwrap().contains("`smtp."), "{paused}");
        let doctor = office.run(&["doctor"]);
        assert_eq!(doctor.code, 1, "{}", doctor.stdout);
        assert!(doctor.stdout.contains("nobody is told since"), "{}", doctor.stdout);

        office.smtp.behave("*", "accept");
        // It finds that the relay takes mail again, and lets one notice be tried at once.
        office.run(&["doctor"]);
        // Those who were heard of wait their minute out.
        office.instance.ask("UPDATE notice SET not_before = 0 WHERE state = 'pending'");
        for worker in workers {
            assert_eq!(worker.wait().code, 0);
        }
        office.assert_settled(&ids(&office.exposed()));
    }
}

#[test]
fn a_dead_mailbox_in_every_second_address_keeps_nobody_from_being_told() {
    let office = open(Backend::Sqlite);
    let exposed = ids(&office.exposed());
    let all = office.addresses_of(&exposed);
    let dead: BTreeSet<_> = all.iter().step_by(2).cloned().collect();
    for (address, reply) in dead.iter().zip(DEAD.iter().cycle()) {
        office.smtp.behave(address, reply);
    }
    office.start(FAST);
    office.work();
    assert_refused(&office, &all, &dead);
    assert_eq!(pause(&office), Value::Null);
    let answers = office.instance.ask("SELECT answer FROM notice");
    for address in &all {
        assert!(!answers.contains(address.as_str()), "{address}: {answers}");
    }
}

/// The thresholds of the policy that one gets by default.
const THRESHOLDS: &str = "canary_addresses = 500\nrefused = { count = 10, permille = 50 }\n\
                          uncertain = { count = 3, permille = 10 }";

/// Operators look, find the refusals in order, sign again and let it go on.
#[test]
fn dead_mailboxes_halt_a_campaign_and_keep_nobody_from_being_told_after_that() {
    let mut office = Office::with_leaks(Backend::Sqlite, &FILES);
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "15s");
    let all = office.addresses_of(&ids(&office.exposed()));
    let dead: BTreeSet<_> = all.iter().step_by(2).cloned().collect();
    assert!(dead.len() > 20, "{} are too few for two halts", dead.len());
    for address in &dead {
        office.smtp.behave(address, DEAD[0]);
    }
    office.start(THRESHOLDS);
    let mut told = 0;
    for _ in 0..4 {
        office.work();
        let status = office.status();
        if status["state"] != "halted" {
            break;
        }
        assert_eq!(status["halted_because"], "refused", "{status:#}");
        let now = office.mails().len();
        assert!(now > told || told == 0, "a round told nobody");
        told = now;
        if untold(&office) {
            assert_eq!(office.steer("close").code, 3, "somebody is sealed and not told");
        }
        office.freeze_again();
        office.approve(&["bob", "cleo"]).json();
        office.steer("resume").json();
    }
    assert_refused(&office, &all, &dead);
}

fn untold(office: &Office) -> bool {
    let report: Value = serde_json::from_str(&office.steer("report").stdout).unwrap();
    report["untold"] != 0
}

/// Lanes take several addresses up at once, and look again before they begin with each.
#[test]
fn nobody_is_begun_once_sending_has_paused() {
    let mut office = Office::with_leaks(Backend::Sqlite, &FILES);
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "15s");
    start_blindly(&office, FAST);
    office.smtp.behave("EHLO", "504 5.5.2 need a full name");
    let work = office.start_work();
    wait_until(|| pause(&office) != Value::Null);
    thread::sleep(Duration::from_secs(3));
    let begun = "reset_line WHERE intended_at > (SELECT since FROM sending_pause)";
    assert!(office.instance.has_none(begun));
    assert!(sealed(&office) > 0, "nobody was sealed before");
    office.smtp.behave("EHLO", "");
    hasten(&office);
    assert_eq!(work.wait().code, 0);
    office.assert_settled(&ids(&office.exposed()));
}

/// What is said of mailboxes that are gone.
const DEAD: [&str; 4] = [
    "RCPT 550 5.1.1 no such person",
    "RCPT 550 5.2.1 mailbox disabled",
    "RCPT 550 mailbox unavailable",
    "DOT 552 5.2.2 mailbox full",
];

#[test]
fn greylisting_puts_off_each_and_pauses_nothing() {
    let office = open(Backend::Sqlite);
    office.smtp.behave("*", "grey");
    office.start(FAST);
    let mut work = office.start_work();
    while !work.has_ended() {
        assert_eq!(pause(&office), Value::Null);
        thread::sleep(Duration::from_millis(200));
    }
    let exposed = ids(&office.exposed());
    office.assert_settled(&exposed);
    let begun = office.logged("notice_begun").len();
    assert_eq!(begun, 2 * office.addresses_of(&exposed).len(), "each was asked for twice");
}

#[test]
fn one_person_whom_the_relay_will_not_have_keeps_nobody_elses_mail() {
    let office = open(Backend::Sqlite);
    let exposed = ids(&office.exposed());
    let mut others = office.addresses_of(&exposed);
    let one = office.address(office.plain()[0]).to_owned();
    others.remove(&one);
    office.smtp.behave(&one, "RCPT 550 5.7.1 this group takes no mail from outside");
    office.start(FAST);
    let work = office.start_work();
    wait_until(|| office.mails().len() == others.len());
    assert_eq!(office.told_once(), others);
    let notices = &office.status()["notices"];
    assert_eq!(notices["refused"], Value::Null, "nobody knows that it is for good: {notices}");
    office.smtp.behave(&one, "accept");
    hasten(&office);
    assert_eq!(work.wait().code, 0);
    office.assert_settled(&exposed);
}

/// Whoever was passed over while the relay took others' mail is refused for their own sake. Nobody
/// else waits for them, and the campaign ends, though only they are left.
#[test]
fn some_whom_the_relay_will_not_have_keep_nobody_elses_mail() {
    let mut office = open(Backend::Sqlite);
    let all = office.addresses_of(&ids(&office.exposed()));
    let unwanted: BTreeSet<_> = all.iter().step_by(4).cloned().collect();
    let mut work = pass_over(&mut office, &all, &unwanted);
    wait_until(|| try_all_again(&office, &mut work));
    assert_refused(&office, &all, &unwanted);
    assert_eq!(pause(&office), Value::Null);
}

/// A pause is tried by a campaign to whose people the relay has not said no yet.
#[test]
fn whom_the_relay_will_not_have_keep_no_other_campaigns_mail() {
    let office = open(Backend::Sqlite);
    office.smtp.behave("*", "RCPT 550 5.7.1 rejected");
    start_blindly(&office, FAST);
    let work = office.start_work();
    let first = office.addresses_of(&ids(&office.exposed()));
    wait_until(|| {
        hasten(&office);
        office.instance.ask("UPDATE notice SET not_before = 0 WHERE state = 'pending'");
        pause(&office) != Value::Null && office.instance.has_none("notice WHERE put_off_at IS NULL")
    });
    office.smtp.behave("*", "accept");
    for address in &first {
        office.smtp.behave(address, "RCPT 550 5.7.1 rejected");
    }
    find_part(&office);
    office.draft_another("Part", PART, FAST);
    office.start_another("Part");
    wait_until(|| {
        hasten(&office);
        let part = office.run(&["campaign", "status", "Part"]).json();
        part["sealed_untold"] == 0 && part["state"] == "done"
    });
    work.stop();
}

/// In a pause that others' mail has begun, whoever was passed over before is still given up, since
/// the relay says of them what it has always said.
#[test]
fn whoever_is_known_to_be_refused_is_given_up_though_sending_pauses() {
    let mut office = open(Backend::Sqlite);
    let all = office.addresses_of(&ids(&office.exposed()));
    let known = BTreeSet::from([all.first().unwrap().clone()]);
    let mut work = pass_over(&mut office, &all, &known);
    let passed_over = "SELECT COUNT(*) FROM notice WHERE put_offs > 0 AND state = 'pending'";
    wait_until(|| office.instance.ask(passed_over) == "[(1,)]");
    office.instance.ask(
        "INSERT INTO sending_pause (only_row, since, step, probe_at, phase, code, answer)
        VALUES (1, 0, 1000000, 0, 'recipient', 550, 'recipient: 550 5.7.1 not wanted today')",
    );
    wait_until(|| try_all_again(&office, &mut work));
    assert_eq!(pause(&office)["code"], 550);
    assert_refused(&office, &all, &known);
}

/// Works until these were refused, and everybody else told after that.
fn pass_over(office: &mut Office, all: &BTreeSet<String>, unwanted: &BTreeSet<String>) -> AtWork {
    // One after the other, so that the last mail that is taken comes after everybody's first no.
    office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", "1");
    for address in unwanted {
        office.smtp.behave(address, "RCPT 550 5.7.1 no mail from outside");
    }
    let last = all.iter().nth(1).unwrap();
    office.smtp.behave(last, "RCPT 451 4.7.1 later");
    office.start(FAST);
    let work = office.start_work();
    let waiting = "SELECT COUNT(*) FROM notice WHERE state <> 'sent' AND put_off_at > 0";
    wait_until(|| {
        hasten(office);
        office.instance.ask(waiting) == format!("[({},)]", unwanted.len() + 1)
    });
    office.smtp.behave(last, "accept");
    wait_until(|| office.mails().len() == all.len() - unwanted.len());
    work
}

/// Lets nobody wait for a retry; whether the work has ended.
fn try_all_again(office: &Office, work: &mut AtWork) -> bool {
    hasten(office);
    office.instance.ask("UPDATE notice SET not_before = 0 WHERE state = 'pending'");
    work.has_ended()
}

/// Everybody else was told, once, and the campaign has ended.
fn assert_refused(office: &Office, all: &BTreeSet<String>, refused: &BTreeSet<String>) {
    assert_eq!(office.told_once(), all - refused);
    let report = office.report();
    assert_eq!(report["state"], "done", "{report:#}");
    let (sent, refused) = (all.len() - refused.len(), refused.len());
    assert_eq!(report["notices"], json!({"sent": sent, "refused": refused}));
}

/// More people than may be sealed and not told are refused for what may be our fault: sealing waits
/// until operators look, and sign for more.
#[test]
fn a_higher_maximum_lets_sealing_go_on() {
    let office = open(Backend::Sqlite);
    let all = office.addresses_of(&ids(&office.exposed()));
    let unwanted: BTreeSet<_> = all.iter().step_by(2).cloned().collect();
    for address in &unwanted {
        office.smtp.behave(address, "RCPT 550 5.7.1 no mail from outside");
    }
    office.start("canary_addresses = 500\nsealed_untold_max = 2");
    let work = office.start_work();
    wait_until(|| {
        hasten(&office);
        office.instance.shown(&["campaign", "status", CAMPAIGN]).contains("not told yet: 2")
    });
    let told = office.mails().len();
    assert!(told < all.len() - unwanted.len(), "everybody was told before sealing waited");
    office.steer("halt").json();
    assert_ended(&work.wait());
    let policy = office.policy_file("canary_addresses = 500\nsealed_untold_max = 1000");
    office.run(&["campaign", "freeze", CAMPAIGN, "--policy", &policy]).json();
    office.approve(&["bob", "cleo"]).json();
    office.steer("resume").json();
    let work = office.start_work();
    wait_until(|| {
        hasten(&office);
        office.mails().len() == all.len() - unwanted.len()
    });
    assert_eq!(office.told_once(), &all - &unwanted);
    work.stop();
}

#[test]
fn what_a_relay_answers_while_the_store_is_away_is_recorded() {
    let office = open(Backend::Postgres);
    let exposed = ids(&office.exposed());
    let all = office.addresses_of(&exposed);
    office.smtp.behave(all.first().unwrap(), "slow");
    office.start(FAST);
    let proxy = CommitProxy::before(office.instance.store().unwrap());
    let mut command = office.instance.command(&["worker", "--until-done"]);
    command.env("COUNTERSIGN_STORE_URL", &proxy.url).env("COUNTERSIGN_WORKER_CONCURRENCY", "1");
    let worker = AtWork::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    wait_until(|| office.smtp.commands().iter().any(|command| command == "RCPT slow"));
    proxy.lose(&[LostCommit::Undone, LostCommit::Undone, LostCommit::Done]);
    let ended = worker.wait();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("an answer could not be recorded yet"), "{}", ended.stderr);
    assert_eq!((proxy.left(), office.told_once()), (0, all));
    office.assert_settled(&exposed);
}
