//! How far a witness has seen each log: one small file a log, replaced as a whole.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ledger::{Checkpoint, Hash};
use model::canonical::hex_of;
use private_file::{LockedFolder, PrivateFile, PrivateReadError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How far one log was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenLog {
    v: SeenFormat,
    origin: String,
    size: u64,
    #[serde(with = "model::canonical::hex")]
    root: Hash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum SeenFormat {
    #[serde(rename = "countersign witness 1")]
    V1,
}

impl SeenLog {
    pub(crate) fn of(checkpoint: Checkpoint) -> Self {
        let Checkpoint { origin, size, root } = checkpoint;
        Self { v: SeenFormat::V1, origin, size, root }
    }

    pub(crate) fn as_pair(&self) -> (u64, Hash) {
        (self.size, self.root)
    }
}

/// The folder of what was seen, which one request at a time holds, of whichever process.
pub(crate) struct SeenFolder {
    locked: LockedFolder,
    path: PathBuf,
}

impl SeenFolder {
    pub(crate) fn of(path: &Path) -> Result<Self, SeenError> {
        let failed = |source| SeenError::System { path: path.to_owned(), source };
        Ok(Self { locked: LockedFolder::of(path).map_err(failed)?, path: path.to_owned() })
    }

    /// `None` for a log that was never seen.
    pub(crate) fn read(&self, origin: &str) -> Result<Option<SeenLog>, SeenError> {
        let path = self.file(origin);
        let file = match PrivateFile::read(&path) {
            Ok(file) => file,
            Err(PrivateReadError::System(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(source) => return Err(SeenError::Unreadable { path, source }),
        };
        match serde_json::from_slice::<SeenLog>(&file.bytes) {
            Ok(seen) if seen.origin == origin => Ok(Some(seen)),
            _ => Err(SeenError::Damaged { path }),
        }
    }

    pub(crate) fn write(&self, seen: &SeenLog) -> Result<(), SeenError> {
        let path = self.file(&seen.origin);
        let written = self.locked.replace(&path, |file| file.write_all(&serde_json::to_vec(seen)?));
        written.map_err(|source| SeenError::System { path, source })
    }

    /// A log may be called anything.
    fn file(&self, origin: &str) -> PathBuf {
        self.path.join(format!("{}.json", hex_of(&Sha256::digest(origin))))
    }
}

/// Why it is not known how far a log was seen.
#[derive(Debug, thiserror::Error)]
pub enum SeenError {
    /// Not in the format.
    #[error("{} does not say how far a log was seen: somebody has changed it", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// Not readable, or not by its owner alone.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: PrivateReadError,
    },
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    System {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
