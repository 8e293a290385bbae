use directory::ReadError;
use instance::{DecryptError, LogError};
use store::StoreError;
use tokio::task::JoinError;

use crate::LeakError;

/// What can go wrong in every kind of work on a registered leak.
#[derive(Debug, thiserror::Error)]
pub enum LeakWorkError {
    /// The leak is not there, or cannot be shown.
    #[error(transparent)]
    Leak(#[from] LeakError),
    /// The leak's candidates have been destroyed.
    #[error("the key of the leak's candidates has been destroyed: add the leak again")]
    NoKey,
    /// The accounts cannot be read.
    #[error(transparent)]
    Directory(#[from] ReadError),
    /// The leak's key, or a candidate, cannot be decrypted.
    #[error(transparent)]
    KeyRing(#[from] DecryptError),
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

impl LeakWorkError {
    /// Whether the error only says that another worker has taken the job over. What that worker
    /// does counts; what this one did has been rolled back.
    pub(crate) const fn is_lost_lease(&self) -> bool {
        matches!(self, Self::Store(StoreError::LeaseLost { .. }))
    }
}

/// Lets `?` take the errors of [`LeakWorkError`] for an operation whose error has it as `Work`.
macro_rules! from_work_errors {
    ($operation:ty: $($source:ty),+) => {
        $(impl From<$source> for $operation {
            fn from(error: $source) -> Self {
                Self::Work(error.into())
            }
        })+
    };
}
pub(crate) use from_work_errors;
