//! WordPress's own code, as Debian packages it.

use std::process::Command;

use serde_json::Value;

use crate::tools::{HINT, debian, run, workspace};

const PROGRAM: &str = "crates/apart/testkit/php/wordpress.php";

/// Has WordPress answer: `schema` of the tables with a prefix, the `hash` of each password of a JSON
/// list, or whether each password `opens` the hash that stands beside it.
///
/// # Panics
/// If WordPress is not there, or fails.
#[must_use]
pub fn wordpress(task: &str, arguments: &str) -> Value {
    let folder = debian().join("usr/share/wordpress");
    assert!(folder.exists(), "WordPress is missing: {HINT}");
    let mut php = Command::new("php");
    php.arg(workspace().join(PROGRAM)).arg(folder).args([task, arguments]);
    serde_json::from_slice(&run(&mut php).stdout).expect("the program answers in JSON")
}
