//! Applications' own code, as Debian packages it: their tables, their hashers, their sign-in.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::tools::{HINT, debian, libraries, run, workspace};

/// Has WordPress answer: `schema` of the tables with a prefix, the `hash` of each password of a JSON
/// list, or whether each password `opens` the hash that stands beside it.
///
/// # Panics
/// If WordPress is not there, or fails.
#[must_use]
pub fn wordpress(task: &str, arguments: &str) -> Value {
    answer("php/wordpress.php", &debian().join("usr/share/wordpress"), task, arguments)
}

/// The same of `MediaWiki`.
///
/// # Panics
/// If `MediaWiki` is not there, or fails.
#[must_use]
pub fn mediawiki(task: &str, arguments: &str) -> Value {
    answer("php/mediawiki.php", &debian().join("usr/share/mediawiki"), task, arguments)
}

/// Has Laravel answer about a site's SQLite file: `make` its tables with these people, each an id, an
/// address and a password; whether each account `opens` by an address and a password; whether whoever
/// has an id `stays` remembered by their browser.
///
/// # Panics
/// If Laravel is not there, or fails.
#[must_use]
pub fn laravel(file: &Path, task: &str, arguments: &str) -> Value {
    answer("php/laravel.php", file, task, arguments)
}

/// The same of Devise, whose people are an address and a password each. `make` answers with what each
/// one's session holds, by which `stays` is asked.
///
/// # Panics
/// If Devise is not there, or fails.
#[must_use]
pub fn devise(file: &Path, task: &str, arguments: &str) -> Value {
    answer("ruby/devise.rb", file, task, arguments)
}

/// What one of the test kit's programs answers about a folder or a file.
fn answer(program: &str, about: &Path, task: &str, arguments: &str) -> Value {
    assert!(about.exists(), "{} is missing: {HINT}", about.display());
    let testkit = workspace().join("crates/apart/testkit");
    let language = program.split('/').next().unwrap_or(program);
    let mut command = Command::new("sh");
    command.arg(testkit.join("src/application.sh")).arg(debian()).arg(language);
    command.arg(testkit.join(program)).arg(about).args([task, arguments]);
    command.env("LD_LIBRARY_PATH", libraries());
    serde_json::from_slice(&run(&mut command).stdout).expect("the program answers in JSON")
}
