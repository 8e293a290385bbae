//! What a sending host remembers outside the store: the secret that arms it, and how far the log
//! has come.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use authority::{LogMark, SecretDigest};
use model::{InstanceId, Randomness};
use private_file::{FileIdentity, LockedFolder, PrivateFile, PrivateReadError};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret_bytes::SecretBytes;

/// The file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendingFile {
    v: SendingFileFormat,
    pub(crate) instance: InstanceId,
    pub(crate) secret: ArmingSecret,
    pub(crate) mark: LogMark,
    /// How far each witness had signed, by its name, when the mark was last moved: one that says less
    /// has lost its memory.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) cosigned: BTreeMap<String, u64>,
    /// Which file it is, by which a copy is told; those of version 0.1.0 do not say it.
    #[serde(default)]
    identity: Option<FileIdentity>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum SendingFileFormat {
    #[serde(rename = "countersign sending 1")]
    V1,
}

impl SendingFile {
    pub(crate) fn new(instance: InstanceId, secret: ArmingSecret, mark: LogMark) -> Self {
        let cosigned = BTreeMap::new();
        Self { v: SendingFileFormat::V1, instance, secret, mark, cosigned, identity: None }
    }

    pub(crate) fn with_mark(self, mark: LogMark) -> Self {
        Self { mark, ..self }
    }

    pub(crate) fn with_cosigned(self, cosigned: BTreeMap<String, u64>) -> Self {
        Self { cosigned, ..self }
    }

    /// # Errors
    /// [`SendingFileError`] names the file, and never shows the secret.
    pub(crate) fn read(path: &Path) -> Result<Self, SendingFileError> {
        let (file, identity) = Self::read_any(path)?;
        match file.identity {
            Some(written) if written.is_of_same_file(identity) => Ok(file),
            Some(_) => Err(SendingFileError::Copied { path: path.to_owned() }),
            None => Err(SendingFileError::Unnamed { path: path.to_owned() }),
        }
    }

    /// What a file has seen of the log, also a copy: that was seen.
    pub(crate) fn seen(path: &Path) -> Result<LogMark, SendingFileError> {
        Ok(Self::read_any(path)?.0.mark)
    }

    /// What a file knows of the witnesses, also a copy.
    pub(crate) fn cosigned(path: &Path) -> Result<BTreeMap<String, u64>, SendingFileError> {
        Ok(Self::read_any(path)?.0.cosigned)
    }

    fn read_any(path: &Path) -> Result<(Self, FileIdentity), SendingFileError> {
        let unreadable = |error| SendingFileError::unreadable(path, error);
        let PrivateFile { bytes, identity } = PrivateFile::read(path).map_err(unreadable)?;
        // What serde reports could quote the secret.
        let damaged = |_| SendingFileError::Damaged { path: path.to_owned() };
        Ok((serde_json::from_slice(&bytes).map_err(damaged)?, identity))
    }

    /// Puts it in the place of whatever stands there, and lets it say which file it is.
    pub(crate) fn write(self, path: &Path, folder: &LockedFolder) -> Result<(), SendingFileError> {
        let written = folder.replace(path, |file| {
            let named = Self { identity: Some(FileIdentity::of(&file.metadata()?)), ..self };
            let bytes = Zeroizing::new(serde_json::to_vec_pretty(&named)?);
            file.write_all(&bytes)?;
            file.write_all(b"\n")
        });
        written.map_err(|source| SendingFileError::unwritable(path, source))
    }
}

/// Until it is dropped nobody else replaces files beside this one.
pub(crate) fn lock_around(path: &Path) -> Result<LockedFolder, SendingFileError> {
    LockedFolder::around(path).map_err(|source| SendingFileError::unwritable(path, source))
}

/// What the operators' arming knows this host by.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ArmingSecret(SecretBytes);

impl ArmingSecret {
    pub(crate) fn generate(randomness: &dyn Randomness) -> Self {
        Self(SecretBytes::new(randomness.array()))
    }

    pub(crate) fn digest(&self) -> SecretDigest {
        SecretDigest::of(self.0.expose())
    }
}

impl fmt::Debug for ArmingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArmingSecret(..)")
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
    /// Of another host, or from a backup: what was seen of the log since, it does not know.
    #[error(
        "{} is a copy, put there from a backup or another host: it does not know what was sent since. \
         Let this host propose (`countersign sending propose`), and two operators sign",
        path.display()
    )]
    Copied {
        /// Which file.
        path: PathBuf,
    },
    /// Version 0.1.0 wrote it, and had operators copy it from host to host.
    #[error(
        "{} was written by version 0.1.0, and does not say which file it is: it may be a copy, on one of \
         several hosts. Let this host propose (`countersign sending propose`), and two operators sign",
        path.display()
    )]
    Unnamed {
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
    fn unreadable(path: &Path, error: PrivateReadError) -> Self {
        let path = path.to_owned();
        match error {
            PrivateReadError::Open => Self::Open { path },
            PrivateReadError::System(source) if source.kind() == io::ErrorKind::NotFound => {
                Self::Missing { path }
            }
            PrivateReadError::System(source) => Self::Unreadable { path, source },
        }
    }

    pub(crate) fn unwritable(path: &Path, source: io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::testing::Counter;

    const MARK: LogMark = LogMark { size: 3, root: [9; 32] };

    fn written() -> (tempfile::TempDir, PathBuf, SendingFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sending.json");
        let secret = ArmingSecret::generate(&Counter::default());
        let file = SendingFile::new("0123".parse().unwrap(), secret, MARK);
        file.clone().write(&path, &lock_around(&path).unwrap()).unwrap();
        (folder, path, file)
    }

    #[test]
    fn a_file_is_read_back_and_replaced() {
        let (folder, path, file) = written();
        let read = SendingFile::read(&path).unwrap();
        assert_eq!((read.secret.digest(), read.mark), (file.secret.digest(), MARK));
        let later = SendingFile { mark: LogMark { size: 4, ..MARK }, ..file };
        later.write(&path, &lock_around(&path).unwrap()).unwrap();
        assert_eq!(SendingFile::read(&path).unwrap().mark.size, 4);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn nobody_sees_the_secret() {
        let (_folder, path, file) = written();
        let text = fs::read_to_string(&path).unwrap();
        let secret = data_encoding::HEXLOWER.encode(file.secret.0.expose());
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
    fn a_copy_is_told_from_the_file() {
        let (folder, path, _) = written();
        let copy = folder.path().join("copy");
        fs::copy(&path, &copy).unwrap();
        for restored in [&copy, &path] {
            let error = SendingFile::read(restored).err();
            let is_copied = matches!(error, Some(SendingFileError::Copied { .. }));
            assert_eq!(is_copied, restored == &copy);
        }
        fs::rename(&copy, &path).unwrap();
        assert!(matches!(SendingFile::read(&path), Err(SendingFileError::Copied { .. })));
    }

    #[test]
    fn a_file_that_does_not_say_which_it_is_may_be_a_copy() {
        let (_folder, path, _) = written();
        let text = fs::read_to_string(&path).unwrap();
        let mut fields: serde_json::Map<_, _> = serde_json::from_str(&text).unwrap();
        fields.remove("identity").unwrap();
        fs::write(&path, serde_json::to_vec(&fields).unwrap()).unwrap();
        assert!(matches!(SendingFile::read(&path), Err(SendingFileError::Unnamed { .. })));
        assert_eq!(SendingFile::seen(&path).unwrap(), MARK, "what it has seen counts");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let (_folder, path, _) = written();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SendingFile::read(&path).unwrap_err();
        assert!(matches!(error, SendingFileError::Open { .. }));
    }
}
