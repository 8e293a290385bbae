//! kill -9 in the middle of a campaign: nobody is forgotten, and nobody is told twice.

use std::{
    collections::{BTreeSet, VecDeque},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use instance::failpoint::FAILPOINTS;

use crate::{
    harness::{Backend, Run},
    kill::Moments,
    office::{AtWork, Office, ids},
};

/// All addresses may be taken up at once.
const QUICK: &str = "canary_addresses = 500";

/// Few accounts at a time are sealed and not told, so that every moment comes often.
const STEADY: &str = "canary_addresses = 500\nsealed_untold_max = 3";

/// One at a time, so that there are people left for every moment.
const ONE_BY_ONE: &str = "canary_addresses = 500\nsealed_untold_max = 1";

/// Moments at which a mail is on its way, as far as anybody can tell.
const IN_FLIGHT: [&str; 2] = ["notice_begun", "notice_delivered"];

/// Work left by a dead worker is taken over within a minute, and finished.
const TAKEN_OVER: Duration = Duration::from_mins(1);

/// Files with enough people for all the deaths of one campaign.
pub(crate) const FILES: [&str; 4] = ["forum.txt", "bookshop-2016.txt", "photos.txt", "quiz.tsv"];

fn open(backend: Backend, lanes: usize, policy: &str) -> Office {
    let mut office = Office::with_leaks(backend, &FILES);
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "1s");
    office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", &lanes.to_string());
    office.start(policy);
    office
}

/// At which of its comings each moment kills, for each campaign.
fn rounds() -> &'static [&'static [u32]] {
    const ROUNDS: [&[u32]; 3] = [&[1, 3], &[2, 4], &[5]];
    if testkit::full() { &ROUNDS } else { &ROUNDS[..1] }
}

/// Each moment, for the first time and then for later ones.
fn deaths(times: &[u32]) -> VecDeque<String> {
    let moments = |times: &u32| {
        let times = *times;
        FAILPOINTS.iter().map(move |name| format!("{name}:{times}"))
    };
    times.iter().flat_map(moments).collect()
}

/// A worker that is to die at a moment, or works to the end.
pub(crate) fn start(office: &Office, moment: Option<&str>) -> AtWork {
    let mut command = office.instance.command(&["worker", "--until-done"]);
    command.envs(moment.map(|moment| ("FAILPOINT", moment)));
    AtWork::of(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
}

/// Whether it died at its moment; else it must have ended in order.
pub(crate) fn has_died(run: &Run) -> bool {
    assert!(matches!(run.code, 0 | -1), "{}: {}", run.code, run.stderr);
    run.code == -1
}

/// Asserts that the campaign ended, whatever died on the way, and that everybody is accounted for:
/// by the report, by Django, and by the mail server.
fn assert_accounted(office: &Office, uncertain_max: usize) {
    let exposed = ids(&office.exposed());
    assert_eq!(office.locked_out(), exposed);
    let (told, addresses) = (office.told_once(), office.addresses_of(&exposed));
    assert!(told.is_subset(&addresses));
    let report = office.report();
    assert_eq!(report["state"], "done", "{report:#}");
    assert_eq!(report["sealed"], exposed.len());
    let count = |state: &str| {
        let count = report["notices"][state].as_u64().unwrap_or_default();
        usize::try_from(count).unwrap()
    };
    assert_eq!(count("sent") + count("uncertain"), addresses.len(), "{report:#}");
    assert!(count("uncertain") <= uncertain_max, "{report:#}");
    let untold: BTreeSet<_> = addresses.difference(&told).collect();
    assert!(untold.len() <= count("uncertain"), "{untold:?} were not told");
    office.run(&["log", "verify"]).json();
}

fn with_a_mail_in_hand(died: &[String]) -> usize {
    let in_flight = |moment: &&String| IN_FLIGHT.iter().any(|name| moment.starts_with(name));
    died.iter().filter(in_flight).count()
}

#[test]
fn one_process_that_dies_at_every_moment_loses_nothing() {
    for times in rounds() {
        let office = open(Backend::Sqlite, 1, ONE_BY_ONE);
        let deaths = Vec::from(deaths(times));
        for moment in &deaths {
            assert!(has_died(&start(&office, Some(moment)).wait()), "{moment} never came");
        }
        let since = Instant::now();
        assert!(!has_died(&start(&office, None).wait()));
        assert!(since.elapsed() < TAKEN_OVER, "{:?}", since.elapsed());
        assert_accounted(&office, with_a_mail_in_hand(&deaths));
    }
}

#[test]
fn three_processes_that_die_at_every_moment_lose_nothing() {
    let mut came = Vec::new();
    for times in rounds() {
        let office = open(Backend::Postgres, 1, STEADY);
        let died = die_side_by_side(&office, deaths(times));
        assert_accounted(&office, with_a_mail_in_hand(&died));
        came.extend(died);
    }
    // A late coming may never come to one of three, because the others do the work.
    assert!(deaths(&[1]).iter().all(|moment| came.contains(moment)), "{came:?}");
}

/// Three processes at once. Whenever one dies, another takes its place, until all moments are
/// used up; the moments that came.
fn die_side_by_side(office: &Office, mut moments: VecDeque<String>) -> Vec<String> {
    let mut died = Vec::new();
    let mut places: Vec<_> = (0..3).map(|_| next(office, &mut moments)).collect();
    while !places.is_empty() {
        thread::sleep(Duration::from_millis(20));
        for (moment, mut worker) in std::mem::take(&mut places) {
            if !worker.has_ended() {
                places.push((moment, worker));
            } else if has_died(&worker.wait()) {
                died.extend(moment);
                places.push(next(office, &mut moments));
            }
        }
    }
    died
}

/// A worker for the next moment; once there is none left, one that works to the end.
fn next(office: &Office, moments: &mut VecDeque<String>) -> (Option<String>, AtWork) {
    let moment = moments.pop_front();
    let worker = start(office, moment.as_deref());
    (moment, worker)
}

/// Deaths at moments that nobody chose.
fn kills() -> usize {
    if testkit::full() { 60 } else { 6 }
}

/// Mails in hand at the same time.
const LANES: usize = 4;

#[test]
fn killed_at_random_nobody_is_forgotten_or_told_twice() {
    for backend in Backend::ALL {
        let office = open(backend, LANES, QUICK);
        let mut moments = Moments::from_seed(5);
        for _ in 0..kills() {
            let worker = start(&office, None);
            thread::sleep(moments.next() * 3);
            drop(worker);
        }
        assert!(!has_died(&start(&office, None).wait()));
        assert_accounted(&office, kills() * LANES);
    }
}
