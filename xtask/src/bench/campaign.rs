//! How fast a campaign goes on each store: against the same durable writes, written plainly, by one
//! connection that does nothing else.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    data,
    measured::{measurement, median, profile, results},
};
use crate::{
    shell::ChoreResult,
    tools::{self, Need},
};

/// Everybody has an address of their own, and a hash that costs nothing to try. A worker notices
/// within half a second that it is done, so the campaign must be long against that.
const ACCOUNTS: u32 = 600;
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
    let part = ["--test", "it"];
    let mut test = measurement("countersign", &part, "measured::measure_campaigns");
    test.env("COUNTERSIGN_TEST_FSYNC", "1");
    test.env("COUNTERSIGN_BENCH_ACCOUNTS", ACCOUNTS.to_string());
    test.env("COUNTERSIGN_BENCH_ROUNDS", ROUNDS.to_string());
    let written = results(&mut test, &data::folder("campaign")?)?;
    let seconds = measured(&written)?;
    let mut section = format!(
        "{ACCOUNTS} accounts with an address each, from the start of a worker to the end of the \
         campaign, mails (into a maildir) included; store and site are two databases, of one \
         server with `fsync` where they are PostgreSQL's; {ROUNDS} rounds of a build of profile \
         `{}`.\n",
        profile()
    );
    for (store, name) in STORES {
        // Writing to a string cannot fail.
        let _ = write!(section, "\n### {name}\n\n{}", table(&seconds, store)?);
    }
    Ok(section)
}

/// Seconds, and how often the disk was waited for.
type Measured<'a> = BTreeMap<(&'a str, &'a str), Vec<(f64, f64)>>;

/// By store and way, from the lines `STORE WAY SECONDS SYNCS`.
fn measured(written: &str) -> ChoreResult<Measured<'_>> {
    let mut seconds = Measured::new();
    for line in written.lines() {
        if let [store, way, took, syncs] = line.split(' ').collect::<Vec<_>>()[..] {
            seconds.entry((store, way)).or_default().push((took.parse()?, syncs.parse()?));
        }
    }
    Ok(seconds)
}

fn table(seconds: &Measured<'_>, store: &str) -> ChoreResult<String> {
    let medians = |way| {
        let of = |number: &dyn Fn(&(f64, f64)) -> f64| {
            median(seconds.get(&(store, way))?.iter().map(number))
        };
        of(&|both| both.0).zip(of(&|both| both.1)).ok_or(format!("{store}: no {way}"))
    };
    let (base, _) = medians(WAYS[0].0)?;
    let mut table =
        "| | median | accounts/s | ratio | syncs/account |\n|---|---:|---:|---:|---:|\n".to_owned();
    for (way, name) in WAYS {
        let (took, syncs) = medians(way)?;
        let (rate, ratio) = (f64::from(ACCOUNTS) / took, took / base);
        let syncs = match syncs / f64::from(ACCOUNTS) {
            0.0 => "-".to_owned(),
            each => format!("{each:.1}"),
        };
        let _ = writeln!(table, "| {name} | {took:.2} s | {rate:.1} | {ratio:.2} | {syncs} |");
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_compared_by_their_medians() {
        let printed =
            WAYS.map(|(way, _)| [1, 9, 4].map(|seconds| format!("Sqlite {way} {seconds}.0 400\n")));
        let printed = printed.concat().concat();
        let table = table(&measured(&printed).unwrap(), "Sqlite").unwrap();
        assert!(table.contains("concurrency = 1` | 4.00 s | 150.0 | 1.00 | 0.7 |"), "{table}");
        assert!(super::table(&measured(&printed).unwrap(), "Postgres").is_err());
    }
}
