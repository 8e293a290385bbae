//! What people do by themselves, as the log tells it.

use model::{AccountId, NoticeId, NoticeKind, NoticeState};
use serde::Serialize;

/// The way back in. That somebody asked for a mail is no entry: what they typed may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RecoveryEvent {
    /// A mail is due that no campaign sends.
    RequestedNoticeMade {
        /// Which notice.
        notice: NoticeId,
        /// What it says.
        kind: NoticeKind,
        /// About which account.
        account: AccountId,
    },
    /// The next thing that happens is the first byte to the mail server.
    RequestedNoticeBegun {
        /// Which notice.
        notice: NoticeId,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// An attempt is over.
    RequestedNoticeEnded {
        /// Which notice.
        notice: NoticeId,
        /// The attempt, from 1.
        attempt: u32,
        /// What has become of the notice: `pending` if it was put off.
        state: NoticeState,
    },
    /// The recipient of a notice says that it is not right.
    RequestedNoticeDisputed {
        /// Which notice.
        notice: NoticeId,
    },
    /// Somebody has chosen a new password by a link.
    PasswordChosen {
        /// Of which account.
        account: AccountId,
        /// The key of the link; not its token.
        link: i64,
    },
}
