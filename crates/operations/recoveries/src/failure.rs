use campaigns::{RunError, SwapError};
use directory::ReadError;
use instance::{InstanceFault, LogError, PermissionError};
use outbox::{SendError, TellError};

/// Why a mail that somebody asked for could not be written or sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// This host may not send.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// The directory could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What a campaign has done to the account is not as the log says, or cannot be read.
    #[error(transparent)]
    Campaign(#[from] RunError),
    /// The mail cannot be written.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// The mail cannot be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl RequestError {
    /// Whether a row of somebody is not as the log says.
    pub(crate) const fn is_of_row(&self) -> bool {
        matches!(
            self,
            Self::Campaign(RunError::Swap(SwapError::Row(_)))
                | Self::Fault(InstanceFault::Log(LogError::Row(_)))
        )
    }

    /// Whether the row of one mail is not as the log says: nothing is said of others.
    #[must_use]
    pub const fn is_of_one_mail(&self) -> bool {
        matches!(self, Self::Send(SendError::Row(_)))
    }

    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Permission(error) => error.is_refusal(),
            Self::Send(error) => error.is_refusal(),
            Self::Campaign(error) => error.is_refusal(),
            Self::Fault(fault) => fault.is_refusal(),
            _ => false,
        }
    }
}

instance::from_faults!(RequestError);
