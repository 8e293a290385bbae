//! Who can write to our database makes nobody's replaced password forgotten, and has none replaced:
//! a swap is taken up only as the audit log has left it.

use std::process::Stdio;

use crate::{
    attacker::{Attack, Owner, WORK},
    harness::Backend,
    office::{CAMPAIGN, Office, ids},
};

const CHANGED: &str = "is not as the audit log says";
const GONE: &str = "of the audit log is missing in the store";

/// The first swap.
const FIRST: &str = "id = (SELECT MIN(id) FROM kept_swap)";

macro_rules! first {
    ($change:literal) => {
        concat!("UPDATE swap SET ", $change, " WHERE id = (SELECT MIN(id) FROM kept_swap)")
    };
}

#[test]
fn a_swap_is_judged_only_as_it_was_left_and_as_it_has_ended() {
    let office = left(Backend::Postgres, "sealing_intended");
    office.steer("halt").json();
    let owner = Owner::of(&office);
    owner.keep(&["swap"]);
    owner.try_all(ON_OPEN, || owner.put_back_rows("swap", FIRST));
    assert_eq!((office.state(), office.locked_out().len()), ("halted".to_owned(), 0));

    go_on(&office);
    owner.keep(&["swap"]);
    owner.try_all(ON_ENDED, || owner.put_back(&["swap"]));
    office.run(&["reconcile"]).json();
    office.assert_settled(&ids(&office.exposed()));
}

/// A worker dies right after it has committed what it is about to replace.
fn left(backend: Backend, failpoint: &str) -> Office {
    let office = Office::open(backend);
    office.start("canary_addresses = 500");
    let mut dying = office.instance.command(WORK);
    dying.env("FAILPOINT", failpoint).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(!dying.status().unwrap().success());
    office
}

/// What was left is judged, signed for anew, and done.
fn go_on(office: &Office) {
    office.work();
    office.freeze_again();
    office.approve(&["bob", "cleo"]).json();
    office.steer("resume").json();
    office.work();
}

const ON_OPEN: &[Attack] = &[
    Attack { harm: &[first!("made = expected")], refused: &[WORK], says: CHANGED },
    Attack { harm: &[first!("expected = made")], refused: &[WORK], says: CHANGED },
    Attack { harm: &[first!("attempt = 7")], refused: &[WORK], says: CHANGED },
    Attack { harm: &[first!("round = round + 1")], refused: &[WORK], says: CHANGED },
    Attack {
        harm: &[first!("subject = (SELECT MAX(subject) FROM target WHERE state = 'pending')")],
        refused: &[WORK],
        says: CHANGED,
    },
    Attack { harm: &[first!("state = 'undone', ended_at = 0")], refused: &[WORK], says: GONE },
    Attack {
        harm: &["DELETE FROM swap WHERE id = (SELECT MIN(id) FROM kept_swap)"],
        refused: &[WORK],
        says: GONE,
    },
];

const RECONCILE: &[&str] = &["reconcile"];

/// Accounts hold our value, and what is kept of them is to be forgotten or taken for another's.
const ON_ENDED: &[Attack] = &[
    Attack {
        harm: &[first!("state = 'intended', ended_at = NULL, lease_until = 0")],
        refused: &[WORK, RECONCILE],
        says: CHANGED,
    },
    Attack { harm: &[first!("state = 'overtaken'")], refused: &[RECONCILE], says: CHANGED },
    Attack { harm: &[first!("made = expected")], refused: &[RECONCILE], says: CHANGED },
    Attack {
        harm: &["DELETE FROM swap WHERE id = (SELECT MIN(id) FROM kept_swap)"],
        refused: &[RECONCILE],
        says: GONE,
    },
    Attack {
        harm: &["INSERT INTO swap (subject, purpose, campaign, round, expected, made, state, \
                 attempt, lease_owner, lease_until, intended_at, ended_at) SELECT subject, purpose, \
                 campaign, round, made, expected, 'done', 1, '', 0, 0, 0 FROM kept_swap LIMIT 1"],
        refused: &[RECONCILE],
        says: CHANGED,
    },
];

#[test]
fn an_account_whose_swap_was_hidden_is_not_sealed_anew() {
    let office = left(Backend::Sqlite, "hashes_swapped");
    let owner = Owner::of(&office);
    let sealed = office.locked_out();
    assert!(!sealed.is_empty());
    // As if nothing had ever been intended.
    owner.keep(&["swap", "reset_line", "target"]);
    owner.write_all(&[
        "DELETE FROM swap",
        "DELETE FROM reset_line",
        "UPDATE target SET state = 'pending' WHERE state = 'sealing'",
    ]);
    owner.assert_refused(&[WORK], GONE);
    owner.assert_refused(&[&["campaign", "close", CAMPAIGN]], "no row says who");
    assert_eq!((office.locked_out(), office.mails().len()), (sealed, 0));

    owner.put_back(&["swap", "reset_line", "target"]);
    go_on(&office);
    office.assert_settled(&ids(&office.exposed()));
}
