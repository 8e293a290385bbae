//! Workers that are killed, stand still, or lose their connection at any moment, among people who
//! sign in and choose new passwords. The site's own record judges.

use std::{
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    campaign_kill::{FILES, has_died, start},
    harness::Backend,
    history::{SiteHistory, assert_agrees, assert_told},
    kill::Moments,
    office::{AtWork, Office, leaked, wait_until},
    people,
};

/// Mails in one worker's hands at the same time.
const LANES: usize = 2;

const WORKERS: usize = 3;

/// What happens to workers, all told.
fn blows() -> usize {
    if testkit::full() { 120 } else { 18 }
}

fn open() -> (Office, SiteHistory) {
    let site = Backend::Postgres.new_site();
    let history = SiteHistory::kept_by(&site);
    let mut office = Office::at(Backend::Postgres, site, &FILES);
    office.instance.set("COUNTERSIGN_DIRECTORY_WRITE_URL", &history.as_program(&history.url));
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "1s");
    office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", &LANES.to_string());
    (office, history)
}

/// The life of the site: somebody signs in, and the site hashes their password anew, before or
/// after it has looked whether it is still the same; somebody chooses another one.
fn live(office: &Office, history: &SiteHistory, is_over: &AtomicBool) {
    let people = office.plain();
    let pairs: Vec<_> = people.iter().map(|person| (&*person.id, leaked(person))).collect();
    let hashes = people::hashed_anew(&office.site, &pairs);
    let mut days = Moments::from_seed(11);
    let mut next = || usize::try_from(days.next().as_millis()).unwrap();
    while !is_over.load(Ordering::Relaxed) {
        let who = next() % people.len();
        let (id, anew) = (&people[who].id, &hashes[who]);
        let set = |hash: &str| format!("UPDATE auth_user SET password = '{hash}' WHERE id = {id}");
        history.ask(&match next() % 8 {
            0 => set(&format!("md5$own${id}")),
            1 => set(anew),
            _ => {
                let was_ours = "SELECT 1 FROM history WHERE account = auth_user.id::text";
                format!("{} AND NOT EXISTS ({was_ours})", set(anew))
            }
        });
        thread::sleep(Duration::from_millis(60));
    }
}

/// What happens to one worker.
fn strike(office: &Office, history: &SiteHistory, blow: usize, worker: &mut AtWork) {
    match blow % 6 {
        0 if !worker.has_ended() => {
            worker.freeze();
            thread::sleep(Duration::from_millis(2500));
            worker.thaw();
        }
        1 => {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'";
            history.ask(&cut.replace("{}", &history.role));
        }
        _ => *worker = beside(office),
    }
}

fn beside(office: &Office) -> AtWork {
    let mut command = office.instance.command(&["worker", "--until-done"]);
    AtWork::of(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn among_people_who_change_their_passwords_nobody_is_forgotten_or_told_twice() {
    let (office, history) = open();
    history.slow_down(0.05);
    office.start("canary_addresses = 500\nsealed_untold_max = 4");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| live(&office, &history, &is_over));
        let mut workers: Vec<_> = (0..WORKERS).map(|_| beside(&office)).collect();
        let mut moments = Moments::from_seed(9);
        for blow in 0..blows() {
            thread::sleep(moments.next() * 3);
            strike(&office, &history, blow, &mut workers[blow % WORKERS]);
        }
        drop(workers);
        let last = start(&office, None).wait();
        is_over.store(true, Ordering::Relaxed);
        assert!(!has_died(&last));
    });
    let logged = assert_agrees(&office, &history);
    assert!(logged.perhaps.is_empty(), "PostgreSQL tells what became of each");
    assert_told(&office, &logged, blows() * LANES);
    let report = office.report();
    assert_eq!(report["state"], "done", "{report:#}");
    let skipped = report["skipped"].as_object().unwrap().values().map(Value::as_u64);
    let skipped: u64 = skipped.map(Option::unwrap).sum();
    assert_eq!(report["sealed"].as_u64().unwrap() + skipped, report["targeted"].as_u64().unwrap());
}

/// Addresses that may be taken up in an hour, and more lanes than that who would at once.
const RATE: u32 = 5;

#[test]
fn however_many_take_addresses_up_at_once_the_rate_is_kept() {
    let (office, _) = open();
    office.start(&format!("canary_addresses = 500\nrate_per_hour_max = {RATE}"));
    let workers: Vec<_> = (0..WORKERS).map(|_| beside(&office)).collect();
    let taken = "SELECT COUNT(*) FROM campaign_address WHERE taken_at > 0";
    wait_until(|| office.instance.ask(taken) != "0");
    thread::sleep(Duration::from_secs(4));
    drop(workers);
    let most = "SELECT MAX(taken) FROM (SELECT COUNT(*) AS taken FROM campaign_address WHERE \
                taken_at > 0 GROUP BY taken_at / 3600000000) AS hours";
    assert_eq!(office.instance.ask(most), RATE.to_string());
}
