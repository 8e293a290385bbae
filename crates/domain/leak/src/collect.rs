use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::limits::FOLDER_DEPTH_MAX;

/// The files that an operator means: those named, and all within the folders named.
///
/// Arguments keep their order; a folder's files are sorted by path, hidden ones included. What a folder
/// holds that is no file (a symbolic link, a pipe) is refused by its name. A file that is reached twice is kept once, where it was first reached: screened twice, its
/// lines would be counted twice.
///
/// # Errors
/// [`CollectError`] names the path. A folder without any file is one, since a mistyped path must
/// not look like a leak that names nobody.
pub fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CollectError> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        collect_one(path, &mut files)?;
        if files.len() == before {
            return Err(CollectError::Empty { path: path.clone() });
        }
    }
    if files.is_empty() {
        return Err(CollectError::Nothing);
    }
    without_repeats(files)
}

fn collect_one(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CollectError> {
    let metadata = fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if metadata.is_dir() {
        return walk(path, 1, files);
    }
    files.push(path.to_owned());
    Ok(())
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), CollectError> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(CollectError::TooDeep { path: folder.to_owned() });
    }
    let entries = sorted_entries(folder).map_err(|source| unreadable(folder, source))?;
    for (path, kind) in entries {
        if kind.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if kind.is_file() {
            files.push(path);
        } else {
            return Err(CollectError::NoFile { path });
        }
    }
    Ok(())
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<(PathBuf, fs::FileType)>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(entries)
}

fn without_repeats(files: Vec<PathBuf>) -> Result<Vec<PathBuf>, CollectError> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for file in files {
        let real = fs::canonicalize(&file).map_err(|source| unreadable(&file, source))?;
        if seen.insert(real) {
            kept.push(file);
        }
    }
    Ok(kept)
}

fn unreadable(path: &Path, source: io::Error) -> CollectError {
    CollectError::Unreadable { path: path.to_owned(), source }
}

/// Why the files of a leak could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// An empty list is never "everything".
    #[error("no file or folder was named: name at least one")]
    Nothing,
    /// Most likely not the folder that was meant.
    #[error("{path:?} holds no file: check the path")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Most likely folders made to exhaust whoever walks them.
    #[error("{path:?} is more than {FOLDER_DEPTH_MAX} folders deep: name its files instead")]
    TooDeep {
        /// The folder that was not entered.
        path: PathBuf,
    },
    /// A symbolic link may lead out of the folder or back into it, and a pipe has no end.
    #[error(
        "{path:?} is no file but a symbolic link, a pipe or the like: take it out of the folder, and name \
         what it leads to beside the folder"
    )]
    NoFile {
        /// What the folder holds.
        path: PathBuf,
    },
    /// Not there, or not for us to read.
    #[error("cannot read {path:?}: check that it is there and that you may read it")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with files, and what is collected from the arguments, relative to it.
    #[track_caller]
    fn check(arguments: &[&str], expected: &[&str]) {
        let folder = sample();
        let paths: Vec<_> = arguments.iter().map(|name| folder.path().join(name)).collect();
        let files = collect(&paths).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, expected);
    }

    fn sample() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("b/deep")).unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        for name in ["z.txt", "a.txt", "b/2", "b/.1", "b/deep/3"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        symlink(folder.path().join("z.txt"), folder.path().join("link")).unwrap();
        folder
    }

    #[test]
    fn folders_are_walked_sorted() {
        check(&["z.txt", "a.txt"], &["z.txt", "a.txt"]);
        check(&["b"], &["b/.1", "b/2", "b/deep/3"]);
        check(&["link"], &["link"]);
    }

    #[test]
    fn a_link_in_a_folder_is_refused_by_its_name() {
        for target in ["z.txt", "b", "gone"] {
            let folder = sample();
            symlink(folder.path().join(target), folder.path().join("b/link")).unwrap();
            let refused = collect(&[folder.path().join("b")]).unwrap_err();
            assert!(refused.to_string().contains("b/link\" is no file"), "{refused}");
        }
    }

    #[test]
    fn a_file_is_taken_once() {
        check(&["z.txt", "link", "b/../z.txt"], &["z.txt"]);
        check(&["b/2", "b"], &["b/2", "b/.1", "b/deep/3"]);
    }

    #[test]
    fn nothing_found_is_an_error_that_names_the_path() {
        let folder = sample();
        let error = |name: &str| collect(&[folder.path().join(name)]).unwrap_err().to_string();
        assert!(error("empty").ends_with("empty\" holds no file: check the path"));
        assert!(error("gone").contains("gone"));
        assert!(matches!(collect(&[]), Err(CollectError::Nothing)));
    }

    #[test]
    fn folders_without_end_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let deep: PathBuf = std::iter::repeat_n("d", FOLDER_DEPTH_MAX).collect();
        fs::create_dir_all(folder.path().join(deep)).unwrap();
        let found = collect(&[folder.path().to_owned()]);
        assert!(matches!(found, Err(CollectError::TooDeep { .. })));
    }
}
