//! The references that the program itself prints, checked in so that they can be read anywhere.

use std::fs;

use crate::shell::{ChoreResult, command, output, root};

/// Each checked-in file with the word by which the hidden subcommand `reference` prints it.
const REFERENCES: &[(&str, &str)] = &[("docs/cli.md", "cli"), ("docs/configuration.md", "config")];

/// Writes them anew. The program's own tests fail where they are stale.
pub(crate) fn write() -> ChoreResult {
    for (path, word) in REFERENCES {
        fs::write(root().join(path), reference(word)?)?;
        println!("{path} is up to date");
    }
    Ok(())
}

fn reference(word: &str) -> ChoreResult<String> {
    let cargo = "cargo run --quiet --package countersign --";
    output(&mut command(&format!("{cargo} reference {word}")))
}
