use directory::ReadError;
use instance::InstanceFault;
use store::StoreError;

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
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl LeakWorkError {
    /// Whether the error only says that another worker has taken the job over. What that worker
    /// does counts; what this one did has been rolled back.
    pub(crate) const fn is_lost_lease(&self) -> bool {
        matches!(self, Self::Fault(InstanceFault::Store(StoreError::LeaseLost { .. })))
    }
}

instance::from_faults!(LeakWorkError);
