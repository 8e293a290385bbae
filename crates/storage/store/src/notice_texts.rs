//! What notices said, encrypted: whoever asks whether one is genuine is shown what was sent, and not
//! what would be written today.

use model::NoticeId;

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    KEEP = ["INSERT INTO notice_text (notice, wrapped_key, body) VALUES ($1, $2, $3)
        ON CONFLICT (notice) DO UPDATE SET wrapped_key = excluded.wrapped_key,
            body = excluded.body"];
    READ = ["SELECT wrapped_key, body FROM notice_text WHERE notice = $1"];
}

/// What a notice said, encrypted under a data key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeText {
    /// The data key, wrapped by the instance key.
    pub wrapped_key: Vec<u8>,
    /// Nonce and ciphertext.
    pub body: Vec<u8>,
}

record!(NoticeText { wrapped_key, body });

impl Tx {
    /// Keeps what a notice says. What an earlier attempt said gives way.
    pub fn keep_notice_text<'c>(
        &'c mut self,
        notice: NoticeId,
        text: &'c NoticeText,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&KEEP).bind(Cell(notice)).bind(text.wrapped_key.clone());
            query.bind(text.body.clone()).execute().await?;
            Ok(())
        })
    }

    /// What was kept of a notice; `None` if nothing was.
    pub fn notice_text(&mut self, notice: NoticeId) -> StoreFuture<'_, Option<NoticeText>> {
        Box::pin(async move { Ok(self.0.run(&READ).bind(Cell(notice)).optional().await?) })
    }
}
