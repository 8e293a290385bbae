//! Measures what the promises of speed rest on, beside what anybody else would use.

mod campaign;
mod data;
mod fold;
mod measured;
mod program;
mod rounds;
mod screening;
mod verify;

use std::fs;

use crate::shell::{ChoreResult, command, output, root};

/// Where results are kept. Each benchmark owns the section between its two markers.
const RESULTS: &str = "docs/benchmarks.md";

const PREAMBLE: &str = "\
# Benchmarks

Written by `cargo xtask bench`, which makes its own data. The rows of a table ran in turn, round \
after round, on the same files, so that their ratios hold where their seconds do not.
";

type Benchmark = fn() -> ChoreResult<String>;

/// All of them: a name, and what writes its section.
const BENCHMARKS: &[(&str, Benchmark)] = &[
    ("screening", screening::run),
    ("verify", verify::run_all),
    ("campaign", campaign::run),
    ("fold", fold::run),
];

/// Runs one benchmark, or all.
pub(crate) fn bench(name: Option<&str>) -> ChoreResult {
    let chosen = BENCHMARKS.iter().filter(|(known, _)| name.is_none_or(|name| name == *known));
    let mut ran = 0;
    for (name, run) in chosen {
        println!("== {name}");
        let section = format!("## {name}\n\n{}\n\n{}", machine()?, run()?);
        println!("{section}");
        record(name, &section)?;
        ran += 1;
    }
    if ran == 0 {
        let known: Vec<_> = BENCHMARKS.iter().map(|(known, _)| *known).collect();
        return Err(format!("there is no such benchmark, only {}", known.join(", ")).into());
    }
    println!("{RESULTS} is up to date");
    Ok(())
}

/// What the seconds were measured on.
fn machine() -> ChoreResult<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or("unknown processor").trim_matches([' ', '\t', ':']);
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib = memory.split_whitespace().nth(1).unwrap_or("0").parse::<u64>()?;
    let cores = std::thread::available_parallelism()?;
    let rust = output(&mut command("rustc --version"))?;
    let commit = output(&mut command("git describe --always --dirty"))?;
    let gib = kib >> 20;
    let (rust, commit) = (rust.trim(), commit.trim());
    Ok(format!("Machine: {cores} cores of {model}, {gib} GiB; {rust}; commit {commit}."))
}

fn record(name: &str, section: &str) -> ChoreResult {
    let path = root().join(RESULTS);
    let before = fs::read_to_string(&path).unwrap_or_else(|_| PREAMBLE.to_owned());
    Ok(fs::write(path, replaced(&before, name, section))?)
}

/// The text with a section put between its markers, or at the end if it has none yet.
fn replaced(text: &str, name: &str, section: &str) -> String {
    let (begin, end) = (format!("<!-- bench {name} -->"), format!("<!-- end {name} -->"));
    let marked = format!("{begin}\n{}\n{end}", section.trim());
    let old = text.find(&begin).zip(text.find(&end));
    match old {
        Some((from, to)) => format!("{}{marked}{}", &text[..from], &text[to + end.len()..]),
        None => format!("{}\n\n{marked}\n", text.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_own_earlier_one() {
        let first = replaced("# Benchmarks\n", "a", "one");
        let second = replaced(&first, "b", "two");
        let third = replaced(&second, "a", "three");
        let expected = "# Benchmarks\n\n<!-- bench a -->\nthree\n<!-- end a -->\n\n\
            <!-- bench b -->\ntwo\n<!-- end b -->\n";
        assert_eq!(third, expected);
    }
}
