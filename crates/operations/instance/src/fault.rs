use model::SubjectId;
pub use store::StoreError;
pub use tokio::task::JoinError;

use crate::{DecryptError, LogError};

/// What can fail in every operation on an instance, whatever the operation is for.
#[derive(Debug, thiserror::Error)]
pub enum InstanceFault {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written or read.
    #[error("{0}")]
    Log(
        /// Found in an error's sources by whoever ends the program.
        #[from]
        LogError,
    ),
    /// Something kept cannot be decrypted.
    #[error("{0}")]
    Decrypt(
        /// Found in an error's sources by whoever ends the program.
        #[from]
        DecryptError,
    ),
    /// Whoever rows name is forgotten.
    #[error("subject {0} is forgotten: nothing tells whose account it is")]
    Forgotten(SubjectId),
    /// A thread of ours died.
    #[error("a worker thread died: {0}")]
    Thread(#[from] JoinError),
}

impl InstanceFault {
    /// Whether what is kept is not what only Countersign can have written: trying again changes nothing.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Store(error) => error.is_of_strangers(),
            Self::Log(error) => error.is_refusal(),
            Self::Decrypt(_) => true,
            Self::Forgotten(_) | Self::Thread(_) => false,
        }
    }

    /// Whether the store is away, wherever that was noticed: trying again can help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) | Self::Log(LogError::Store(error)) => !error.is_refusal(),
            _ => false,
        }
    }
}

/// Lets `?` take whatever is a [`InstanceFault`] in an operation whose error has a variant `Fault`.
#[macro_export]
macro_rules! from_faults {
    ($($operation:ty),+) => {$(
        $crate::from_through!($operation, Fault: $crate::StoreError, $crate::LogError,
            $crate::DecryptError, $crate::JoinError);
    )+};
}

/// Lets `?` take an error in an operation whose error holds it two enums deep: in the variant that
/// is named, whose own error can be made from it.
#[macro_export]
macro_rules! from_through {
    ($operation:ty, $variant:ident: $($source:ty),+) => {$(
        impl From<$source> for $operation {
            fn from(error: $source) -> Self {
                Self::$variant(error.into())
            }
        }
    )+};
}
