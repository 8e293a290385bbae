//! The references that the program itself prints are checked in, so that they can be read anywhere.

use std::{fs, path::Path};

use crate::harness::run;

#[track_caller]
fn check(file: &str, word: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let printed = run(["reference", word]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    let kept = fs::read_to_string(root.join(file)).unwrap_or_default();
    assert!(kept == printed.stdout, "{file} is stale: run `cargo xtask docs` and commit it");
}

#[test]
fn the_reference_of_commands_is_what_the_program_prints() {
    check("docs/cli.md", "cli");
}

#[test]
fn the_reference_of_settings_is_what_the_program_prints() {
    check("docs/configuration.md", "config");
}
