//! What a notice said, kept for whoever asks whether it is genuine.

use instance::{DecryptError, Encrypted, Instance, purpose::NOTICE_TEXT};
use model::NoticeId;
use notice::ShownText;
use store::{NoticeText, Tx};

use crate::SendError;

/// Keeps what a notice says, beside what became of it.
pub(crate) async fn keep_shown(
    instance: &Instance,
    tx: &mut Tx,
    notice: NoticeId,
    shown: &ShownText,
) -> Result<(), SendError> {
    let encrypted = instance.encrypt(NOTICE_TEXT, &context(notice), shown);
    let Encrypted { wrapped_key, body } = encrypted.map_err(SendError::Shown)?;
    Ok(tx.keep_notice_text(notice, &NoticeText { wrapped_key, body }).await?)
}

/// The reverse of [`keep_shown`].
pub(crate) fn shown_of(
    instance: &Instance,
    notice: NoticeId,
    kept: &NoticeText,
) -> Result<ShownText, DecryptError> {
    instance.decrypt(NOTICE_TEXT, &context(notice), &kept.wrapped_key, &kept.body)
}

/// No text can be moved to another notice.
fn context(notice: NoticeId) -> String {
    format!("text of notice {notice}")
}
