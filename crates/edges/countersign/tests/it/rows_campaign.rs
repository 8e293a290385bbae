//! Who can write to our database signs nothing, makes the audit log tell nothing else, and lets nothing
//! go on that was stopped: what is counted, published and acted on is signed by operators, or proved by
//! the log's signed checkpoints.

use ledger::{Tree, hash_position};

use crate::{
    attacker::{Attack, Owner, WORK},
    harness::Backend,
    office::{CAMPAIGN, Office, ids},
};

const RESUME: &[&str] = &["campaign", "resume", CAMPAIGN];
const REPORT: &[&str] = &["campaign", "report", CAMPAIGN];
const PUBLISH: &[&str] = &["campaign", "publish", CAMPAIGN];

const STATUS: &[&str] = &["campaign", "status", CAMPAIGN];

const NO_WORD: &str = "the store's column `state` cannot be read";

const LOG: &[&str] = &["log_entry", "log_hash", "log_head", "log_checkpoint", "notice", "target"];

#[test]
fn nothing_is_counted_or_goes_on_by_rows_that_nobody_has_signed() {
    for backend in Backend::ALL {
        let office = Office::open(backend);
        office.start("ramp = [{ reach = { permille = 1000 }, reapproval = true }]");
        office.work();
        office.freeze_again();
        office.approve(&["bob"]).json();
        let owner = Owner::of(&office);
        owner.keep(LOG);
        owner.keep(&["approval", "arming", "campaign", "instance", "kill_switch", "plan"]);
        owner.try_all(ON_LOG, || owner.put_back(LOG));
        try_forged_reset(&owner, &office);
        owner.try_all(ON_SIGNATURES, || owner.put_back(&["approval", "plan"]));
        let single = &["log_head", "campaign", "instance", "kill_switch"];
        owner.try_all(ON_SINGLE_ROWS, || owner.put_back(single));

        office.approve(&["cleo"]).json();
        office.steer("resume").json();
        owner.try_all(ON_RUNNING, || owner.put_back(&["arming", "kill_switch", "target"]));
        assert_eq!(office.state(), "halted", "what contradicts the plan halts");
        office.freeze_again();
        office.approve(&["bob", "cleo"]).json();
        office.steer("resume").json();
        office.work();
        office.assert_settled(&ids(&office.exposed()));
    }
}

const ON_LOG: &[Attack] = &[
    Attack {
        harm: &[
            "DELETE FROM log_entry WHERE position = (SELECT MAX(position) FROM kept_log_entry)",
        ],
        refused: &[REPORT, PUBLISH, WORK],
        says: "but its last checkpoint signs",
    },
    // By which campaign an entry is filed nothing signs, and nothing counts.
    Attack {
        harm: &["UPDATE log_entry SET campaign = NULL WHERE position > 20"],
        refused: &[&["log", "verify"]],
        says: "is about another campaign than it is filed under",
    },
    // Nobody of ours has appended it: nothing can be recorded.
    Attack {
        harm: &["INSERT INTO log_entry (position, at, campaign, body) \
                 SELECT size, at, campaign, body FROM log_head, log_entry WHERE position = 1"],
        refused: &[&["campaign", "halt", "--all"]],
        says: "an entry stands beyond the",
    },
    Attack {
        harm: &["UPDATE target SET state = 'elsewhere'"],
        refused: &[STATUS, REPORT, PUBLISH],
        says: NO_WORD,
    },
    Attack {
        harm: &["UPDATE notice SET state = 'elsewhere'"],
        refused: &[STATUS, REPORT, PUBLISH],
        says: NO_WORD,
    },
];

