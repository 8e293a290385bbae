//! What a sending host remembers outside the store: the secret that arms it, and how far the log
//! has come.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use authority::{LogMark, SecretDigest};
use model::{InstanceId, Randomness};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Only the owner may read the secret.
const FILE_MODE: u32 = 0o600;

/// Permissions that let anybody else at it.
const NOT_THE_OWNER: u32 = 0o077;

/// The file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendingFile {
    v: SendingFileFormat,
    pub(crate) instance: InstanceId,
    pub(crate) secret: ArmingSecret,
    pub(crate) mark: LogMark,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum SendingFileFormat {
    #[serde(rename = "countersign sending 1")]
    V1,
}

impl SendingFile {
    pub(crate) fn new(instance: InstanceId, secret: ArmingSecret, mark: LogMark) -> Self {
        Self { v: SendingFileFormat::V1, instance, secret, mark }
    }

    pub(crate) fn with_mark(self, mark: LogMark) -> Self {
        Self { mark, ..self }
    }

    /// # Errors
    /// [`SendingFileError`] names the file, and never shows the secret.
    pub(crate) fn read(path: &Path) -> Result<Self, SendingFileError> {
        let unreadable = |source| SendingFileError::unreadable(path, source);
        let mode = fs::metadata(path).map_err(unreadable)?.mode();
        if mode & NOT_THE_OWNER != 0 {
            return Err(SendingFileError::Open { path: path.to_owned() });
        }
        let bytes = fs::read(path).map(Zeroizing::new).map_err(unreadable)?;
        // What serde reports could quote the secret.
        let damaged = |_| SendingFileError::Damaged { path: path.to_owned() };
        serde_json::from_slice(&bytes).map_err(damaged)
    }

    /// Replaces the file: after a loss of power it holds either what it held, or this.
    pub(crate) fn write(&self, locked: &LockedFolder) -> Result<(), SendingFileError> {
        let unwritable = |source| SendingFileError::unwritable(&locked.path, source);
        self.replace(locked).map_err(unwritable)
    }

    fn replace(&self, LockedFolder { folder, path }: &LockedFolder) -> io::Result<()> {
        let mut bytes = Zeroizing::new(serde_json::to_vec_pretty(self)?);
        bytes.push(b'\n');
        let new = path.with_added_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        folder.sync_all()
    }
}

/// The file's folder, which one process at a time holds while it replaces the file.
pub(crate) struct LockedFolder {
    folder: File,
    path: PathBuf,
}

impl LockedFolder {
    pub(crate) fn of(path: &Path) -> Result<Self, SendingFileError> {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        let locked = folder.and_then(|folder| folder.lock().map(|()| folder));
        let unwritable = |source| SendingFileError::unwritable(path, source);
        Ok(Self { folder: locked.map_err(unwritable)?, path: path.to_owned() })
    }

    /// For another file of the same folder.
    pub(crate) fn beside(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }
}

/// 32 bytes that nobody sees. It is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ArmingSecret(#[serde(with = "hex")] [u8; 32]);

impl ArmingSecret {
    pub(crate) fn generate(randomness: &dyn Randomness) -> Self {
        Self(randomness.array())
    }

    pub(crate) fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }
}

impl fmt::Debug for ArmingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArmingSecret(..)")
    }
}

/// For `serde(with)`: 32 bytes as hexadecimal digits, which leave no copy behind.
mod hex {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(HEXLOWER.encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let digits = String::deserialize(from).map(Zeroizing::new)?;
        let bytes = HEXLOWER.decode(digits.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.ok().and_then(|bytes| bytes.as_slice().try_into().ok());
        bytes.ok_or_else(|| D::Error::custom("64 hexadecimal digits are expected"))
    }
}

/// What is wrong with a host's sending file.
#[derive(Debug, thiserror::Error)]
pub enum SendingFileError {
    /// This host was never armed.
    #[error(
        "{} does not exist: this host is not armed for sending; `countersign sending propose`, two \
         signatures and `countersign sending arm` make it",
        path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Others could read the secret.
    #[error("{} is open to others: run `chmod 600` on it", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// Not in the format.
    #[error("{} is no sending file of Countersign, or damaged: move it away", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system refuses.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SendingFileError {
    fn unreadable(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Unreadable { path, source },
        }
    }

    pub(crate) fn unwritable(path: &Path, source: io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::testing::Counter;

    const MARK: LogMark = LogMark { size: 3, root: [9; 32] };

    fn written() -> (tempfile::TempDir, PathBuf, SendingFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sending.json");
        let secret = ArmingSecret::generate(&Counter::default());
        let file = SendingFile::new("0123".parse().unwrap(), secret, MARK);
        file.write(&LockedFolder::of(&path).unwrap()).unwrap();
        (folder, path, file)
    }

    #[test]
    fn a_file_is_read_back_and_replaced() {
        let (folder, path, file) = written();
        let read = SendingFile::read(&path).unwrap();
        assert_eq!((read.secret.digest(), read.mark), (file.secret.digest(), MARK));
        let later = SendingFile { mark: LogMark { size: 4, ..MARK }, ..file };
        later.write(&LockedFolder::of(&path).unwrap()).unwrap();
        assert_eq!(SendingFile::read(&path).unwrap().mark.size, 4);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn nobody_sees_the_secret() {
        let (_folder, path, file) = written();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        let secret = data_encoding::HEXLOWER.encode(&file.secret.0);
        assert!(text.contains(&secret));
        assert!(!format!("{file:?}").contains(&secret));
        for wrong in [text.replace("sending 1", "sending 2"), text.replace(&secret[..9], "")] {
            fs::write(&path, wrong).unwrap();
            let error = SendingFile::read(&path).unwrap_err();
            assert!(matches!(error, SendingFileError::Damaged { .. }));
            assert!(!format!("{error} {error:?}").contains(&secret[9..]), "{error:?}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let (_folder, path, _) = written();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SendingFile::read(&path).unwrap_err();
        assert!(matches!(error, SendingFileError::Open { .. }));
    }
}
