//! A worker that stands still in the middle of a sealing, and goes on when all is over.

use std::{process::Stdio, thread, time::Duration};

use crate::{
    harness::Backend,
    history::{SiteHistory, assert_agrees, assert_told},
    office::{AtWork, CAMPAIGN, Office, wait_until},
};

/// Where each stands still: with all that is intended before it; with a row in hand; and with leave
/// to commit.
const MOMENTS: [&str; 3] = ["sealing_intended:1", "row_replaced:2", "swap_passed:2"];

/// Longer than whatever a worker that goes on could do about what it holds.
const A_WHILE: Duration = Duration::from_secs(8);

fn open() -> (Office, SiteHistory) {
    let site = Backend::Postgres.new_site();
    let history = SiteHistory::kept_by(&site);
    let mut office = Office::at(Backend::Postgres, site, &["forum.txt"]);
    office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &history.as_program(&history.url));
    office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", "1");
    (office, history)
}

fn worker(office: &Office) -> AtWork {
    AtWork::of(office.instance.start(&["worker"]))
}

/// A worker that stands still from this moment on.
fn frozen_at(office: &Office, moment: &str) -> AtWork {
    let mut command = office.instance.command(&["worker"]);
    command.env("FAILPOINT", format!("{moment}:STOP"));
    let worker = AtWork::of(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_until(|| worker.is_frozen());
    worker
}

fn intended(office: &Office) -> String {
    office.instance.ask("SELECT COUNT(*) FROM swap WHERE state = 'intended'")
}

#[track_caller]
fn assert_cannot_be_closed(office: &Office, because: &str) {
    let refused = office.steer("close");
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains(because), "{}", refused.stderr);
}

#[test]
fn a_worker_that_slept_through_a_halt_replaces_nothing() {
    let (office, history) = open();
    office.start("canary_addresses = 500");
    let frozen: Vec<_> = MOMENTS.iter().map(|moment| frozen_at(&office, moment)).collect();
    let sealed = history.ever_ours();
    assert!(sealed.len() >= 2, "{sealed:?}");
    office.steer("halt").json();
    assert_ne!(intended(&office), "0");
    assert_cannot_be_closed(&office, "not known to have ended");

    let judge = worker(&office);
    wait_until(|| intended(&office) == "0");
    assert_eq!(judge.stop().code, 0);
    assert_eq!(history.ever_ours(), sealed, "nothing is replaced after a halt");
    assert_cannot_be_closed(&office, "finish");
    frozen[0].thaw();
    thread::sleep(A_WHILE);
    assert_eq!(history.ever_ours(), sealed, "it was too late");

    office.run(&["campaign", "finish", CAMPAIGN]).json();
    assert_eq!(office.approve(&["bob", "cleo"]).code, 0);
    office.steer("resume").json();
    frozen[1].thaw();
    office.work();
    frozen[2].thaw();
    thread::sleep(A_WHILE);
    for woken in frozen {
        assert_eq!(woken.stop().code, 0);
    }
    let logged = assert_agrees(&office, &history);
    assert_eq!(logged.sealed, office.with_households(&sealed));
    assert_told(&office, &logged, 0);
    office.steer("close").json();
}

#[test]
fn a_campaign_in_which_nobody_was_sealed_after_all_can_be_closed() {
    let (office, history) = open();
    office.start("canary_addresses = 500");
    let frozen = ["sealing_intended:1", "row_replaced:1"].map(|at| frozen_at(&office, at));
    office.run(&["campaign", "halt", "--all"]).json();
    assert_cannot_be_closed(&office, "not known to have ended");
    office.work();
    assert_eq!(intended(&office), "0", "whoever is to end leaves nothing in between");
    office.steer("close").json();
    for woken in &frozen {
        woken.thaw();
    }
    thread::sleep(A_WHILE);
    assert!(history.changes().is_empty());
    let logged = assert_agrees(&office, &history);
    assert!(logged.sealed.is_empty() && office.mails().is_empty());
}
