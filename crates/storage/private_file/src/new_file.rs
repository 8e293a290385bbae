//! A file that takes long to write.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{LockedFolder, create};

/// A file that appears under its name only once it is whole. Dropping it before
/// [`UnfinishedFile::finish`] removes what was written.
///
/// Until then it lies beside its name, with `.new` behind it. Whoever was killed has left that
/// behind: the next one removes it.
#[derive(Debug)]
pub struct UnfinishedFile {
    file: File,
    path: PathBuf,
    new: PathBuf,
}

impl UnfinishedFile {
    /// Begins a file, for its owner alone.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if anything has this name, [`io::ErrorKind::ResourceBusy`] if
    /// another process writes the same file now, else what the system reports.
    pub fn begin(path: &Path) -> io::Result<Self> {
        refuse_existing(path)?;
        let new = path.with_added_extension("new");
        let folder = LockedFolder::around(path)?;
        remove_left(&new)?;
        let file = create(&new)?;
        file.lock()?;
        drop(folder);
        Ok(Self { file, path: path.to_owned(), new })
    }

    /// Gives the file its name, durably.
    ///
    /// # Errors
    /// What the system reports, also that something has got this name meanwhile; then there is no
    /// file.
    pub fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        let folder = LockedFolder::around(&self.path)?;
        refuse_existing(&self.path)?;
        fs::rename(&self.new, &self.path)?;
        folder.handle.sync_all()
    }
}

impl Write for UnfinishedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        // It is gone if it has got its name; what cannot be removed now is removed by the next one.
        let _ = fs::remove_file(&self.new);
    }
}

fn refuse_existing(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whoever still writes it holds its lock.
fn remove_left(new: &Path) -> io::Result<()> {
    match new.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if found.is_file() => match File::open(new)?.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        },
        Ok(_) => {}
    }
    fs::remove_file(new)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_has_its_name_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = UnfinishedFile::begin(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        file.write_all(b" and half").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"half and half");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(UnfinishedFile::begin(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_given_up_or_was_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, left) = (folder.path().join("file"), folder.path().join("file.new"));
        drop(UnfinishedFile::begin(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "theirs").unwrap();
        for is_link in [false, true] {
            let leave = if is_link { symlink(&theirs, &left) } else { fs::write(&left, "half") };
            leave.unwrap();
            drop(UnfinishedFile::begin(&path).unwrap());
            assert!(left.symlink_metadata().is_err());
            assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
        }
    }

    #[test]
    fn one_process_at_a_time_writes_a_file_and_none_writes_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let one = UnfinishedFile::begin(&path).unwrap();
        assert_eq!(UnfinishedFile::begin(&path).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        fs::write(&path, "theirs").unwrap();
        assert_eq!(one.finish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
