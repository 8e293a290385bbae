//! What it costs to hold rows against the log, as the log grows.

use std::{collections::BTreeMap, env, fmt::Write};

use super::{
    data,
    measured::{measurement, median, profile, results},
};
use crate::shell::ChoreResult;

/// Sizes of the log, or those of `COUNTERSIGN_BENCH_ENTRIES`: a machine that does much else takes
/// hours for the second.
const ENTRIES: &str = "10000 10000000";

/// Runs the claims and describes them.
pub(super) fn run() -> ChoreResult<String> {
    let folder = data::folder("fold")?;
    let mut test = measurement("campaigns", &["--lib"], "measured::measure_the_fold");
    test.env("COUNTERSIGN_BENCH_FOLDER", &folder);
    let entries = env::var("COUNTERSIGN_BENCH_ENTRIES").unwrap_or_else(|_| ENTRIES.to_owned());
    test.env("COUNTERSIGN_BENCH_ENTRIES", entries);
    let written = results(&mut test, &folder)?;
    let columns = columns(&written)?;
    Ok(format!(
        "Claims of 8 addresses each, of a campaign of 3000 accounts, on SQLite stores that differ in \
         the size of their logs: in turn, 300 on each. A claim asks the log three times. That is \
         timed apart, in a transaction of its own; before each of the two, another worker has \
         written down all that is done at an address (5 entries). The log is that of finished \
         campaigns of 1000 people: found, sealed, told, and most of them back. A process begins \
         from the last snapshot and 50000 entries that came after it. A build of profile `{}`.\n\n{}\n{}",
        profile(),
        table(&columns)?,
        verdict(&columns)?
    ))
}

/// What was measured at one size, by its name: once, or at each claim.
#[derive(Default)]
struct MeasuredSize<'a>(BTreeMap<&'a str, Vec<f64>>);

impl MeasuredSize<'_> {
    fn of(&self, what: &str) -> ChoreResult<f64> {
        let found = self.0.get(what).and_then(|numbers| median(numbers.iter().copied()));
        Ok(found.ok_or_else(|| format!("nothing was measured of {what}"))?)
    }

    /// Of a claim, in percent.
    fn share(&self) -> ChoreResult<f64> {
        Ok(100.0 * self.of("asked")? / self.of("claim")?)
    }
}

/// By size, from the lines `ENTRIES WHAT NUMBER`.
fn columns(written: &str) -> ChoreResult<BTreeMap<u64, MeasuredSize<'_>>> {
    let mut columns = BTreeMap::<u64, MeasuredSize<'_>>::new();
    for line in written.lines() {
        if let [entries, what, number] = line.split(' ').collect::<Vec<_>>()[..] {
            let column = columns.entry(entries.parse()?).or_default();
            column.0.entry(what).or_default().push(number.parse()?);
        }
    }
    Ok(columns)
}

fn table(columns: &BTreeMap<u64, MeasuredSize<'_>>) -> ChoreResult<String> {
    let mut table =
        "| entries of the log | a claim | what it asks of the log | share | people | a \
                     process begins | memory | snapshot | keeping one |\n\
                     |---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    for (entries, column) in columns {
        let millis = |what| column.of(what).map(|seconds| seconds * 1e3);
        let mebibytes = |what| column.of(what).map(|bytes| bytes / f64::from(1 << 20));
        // A short log is never kept.
        let kept = column.of("keep").map_or("-".to_owned(), |seconds| format!("{seconds:.2} s"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {entries} | {:.2} ms | {:.3} ms | {:.1} % | {} | {:.2} s | {:.0} MiB | {:.0} MiB | \
             {kept} |",
            millis("claim")?,
            millis("asked")?,
            column.share()?,
            column.of("people")?,
            column.of("start")?,
            mebibytes("memory")?,
            mebibytes("snapshot")?,
        );
    }
    Ok(table)
}

/// For whoever runs a site.
fn verdict(columns: &BTreeMap<u64, MeasuredSize<'_>>) -> ChoreResult<String> {
    let [(first_entries, first), .., (entries, last)] = columns.iter().collect::<Vec<_>>()[..]
    else {
        return Err("two sizes have to be measured".into());
    };
    Ok(format!(
        "For an operator: comparing rows with the log takes {:.1} % of a claim when the log has \
         {entries} entries, and {:.1} % when it has {first_entries}. Each process needs {:.0} bytes \
         of memory for every person whom campaigns have ever taken up, and {:.1} seconds to begin \
         with the longer log.\n",
        last.share()?,
        first.share()?,
        last.of("memory")? / last.of("people")?,
        last.of("start")?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_medians() {
        let claims = "10 claim 0.004\n10 claim 0.9\n10 claim 0.003\n10 asked 0.0002\n";
        let once = "10 people 2\n10 start 1.5\n10 memory 2097152\n10 snapshot 1048576\n";
        let written = format!("{claims}{once}");
        let single = columns(&written).unwrap();
        let expected = "| 10 | 4.00 ms | 0.200 ms | 5.0 % | 2 | 1.50 s | 2 MiB | 1 MiB | - |\n";
        let table = table(&single).unwrap();
        assert!(table.ends_with(expected), "{table}");
        assert!(verdict(&single).is_err());
        let both = format!("{written}{}", written.replace("10 ", "20 "));
        let verdict = verdict(&columns(&both).unwrap()).unwrap();
        assert!(verdict.contains("5.0 % of a claim when the log has 20 entries"), "{verdict}");
        assert!(verdict.contains("needs 1048576 bytes"), "{verdict}");
    }

    #[test]
    fn what_was_not_measured_is_no_zero() {
        assert!(table(&columns("10 claim 0.004\n").unwrap()).is_err());
    }
}
