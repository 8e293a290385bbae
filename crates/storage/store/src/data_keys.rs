//! Every column that holds a wrapped data key. The row that holds it names what is encrypted under it: the
//! column beside it, or for a leak its candidates and its spool. The wrapped form names the instance key:
//! one form byte and the key's id come first. Data keys that were wrapped before keys had ids have neither,
//! and are of the store's first key.

use model::KeyId;
use sql::QueryText;

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    SPOOLS = ["SELECT id AS first, CAST(0 AS BIGINT) AS second, spool_key AS wrapped FROM leak
        WHERE spool_key IS NOT NULL AND substr(spool_key, 1, 9) <> $1 AND id > $3
        ORDER BY id LIMIT $2" SKIP_LOCKED];
    WRAP_SPOOL = ["UPDATE leak SET spool_key = $1 WHERE spool_key = $2 AND id = $3"];
    FINDINGS = ["SELECT id AS first, CAST(0 AS BIGINT) AS second, wrapped_key AS wrapped FROM finding
        WHERE wrapped_key IS NOT NULL AND substr(wrapped_key, 1, 9) <> $1 AND id > $3
        ORDER BY id LIMIT $2" SKIP_LOCKED];
    WRAP_FINDING = ["UPDATE finding SET wrapped_key = $1 WHERE wrapped_key = $2 AND id = $3"];
    SUBJECTS = ["SELECT id AS first, CAST(0 AS BIGINT) AS second, subject_key AS wrapped FROM subject
        WHERE subject_key IS NOT NULL AND substr(subject_key, 1, 9) <> $1 AND id > $3
        ORDER BY id LIMIT $2" SKIP_LOCKED];
    WRAP_SUBJECT = ["UPDATE subject SET subject_key = $1 WHERE subject_key = $2 AND id = $3"];
    RESET_LINES = ["SELECT campaign AS first, subject AS second, wrapped_key AS wrapped
        FROM reset_line
        WHERE wrapped_key IS NOT NULL AND substr(wrapped_key, 1, 9) <> $1
            AND (campaign, subject) > ($3, $4)
        ORDER BY campaign, subject LIMIT $2" SKIP_LOCKED];
    WRAP_RESET_LINE = ["UPDATE reset_line SET wrapped_key = $1
        WHERE wrapped_key = $2 AND campaign = $3 AND subject = $4"];
    NOTICE_TEXTS = ["SELECT notice AS first, CAST(0 AS BIGINT) AS second, wrapped_key AS wrapped
        FROM notice_text
        WHERE substr(wrapped_key, 1, 9) <> $1 AND notice > $3
        ORDER BY notice LIMIT $2" SKIP_LOCKED];
    WRAP_NOTICE_TEXT = ["UPDATE notice_text SET wrapped_key = $1
        WHERE wrapped_key = $2 AND notice = $3"];
    MAIL_REQUESTS = ["SELECT id AS first, CAST(0 AS BIGINT) AS second, wrapped_key AS wrapped
        FROM mail_request
        WHERE substr(wrapped_key, 1, 9) <> $1 AND id > $3
        ORDER BY id LIMIT $2" SKIP_LOCKED];
    WRAP_MAIL_REQUEST = ["UPDATE mail_request SET wrapped_key = $1
        WHERE wrapped_key = $2 AND id = $3"];
    LETTERS = ["SELECT notice AS first, CAST(0 AS BIGINT) AS second, wrapped_key AS wrapped
        FROM requested_notice
        WHERE wrapped_key IS NOT NULL AND substr(wrapped_key, 1, 9) <> $1 AND notice > $3
        ORDER BY notice LIMIT $2" SKIP_LOCKED];
    WRAP_LETTER = ["UPDATE requested_notice SET wrapped_key = $1
        WHERE wrapped_key = $2 AND notice = $3"];
    COUNT = ["SELECT CASE WHEN length(wrapped) = 81 THEN substr(wrapped, 2, 8) END AS key,
            COUNT(*) AS data_keys
        FROM (SELECT spool_key AS wrapped FROM leak
            UNION ALL SELECT wrapped_key FROM finding
            UNION ALL SELECT subject_key FROM subject
            UNION ALL SELECT wrapped_key FROM reset_line
            UNION ALL SELECT wrapped_key FROM notice_text
            UNION ALL SELECT wrapped_key FROM mail_request
            UNION ALL SELECT wrapped_key FROM requested_notice) AS every_one
        WHERE wrapped IS NOT NULL GROUP BY 1"];
}

/// A column that holds wrapped data keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKeyPlace {
    /// Of a leak's candidates.
    Leak,
    /// Of one finding.
    Finding,
    /// Of a subject's account.
    Subject,
    /// Of what is kept of a sealing.
    ResetLine,
    /// Of what a notice said.
    NoticeText,
    /// Of what somebody typed who asks for a mail.
    MailRequest,
    /// Of a letter that no campaign sends.
    Letter,
}

impl DataKeyPlace {
    /// Every place.
    pub const ALL: [Self; 7] = [
        Self::Leak,
        Self::Finding,
        Self::Subject,
        Self::ResetLine,
        Self::NoticeText,
        Self::MailRequest,
        Self::Letter,
    ];

    /// The table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Finding => "finding",
            Self::Subject => "subject",
            Self::ResetLine => "reset_line",
            Self::NoticeText => "notice_text",
            Self::MailRequest => "mail_request",
            Self::Letter => "requested_notice",
        }
    }

    /// What finds rows, and what wraps one anew.
    fn queries(self) -> [QueryText; 2] {
        match self {
            Self::Leak => [SPOOLS, WRAP_SPOOL],
            Self::Finding => [FINDINGS, WRAP_FINDING],
            Self::Subject => [SUBJECTS, WRAP_SUBJECT],
            Self::ResetLine => [RESET_LINES, WRAP_RESET_LINE],
            Self::NoticeText => [NOTICE_TEXTS, WRAP_NOTICE_TEXT],
            Self::MailRequest => [MAIL_REQUESTS, WRAP_MAIL_REQUEST],
            Self::Letter => [LETTERS, WRAP_LETTER],
        }
    }

    /// How many numbers tell a row from the others.
    const fn numbers(self) -> usize {
        if matches!(self, Self::ResetLine) { 2 } else { 1 }
    }
}

/// A wrapped data key, and the row that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The row's number, or the first of its two.
    pub first: i64,
    /// The second of its two numbers, or 0.
    pub second: i64,
    /// The data key as it is wrapped.
    pub wrapped: Vec<u8>,
}

record!(WrappedKey { first, second, wrapped });

impl Tx {
    /// At most `limit` data keys whose wrapped form does not begin with `prefix`, in the rows behind
    /// one. Rows that somebody else holds are passed over.
    pub fn data_keys_wrapped_otherwise<'c>(
        &'c mut self,
        place: DataKeyPlace,
        prefix: &'c [u8; 9],
        behind: (i64, i64),
        limit: u64,
    ) -> StoreFuture<'c, Vec<WrappedKey>> {
        Box::pin(async move {
            let [find, _] = place.queries();
            let query = self.0.run(&find).bind(prefix.to_vec()).bind(Cell(limit));
            let numbers = [behind.0, behind.1].into_iter().take(place.numbers());
            Ok(numbers.fold(query, sql::Query::bind).all().await?)
        })
    }

    /// Puts another wrapped form in the place of one; `false` if that one is gone.
    pub fn wrap_data_key<'c>(
        &'c mut self,
        place: DataKeyPlace,
        before: &'c WrappedKey,
        wrapped: Vec<u8>,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let [_, wrap] = place.queries();
            let query = self.0.run(&wrap).bind(wrapped).bind(before.wrapped.clone());
            let numbers = [before.first, before.second].into_iter().take(place.numbers());
            let query = numbers.fold(query, sql::Query::bind);
            Ok(query.execute().await? == 1)
        })
    }

    /// How many data keys each instance key wraps; `None` are those of before keys had ids.
    pub fn count_data_keys(&mut self) -> StoreFuture<'_, Vec<(Option<KeyId>, u64)>> {
        Box::pin(async move {
            let rows = self.0.run(&COUNT).all::<(Option<Cell<KeyId>>, Cell<u64>)>().await?;
            Ok(rows
                .into_iter()
                .map(|(key, Cell(count))| (key.map(|Cell(key)| key), count))
                .collect())
        })
    }
}
