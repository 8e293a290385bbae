use std::{io, path::PathBuf};

use instance::InstanceFault;
use leak::{CollectError, SourceError};
use model::LeakName;

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
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

instance::from_faults!(LeakError);
