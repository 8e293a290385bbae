use std::{io, path::PathBuf};

use directory::ReadError;
use instance::{DecryptError, InstanceFault, LogError};
use leak::{ScreenError, SourceError};
use model::{FileId, Unbalanced};
use store::StoreError;
use tokio::task::JoinError;

use crate::{LeakError, LeakWorkError, work::LostLease};

/// Why a leak cannot be screened.
#[derive(Debug, thiserror::Error)]
pub enum ScreenLeakError {
    /// What can go wrong in any work on a leak.
    #[error(transparent)]
    Work(#[from] LeakWorkError),
    /// A file has been written to since it was registered.
    #[error(
        "{} has changed since it was added: it had {added} bytes and has {found}; \
         add it again under another name",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its length when it was added.
        added: u64,
        /// Its length now.
        found: u64,
    },
    /// A file cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What was read from standard input is on another host, or was removed.
    #[error(
        "{} does not exist: it is the encrypted copy of what `leak add` has read from standard input. \
         No backup holds it. Copy it from the host that registered the leak, or register the leak anew \
         under another name",
        path.display()
    )]
    NoCopy {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file cannot be recognised.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be read, or not every line is accounted for.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// The pieces together do not account for every line.
    #[error(transparent)]
    Unbalanced(#[from] Unbalanced),
    /// The store names a file that it does not hold.
    #[error("the store holds no file {file}")]
    NoFile {
        /// Its key.
        file: FileId,
    },
}

instance::from_through!(ScreenLeakError, Work: LeakError, InstanceFault, ReadError, DecryptError, StoreError, LogError, JoinError);

impl LostLease for ScreenLeakError {
    fn is_lost_lease(&self) -> bool {
        matches!(self, Self::Work(error) if error.is_lost_lease())
    }
}
