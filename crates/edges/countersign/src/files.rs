//! Files that go from hand to hand: nothing that exists is overwritten unasked.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// For what holds a secret.
pub(crate) const OWNER_ONLY: u32 = 0o600;

/// For what holds none.
const EVERYBODY: u32 = 0o644;

/// Makes a file that does not exist yet, durably.
pub(crate) fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a file that anybody may read.
pub(crate) fn create_document(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create(path, bytes, EVERYBODY).map_err(|source| FileError::writing(path, source))
}

/// Makes a file for its owner alone.
pub(crate) fn create_secret(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create(path, bytes, OWNER_ONLY).map_err(|source| FileError::writing(path, source))
}

/// Says early that [`create_document`] would fail.
pub(crate) fn refuse_existing(path: &Path) -> Result<(), FileError> {
    match path.symlink_metadata() {
        Ok(_) => Err(FileError::Exists { file: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

/// Puts a document in the place of another: whoever looks sees one of the two.
pub(crate) fn replace_document(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let new = path.with_added_extension("new");
    create_document(&new, bytes)?;
    fs::rename(&new, path).map_err(|source| FileError::writing(path, source))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| FileError::Read { file: path.to_owned(), source })
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{} is there already: name another file, or move it away", file.display())]
    Exists { file: PathBuf },
    #[error("{} cannot be written: {source}", file.display())]
    Write { file: PathBuf, source: io::Error },
    #[error("{} cannot be read: {source}", file.display())]
    Read { file: PathBuf, source: io::Error },
}

impl FileError {
    fn writing(path: &Path, source: io::Error) -> Self {
        let file = path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { file },
            _ => Self::Write { file, source },
        }
    }
}
