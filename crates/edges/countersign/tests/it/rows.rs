//! Who can write to our database, and has neither the instance key nor an operator's, gets nobody
//! sealed or told: rows are believed only where the audit log says the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    attacker::{Owner, Trigger},
    campaign_steering::{PART, find_part},
    harness::{Backend, Run},
    office::{CAMPAIGN, Office, ids, wait_until},
};

/// Writes as the owner of the database does.
fn write(office: &Office, statements: &[&str]) {
    Owner::of(office).write_all(statements);
}

#[track_caller]
fn assert_refused(run: &Run, words: &str) {
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert!(run.stderr.contains("somebody else has written to the store"), "{}", run.stderr);
}

/// What shows rows says which of them it is.
#[track_caller]
fn assert_shown(run: &Run, code: i32) {
    assert_eq!(run.code, code, "{}", run.stderr);
    assert!(format!("{}{}", run.stdout, run.stderr).contains(MOVED), "{}", run.stdout);
}

/// Starts a campaign that stops after its canary.
fn start(backend: Backend) -> Office {
    let office = Office::open(backend);
    office.start("ramp = [{ reach = { permille = 1000 }, reapproval = true }]");
    office
}

const MOVED: &str = "campaign 1 does not stand where the audit log says";

/// Some were told, and nobody works.
fn told_by_canary(office: &Office) -> BTreeSet<String> {
    office.work();
    assert_eq!(office.state(), "halted");
    let told = office.told_once();
    assert!(!told.is_empty() && told.len() < office.addresses_of(&ids(&office.exposed())).len());
    told
}

/// Signs for what is left.
fn resume(office: &Office) {
    office.freeze_again();
    office.approve(&["bob", "cleo"]).json();
    office.steer("resume").json();
}

