//! How fast leaked passwords are tried on stored hashes: against Django's own check.

use std::{fmt::Write, path::Path, process::Command};

use super::{
    data,
    program::{countersign, number},
    rounds::{BenchRow, table},
};
use crate::{
    shell::{ChoreResult, output, run},
    tools::{self, Need},
};

/// Hashes of each format, at the cost that Django gives a new one.
const ACCOUNTS: u32 = 24;
const FORMATS: &[&str] = &["pbkdf2_sha256", "argon2", "bcrypt_sha256", "scrypt"];
const ROUNDS: u32 = 3;

/// Measures each format by itself.
pub(super) fn run_all() -> ChoreResult<String> {
    tools::install(Need::Judges)?;
    let program = countersign()?;
    let folder = data::folder("verify")?;
    let mut section = format!(
        "{ACCOUNTS} accounts of each format at Django's default cost, and a leak with one password \
         for each, every second one right; {ROUNDS} rounds. Both sides answered alike. Django's \
         check runs in one process, then in one for each core.\n"
    );
    for format in FORMATS {
        let table = one(&program, &folder.join(format), format)?;
        // Writing to a string cannot fail.
        let _ = write!(section, "\n### {format}\n\n{table}");
    }
    Ok(section)
}

fn one(program: &str, folder: &Path, format: &str) -> ChoreResult<String> {
    let mut generator = tools::python("bench_verify.py")?;
    run(generator.args(["make", format, &ACCOUNTS.to_string()]).arg(folder))?;
    let rows = vec![
        BenchRow::new("Django, one process", || django("check", folder)),
        BenchRow::new("Django, a process for each core", || django("check-all-cores", folder)),
        BenchRow::new("`countersign assess`", || assessed(program, folder)),
    ];
    table(rows, ROUNDS, f64::from(ACCOUNTS), "hashes")
}

fn django(word: &str, folder: &Path) -> ChoreResult {
    let mut check = tools::python("bench_verify.py")?;
    expect(&output(check.arg(word).arg(folder))?)
}

fn assessed(program: &str, folder: &Path) -> ChoreResult {
    let mut assess = Command::new(program);
    assess.args(["assess", "--json", "--accounts"]);
    expect(&output(assess.arg(folder.join("users.csv")).arg(folder.join("leak.txt")))?)
}

/// Every second password was the right one.
fn expect(answer: &str) -> ChoreResult {
    let exposed = number(answer, "exposed")?;
    if exposed == u64::from(ACCOUNTS / 2) {
        return Ok(());
    }
    Err(format!("{exposed} of {ACCOUNTS} were found to be exposed").into())
}
