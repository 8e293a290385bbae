//! Who can write to our database keeps no mail from anybody who asked for it, gives nobody's number to another
//! account, and signs nothing: without a word, that is.

use std::{
    fs::{self, File},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::{
    attacker::Owner,
    harness::Backend,
    office::{AtWork, Office, wait_until},
    way_back::{ANSWER, ResetScene, ask_whether},
};

const STATUS: &[&str] = &["status"];

#[test]
fn nobody_waits_in_vain_for_a_mail_that_a_row_takes_away() {
    for backend in Backend::ALL {
        let scene = ResetScene::with_pages(Office::open(backend));
        let office = &scene.office;
        office.smtp.behave("*", "RCPT 451 4.7.1 later");
        let served = scene.serve();
        ask_whether(&served, office.plain()[0]);
        wait_until(|| !office.instance.has_none("requested_notice"));
        served.stop();
        assert_eq!(office.run(STATUS).code, 0);
        let (owner, rows) = (Owner::of(office), ["requested_notice", "notice"]);
        owner.keep(&rows);
        for harm in [
            "DELETE FROM requested_notice",
            "UPDATE requested_notice SET kept = NULL, wrapped_key = NULL",
            "UPDATE notice SET state = 'sent'",
            "UPDATE notice SET state = 'refused'",
        ] {
            owner.write(harm);
            let status = office.run(STATUS);
            assert_eq!(status.code, 3, "{harm}: {}", status.stdout);
            assert!(status.stdout.contains("is not as the audit log says"), "{}", status.stdout);
            owner.put_back(&rows);
        }
        office.smtp.behave("*", "accept");
        office.work();
        scene.mail(office.plain()[0], ANSWER, 1);
    }
}

/// Whoever puts requests before theirs has them wait as well.
#[test]
fn people_who_wait_for_a_mail_are_counted() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let owner = Owner::of(&office);
        let (source, nothing) = (owner.bytes(&[7; 32]), owner.bytes(&[0; 64]));
        owner.write(&format!(
            "INSERT INTO mail_request (kind, asked_at, source, wrapped_key, asked)
                VALUES ('reset_link', 1700000000000000, {source}, {nothing}, {nothing})"
        ));
        let status = office.run(STATUS);
        assert_eq!(status.code, 3, "{}", status.stdout);
        let requests = &serde_json::from_str::<Value>(&status.stdout).unwrap()["requests"];
        assert_eq!((&requests["waiting"], &requests["is_late"]), (&json!(1), &json!(true)));
        assert!(office.instance.shown(&["status"]).contains("REQUESTS WAIT"));
        owner.write("DELETE FROM mail_request");
        assert_eq!(office.run(STATUS).code, 0);
    }
}

/// Rows of version 0.1.0 named accounts in the clear, until it was opened by a later one.
#[test]
fn nobodys_number_is_given_to_another_account() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let (owner, rows) = (Owner::of(&office), ["subject"]);
        owner.keep(&rows);
        owner.write(
            "UPDATE subject SET account_hash = NULL, subject_key = NULL, account = NULL, plain = '35'
                WHERE id = (SELECT MIN(subject) FROM finding)",
        );
        let commands: &[&[&str]] = &[&["finding", "list"], STATUS];
        owner.assert_refused(commands, "is found for an account that is not theirs");
        owner.put_back(&rows);
        assert_eq!(office.run(STATUS).code, 0);
    }
}

#[test]
fn nobody_else_signs_more_than_there_is() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let owner = Owner::of(&office);
        owner.write("INSERT INTO log_checkpoint (size, at, note) VALUES (100000, 1, 'x')");
        let status = office.run(STATUS);
        assert_eq!(status.code, 3, "{}", status.stdout);
        assert!(status.stdout.contains("a checkpoint signs 100000 entries"), "{}", status.stdout);
        owner.write("DELETE FROM log_checkpoint WHERE size = 100000");
    }
}

