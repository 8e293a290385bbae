use campaigns::{CampaignError, RunError};
use instance::PermissionError;
use recoveries::RequestError;
use store::{GrowthUndone, StoreError};

/// Why a worker could not go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// This host may not send.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// A campaign cannot be read.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// A campaign could not go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A mail that somebody asked for could not be written or sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Nothing that this process records can be relied on.
    #[error(transparent)]
    Undone(#[from] GrowthUndone),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl WorkError {
    /// Whether it is about one mail that somebody asked for, and says nothing of others.
    pub(crate) const fn is_of_one_mail(&self) -> bool {
        matches!(self, Self::Request(error) if error.is_of_one_mail())
    }

    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Permission(error) => error.is_refusal(),
            Self::Campaign(error) => error.is_refusal(),
            Self::Run(error) => error.is_refusal(),
            Self::Request(error) => error.is_refusal(),
            Self::Undone(_) => true,
            Self::Store(error) => error.is_of_strangers(),
        }
    }
}
