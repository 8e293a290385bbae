//! What people do by themselves, as the log tells it.

use model::{NoticeId, NoticeKind, SwapId, SwapState};
use serde::{Deserialize, Serialize};

use crate::Whom;

/// The way back in. That somebody asked for a mail is no entry: what they typed may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RecoveryEvent {
    /// A mail is due that no campaign sends.
    RequestedNoticeMade {
        /// Which notice.
        notice: NoticeId,
        /// What it says.
        kind: NoticeKind,
        /// About which account.
        #[serde(flatten)]
        whom: Whom,
        /// SHA-256 of its row, in hexadecimal; entries of version 0.1.0 have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<String>,
    },
    /// Somebody is about to set a new password by a link.
    ChoiceIntended {
        /// Of which account.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement of the stored password.
        swap: SwapId,
        /// SHA-256, in hexadecimal, of all that stays in its row.
        row: String,
    },
    /// Somebody else finds out how far it came.
    ChoiceTaken {
        /// Of which account.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement that was intended.
        swap: SwapId,
        /// Its attempt from now on.
        attempt: u32,
    },
    /// It is known what became of it.
    ChoiceEnded {
        /// Of which account.
        #[serde(flatten)]
        whom: Whom,
        /// The replacement that was intended.
        swap: SwapId,
        /// How it ended.
        end: SwapState,
    },
    /// Somebody has chosen a new password by a link.
    PasswordChosen {
        /// Of which account.
        #[serde(flatten)]
        whom: Whom,
        /// The key of the link; not its token.
        link: i64,
    },
}

impl RecoveryEvent {
    /// Whom it is about.
    pub const fn whom_mut(&mut self) -> &mut Whom {
        match self {
            Self::RequestedNoticeMade { whom, .. }
            | Self::ChoiceIntended { whom, .. }
            | Self::ChoiceTaken { whom, .. }
            | Self::ChoiceEnded { whom, .. }
            | Self::PasswordChosen { whom, .. } => whom,
        }
    }
}
