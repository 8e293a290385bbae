//! Files that the program makes: each for its owner alone, and nothing that exists is overwritten
//! unasked.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use private_file::{LockedFolder, UnfinishedFile};

/// Makes a file that does not exist yet, durably. It has its name once it is whole: on a full disk nothing is
/// left that somebody could take for all of it.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create_with(path, |file| file.write_all(bytes))
}

/// The same for what is written piece by piece.
pub(crate) fn create_with(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    let written = UnfinishedFile::begin(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.into_inner()?.finish()
    });
    written.map_err(|source| FileError::writing(path, source))
}

/// Says early that [`create`] would fail.
pub(crate) fn refuse_existing(path: &Path) -> Result<(), FileError> {
    match path.symlink_metadata() {
        Ok(_) => Err(FileError::Exists { file: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

/// Says early that a file, or another one in its folder, cannot be written: the folder takes none, or its disk
/// is full.
pub(crate) fn check_writable(path: &Path) -> Result<(), FileError> {
    let probe = path.with_added_extension("probe");
    let written = UnfinishedFile::begin(&probe).and_then(|mut file| file.write_all(&[0; 4096]));
    written.map_err(|source| FileError::writing(path, source))
}

/// Puts a document in the place of another: whoever looks sees one of the two.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let locked = LockedFolder::around(path);
    let replaced = locked.and_then(|folder| folder.replace(path, |file| file.write_all(bytes)));
    replaced.map_err(|source| FileError::writing(path, source))
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
    pub(crate) fn writing(path: &Path, source: io::Error) -> Self {
        let file = path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { file },
            _ => Self::Write { file, source },
        }
    }
}
