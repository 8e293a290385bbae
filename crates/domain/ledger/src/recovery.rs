//! What people do by themselves, as the log tells it.

use model::{NoticeId, NoticeKind};
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
    /// Somebody has chosen a new password by a link.
    PasswordChosen {
        /// Of which account.
        #[serde(flatten)]
        whom: Whom,
        /// The key of the link; not its token.
        link: i64,
    },
}
