//! The rules that no compiler checks: floors, circles, names, sizes, words.

mod circles;
mod manifest;
mod names;
mod outline;
mod sources;
mod threats;
mod tokens;

use std::{
    fs,
    path::{Path, PathBuf},
};

use circles::Modules;
use manifest::Manifest;

use crate::shell::{ChoreResult, root};

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", ".git", "corpus", "artifacts"];

/// Checks every rule, and lists all that are broken.
pub(crate) fn tidy() -> ChoreResult {
    let manifests = manifest::workspace()?;
    let mut broken = manifest::broken_rules(&manifests);
    broken.extend(broken_in_crates(&manifests)?);
    let mut files = Vec::new();
    walk(&root(), &mut files)?;
    for path in &files {
        // What is no text has no words.
        if let Ok(text) = fs::read_to_string(path) {
            broken.extend(sources::broken_rules(&relative(path), &text));
        }
    }
    let claims = fs::read_to_string(root().join("SECURITY.md"))?;
    broken.extend(threats::broken_rules(&claims, |file, test| has_test(&files, file, test)));
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("{} rules are broken:\n  {}", broken.len(), broken.join("\n  ")).into())
}

/// Whether one of the files ends so, and has a test of this name, or any.
fn has_test(files: &[PathBuf], ends: &str, test: Option<&str>) -> bool {
    let has =
        |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| threats::has_test(&text, test));
    files.iter().any(|path| path.ends_with(ends) && has(path))
}

/// The rules of what a crate's files define and name.
fn broken_in_crates(manifests: &[Manifest]) -> ChoreResult<Vec<String>> {
    let mut broken = Vec::new();
    let mut types = Vec::new();
    for manifest in manifests {
        let folder = manifest.folder.join("src");
        let roots = ["lib.rs", "main.rs"].into_iter().filter(|name| folder.join(name).is_file());
        for name in roots {
            let modules = Modules::read(&folder, name)?;
            let folder = relative(&folder);
            broken.extend(circles::broken_rules(&folder, &modules));
            let names = modules.types();
            types.extend(names.map(|(file, name)| (format!("{folder}/{file}"), name.to_owned())));
        }
    }
    broken.extend(names::broken_rules(&types));
    Ok(broken)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> ChoreResult {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
        match entry.file_type()? {
            kind if kind.is_dir() && !skipped => walk(&entry.path(), files)?,
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files.sort();
    Ok(())
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().into_owned()
}
