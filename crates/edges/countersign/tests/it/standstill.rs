//! Nobody is kept waiting in silence: whatever rows or triggers keep workers from it, a campaign for whose
//! people nothing is done is said to stand still, and `worker --until-done` ends.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::{
    attacker::{Owner, Trigger, WORK},
    harness::Backend,
    office::{CAMPAIGN, Office, ids, wait_until},
    rows::put_off,
    way_back::{ResetScene, type_address},
};

/// What keeps everybody waiting.
struct Obstacle {
    trigger: Option<Trigger>,
    done: &'static str,
    undone: &'static str,
}

const NOTHING: &str = "DELETE FROM mail_request WHERE id < 0";

const OBSTACLES: [Obstacle; 4] = [
    // No intent is kept.
    Obstacle {
        trigger: Some(Trigger {
            table: "swap",
            sqlite: "BEFORE INSERT ON swap BEGIN SELECT RAISE(IGNORE);",
            postgres: "RETURN NULL;",
        }),
        done: NOTHING,
        undone: NOTHING,
    },
    // No attempt is let through.
    Obstacle {
        trigger: Some(Trigger {
            table: "swap",
            sqlite: "BEFORE UPDATE ON swap BEGIN SELECT RAISE(IGNORE);",
            postgres: "RETURN NULL;",
        }),
        done: NOTHING,
        undone: NOTHING,
    },
    // Every notice is to wait.
    Obstacle {
        trigger: Some(Trigger {
            table: "notice",
            sqlite: "AFTER INSERT ON notice BEGIN UPDATE notice \
             SET not_before = not_before + 9000000000 WHERE id = NEW.id;",
            postgres: "NEW.not_before := NEW.not_before + 9000000000; RETURN NEW;",
        }),
        done: NOTHING,
        undone: "UPDATE notice SET not_before = 0 WHERE state = 'pending'",
    },
    // Every address is in somebody's hands.
    Obstacle {
        trigger: None,
        done: "UPDATE campaign_address SET attempts = 1, lease_owner = 'x', \
               lease_until = (SELECT MAX(at) FROM log_entry) + 1000000000",
        undone: "UPDATE campaign_address SET lease_until = 0",
    },
];

impl Obstacle {
    fn put(&self, owner: &Owner<'_>) {
        owner.write(self.done);
        if let Some(trigger) = &self.trigger {
            owner.put_trigger(trigger);
        }
    }

    fn take_away(&self, owner: &Owner<'_>) {
        if let Some(trigger) = &self.trigger {
            owner.drop_trigger(trigger);
        }
        owner.write(self.undone);
    }
}

/// How long nothing may be done.
const PATIENCE: (&str, &str) = ("COUNTERSIGN_WORKER_STANDSTILL_AFTER", "5s");

fn status(office: &Office) -> (i32, Value) {
    let run = office.run(&["status"]);
    (run.code, serde_json::from_str(&run.stdout).unwrap())
}

fn assert_stands_still_and_goes_on(backend: Backend, obstacle: &Obstacle) {
    let mut office = Office::open(backend);
    office.instance.set(PATIENCE.0, PATIENCE.1);
    office.start("");
    let owner = Owner::of(&office);
    obstacle.put(&owner);
    let work = office.run(WORK);
    assert_eq!(work.code, 3, "{}", work.stderr);
    assert!(work.stderr.contains("nothing was done for its people since"), "{}", work.stderr);
    // A slow machine may have done something at last.
    wait_until(|| status(&office).0 == 3);
    assert_eq!(status(&office).1["standing_still"][0]["name"], json!(CAMPAIGN));

    obstacle.take_away(&owner);
    office.instance.unset(PATIENCE.0);
    office.work();
    office.assert_settled(&ids(&office.exposed()));
    assert_eq!(status(&office).1["standing_still"], json!([]));
}

#[test]
fn a_campaign_whose_people_wait_is_said_to_stand_still_on_sqlite() {
    for obstacle in &OBSTACLES {
        assert_stands_still_and_goes_on(Backend::Sqlite, obstacle);
    }
}

#[test]
fn a_campaign_whose_people_wait_is_said_to_stand_still_on_postgres() {
    for obstacle in &OBSTACLES {
        assert_stands_still_and_goes_on(Backend::Postgres, obstacle);
    }
}

/// Nobody works, and that is all that is wrong.
#[test]
fn a_campaign_that_nobody_works_on_is_said_to_stand_still() {
    let mut office = Office::open(Backend::Sqlite);
    office.start("");
    assert_eq!(status(&office), (0, status(&office).1));
    office.instance.set(PATIENCE.0, "1s");
    thread::sleep(Duration::from_millis(1100));
    let (code, shown) = status(&office);
    assert_eq!((code, &shown["standing_still"][0]["name"]), (3, &json!(CAMPAIGN)), "{shown}");
    let shown = office.instance.shown(&["status"]);
    assert!(shown.contains("STANDS STILL") && shown.contains("is a worker running"), "{shown}");
}

