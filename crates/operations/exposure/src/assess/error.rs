use directory::ReadError;
use leak::{CollectError, ScreenError, SourceError};
use tokio::task::JoinError;

/// Why an assessment could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The leaks named are not there.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A file of a leak cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file of a leak cannot be read, or not every line is accounted for.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// The accounts cannot be read.
    #[error(transparent)]
    Directory(#[from] ReadError),
    /// A thread of ours died.
    #[error("a worker thread died: {0}")]
    Thread(#[from] JoinError),
}
