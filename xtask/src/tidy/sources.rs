//! What a file may hold.

use std::path::Path;

/// The languages that this repository is written in, as file names tell them.
const SOURCES: &[&str] = &["rs", "py", "sh", "sql"];

/// Lines of a file that can still be read in one go.
const LINES_MAX: usize = 600;

/// Words of an ARCHITECTURE.md that is still read.
const ARCHITECTURE_WORDS_MAX: usize = 2500;

/// Words that put work off. Split, so that this file does not hold them.
const POSTPONED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// Modules that may hold `unsafe`: the simulation's clock takes SQLite's own place, which only its
/// C interface allows.
const UNSAFE_FILES: &[&str] = &["sim/src/clock.rs"];

/// The only places that print: the chores, the simulation, the program's own output, and build
/// scripts, which speak to cargo that way.
const PRINTING: &[&str] = &["xtask/", "crates/edges/countersign/src/output", "sim/src/main.rs"];
const PRINT_MACROS: &[&str] = &["print!(", "println!(", "eprint!(", "eprintln!("];

/// A sentence for each rule that a file breaks.
pub(crate) fn broken_rules(path: &str, text: &str) -> Vec<String> {
    let mut broken = broken_size(path, text);
    if is_a(path, "rs") {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, code(line)));
        broken.extend(lines.filter_map(|(at, line)| broken_line(path, at, line)));
    }
    let postponed = POSTPONED.iter().filter(|word| has_word(text, word));
    broken.extend(postponed.map(|word| format!("{path} holds the word {word}: do it or drop it")));
    broken
}

fn broken_size(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let words = text.split_whitespace().count();
    let mut broken = Vec::new();
    let source = SOURCES.iter().any(|kind| is_a(path, kind));
    if source && lines > LINES_MAX {
        broken.push(format!("{path} has {lines} lines, at most {LINES_MAX} are read"));
    }
    if path == "ARCHITECTURE.md" && words > ARCHITECTURE_WORDS_MAX {
        broken.push(format!("{path} has {words} words, at most {ARCHITECTURE_WORDS_MAX} are read"));
    }
    broken
}

fn is_a(path: &str, kind: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == kind)
}

fn broken_line(path: &str, at: usize, line: &str) -> Option<String> {
    let prints = PRINT_MACROS.iter().any(|name| calls(line, name));
    let allowed = path.ends_with("/build.rs") || PRINTING.iter().any(|of| path.starts_with(of));
    if prints && !allowed {
        return Some(format!("{path}:{at} prints: only {PRINTING:?} may"));
    }
    if has_word(line, concat!("un", "safe")) && !UNSAFE_FILES.contains(&path) {
        return Some(format!("{path}:{at} is not safe Rust"));
    }
    None
}

/// The part of a line that is code; good enough where no string holds two slashes.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Whether a macro is called, and not one whose name merely ends like it.
fn calls(line: &str, name: &str) -> bool {
    let before = line.match_indices(name).map(|(at, _)| line[..at].chars().next_back());
    before.into_iter().any(|char| !char.is_some_and(is_word))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c| !is_word(c)).any(|found| found == word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, broken: usize) {
        assert_eq!(broken_rules(path, text).len(), broken, "{path}: {text}");
    }

    #[test]
    fn only_the_output_prints() {
        check("crates/domain/leak/src/lib.rs", "    println!(\"x\");", 1);
        check("crates/domain/leak/src/lib.rs", "// println!(\"x\");", 0);
        check("crates/domain/leak/src/lib.rs", "writeln!(f); my_print!(f)", 0);
        check("xtask/src/main.rs", "println!(\"x\");", 0);
    }

    #[test]
    fn nothing_is_put_off() {
        check("README.md", concat!("TO", "DO: write this"), 1);
        check("README.md", "todos and mastodons", 0);
    }

    #[test]
    fn files_stay_readable() {
        check("a.rs", &"\n".repeat(LINES_MAX), 0);
        check("a.rs", &"\n".repeat(LINES_MAX + 1), 1);
        check("ARCHITECTURE.md", &"word ".repeat(ARCHITECTURE_WORDS_MAX + 1), 1);
        check("README.md", &"word ".repeat(ARCHITECTURE_WORDS_MAX + 1), 0);
    }

    #[test]
    fn rust_is_safe() {
        check("a.rs", concat!("un", "safe { x() }"), 1);
        check("a.rs", concat!("#![forbid(un", "safe_code)]"), 0);
    }
}