/// A process reads the newest one alone.
#[test]
fn no_older_checkpoint_is_another_without_a_word() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        let (owner, rows) = (Owner::of(&office), ["log_checkpoint"]);
        owner.keep(&rows);
        let second = "(SELECT MIN(size) FROM kept_log_checkpoint WHERE size > 1)";
        let newest = "(SELECT note FROM kept_log_checkpoint ORDER BY size DESC LIMIT 1)";
        assert!(!doctor(&office).contains("not one that was signed"), "{}", doctor(&office));
        for note in ["'x'", newest] {
            owner.write(&format!("UPDATE log_checkpoint SET note = {note} WHERE size = {second}"));
            let told = doctor(&office);
            assert!(told.contains("is not one that was signed for this audit log"), "{told}");
            worker_says(&office, "is not one that was signed for this audit log");
            owner.put_back_rows(rows[0], &format!("size = {second}"));
        }
    }
}

/// Waits until a worker has said it in its log.
#[track_caller]
fn worker_says(office: &Office, text: &str) {
    let file = office.path("worker.log");
    let mut worker = office.instance.command(&["worker"]);
    let worker = worker.stdout(Stdio::null()).stderr(File::create(&file).unwrap()).spawn();
    let worker = AtWork::of(worker.unwrap());
    wait_until(|| fs::read_to_string(&file).unwrap().contains(text));
    worker.stop();
}

/// Nothing else would tell that the page denies a mail that somebody had asked for.
#[test]
fn no_mail_that_was_asked_for_is_denied_without_a_word() {
    for backend in Backend::ALL {
        let scene = ResetScene::with_pages(Office::open(backend));
        let office = &scene.office;
        let served = scene.serve();
        ask_whether(&served, office.plain()[0]);
        scene.mail(office.plain()[0], ANSWER, 1);
        served.stop();
        let (owner, rows) = (Owner::of(office), ["requested_notice", "notice_text", "notice"]);
        owner.keep(&rows);
        let says = "somebody who had asked for it, by the audit log, and its row is gone";
        assert!(!doctor(office).contains(says), "{}", doctor(office));
        owner.write_all(
            &rows.map(|table| format!("DELETE FROM {table}")).each_ref().map(|it| &**it),
        );
        assert!(doctor(office).contains(says), "{}", doctor(office));
        worker_says(office, says);
        owner.put_back(&["notice", "notice_text", "requested_notice"]);
        assert!(!doctor(office).contains(says), "{}", doctor(office));
    }
}

fn doctor(office: &Office) -> String {
    office.run(&["doctor", "--skip-relay-check"]).stdout
}

/// Whoever has got it would read on the page that there is none.
#[test]
fn no_true_notice_is_denied_without_a_word() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        office.work();
        let (owner, rows) = (Owner::of(&office), ["notice_line", "notice"]);
        owner.keep(&rows);
        for harm in ["UPDATE notice SET code_lookup = NULL", "DELETE FROM notice"] {
            owner.write(&format!("{harm} WHERE id = (SELECT MIN(id) FROM kept_notice)"));
            let status = office.run(STATUS);
            assert_eq!(status.code, 3, "{harm}: {}", status.stdout);
            owner.put_back(&rows);
        }
        assert_eq!(office.run(STATUS).code, 0);
    }
}

/// The same of a code that was made another one, however that was done: it is made of its notice's
/// number, its address and its key.
#[test]
fn no_true_notice_is_denied_for_another_code() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        office.work();
        let (owner, rows) = (Owner::of(&office), ["campaign_address", "notice_line", "notice"]);
        owner.keep(&rows);
        let last = "(SELECT MAX(id) FROM kept_notice)";
        let [other, key] = [owner.bytes(&[7; 32]), owner.bytes(&[7; 8])];
        let is_denied = || {
            let doctor = office.run(&["doctor", "--skip-relay-check"]);
            doctor.stdout.contains("the page denies that mail")
        };
        assert!(!is_denied());
        for harm in [
            format!("UPDATE notice SET code_lookup = {other} WHERE id = {last}"),
            format!("UPDATE notice SET key_id = {key} WHERE id = {last}"),
            format!(
                "UPDATE campaign_address SET address_key = {other} WHERE number = \
                 (SELECT address FROM kept_notice WHERE id = {last})"
            ),
        ] {
            owner.write(&harm);
            assert!(is_denied(), "{harm}");
            worker_says(&office, "the page denies that mail");
            owner.put_back(&rows);
        }
    }
}
