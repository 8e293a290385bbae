use std::path::{Path, PathBuf};

use leak::{CollectError, Inspection, collect, inspect};
use serde::Serialize;

/// A file that somebody may want to register, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedFile {
    /// The file.
    pub path: String,
    /// What it looks like, if it can be read.
    pub inspection: Option<Inspection>,
    /// Why it cannot be read, or not as it is.
    pub unread: Option<String>,
}

/// Looks at some lines of each of these files, and of all files in these folders.
///
/// # Errors
/// [`CollectError`] if they cannot be listed. A file that cannot be read is named among the others.
pub fn inspect_files(paths: &[PathBuf]) -> Result<Vec<InspectedFile>, CollectError> {
    Ok(collect(paths)?.iter().map(|path| inspected(path)).collect())
}

fn inspected(path: &Path) -> InspectedFile {
    let (inspection, unread) = match inspect(path) {
        Ok(inspection) => (Some(inspection), None),
        Err(error) => (None, Some(error.to_string())),
    };
    InspectedFile { path: path.to_string_lossy().into_owned(), inspection, unread }
}
