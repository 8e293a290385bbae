//! How fast leaks are looked through: against counting lines, which is the least that reading
//! costs, and against what one would write in a hurry.

use std::process::Command;

use super::{
    data::{self, Screening},
    program::{countersign, number},
    rounds::{BenchRow, table},
};
use crate::shell::{ChoreResult, output};

const ACCOUNTS: u64 = 1_000_000;
const LINES: u64 = 10_000_000;
const ROUNDS: u32 = 3;

const AWK: &str =
    "NR == FNR { ours[tolower($2)]; next } tolower($1) in ours { n++ } END { print n }";

const PYTHON: &str = "
import sys
with open(sys.argv[1], 'rb') as users:
    ours = {line.split(b',')[1].lower() for line in users}
with open(sys.argv[2], 'rb') as leak:
    print(sum(line.split(b':', 1)[0].strip().lower() in ours for line in leak))
";

/// Makes the files, lets everybody count, and describes both.
pub(super) fn run() -> ChoreResult<String> {
    let program = countersign()?;
    println!("making {LINES} lines");
    let made = data::screening(&data::folder("screening")?, ACCOUNTS, LINES)?;
    let rows = vec![
        BenchRow::new("`wc -l`", || counted(wc(&made), made.lines)),
        BenchRow::new("`countersign assess`", || assessed(&program, &made)),
        BenchRow::new("Python, a set of addresses", || counted(python(&made), made.hits)),
        BenchRow::new("awk, an array of addresses", || counted(awk(&made), made.hits)),
    ];
    let megabytes = megabytes(made.bytes);
    let table = table(rows, ROUNDS, megabytes, "MB")?;
    Ok(format!(
        "{ACCOUNTS} accounts; a leak of {LINES} lines `address:password`, {megabytes:.0} MB, \
         {} of which name an account; {ROUNDS} rounds. Times include reading the accounts; \
         `assess` also checks every line's form, looks up usernames and other spellings, and \
         verifies each candidate against its (MD5) hash.\n\n{table}",
        made.hits
    ))
}

fn assessed(program: &str, made: &Screening) -> ChoreResult {
    let mut assess = Command::new(program);
    assess.args(["assess", "--json", "--accounts"]).arg(&made.accounts).arg(&made.leak);
    let answer = output(&mut assess)?;
    let [records, exposed] = [number(&answer, "records")?, number(&answer, "exposed")?];
    if (records, exposed) != (made.lines, 0) {
        return Err(format!("assess found {exposed} exposed in {records} records").into());
    }
    Ok(())
}

fn wc(made: &Screening) -> Command {
    let mut wc = Command::new("wc");
    wc.arg("-l").arg(&made.leak);
    wc
}

fn python(made: &Screening) -> Command {
    let mut python = Command::new("python3");
    python.args(["-c", PYTHON]).args([&made.accounts, &made.leak]);
    python
}

fn awk(made: &Screening) -> Command {
    let mut awk = Command::new("awk");
    awk.arg(AWK).arg("FS=,").arg(&made.accounts).arg("FS=:").arg(&made.leak);
    awk
}

fn counted(mut command: Command, expected: u64) -> ChoreResult {
    let answer = output(&mut command)?;
    let found = answer.split_whitespace().next().unwrap_or_default();
    if found == expected.to_string() {
        return Ok(());
    }
    Err(format!("{found} were counted, {expected} are there").into())
}

#[expect(clippy::cast_precision_loss, reason = "shown with no decimals")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
