use std::{io, path::PathBuf};

use instance::InstanceFault;
use leak::{CollectError, SourceError};
use model::{LeakDate, LeakName};

/// Why a leak cannot be registered or shown.
#[derive(Debug, thiserror::Error)]
pub enum LeakError {
    /// No leak has that name.
    #[error("no leak is called `{name}`: `countersign leak list` shows those that are registered")]
    Unknown {
        /// The name that was given.
        name: LeakName,
    },
    /// Nobody can have lost anything in it yet.
    #[error(
        "the date {date} is in the future: when did it happen? Write 2016, 2016-05 or 2016-05-17"
    )]
    Future {
        /// The date that was given.
        date: LeakDate,
    },
    /// A file of it is registered already.
    #[error(
        "{path} is a file of the leak `{name}` already: it finds somebody else only if accounts were added \
         or `directory.hash` was changed since that was verified. Then register it once more, with \
         `--again` and another name"
    )]
    Again {
        /// The file.
        path: String,
        /// The leak that has it.
        name: LeakName,
    },
    /// Somebody is exposed by it.
    #[error(
        "the leak `{name}` stays: it has {findings} findings, and whoever asks must not be told that \
         nothing was found"
    )]
    HasFindings {
        /// The leak.
        name: LeakName,
        /// How many.
        findings: u64,
    },
    /// It is needed.
    #[error("the leak `{name}` stays: {why}")]
    InUse {
        /// The leak.
        name: LeakName,
        /// By whom.
        why: &'static str,
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
