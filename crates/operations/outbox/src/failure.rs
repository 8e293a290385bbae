use instance::{InstanceFault, PermissionError};
use ledger::FoldRefusal;
use model::{LeakId, NameError, NoticeId, NoticeKind};
use notice::{
    AddressError, ComposeError, FactsError, Language, MomentError, NoticeError, ResetUrlError,
    SignMessageError,
};

/// Why a notice could not be sent, or what became of it not recorded.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The log is not the one that this host has marked, or too few witnesses sign for it.
    #[error(transparent)]
    Permission(#[from] PermissionError),
    /// It is not as the audit log says.
    #[error(transparent)]
    Row(#[from] FoldRefusal),
    /// Something happened to a notice that cannot.
    #[error(transparent)]
    Notice(#[from] NoticeError),
    /// What it says cannot be kept.
    #[error("what a notice says cannot be kept: {0}")]
    Shown(serde_json::Error),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

impl SendError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Row(_) => true,
            Self::Permission(error) => error.is_refusal(),
            _ => false,
        }
    }
}

/// Why a notice cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// It speaks of an account that was not sealed.
    #[error("notice {id} speaks of no account that was sealed")]
    NoLine {
        /// Which notice.
        id: NoticeId,
    },
    /// A place is to be named that nobody has signed for.
    #[error("leak {leak} is named to nobody: the signed plan does not know it")]
    NotSigned {
        /// Which leak.
        leak: LeakId,
    },
    /// What it is to say is not kept.
    #[error("what notice {id} is to say is destroyed, or was never written")]
    Forgotten {
        /// Which notice.
        id: NoticeId,
    },
    /// It has to hold a link, and nobody has said where links lead.
    #[error("`recovery.pages_url` is not set: no reset link can be mailed without it")]
    NoPages,
    /// What it is to say cannot be kept.
    #[error("what a notice is to say cannot be kept: {0}")]
    Kept(serde_json::Error),
    /// There is nothing to say.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// A finding's moment is none.
    #[error(transparent)]
    Moment(#[from] MomentError),
    /// The address that was kept is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No link can be made.
    #[error(transparent)]
    Link(#[from] ResetUrlError),
    /// It cannot be composed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignMessageError),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

/// Why the site's words cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum WordsError {
    /// It would read like a forgery.
    #[error(
        "the notice {kind} in {language} breaks the rules: {faults}; look at the section [site]{}",
        if *kind == NoticeKind::ResetLink { " and at `recovery.pages_url`" } else { "" }
    )]
    Faults {
        /// Which notice.
        kind: NoticeKind,
        /// In which language.
        language: Language,
        /// What is wrong with it.
        faults: String,
    },
    /// A template's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No specimen can be written.
    #[error("no specimen of a notice can be written: {0}")]
    Compose(Box<dyn std::error::Error + Send + Sync>),
}

impl WordsError {
    pub(crate) fn compose(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Compose(Box::new(error))
    }
}

instance::from_faults!(SendError, TellError);
