//! Who owns our database makes it take back what is written to it, in the same transaction. What then
//! does not stand in the log counts as done for nobody.

use std::fs;

use serde_json::Value;

use crate::{
    attacker::{Owner, Trigger},
    harness::Backend,
    office::{Office, ids},
};

const UNDONE: &str = "does not hold what this process has just written to it";
const HALT: &[&str] = &["campaign", "halt", "--all"];

/// Takes back whatever is appended, and whatever a campaign is moved to.
const SQLITE_TRIGGERS: &[&str] = &[
    "CREATE TRIGGER undo_entry AFTER INSERT ON log_entry BEGIN \
     DELETE FROM log_entry WHERE position = new.position; END",
    "CREATE TRIGGER undo_hash AFTER INSERT ON log_hash BEGIN \
     DELETE FROM log_hash WHERE position = new.position; END",
    "CREATE TRIGGER undo_checkpoint AFTER INSERT ON log_checkpoint BEGIN \
     DELETE FROM log_checkpoint WHERE size = new.size; END",
    "CREATE TRIGGER undo_head AFTER UPDATE ON log_head BEGIN \
     UPDATE log_head SET size = old.size; END",
    "CREATE TRIGGER undo_campaign AFTER UPDATE ON campaign BEGIN \
     UPDATE campaign SET state = old.state, machine = old.machine WHERE id = old.id; END",
    "CREATE TRIGGER undo_switch AFTER UPDATE ON kill_switch BEGIN \
     UPDATE kill_switch SET position = old.position, since = old.since; END",
];

const POSTGRES_TRIGGERS: &[&str] = &[
    "CREATE FUNCTION not_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     EXECUTE format('DELETE FROM %I WHERE %I = $1.%I', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[0]) \
     USING new; RETURN NULL; END $$",
    "CREATE FUNCTION not_moved() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RETURN old; END $$",
    "CREATE TRIGGER undo AFTER INSERT ON log_entry FOR EACH ROW EXECUTE FUNCTION not_added('position')",
    "CREATE TRIGGER undo AFTER INSERT ON log_hash FOR EACH ROW EXECUTE FUNCTION not_added('position')",
    "CREATE TRIGGER undo AFTER INSERT ON log_checkpoint FOR EACH ROW \
     EXECUTE FUNCTION not_added('size')",
    "CREATE TRIGGER undo BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION not_moved()",
    "CREATE TRIGGER undo BEFORE UPDATE ON campaign FOR EACH ROW EXECUTE FUNCTION not_moved()",
    "CREATE TRIGGER undo BEFORE UPDATE ON kill_switch FOR EACH ROW EXECUTE FUNCTION not_moved()",
];

#[test]
fn nobody_is_told_that_something_is_halted_which_is_not() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        let owner = Owner::of(&office);
        owner.drop_guards(&["log_entry", "log_hash", "log_checkpoint"]);
        let (triggers, gone) = match backend {
            Backend::Sqlite => (SQLITE_TRIGGERS, None),
            Backend::Postgres => {
                (POSTGRES_TRIGGERS, Some("DROP FUNCTION not_added, not_moved CASCADE"))
            }
        };
        owner.write_all(triggers);
        for halt in [HALT, &["campaign", "halt", crate::office::CAMPAIGN]] {
            let run = office.run(halt);
            assert_eq!(run.code, 3, "{halt:?}: {}{}", run.stdout, run.stderr);
            assert!(run.stderr.contains(UNDONE), "{}", run.stderr);
        }
        let run = office.try_to_work();
        assert_eq!((run.code, office.mails().len()), (3, 0), "{}", run.stderr);
        assert!(run.stderr.contains(UNDONE), "{}", run.stderr);
        match gone {
            None => owner.drop_all_triggers(),
            Some(statement) => owner.write(statement),
        }
        assert_eq!(office.state(), "canary");
        office.run(HALT).json();
        assert_eq!(office.state(), "halted");
    }
}

/// No row takes any change.
const KEPT: [Trigger; 2] = [
    Trigger {
        table: "campaign",
        sqlite: "BEFORE UPDATE ON campaign BEGIN SELECT RAISE(IGNORE);",
        postgres: "RETURN NULL;",
    },
    Trigger {
        table: "kill_switch",
        sqlite: "BEFORE UPDATE ON kill_switch BEGIN SELECT RAISE(IGNORE);",
        postgres: "RETURN NULL;",
    },
];

