//! Reset links: known by the digest of their token, used up only with the password that they set.

use model::{KeyId, SubjectId, Timestamp};

use crate::{LinkId, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO reset_link (subject, made_at, superseded) VALUES ($1, " NOW ", FALSE)
        RETURNING id"];
    MAIL = ["UPDATE reset_link SET digest = $1, binding = $2, mailed_at = $3, expires_at = $4,
            key_id = $5
        WHERE id = $6 AND used_at IS NULL"];
    LIVE = ["SELECT id FROM reset_link
        WHERE subject = $1 AND expires_at > $2 AND used_at IS NULL AND NOT superseded AND id <> $3
        ORDER BY mailed_at, id"];
    SUPERSEDE = ["UPDATE reset_link SET superseded = TRUE WHERE id = $1"];
    SUPERSEDE_OTHERS = ["UPDATE reset_link SET superseded = TRUE
        WHERE subject = $1 AND id <> $2 AND used_at IS NULL AND digest IS NOT NULL"];
    BY_DIGEST = ["SELECT id, subject, binding, mailed_at, expires_at, used_at, superseded, key_id
        FROM reset_link WHERE digest IN {list}"];
    HOLD = ["SELECT id, subject, binding, mailed_at, expires_at, used_at, superseded, key_id
        FROM reset_link WHERE id = $1" FOR_UPDATE];
    USE = ["UPDATE reset_link SET used_at = $1
        WHERE id = $2 AND used_at IS NULL
            AND EXISTS (SELECT 1 FROM swap WHERE swap.link = reset_link.id)"];
}

/// What a link gets as its mail leaves.
#[derive(Debug, Clone, Copy)]
pub struct MailedLink {
    /// By which its token finds it.
    pub digest: [u8; 32],
    /// A keyed hash of what it is for.
    pub binding: [u8; 32],
    /// When its mail leaves.
    pub mailed_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Timestamp,
    /// The instance key that both hashes are made with.
    pub key: KeyId,
}

/// A link as it was mailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetLink {
    /// Its key.
    pub id: LinkId,
    /// Whose password it sets.
    pub subject: SubjectId,
    /// A keyed hash of what it is for; `None` of links that version 0.1.0 mailed, which work no more.
    pub binding: Option<[u8; 32]>,
    /// When its mail left.
    pub mailed_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Timestamp,
    /// When a password was set by it.
    pub used_at: Option<Timestamp>,
    /// Whether newer links, or another way back in, took its place.
    pub superseded: bool,
    /// The instance key that its hashes are made with; `None` is the store's first.
    pub key: Option<KeyId>,
}

record!(ResetLink {
    id, subject, binding, mailed_at, expires_at, used_at, superseded, key = "key_id"
});

impl Tx {
    /// Makes a link that nobody knows yet.
    pub fn add_reset_link(&mut self, subject: SubjectId) -> StoreFuture<'_, LinkId> {
        Box::pin(async move {
            let (Cell(id),) = self.0.run(&ADD).bind(Cell(subject)).one().await?;
            Ok(id)
        })
    }

    /// Gives a link its token, known by its digest: its mail is about to leave. An earlier token
    /// was in a mail that the mail server did not take, and works no more.
    ///
    /// # Errors
    /// What the database reports, also when the link was used.
    pub fn mail_reset_link(&mut self, id: LinkId, mailed: MailedLink) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let MailedLink { digest, binding, mailed_at, expires_at, key } = mailed;
            let query = self.0.run(&MAIL).bind(Cell(digest)).bind(Cell(binding));
            let query = query.bind(Cell(mailed_at)).bind(Cell(expires_at));
            Ok(query.bind(Cell(key)).bind(Cell(id)).exactly_one().await?)
        })
    }

    /// The other links of an account that could be used at a moment, the oldest first.
    pub fn live_reset_links(
        &mut self,
        subject: SubjectId,
        but: LinkId,
        at: Timestamp,
    ) -> StoreFuture<'_, Vec<LinkId>> {
        Box::pin(async move {
            let query = self.0.run(&LIVE).bind(Cell(subject)).bind(Cell(at)).bind(Cell(but));
            let rows = query.all::<(Cell<LinkId>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(id),)| id).collect())
        })
    }

    /// Ends a link for a newer one.
    pub fn supersede_reset_link(&mut self, id: LinkId) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.0.run(&SUPERSEDE).bind(Cell(id)).exactly_one().await?) })
    }

    /// Ends all other links of an account that are in anybody's mail.
    pub fn supersede_other_links(
        &mut self,
        subject: SubjectId,
        but: LinkId,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&SUPERSEDE_OTHERS).bind(Cell(subject)).bind(Cell(but));
            query.execute().await?;
            Ok(())
        })
    }

    /// The link whose token has one of these digests: of one token, one for each instance key.
    pub fn reset_link<'c>(
        &'c mut self,
        digests: &'c [[u8; 32]],
    ) -> StoreFuture<'c, Option<ResetLink>> {
        Box::pin(async move { Ok(self.all_among(&BY_DIGEST, digests).await?.into_iter().next()) })
    }

    /// A link that nobody else can change until this transaction ends.
    pub fn hold_reset_link(&mut self, id: LinkId) -> StoreFuture<'_, ResetLink> {
        Box::pin(async move { Ok(self.0.run(&HOLD).bind(Cell(id)).one().await?) })
    }

    /// Uses a link up, because a password is set by it; `false` if that is known.
    pub fn use_reset_link(&mut self, id: LinkId, now: Timestamp) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            Ok(self.0.run(&USE).bind(Cell(now)).bind(Cell(id)).execute().await? == 1)
        })
    }
}