/// Everybody is told once, and all are accounted for.
#[track_caller]
fn settle(office: &Office) {
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

/// A campaign that the relay has put off everybody of, and that nobody works at now.
pub(crate) fn put_off(backend: Backend, reply: &str) -> Office {
    let office = Office::open(backend);
    office.smtp.behave("*", reply);
    office.start("");
    let work = office.start_work();
    wait_until(|| !office.instance.has_none("notice WHERE put_off_at > 0"));
    work.stop();
    office
}

#[test]
fn nobody_was_perhaps_told_by_a_row_that_says_so() {
    for backend in Backend::ALL {
        let office = put_off(backend, "RCPT 451 4.7.1 later");
        assert!(!office.instance.has_none("notice WHERE state = 'pending'"));
        write(
            &office,
            &[
                "CREATE TABLE kept AS SELECT id FROM notice WHERE state = 'pending'",
                "UPDATE notice SET state = 'inflight', lease_until = 1 WHERE state = 'pending'",
            ],
        );
        let work = office.run(&["worker", "--until-done"]);
        assert_eq!(work.code, 3, "{}", work.stderr);
        assert!(work.stderr.contains("is not as the audit log says"), "{}", work.stderr);
        assert!(!office.run(&["log", "show"]).stdout.contains("uncertain"));
        let back = "UPDATE notice SET state = 'pending', not_before = 0 \
                    WHERE id IN (SELECT id FROM kept)";
        write(&office, &[back]);
        office.smtp.behave("*", "accept");
        resume(&office);
        settle(&office);
    }
}

#[test]
fn nobody_is_given_up_by_a_row_that_says_how_often_they_were_tried() {
    for backend in Backend::ALL {
        let office = put_off(backend, "RCPT 450 4.7.1 later");
        write(
            &office,
            &[
                "CREATE TABLE kept AS SELECT id, put_offs FROM notice",
                "UPDATE notice SET put_offs = 50",
            ],
        );
        assert_refused(&office.try_to_work(), "is not as the audit log says");
        let back = "UPDATE notice SET not_before = 0, \
                    put_offs = (SELECT put_offs FROM kept WHERE kept.id = notice.id)";
        write(&office, &[back]);
        office.smtp.behave("*", "accept");
        resume(&office);
        settle(&office);
    }
}

#[test]
fn nobody_waits_for_what_a_row_says_that_nobody_ends() {
    for backend in Backend::ALL {
        let office = start(backend);
        told_by_canary(&office);
        resume(&office);
        let far = "9000000000000000";
        let of_address =
            format!("UPDATE campaign_address SET lease_until = {far} WHERE done_at IS NULL");
        let compared = format!("UPDATE reconciliation SET lease_until = {far}");
        write(&office, &[&of_address, &compared]);
        office.work();
        office.assert_settled(&ids(&office.exposed()));
        office.run(&["reconcile"]).json();
    }
}

/// An address that is done counts, whenever its row says that it was taken up.
#[test]
fn no_row_makes_a_campaign_faster_than_its_plan_allows() {
    const RATE: usize = 5;
    const LANES: usize = 2;
    for backend in Backend::ALL {
        let mut office = Office::open(backend);
        office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", &LANES.to_string());
        office.start(&format!("canary_addresses = 500\nrate_per_hour_max = {RATE}"));
        Owner::of(&office).put_trigger(&Trigger {
            table: "campaign_address",
            sqlite: "AFTER UPDATE OF taken_at ON campaign_address WHEN NEW.taken_at > 1 BEGIN \
                     UPDATE campaign_address SET taken_at = 1 WHERE number = NEW.number;",
            postgres: "NEW.taken_at := 1; RETURN NEW;",
        });
        let work = office.start_work();
        wait_until(|| office.logged("address_done").len() >= RATE);
        thread::sleep(Duration::from_secs(3));
        work.stop();
        assert!(office.instance.has_none("campaign_address WHERE taken_at > 1"));
        let mut hours = BTreeMap::<String, usize>::new();
        for done in office.logged("address_done") {
            *hours.entry(done["at"].as_str().unwrap()[..13].to_owned()).or_default() += 1;
        }
        assert!(hours.values().all(|done| *done < RATE + LANES), "{hours:?}");
    }
}

#[test]
fn a_worker_says_whom_a_halt_has_left_untold() {
    let office = put_off(Backend::Sqlite, "RCPT 451 4.7.1 later");
    office.steer("halt").json();
    let work = office.run(&["worker", "--until-done"]);
    assert_eq!(work.code, 4, "{}", work.stderr);
    assert!(work.stderr.contains("sealed while nobody was told"), "{}", work.stderr);
}

#[test]
fn a_table_that_is_not_ours_any_more_ends_the_work() {
    for backend in Backend::ALL {
        let office = start(backend);
        told_by_canary(&office);
        resume(&office);
        for table in ["notice", "campaign"] {
            for (harm, mended) in harms(table) {
                write(&office, &[&harm]);
                let work = office.try_to_work();
                assert_eq!(work.code, 3, "{harm}: {}", work.stderr);
                let says = "the store's tables are not as Countersign has made them";
                assert!(work.stderr.contains(says), "{harm}: {}", work.stderr);
                write(&office, &[&mended]);
            }
        }
        office.work();
        office.assert_settled(&ids(&office.exposed()));
    }
}

/// What an owner does to a table, and what undoes it.
fn harms(table: &str) -> [(String, String); 2] {
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    let rename_state =
        |from: &str, to: &str| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
    [
        (rename(table, "gone"), rename("gone", table)),
        (rename_state("state", "other"), rename_state("other", "state")),
    ]
}

#[test]
fn accounts_that_rows_take_back_are_missed() {
    for backend in Backend::ALL {
        let office = start(backend);
        told_by_canary(&office);
        write(&office, &["UPDATE target SET state = 'pending' WHERE state = 'sealed'"]);
        let status = office.run(&["status"]);
        assert_eq!(status.code, 3, "{}", status.stderr);
        let says = format!("{}{}", status.stdout, status.stderr);
        assert!(says.contains("the accounts of campaign 1 are not as far"), "{says}");
    }
}

#[test]
fn a_campaign_that_was_halted_does_not_go_on_by_a_row_of_before() {
    for backend in Backend::ALL {
        let office = start(backend);
        write(&office, &["CREATE TABLE kept AS SELECT state, machine FROM campaign"]);
        let told = told_by_canary(&office);
        let back = "UPDATE campaign SET state = (SELECT state FROM kept), \
                    machine = (SELECT machine FROM kept)";
        write(&office, &["CREATE TABLE halted AS SELECT state, machine FROM campaign", back]);
        for refused in [office.try_to_work(), office.steer("halt"), office.steer("close")] {
            assert_refused(&refused, MOVED);
        }
        for (shown, code) in [(&["status"][..], 3), (&["campaign", "list"], 3), (&["doctor"], 1)] {
            assert_shown(&office.run(shown), code);
        }
        assert_refused(&office.steer("report"), MOVED);
        assert_eq!(office.told_once(), told);

        write(&office, &[&back.replace("kept", "halted")]);
        resume(&office);
        settle(&office);
    }
}

#[test]
fn an_address_that_is_done_is_taken_up_by_no_row() {
    for backend in Backend::ALL {
        let office = start(backend);
        let told = told_by_canary(&office);
        let kept = "CREATE TABLE kept AS SELECT number, done_at, settled_at FROM campaign_address";
        let undo = "UPDATE campaign_address SET done_at = NULL, settled_at = NULL";
        write(&office, &[kept, undo]);
        resume(&office);
        assert_refused(&office.try_to_work(), "of campaign 1 is not as the audit log says");
        assert_eq!((office.state().as_str(), office.told_once()), ("halted", told));

        let back = ["done_at", "settled_at"].map(|column| {
            format!(
                "UPDATE campaign_address SET {column} = (SELECT {column} FROM kept \
                 WHERE kept.number = campaign_address.number)"
            )
        });
        write(&office, &back.each_ref().map(String::as_str));
        resume(&office);
        settle(&office);
    }
}

/// It would wait for ever, and nobody would know.
#[test]
fn an_address_that_a_row_hides_is_named() {
    let office = start(Backend::Sqlite);
    let kept = "CREATE TABLE kept AS SELECT * FROM campaign_address";
    let hide = "UPDATE campaign_address SET lease_owner = '', attempts = 1, taken_at = 1, \
                done_at = 1, settled_at = 1 WHERE number = 1";
    write(&office, &[kept, hide]);
    let shown = office.run(&["status"]);
    assert_eq!(shown.code, 3, "{}", shown.stderr);
    let says = "address 1 of campaign 1 is not as the audit log says";
    assert!(shown.stdout.contains(says), "{}", shown.stdout);

    let back = "INSERT INTO campaign_address SELECT * FROM kept";
    write(&office, &["DELETE FROM campaign_address", back]);
    told_by_canary(&office);
    resume(&office);
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn nobody_has_come_back_by_a_row() {
    for backend in Backend::ALL {
        let office = start(backend);
        told_by_canary(&office);
        let kept = "CREATE TABLE kept AS SELECT * FROM reset_line";
        let edit = "UPDATE reset_line SET sealed_version = replaced_version";
        write(&office, &[kept, edit]);
        let report = office.steer("report");
        let refusal = "what campaign 1 has done to the password of person";
        assert_refused(&report, refusal);

        let back = "UPDATE reset_line SET sealed_version = (SELECT sealed_version FROM kept \
                    WHERE kept.subject = reset_line.subject)";
        write(&office, &[back]);
        assert_eq!(office.steer("report").json()["reset_since"], json!(0));
    }
}

#[test]
fn one_campaigns_row_keeps_no_other_campaign_from_telling_or_halting() {
    let office = start(Backend::Sqlite);
    write(&office, &["CREATE TABLE kept AS SELECT state, machine FROM campaign"]);
    let told = told_by_canary(&office);
    find_part(&office);
    office.draft_another("Part", PART, "canary_addresses = 500");
    office.start_another("Part");
    let back = "UPDATE campaign SET state = (SELECT state FROM kept), \
                machine = (SELECT machine FROM kept) WHERE name = 'Spring'";
    write(&office, &[back]);
    assert_refused(&office.try_to_work(), MOVED);
    let part = office.run(&["campaign", "status", "Part"]);
    let part: Value = serde_json::from_str(&part.stdout).unwrap();
    assert_eq!((&part["state"], &part["sealed_untold"]), (&json!("done"), &json!(0)), "{part:#}");
    assert!(office.told_once().len() > told.len());

    let halted = office.run(&["campaign", "halt", "--all"]);
    assert_eq!(halted.code, 3, "{}", halted.stdout);
    let halted: Value = serde_json::from_str(&halted.stdout).unwrap();
    assert!(halted["not_halted"]["Spring"].as_str().unwrap().contains(MOVED), "{halted}");

    // As if each of its people had chosen another password, which the log does not bear out.
    write(&office, &["UPDATE reset_line SET sealed_version = replaced_version WHERE campaign = 1"]);
    let report = office.run(&["campaign", "report", "Part"]);
    assert_eq!(report.code, 0, "{}", report.stderr);
}

#[test]
fn a_campaign_that_a_row_hides_from_workers_is_told() {
    for backend in Backend::ALL {
        let office = start(backend);
        told_by_canary(&office);
        resume(&office);
        let state = "(SELECT state FROM kept_state)";
        write(&office, &["CREATE TABLE kept_state AS SELECT state FROM campaign"]);
        let hidden = "UPDATE campaign SET state = 'closed'";
        let shown = format!("UPDATE campaign SET state = {state}");
        write(&office, &[hidden]);
        for (shown, code) in [(&["status"][..], 3), (&["doctor"], 1)] {
            assert_shown(&office.run(shown), code);
        }
        write(&office, &[&shown]);
        office.work();
        office.assert_settled(&ids(&office.exposed()));
    }
}

#[test]
fn the_secrets_of_a_campaign_that_is_not_over_are_destroyed_by_no_row() {
    let office = start(Backend::Sqlite);
    told_by_canary(&office);
    write(&office, &["UPDATE campaign SET destroy_secrets_at = 1"]);
    resume(&office);
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn what_was_stopped_is_let_go_by_no_row() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.freeze("");
        office.approve(&["bob", "cleo"]).json();
        office.run(&["campaign", "halt", "--all"]).json();
        write(&office, &["UPDATE kill_switch SET position = 'released', since = 0"]);
        let words = "the kill switch is released in the store, and pulled by the audit log";
        assert_refused(&office.steer("start"), words);
        assert!(office.locked_out().is_empty());
    }
}

#[test]
fn a_notice_that_was_sent_is_sent_again_by_no_row() {
    for backend in Backend::ALL {
        let office = start(backend);
        let told = told_by_canary(&office);
        write(
            &office,
            &[
                "UPDATE notice SET state = 'pending', ended_at = NULL, not_before = 0",
                "UPDATE campaign_address SET settled_at = NULL WHERE done_at IS NOT NULL",
            ],
        );
        for statement in
            ["UPDATE notice SET attempts = 1", "UPDATE notice SET attempts = 0, lease_owner = NULL"]
        {
            resume(&office);
            write(&office, &[statement, "UPDATE notice SET not_before = 0"]);
            assert_refused(&office.try_to_work(), "is not as the audit log says");
            assert_eq!(office.state(), "halted");
        }
        assert!(office.told_once().is_superset(&told));
    }
}

/// A worker is at it meanwhile.
#[test]
fn a_notice_that_was_just_sent_is_sent_again_by_no_row() {
    let office = Office::open(Backend::Postgres);
    office.smtp.behave("*", "slow");
    office.start("canary_addresses = 500\nsealed_untold_max = 4");
    let owner = Owner::of(&office);
    let work = office.start_work();
    // The server has a mail a second before its row says so.
    wait_until(|| office.status()["notices"]["sent"].as_u64() > Some(1));
    owner.write_all(&[
        "CREATE TABLE kept_notice AS SELECT id, ended_at FROM notice WHERE state = 'sent'",
        "UPDATE notice SET state = 'pending', ended_at = NULL, not_before = 0 \
         WHERE id IN (SELECT id FROM kept_notice)",
    ]);
    assert_refused(&work.wait(), "is not as the audit log says");
    assert_eq!(office.state(), "halted");

    office.smtp.behave("*", "accept");
    owner.write(
        "UPDATE notice SET state = 'sent', ended_at = (SELECT ended_at FROM kept_notice \
         WHERE kept_notice.id = notice.id) WHERE id IN (SELECT id FROM kept_notice)",
    );
    resume(&office);
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

#[test]
fn one_notice_that_somebody_has_changed_keeps_nobody_else_waiting() {
    let office = start(Backend::Sqlite);
    let mut dying = office.instance.command(&["worker"]);
    dying.env("FAILPOINT", "notice_begun").output().unwrap();
    let pending = office.status()["notices"]["pending"].as_u64();
    assert!(pending > Some(1), "{pending:?}");
    let due = "(SELECT MIN(id) FROM notice WHERE state = 'pending')";
    let change = format!("UPDATE notice SET attempts = 7, lease_owner = 'x' WHERE id = {due}");
    write(&office, &[&change]);
    assert_refused(&office.try_to_work(), "is not as the audit log says");
    assert_eq!(office.state(), "halted");
    let status = office.steer("status");
    assert_eq!(status.code, 3, "{}", status.stderr);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["notices"]["pending"], 1, "{status}");
}

#[test]
fn who_was_removed_comes_back_by_no_row() {
    let office = start(Backend::Sqlite);
    write(&office, &["DELETE FROM roster_document"]);
    let refused = office.run(&["campaign", "approve", CAMPAIGN, &office.path("bob.approval")]);
    assert_refused(&refused, "the store's newest roster document is not the one of the audit log");
    assert_refused(&office.try_to_work(), "the store's newest roster document");
    assert!(office.mails().is_empty() && office.locked_out().is_empty());
}

#[test]
fn a_doubled_roster_and_a_log_that_is_held_say_what_they_are() {
    let office = start(Backend::Sqlite);
    let doubled = "INSERT INTO roster_document (position, at, body) \
                   SELECT position + 1, at, body FROM roster_document";
    write(&office, &[doubled]);
    assert_refused(&office.try_to_work(), "roster documents do not follow one from the other");
    write(&office, &["DELETE FROM roster_document WHERE position > 0"]);

    let held = "CREATE TRIGGER held BEFORE UPDATE ON log_head BEGIN SELECT RAISE(IGNORE); END";
    write(&office, &[held]);
    let work = office.try_to_work();
    assert_eq!(work.code, 3, "{}", work.stderr);
    assert!(
        work.stderr.contains("the database keeps the size of the audit log"),
        "{}",
        work.stderr
    );
    write(&office, &["DROP TRIGGER held"]);
    told_by_canary(&office);
}

#[test]
fn an_arming_that_was_replaced_comes_back_by_no_row() {
    for backend in Backend::ALL {
        let office = start(backend);
        let (file, aside) = (office.path("sending.json"), office.path("aside"));
        fs::hard_link(&file, &aside).unwrap();
        write(&office, &["CREATE TABLE armed AS SELECT document FROM arming"]);
        office.arm();
        // Whoever may write on the host as well puts its file back, too, and not as a copy.
        fs::rename(aside, file).unwrap();
        write(&office, &["UPDATE arming SET document = (SELECT document FROM armed)"]);
        assert_refused(&office.try_to_work(), "the store's arming is not the newest one");
        assert!(office.mails().is_empty() && office.locked_out().is_empty());
    }
}
