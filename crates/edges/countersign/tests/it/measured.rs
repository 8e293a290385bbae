//! How fast a campaign goes, for `cargo xtask bench campaign`: it writes seconds down, and judges none.

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use testkit::TestDatabase;

use crate::{harness::Backend, history::psql, office::Office, people::PUT};

/// Nothing but the databases holds it up.
const POLICY: &str = "canary_addresses = 100000\nrate_per_minute_max = 100000\n\
                      rate_per_hour_max = 100000\nsealed_untold_max = 100000";

const FILE: &str = "measured.txt";

fn number(name: &str, usual: u32) -> u32 {
    env::var(name).map_or(usual, |set| set.parse().unwrap())
}

fn accounts() -> u32 {
    number("COUNTERSIGN_BENCH_ACCOUNTS", 400)
}

/// A signed campaign on so many people, whose mail goes into a folder.
fn office(backend: Backend) -> Office {
    let site = backend.new_site();
    let people: Vec<_> = (0..accounts())
        .map(|n| (format!("m{n}"), format!("m{n}@measured.example"), format!("measured-{n}-word")))
        .collect();
    let leaked = people.iter().fold(String::new(), |mut text, (_, address, password)| {
        let _ = writeln!(text, "{address}:{password}");
        text
    });
    fs::write(site.leaks_folder.join(FILE), leaked).unwrap();
    let _ = site.django(PUT, &[&json!(people).to_string()]);
    let mut office = Office::at(backend, site, &[FILE]);
    office.instance.set("COUNTERSIGN_MAIL_TRANSPORT", "maildir");
    let folder = office.path("mail");
    office.instance.set("COUNTERSIGN_MAIL_FOLDER", &folder);
    office.instance.set("COUNTERSIGN_WORKER_LEASE", "90s");
    office.start(POLICY);
    office
}

/// Seconds and syncs of one whole campaign, one lane at a time or as many as are usual.
fn campaign(backend: Backend, lanes: Option<&str>) -> (f64, u64) {
    let mut office = office(backend);
    if let Some(lanes) = lanes {
        office.instance.set("COUNTERSIGN_WORKER_CONCURRENCY", lanes);
    }
    let (before, since) = (syncs(backend), Instant::now());
    office.work();
    let took = since.elapsed().as_secs_f64();
    let synced = syncs(backend) - before;
    let report = office.report();
    // A family is among them.
    assert_eq!(report["sealed"], accounts() + 3, "{report:#}");
    assert_eq!(report["state"], "done");
    (took, synced)
}

/// Those of the same durable writes, written plainly.
fn bare(backend: Backend, arguments: &[&str]) -> (f64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = testkit::python("bench_campaign.py");
    if backend == Backend::Postgres {
        let socket = bare_databases();
        command.arg(socket).arg("--postgres");
    } else {
        command.arg(folder.path());
    }
    command.args([&accounts().to_string()]).arg(folder.path()).args(arguments);
    let before = syncs(backend);
    let output = command.output().unwrap();
    let synced = syncs(backend) - before;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap().trim().parse().unwrap(), synced)
}

/// Anew, on the same server as the campaigns'.
fn bare_databases() -> PathBuf {
    let TestDatabase { url, socket, .. } = testkit::postgres().database();
    for name in ["bare_store", "bare_site"] {
        for text in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
            let psql = Command::new("psql").args(["-Xqc", &text, &url]).status();
            assert!(psql.unwrap().success());
        }
    }
    socket
}

/// How often PostgreSQL has waited for its disk so far; SQLite does not count.
fn syncs(backend: Backend) -> u64 {
    if backend == Backend::Sqlite {
        return 0;
    }
    // What a connection has counted is told within a second.
    thread::sleep(Duration::from_millis(1500));
    let url = testkit::postgres().database().url;
    psql(&url, "SELECT wal_sync FROM pg_stat_wal").parse().unwrap()
}

/// Seconds and syncs of something that is done now.
type Way<'a> = &'a dyn Fn() -> (f64, u64);

/// One line a measurement: `STORE WAY SECONDS SYNCS`.
#[test]
#[ignore = "a measurement: `cargo xtask bench campaign`"]
fn measure_campaigns() {
    let mut results = File::create(env::var("COUNTERSIGN_BENCH_RESULTS").unwrap()).unwrap();
    for _ in 0..number("COUNTERSIGN_BENCH_ROUNDS", 3) {
        for backend in Backend::ALL {
            let ways: [(&str, Way<'_>); 4] = [
                ("bare", &|| bare(backend, &[])),
                ("bare-without-pass", &|| bare(backend, &["--without-pass"])),
                ("one-lane", &|| campaign(backend, Some("1"))),
                ("lanes", &|| campaign(backend, None)),
            ];
            for (way, measure) in ways {
                let (took, syncs) = measure();
                writeln!(results, "{backend:?} {way} {took:.3} {syncs}").unwrap();
            }
        }
    }
}
