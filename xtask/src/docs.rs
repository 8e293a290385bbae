//! The references that the program itself prints, checked in so that they can be read anywhere.

use std::{fs, io};

use crate::shell::{ChoreResult, command, output, root};

/// Each checked-in file with the word by which the hidden subcommand `reference` prints it.
const REFERENCES: &[(&str, &str)] = &[("docs/cli.md", "cli"), ("docs/configuration.md", "config")];

/// Writes them anew.
pub(crate) fn write() -> ChoreResult {
    for (path, word) in REFERENCES {
        fs::write(root().join(path), reference(word)?)?;
        println!("{path} is up to date");
    }
    Ok(())
}

/// Fails unless they are what the program prints today.
pub(crate) fn check() -> ChoreResult {
    let mut stale = Vec::new();
    for (path, word) in REFERENCES {
        if read(path)? != reference(word)? {
            stale.push(*path);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let stale = stale.join(" and ");
    Err(format!("{stale} differ from the program: run `cargo xtask docs` and commit them").into())
}

fn reference(word: &str) -> ChoreResult<String> {
    let cargo = "cargo run --quiet --package countersign --";
    output(&mut command(&format!("{cargo} reference {word}")))
}

/// A file that is not there yet differs like any other.
fn read(path: &str) -> ChoreResult<String> {
    match fs::read_to_string(root().join(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => Ok(read?),
    }
}