/// Somebody who was sealed has chosen a password, by rows and log alike, whose hashes are right.
fn try_forged_reset(owner: &Owner<'_>, office: &Office) {
    let sealed = "SELECT MIN(subject) FROM target WHERE state = 'sealed'";
    let subject = office.instance.ask(sealed).replace(['[', '(', ',', ')', ']'], "");
    let entry = format!(
        r#"{{"v":1,"at":"2026-11-08T00:00:00Z","event":"account_reset","campaign":1,"subject":{subject},"password":"another"}}"#
    );
    let shown = office.run(&["log", "show"]).stdout;
    let mut tree = Tree::default();
    for line in shown.lines() {
        tree.push(line.as_bytes()).unwrap();
    }
    let size = tree.size();
    let hashes = tree.push(entry.as_bytes()).unwrap();
    for (position, hash) in (hash_position(size)..).zip(hashes) {
        owner.write(&format!("INSERT INTO log_hash VALUES ({position}, {})", owner.bytes(&hash)));
    }
    let body = owner.bytes(entry.as_bytes());
    owner.write_all(&[
        &format!("INSERT INTO log_entry VALUES ({size}, 1700000000000000, 1, {body})"),
        "INSERT INTO log_checkpoint SELECT size + 1, at, note FROM kept_log_checkpoint \
         ORDER BY size DESC LIMIT 1",
        "UPDATE log_head SET size = size + 1",
        &format!("UPDATE target SET state = 'reset' WHERE subject = {subject}"),
    ]);
    let commands: [&[&str]; 8] = [
        REPORT,
        PUBLISH,
        RESUME,
        WORK,
        &["campaign", "freeze", CAMPAIGN],
        &["campaign", "unsettled", CAMPAIGN],
        &["status"],
        &["log", "verify"],
    ];
    owner.assert_refused(&commands, "entries are not those that the checkpoint of");
    owner.put_back(LOG);
}

/// One operator has signed for the round; two have signed for an earlier one.
const ON_SIGNATURES: &[Attack] = &[
    Attack {
        harm: &["INSERT INTO approval SELECT campaign, round, 'dan', body FROM approval \
                 WHERE round = (SELECT MAX(round) FROM plan) AND operator = 'bob'"],
        refused: &[RESUME],
        says: "bob has signed twice",
    },
    Attack {
        harm: &["INSERT INTO approval SELECT campaign, (SELECT MAX(round) FROM plan), operator, \
                 body FROM approval WHERE round = 1 AND operator = 'cleo'"],
        refused: &[RESUME],
        says: "the signature is of round 1, the plan of round",
    },
    Attack {
        harm: &[
            "UPDATE plan SET body = (SELECT body FROM kept_plan WHERE round = 1) \
             WHERE round = (SELECT MAX(round) FROM kept_plan)",
            "UPDATE approval SET body = (SELECT body FROM kept_approval AS kept WHERE round = 1 \
             AND kept.operator = approval.operator)",
        ],
        refused: &[RESUME],
        says: "the plan of campaign 1 is not the one of the audit log",
    },
];

/// Each table has one row, or tells of everything that runs.
const ON_SINGLE_ROWS: &[Attack] = &[
    Attack {
        harm: &["DELETE FROM log_head"],
        refused: &[RESUME],
        says: "the store's table `log_head` has 0 rows",
    },
    Attack {
        harm: &[
            "CREATE TABLE second_head AS SELECT * FROM log_head",
            "DROP TABLE log_head",
            "CREATE TABLE log_head AS SELECT * FROM second_head UNION ALL SELECT 2, 0 FROM second_head",
        ],
        refused: &[RESUME, &["campaign", "halt", "--all"], &["status"]],
        says: "the store's table `log_head` has 2 rows",
    },
    // A rehearsal would act on people, or a site's campaign would not be counted as one.
    Attack {
        harm: &[
            "UPDATE instance SET kind = CASE kind WHEN 'site' THEN 'rehearsal' ELSE 'site' END",
        ],
        refused: &[RESUME, REPORT],
        says: "the audit log that it was made as a",
    },
    Attack {
        harm: &["DELETE FROM campaign"],
        refused: &[WORK],
        says: "campaign 1 of the audit log is missing in the store",
    },
    Attack {
        harm: &["DELETE FROM kill_switch"],
        refused: &[&["campaign", "halt", "--all"], &["status"]],
        says: "the store's table `kill_switch` has 0 rows",
    },
];

const ON_RUNNING: &[Attack] = &[
    Attack {
        harm: &["DELETE FROM arming"],
        refused: &[WORK],
        says: "the store's one row of the table `arming` is missing",
    },
    Attack {
        harm: &["DELETE FROM kill_switch"],
        refused: &[WORK],
        says: "the store's table `kill_switch` has 0 rows",
    },
    Attack {
        harm: &["UPDATE target SET version = (SELECT version FROM kept_target \
                 ORDER BY version DESC LIMIT 1) WHERE state = 'pending'"],
        refused: &[WORK],
        says: "does not stand in the signed plan",
    },
];
