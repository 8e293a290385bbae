use std::{error::Error, process::ExitCode};

use campaigns::{CampaignError, ReconcileError, ReportError, StatementError, WatchError};
use instance::{CheckBackupError, CosignLogError, DecryptError, LogError, RestoreError};
use store::{KeyRotated, NotOneRow, UnreadableRow};
use worker::WorkError;

use crate::{
    output,
    wiring::{MailError, WiringError},
};

/// A command may fail in any way that its operation may; what matters here is what it says.
pub(crate) type CommandFailure = Box<dyn Error>;

/// A guard said no: nothing broke, and trying again will not help.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Refused(CommandFailure);

impl Refused {
    pub(crate) fn because(reason: impl Into<CommandFailure>) -> CommandFailure {
        Box::new(Self(reason.into()))
    }

    /// A relay or folder that takes no mail of ours keeps a campaign from starting.
    pub(crate) fn if_no_relay(error: WiringError) -> CommandFailure {
        match error {
            WiringError::Mail(
                MailError::Greet(_) | MailError::Folder(_) | MailError::Maildir(_),
            ) => Self::because(error),
            _ => error.into(),
        }
    }

    /// A host that has no sending file is one that may not send.
    pub(crate) fn if_disarmed(error: WiringError) -> CommandFailure {
        match error {
            WiringError::Mail(MailError::Sending(_)) => Self::because(error),
            _ => error.into(),
        }
    }
}

/// How a program ends that failed in this way.
pub(crate) fn exit_code(failure: &(dyn Error + 'static)) -> ExitCode {
    ExitCode::from(if is_refusal(failure) { output::EXIT_REFUSED } else { output::EXIT_ERROR })
}

/// Whether a rule says no, or what is kept is not what was signed.
fn is_refusal(failure: &(dyn Error + 'static)) -> bool {
    failure.is::<Refused>()
        || comes_from::<KeyRotated>(failure)
        || comes_from::<UnreadableRow>(failure)
        || comes_from::<NotOneRow>(failure)
        || says_no(failure, WiringError::is_refusal)
        || comes_from::<DecryptError>(failure)
        || says_no(failure, LogError::is_refusal)
        || says_no(failure, CosignLogError::is_refusal)
        || says_no(failure, CheckBackupError::is_refusal)
        || says_no(failure, RestoreError::is_refusal)
        || says_no(failure, CampaignError::is_refusal)
        || says_no(failure, WatchError::is_refusal)
        || says_no(failure, ReconcileError::is_refusal)
        || says_no(failure, ReportError::is_refusal)
        || says_no(failure, StatementError::is_refusal)
        || says_no(failure, WorkError::is_refusal)
}

/// Every transaction may meet it, however deep in an operation's error.
fn comes_from<E: Error + 'static>(failure: &(dyn Error + 'static)) -> bool {
    says_no(failure, |_: &E| true)
}

fn says_no<E: Error + 'static>(
    failure: &(dyn Error + 'static),
    is_refusal: fn(&E) -> bool,
) -> bool {
    failure.downcast_ref().is_some_and(is_refusal)
        || failure.source().is_some_and(|source| says_no(source, is_refusal))
}
