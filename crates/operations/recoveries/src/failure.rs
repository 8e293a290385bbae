use directory::ReadError;
use instance::{DecryptError, LogError, PermissionError};
use outbox::{SendError, TellError};
use store::StoreError;

/// Why a mail that somebody asked for could not be written or sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// This host may not send.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// What was typed cannot be decrypted.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The mail cannot be written.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// The mail cannot be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl RequestError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Permission(error) => error.is_refusal(),
            Self::Send(error) => error.is_refusal(),
            _ => false,
        }
    }
}
