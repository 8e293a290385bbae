use std::{io, path::PathBuf};

use instance::LogError;
use leak::{CollectError, SourceError};
use model::LeakName;
use store::StoreError;
use tokio::task::JoinError;

/// Why a leak cannot be registered or shown.
#[derive(Debug, thiserror::Error)]
pub enum LeakError {
    /// No leak has that name.
    #[error("no leak is called `{name}`: `countersign leak list` shows those that are registered")]
    Unknown {
        /// The name that was given.
        name: LeakName,
    },
    /// The files named are not there.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A file cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The encrypted copy of standard input cannot be written or removed.
    #[error("the encrypted copy of standard input at {}: {source}", path.display())]
    Keep {
        /// Where it is kept.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A path that cannot be written down.
    #[error("the path {} is not Unicode: rename the file", path.display())]
    NotUnicode {
        /// The path.
        path: PathBuf,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A thread of ours died.
    #[error("a worker thread died: {0}")]
    Thread(#[from] JoinError),
}
