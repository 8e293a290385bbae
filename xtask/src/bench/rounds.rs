//! Rows measured in turn, so that a busy minute of the machine hits all of them alike.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use crate::shell::ChoreResult;

/// One way to do the work.
pub(super) struct BenchRow<'a> {
    name: String,
    work: Box<dyn FnMut() -> ChoreResult + 'a>,
    took: Vec<Duration>,
}

impl<'a> BenchRow<'a> {
    /// A row of the table; the work fails if its answer is wrong, since a fast wrong answer is
    /// worth nothing.
    pub(super) fn new(name: &str, work: impl FnMut() -> ChoreResult + 'a) -> Self {
        Self { name: name.to_owned(), work: Box::new(work), took: Vec::new() }
    }
}

/// Runs all rows `rounds` times, one after the other in each round, and shows them as a table.
/// Ratios are to the first row, rates in `unit` of which each row does `amount`.
pub(super) fn table(
    mut rows: Vec<BenchRow<'_>>,
    rounds: u32,
    amount: f64,
    unit: &str,
) -> ChoreResult<String> {
    for round in 1..=rounds {
        for row in &mut rows {
            let start = Instant::now();
            (row.work)()?;
            let took = start.elapsed();
            println!("round {round}: {:.2} s {}", took.as_secs_f64(), row.name);
            row.took.push(took);
        }
    }
    Ok(shown(&rows, amount, unit))
}

fn shown(rows: &[BenchRow<'_>], amount: f64, unit: &str) -> String {
    let base = rows.first().map_or(1.0, |row| seconds(&row.took).1);
    let mut table = format!("| | median | least to most | {unit}/s | ratio |\n");
    table += "|---|---:|---:|---:|---:|\n";
    for row in rows {
        let (least, median, most) = seconds(&row.took);
        let (rate, ratio) = (amount / median, median / base);
        let name = &row.name;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {name} | {median:.2} s | {least:.2} to {most:.2} s | {rate:.1} | {ratio:.2} |"
        );
    }
    table
}

/// Least, median and most.
fn seconds(took: &[Duration]) -> (f64, f64, f64) {
    let mut sorted: Vec<f64> = took.iter().map(Duration::as_secs_f64).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    let least = sorted.first().copied().unwrap_or_default();
    let most = sorted.last().copied().unwrap_or_default();
    (least, middle, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, tenths: &[u64]) -> BenchRow<'static> {
        let took = tenths.iter().map(|tenths| Duration::from_millis(tenths * 100)).collect();
        BenchRow { took, ..BenchRow::new(name, || Ok(())) }
    }

    #[test]
    fn rows_are_compared_by_their_medians() {
        let rows = [row("one", &[30, 10, 20]), row("two", &[50, 50, 10])];
        let expected = "\
            | | median | least to most | MB/s | ratio |\n\
            |---|---:|---:|---:|---:|\n\
            | one | 2.00 s | 1.00 to 3.00 s | 50.0 | 1.00 |\n\
            | two | 5.00 s | 1.00 to 5.00 s | 20.0 | 2.50 |\n";
        assert_eq!(shown(&rows, 100.0, "MB"), expected);
    }

    #[test]
    fn a_wrong_answer_is_no_result() {
        let rows = vec![BenchRow::new("wrong", || Err("wrong".into()))];
        assert!(table(rows, 1, 1.0, "MB").is_err());
    }
}
