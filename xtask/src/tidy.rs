//! The rules that no compiler checks: layers, sizes, words.

mod manifest;
mod sources;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::shell::{Outcome, root};

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", ".git", "corpus", "artifacts"];

/// Checks every rule, and lists all that are broken.
pub(crate) fn tidy() -> Outcome {
    let mut broken = manifest::broken_rules(&manifest::workspace()?);
    let mut files = Vec::new();
    walk(&root(), &mut files)?;
    for path in files {
        // What is no text has no words.
        if let Ok(text) = fs::read_to_string(&path) {
            broken.extend(sources::broken_rules(&relative(&path), &text));
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("{} rules are broken:\n  {}", broken.len(), broken.join("\n  ")).into())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
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
