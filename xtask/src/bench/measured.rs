//! Measurements that are tests which nobody runs otherwise: what sets a test up sets them up.

use std::{env, fs, path::Path, process::Command};

use crate::shell::{ChoreResult, command, run};

/// The build that is measured: `COUNTERSIGN_BENCH_PROFILE`, or as it is released.
pub(super) fn profile() -> String {
    env::var("COUNTERSIGN_BENCH_PROFILE").unwrap_or_else(|_| "release".to_owned())
}

/// One test of a package, by the part of the package that it is in and its name there.
pub(super) fn measurement(package: &str, part: &[&str], name: &str) -> Command {
    let profile = profile();
    let mut test = command(&format!("cargo test --quiet --profile {profile} --package {package}"));
    test.args(part).args(["--", "--ignored", "--exact", name]);
    test
}

/// What a measurement has written, into a file of this folder.
pub(super) fn results(measurement: &mut Command, folder: &Path) -> ChoreResult<String> {
    let results = folder.join("results");
    run(measurement.env("COUNTERSIGN_BENCH_RESULTS", &results))?;
    Ok(fs::read_to_string(results)?)
}

/// The one in the middle; `None` of none.
pub(super) fn median(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<_> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
