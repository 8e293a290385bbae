//! Feeds the parsers of hostile input with what they have never seen.

use std::{fs, path::Path};

use crate::{
    shell::{ChoreResult, root, run},
    tools::{self, Need, tool},
};

const TARGETS: &str = "fuzz/fuzz_targets";

/// How long each target runs, and what no single input may take.
const RUN_SECONDS: u32 = 60;
const INPUT_SECONDS_MAX: u32 = 10;
const MEMORY_MIB_MAX: u32 = 4096;

/// Runs one fuzz target, or all.
pub(crate) fn fuzz(target: Option<&str>) -> ChoreResult {
    tools::install(Need::Full)?;
    let known = targets()?;
    let chosen = known.iter().filter(|known| target.is_none_or(|target| target == *known));
    let mut ran = 0;
    for target in chosen {
        run_one(target)?;
        ran += 1;
    }
    if ran == 0 {
        return Err(format!("there is no such target, only {}", known.join(", ")).into());
    }
    Ok(())
}

/// Sanitizers are unstable options of the compiler: the variable lets a stable one take them.
fn run_one(target: &str) -> ChoreResult {
    println!("fuzzing {target} for {RUN_SECONDS} s");
    let limits = format!(
        "-max_total_time={RUN_SECONDS} -timeout={INPUT_SECONDS_MAX} -rss_limit_mb={MEMORY_MIB_MAX}"
    );
    let mut fuzz = tool(&format!("cargo fuzz run {target} -- {limits}"))?;
    run(fuzz.env("RUSTC_BOOTSTRAP", "1"))
}

fn targets() -> ChoreResult<Vec<String>> {
    let folder = fs::read_dir(root().join(TARGETS));
    let folder = folder.map_err(|error| format!("{TARGETS} cannot be read: {error}"))?;
    let mut targets = Vec::new();
    for entry in folder {
        targets.extend(rust_name(&entry?.path()));
    }
    targets.sort();
    Ok(targets)
}

fn rust_name(path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    (path.extension()? == "rs").then(|| name.to_owned())
}
