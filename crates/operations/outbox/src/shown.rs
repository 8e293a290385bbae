//! What a notice said and how far it was, kept for whoever asks whether it is genuine: in the store's rows
//! anybody who can write to the database may have written something else.

use instance::{DecryptError, Encrypted, Instance, purpose::NOTICE_TEXT};
use model::{NoticeId, NoticeKind, NoticeState, Timestamp};
use notice::ShownText;
use serde::{Deserialize, Serialize};
use store::{Notice, NoticeText, Tx};

use crate::SendError;

/// What is kept, encrypted, of a notice when something becomes of an attempt.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptNotice {
    /// What it said.
    #[serde(flatten)]
    pub(crate) shown: ShownText,
    /// How far it was then; nothing in those that versions before 0.2.0 kept.
    #[serde(default)]
    pub(crate) standing: Option<KeptStanding>,
}

/// How far a notice was.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct KeptStanding {
    pub(crate) kind: NoticeKind,
    pub(crate) made_at: Timestamp,
    pub(crate) state: NoticeState,
    /// When it became so.
    pub(crate) moved_at: Timestamp,
}

/// Keeps what a notice says and how far it is now.
pub(crate) async fn keep(
    instance: &Instance,
    tx: &mut Tx,
    notice: &Notice,
    shown: &ShownText,
) -> Result<(), SendError> {
    let Notice { id, kind, made_at, state, .. } = *notice;
    let standing = Some(KeptStanding { kind, made_at, state, moved_at: tx.now().await? });
    let kept = KeptNotice { shown: shown.clone(), standing };
    let encrypted = instance.encrypt(NOTICE_TEXT, &context(id), &kept);
    let Encrypted { wrapped_key, body } = encrypted.map_err(SendError::Shown)?;
    Ok(tx.keep_notice_text(id, &NoticeText { wrapped_key, body }).await?)
}

/// The reverse of [`keep`].
pub(crate) fn kept_of(
    instance: &Instance,
    notice: NoticeId,
    text: &NoticeText,
) -> Result<KeptNotice, DecryptError> {
    instance.decrypt(NOTICE_TEXT, &context(notice), &text.wrapped_key, &text.body)
}

/// No text can be moved to another notice.
fn context(notice: NoticeId) -> String {
    format!("text of notice {notice}")
}
