//! How fast a campaign goes on each store: against the same durable writes, written plainly, by one
//! connection that does nothing else.

use std::{collections::BTreeMap, env, fmt::Write};

use crate::{
    shell::{ChoreResult, command, output},
    tools::{self, Need},
};

/// Everybody has an address of their own, and a hash that costs nothing to try.
const ACCOUNTS: u32 = 400;
const ROUNDS: u32 = 3;

const STORES: [(&str, &str); 2] = [("Sqlite", "SQLite"), ("Postgres", "PostgreSQL")];

/// What is measured, and how it is called; the first is what the others are held against.
const WAYS: [(&str, &str); 4] = [
    ("bare", "the same durable writes, one connection"),
    ("bare-without-pass", "the same without the commit that lets an account through"),
    ("one-lane", "a campaign, `worker.concurrency = 1`"),
    ("lanes", "a campaign, as many lanes as are usual"),
];

/// Runs the campaigns and describes them.
pub(super) fn run() -> ChoreResult<String> {
    tools::install(Need::Judges)?;
    let printed = output(&mut measurement())?;
    let seconds = measured(&printed)?;
    let mut section = format!(
        "{ACCOUNTS} accounts with an address each, from the start of a worker to the end of the \
         campaign, mails (into a maildir) included; store and site are two databases, of one \
         server with `fsync` where they are PostgreSQL's; {ROUNDS} rounds.\n"
    );
    for (store, name) in STORES {
        // Writing to a string cannot fail.
        let _ = write!(section, "\n### {name}\n\n{}", table(&seconds, store)?);
    }
    Ok(section)
}

/// The measuring is a test that nobody runs otherwise: what sets a campaign up for the tests of the
/// program sets this up. In a build of `COUNTERSIGN_BENCH_PROFILE`, or as it is released.
fn measurement() -> std::process::Command {
    let profile = env::var("COUNTERSIGN_BENCH_PROFILE").unwrap_or_else(|_| "release".to_owned());
    let mut test = command(&format!("cargo test --quiet --profile {profile}"));
    test.args(["--package", "countersign", "--test", "it", "--"]);
    test.args(["--ignored", "--exact", "measured::measure_campaigns", "--nocapture"]);
    test.env("COUNTERSIGN_TEST_FSYNC", "1");
    test.env("COUNTERSIGN_BENCH_ACCOUNTS", ACCOUNTS.to_string());
    test.env("COUNTERSIGN_BENCH_ROUNDS", ROUNDS.to_string());
    test
}

type Measured<'a> = BTreeMap<(&'a str, &'a str), Vec<f64>>;

/// By store and way, from the lines `measured STORE WAY SECONDS`.
fn measured(printed: &str) -> ChoreResult<Measured<'_>> {
    let mut seconds = Measured::new();
    for line in printed.lines() {
        // The first one stands behind what the test harness says.
        let Some((_, found)) = line.split_once("measured ") else { continue };
        if let [store, way, took] = found.split(' ').collect::<Vec<_>>()[..] {
            seconds.entry((store, way)).or_default().push(took.parse()?);
        }
    }
    Ok(seconds)
}

fn table(seconds: &Measured<'_>, store: &str) -> ChoreResult<String> {
    let median = |way| {
        let mut took = seconds.get(&(store, way)).cloned().unwrap_or_default();
        took.sort_by(f64::total_cmp);
        took.get(took.len() / 2).copied().ok_or(format!("{store}: {way} was not measured"))
    };
    let base = median(WAYS[0].0)?;
    let mut table = "| | median | accounts/s | ratio |\n|---|---:|---:|---:|\n".to_owned();
    for (way, name) in WAYS {
        let took = median(way)?;
        let (rate, ratio) = (f64::from(ACCOUNTS) / took, took / base);
        let _ = writeln!(table, "| {name} | {took:.2} s | {rate:.1} | {ratio:.2} |");
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_compared_by_their_medians() {
        let printed = WAYS.map(|(way, _)| {
            [1, 9, 4].map(|seconds| format!("test .. measured Sqlite {way} {seconds}.0\n"))
        });
        let printed = printed.concat().concat();
        let table = table(&measured(&printed).unwrap(), "Sqlite").unwrap();
        assert!(table.contains("concurrency = 1` | 4.00 s | 100.0 | 1.00 |"), "{table}");
        assert!(super::table(&measured(&printed).unwrap(), "Postgres").is_err());
    }
}
