//! Files that only their owner may read: keys, what a host remembers of the log, lists of people.
//!
//! Each is made new, never by following a link, and replaced as a whole: after a loss of power it holds
//! either what it held, or all of what was written.

mod new_file;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use new_file::UnfinishedFile;

/// Read and written by its owner.
const MODE: u32 = 0o600;

/// Permissions that let anybody else at it.
const NOT_THE_OWNER: u32 = 0o077;

/// Makes a file that does not exist yet: a link that stands there counts as one that does.
///
/// # Errors
/// What the system reports; [`io::ErrorKind::AlreadyExists`] if anything stands there.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)
}

/// What a file holds. It is wiped from memory when dropped.
#[derive(Debug)]
pub struct PrivateFile {
    /// All of it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Which file it is.
    pub identity: FileIdentity,
}

impl PrivateFile {
    /// Reads a file that is its owner's alone.
    ///
    /// # Errors
    /// [`PrivateReadError::Open`] if others could have read or changed it.
    pub fn read(path: &Path) -> Result<Self, PrivateReadError> {
        // What is judged is what is read, also when somebody replaces the file meanwhile.
        let mut file = File::open(path)?;
        let found = file.metadata()?;
        if !is_private(&found) {
            return Err(PrivateReadError::Open);
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(room_for(&found)));
        file.read_to_end(&mut bytes)?;
        Ok(Self { bytes, identity: FileIdentity::of(&found) })
    }
}

/// One byte more than it holds: a buffer that has to grow leaves a copy of secrets behind.
fn room_for(found: &fs::Metadata) -> usize {
    usize::try_from(found.len()).unwrap_or_default().saturating_add(1)
}

/// Which file of a disk it is. A copy is another one, though it holds the same.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileIdentity {
    inode: u64,
    /// When it was made, since inodes are used again; `None` where the file system does not say.
    made_at_nanos: Option<u64>,
}

impl FileIdentity {
    /// Of an open file, or of what stands under a name.
    #[must_use]
    pub fn of(found: &fs::Metadata) -> Self {
        let made_at = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let made_at_nanos = made_at.and_then(|at| u64::try_from(at.as_nanos()).ok());
        Self { inode: found.ino(), made_at_nanos }
    }

    /// Whether both are of one file, as far as the file system says.
    #[must_use]
    pub fn is_of_same_file(self, other: Self) -> bool {
        let made_at = self.made_at_nanos.zip(other.made_at_nanos);
        self.inode == other.inode && made_at.is_none_or(|(one, other)| one == other)
    }
}

/// Whether nobody but its owner may read or change it.
#[must_use]
pub fn is_private(found: &fs::Metadata) -> bool {
    found.mode() & NOT_THE_OWNER == 0
}

/// A folder whose files one process at a time replaces.
#[derive(Debug)]
pub struct LockedFolder {
    handle: File,
    path: PathBuf,
}

impl LockedFolder {
    /// Waits until nobody else holds it.
    ///
    /// # Errors
    /// What the system reports.
    pub fn of(path: &Path) -> io::Result<Self> {
        let handle = File::open(path)?;
        handle.lock()?;
        Ok(Self { handle, path: path.to_owned() })
    }

    /// The folder in which a file stands, or is to stand.
    ///
    /// # Errors
    /// What the system reports.
    pub fn around(file: &Path) -> io::Result<Self> {
        let folder = file.parent().filter(|folder| *folder != Path::new(""));
        Self::of(folder.unwrap_or(Path::new(".")))
    }

    /// Puts a file of this folder in the place of whatever stands there under its name, durably. What it
    /// is to hold may depend on its own identity.
    ///
    /// # Errors
    /// What the system reports; then what stood there stays.
    pub fn replace<F>(&self, file: &Path, write: F) -> io::Result<()>
    where
        F: FnOnce(&mut File) -> io::Result<()>,
    {
        let path = self.path.join(file.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
        let new = path.with_added_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = create(&new)?;
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        self.handle.sync_all()
    }
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum PrivateReadError {
    /// Others could have read or changed it.
    #[error("it is open to others: run `chmod 600` on it")]
    Open,
    /// The system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;

    fn replace(path: &Path, text: &str) -> io::Result<()> {
        LockedFolder::around(path)?.replace(path, |file| file.write_all(text.as_bytes()))
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, "first").unwrap();
        // Whoever was killed in the middle has left this behind.
        fs::write(folder.path().join("file.new"), "half").unwrap();
        replace(&path, "second").unwrap();
        let read = PrivateFile::read(&path).unwrap();
        assert_eq!(&read.bytes[..], b"second");
        assert!(read.identity.is_of_same_file(FileIdentity::of(&path.metadata().unwrap())));
        let fails = |_: &mut File| Err(io::ErrorKind::StorageFull.into());
        LockedFolder::around(&path).unwrap().replace(&path, fails).unwrap_err();
        assert_eq!(&PrivateFile::read(&path).unwrap().bytes[..], b"second");
    }

    #[test]
    fn a_copy_is_another_file_also_where_inodes_are_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("file"), folder.path().join("copy"));
        let identity = || FileIdentity::of(&fs::metadata(&path).unwrap());
        fs::write(&path, "text").unwrap();
        let first = identity();
        for _ in 0..20 {
            fs::copy(&path, &copy).unwrap();
            fs::rename(&copy, &path).unwrap();
            assert!(!first.is_of_same_file(identity()));
        }
        fs::write(&path, "other").unwrap();
        let last = identity();
        fs::write(&path, "text").unwrap();
        assert!(last.is_of_same_file(identity()));
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, theirs) = (folder.path().join("file"), folder.path().join("theirs"));
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, &path).unwrap();
        assert_eq!(create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        symlink(&theirs, folder.path().join("file.new")).unwrap();
        replace(&path, "ours").unwrap();
        assert_eq!(fs::read_to_string(theirs).unwrap(), "theirs");
        assert!(!path.is_symlink());
    }

    #[test]
    fn what_others_may_read_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, "secret").unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(PrivateFile::read(&path), Err(PrivateReadError::Open)), "{mode:o}");
        }
    }
}