#[test]
fn rows_that_take_no_change_keep_nobody_from_stopping_everything() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        let owner = Owner::of(&office);
        for trigger in &KEPT {
            owner.put_trigger(trigger);
        }
        let one = office.steer("halt");
        assert_eq!(one.code, 3, "{}", one.stderr);
        assert!(one.stderr.contains("`countersign campaign halt --all` keeps"), "{}", one.stderr);

        let all = office.run(HALT);
        assert_eq!(all.code, 3, "{}", all.stderr);
        let answer: Value = serde_json::from_str(&all.stdout).unwrap();
        assert!(answer["switch_kept"].as_str().unwrap().contains("trigger"), "{answer}");
        let work = office.try_to_work();
        assert_eq!((work.code, office.mails().len()), (3, 0), "{}", work.stderr);
        assert!(work.stderr.contains("kill switch"), "{}", work.stderr);
        assert_eq!(office.run(&["status"]).code, 3);

        for trigger in &KEPT {
            owner.drop_trigger(trigger);
        }
        office.run(HALT).json();
        assert_eq!(office.state(), "halted");
        office.freeze_again();
        office.approve(&["bob", "cleo"]).json();
        office.steer("resume").json();
        office.work();
        office.assert_settled(&ids(&office.exposed()));
    }
}

/// Takes back that a mail begins, and all that is written with it.
const NOTICE_TRIGGERS: &[&str] = &[
    "CREATE TABLE head_before (size INTEGER, hash INTEGER)",
    "CREATE TABLE begun AS SELECT * FROM notice WHERE FALSE",
    "CREATE TRIGGER keep_head BEFORE UPDATE ON log_head WHEN new.size > old.size BEGIN \
     DELETE FROM head_before; INSERT INTO head_before SELECT old.size, MAX(position) FROM log_hash; END",
    "CREATE TRIGGER keep_notice BEFORE UPDATE ON notice WHEN old.state = 'pending' AND new.state = 'inflight' BEGIN \
     DELETE FROM begun; INSERT INTO begun SELECT * FROM notice WHERE id = old.id; END",
    "CREATE TRIGGER undo AFTER INSERT ON log_checkpoint WHEN (SELECT instr(CAST(body AS TEXT), \
     'notice_begun') FROM log_entry WHERE position = new.size - 1) > 0 BEGIN \
     DELETE FROM log_entry WHERE position >= (SELECT size FROM head_before); \
     DELETE FROM log_hash WHERE position > (SELECT hash FROM head_before); \
     DELETE FROM log_checkpoint WHERE size = new.size; \
     UPDATE log_head SET size = (SELECT size FROM head_before); \
     UPDATE notice SET state = 'pending', attempts = (SELECT attempts FROM begun), \
     code_lookup = NULL, lease_owner = NULL, lease_until = 0 WHERE id = (SELECT id FROM begun); END",
];

#[test]
fn no_mail_leaves_of_which_nobody_would_know() {
    let office = Office::open(Backend::Sqlite);
    office.start("");
    let owner = Owner::of(&office);
    owner.write_all(NOTICE_TRIGGERS);
    for _ in 0..2 {
        let run = office.try_to_work();
        assert_eq!((run.code, office.mails().len()), (3, 0), "{}", run.stderr);
        assert!(run.stderr.contains(UNDONE), "{}", run.stderr);
    }
    owner.drop_all_triggers();
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

/// Else whoever cuts the log's tail would have the campaign go on.
#[test]
fn what_a_worker_halts_by_itself_is_remembered_outside_the_store() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("");
        Owner::of(&office).write("UPDATE target SET place = place + 1000 WHERE place = 2");
        assert_eq!((office.try_to_work().code, office.state()), (3, "halted".to_owned()));
        assert_remembered(&office);
    }
}

/// This host knows the log as it is now.
#[track_caller]
pub(crate) fn assert_remembered(office: &Office) {
    let file = fs::read(office.path("sending.json")).unwrap();
    let marked = serde_json::from_slice::<Value>(&file).unwrap()["mark"]["size"].to_string();
    let size = office.instance.ask("SELECT size FROM log_head");
    assert_eq!(size.trim_matches(|c: char| !c.is_ascii_digit()), marked);
}