/// Rows without which somebody is never told halt their campaign, and its work ends.
#[test]
fn a_campaign_halts_once_rows_are_gone_of_whom_it_is_to_tell() {
    for backend in Backend::ALL {
        for table in ["notice_line", "reset_line", "notice"] {
            let office = put_off(backend, "RCPT 451 4.7.1 later");
            let owner = Owner::of(&office);
            owner.write("UPDATE notice SET not_before = 0");
            owner.write("DELETE FROM sending_pause");
            office.smtp.behave("*", "accept");
            owner.keep(&[table]);
            owner.write(&format!("DELETE FROM {table}"));
            let work = office.run(WORK);
            assert_eq!(work.code, 3, "{table}: {}", work.stderr);
            assert!(work.stderr.contains("audit log"), "{table}: {}", work.stderr);
            assert_eq!(office.state(), "halted", "{table}");
            assert!(office.mails().is_empty(), "{table}");
            assert_eq!(status(&office).0, 3, "{table}");
        }
    }
}

/// A worker that ends when nothing is left has sent what people have asked for.
#[test]
fn nobody_who_asked_for_a_mail_is_left_waiting() {
    for backend in Backend::ALL {
        let scene = ResetScene::open(backend);
        let office = &scene.office;
        let people = &office.plain()[..4];
        let told: usize = office.mails().values().map(Vec::len).sum();
        office.instance.ask(
            "INSERT INTO sending_pause SELECT 1, 1700000000000000, 3600000000, \
             MAX(at) + 3000000000, NULL, 'connect', NULL, 'down' FROM log_entry",
        );
        let served = scene.serve();
        for person in people {
            type_address(&served, person);
        }
        drop(served);
        office.instance.ask("DELETE FROM sending_pause");
        let before = office.instance.ask("SELECT COUNT(*) FROM mail_request");
        office.work();
        let sent = office.mails().values().map(Vec::len).sum::<usize>() - told;
        assert_eq!(sent, people.len(), "{before}");
        assert!(office.instance.has_none("mail_request"));
    }
}

/// Whatever nobody did before it began is nothing that keeps it from working.
#[test]
fn a_worker_that_begins_late_does_all_the_same() {
    let mut office = Office::open(Backend::Sqlite);
    office.start("");
    office.instance.set(PATIENCE.0, "20s");
    thread::sleep(Duration::from_secs(21));
    assert_eq!(status(&office).0, 3);
    office.work();
    office.assert_settled(&ids(&office.exposed()));
}

/// Rows that say of everybody that they are told hide nobody who is not.
#[test]
fn whoever_is_sealed_and_untold_is_hidden_by_no_row() {
    let hidden = "settled_at IS NULL AND taken_at IS NOT NULL";
    for backend in Backend::ALL {
        let office = put_off(backend, "RCPT 451 4.7.1 later");
        office.steer("halt").json();
        let owner = Owner::of(&office);
        owner.keep(&["campaign_address"]);
        for harm in ["settled_at = 1", "taken_at = -1"] {
            owner.write(&format!("UPDATE campaign_address SET {harm} WHERE {hidden}"));
            assert_eq!(office.steer("unsettled").code, 4, "{harm}");
            assert_eq!(office.steer("publish").code, 3, "{harm}");
            assert_ne!(office.run(WORK).code, 0, "{harm}");
            assert_eq!(office.run(&["reconcile"]).code, 4, "{harm}");
            owner.put_back(&["campaign_address"]);
        }
        owner.write(&format!("UPDATE campaign_address SET settled_at = 1 WHERE {hidden}"));
        let (code, shown) = status(&office);
        assert_eq!(code, 3, "{shown}");
        assert!(shown["not_as_logged"][0].as_str().unwrap().contains("address"), "{shown}");
    }
}

/// A session that keeps a lock keeps nobody waiting for ever, and nobody from stopping everything.
#[test]
fn a_lock_that_somebody_keeps_is_told_of() {
    let office = Office::open(Backend::Postgres);
    office.start("");
    thread::scope(|scope| {
        scope.spawn(|| office.instance.ask("LOCK TABLE campaign, notice; SELECT pg_sleep(40)"));
        wait_until(|| {
            office.instance.ask("SELECT COUNT(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'")
                != "0"
        });
        let halt = office.run(&["campaign", "halt", "--all"]);
        assert_eq!(halt.code, 1, "{}", halt.stderr);
        for said in ["nothing begins", "another session of the database keeps a lock"] {
            assert!(halt.stderr.contains(said), "{}", halt.stderr);
        }
    });
    office.run(&["campaign", "halt", "--all"]).json();
    assert_eq!(office.state(), "halted");
}
