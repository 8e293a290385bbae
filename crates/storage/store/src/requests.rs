//! Mails that people ask for, and what they confirm: written down before anybody looks whom they
//! concern.

use model::{NoticeId, NoticeKind, SubjectId, Timestamp};

use crate::{LinkId, Notice, RequestId, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD_REQUEST = ["INSERT INTO mail_request (kind, asked_at, source, wrapped_key, asked)
        VALUES ($1, " NOW ", $2, $3, $4)"];
    WAITING = ["SELECT COUNT(*) FROM mail_request"];
    OLDEST = ["SELECT MIN(asked_at) FROM mail_request"];
    NEXT_REQUEST = ["SELECT id, kind, asked_at, source, wrapped_key, asked FROM mail_request
        ORDER BY id LIMIT 1"];
    DROP_FIRST = ["DELETE FROM mail_request WHERE id = (SELECT MIN(id) FROM mail_request)"];
    DROP_REQUEST = ["DELETE FROM mail_request WHERE id = $1"];
    // One row that everybody who counts mails has to wait for.
    HOLD = ["SELECT only_row FROM instance WHERE only_row = 1" FOR_UPDATE];
    ADD_NOTICE = ["INSERT INTO notice (kind, state, attempts, not_before, made_at)
        VALUES ($1, 'pending', 0, $2, $2) RETURNING id"];
    ADD_REQUESTED = ["INSERT INTO requested_notice (notice, kind, subject, link, made_at, language,
            address_key, source, wrapped_key, kept)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"];
    REQUESTED = ["SELECT kind, subject, link, language, address_key, wrapped_key, kept
        FROM requested_notice
        WHERE notice = $1"];
    LANGUAGE = ["SELECT language FROM requested_notice
        WHERE link = $1 AND kind = 'reset_link'"];
    DUE = ["SELECT COUNT(*) FROM notice WHERE campaign IS NULL
        AND (state = 'pending' AND not_before <= " NOW "
            OR state = 'inflight' AND lease_until <= " NOW ")"];
    OPEN = ["SELECT COUNT(*) FROM notice WHERE campaign IS NULL AND state = 'pending'
        UNION ALL SELECT COUNT(*) FROM notice WHERE campaign IS NULL AND state = 'inflight'"];
    OPEN_ONES = ["SELECT notice.id FROM notice
            JOIN requested_notice ON requested_notice.notice = notice.id
            WHERE notice.campaign IS NULL AND notice.state = 'pending' AND requested_notice.kept IS NOT NULL
        UNION ALL SELECT notice.id FROM notice
            JOIN requested_notice ON requested_notice.notice = notice.id
            WHERE notice.campaign IS NULL AND notice.state = 'inflight' AND requested_notice.kept IS NOT NULL"];
    FORGET = ["UPDATE requested_notice SET wrapped_key = NULL, kept = NULL WHERE notice = $1"];
    MAILED_FOR_SOURCE = ["SELECT COUNT(*) FROM requested_notice
        WHERE source = $1 AND made_at > $2"];
    TO_SEND = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at,
            put_offs, put_off_at, key_id FROM notice WHERE campaign IS NULL AND state = 'pending' AND not_before <= " NOW "
        ORDER BY not_before, id LIMIT 1" FOR_UPDATE];
    LEFT_IN_FLIGHT = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at,
            put_offs, put_off_at, key_id FROM notice WHERE campaign IS NULL AND state = 'inflight' AND lease_until <= " NOW "
        ORDER BY id" FOR_UPDATE];
}

/// A mail that somebody asks for.
#[derive(Debug, Clone)]
pub struct NewMailRequest {
    /// Which mail.
    pub kind: NoticeKind,
    /// A keyed hash of where the request came from.
    pub source: [u8; 32],
    /// The wrapped key of `asked`.
    pub wrapped_key: Vec<u8>,
    /// What was typed, encrypted.
    pub asked: Vec<u8>,
}

/// A mail that somebody asked for, and nobody has looked at yet.
#[derive(Debug, Clone)]
pub struct MailRequest {
    /// Its key.
    pub id: RequestId,
    /// Which mail.
    pub kind: NoticeKind,
    /// When.
    pub asked_at: Timestamp,
    /// A keyed hash of where the request came from.
    pub source: [u8; 32],
    /// The wrapped key of `asked`.
    pub wrapped_key: Vec<u8>,
    /// What was typed, encrypted.
    pub asked: Vec<u8>,
}

record!(MailRequest { id, kind, asked_at, source, wrapped_key, asked });

/// A notice that no campaign sends.
#[derive(Debug, Clone)]
pub struct NewRequestedNotice {
    /// Which mail.
    pub kind: NoticeKind,
    /// About which account.
    pub subject: SubjectId,
    /// The link that it holds, or that was used.
    pub link: Option<LinkId>,
    /// The language to write in.
    pub language: String,
    /// The keyed hash of the address.
    pub address_key: [u8; 32],
    /// A keyed hash of where it was asked for; `None` for a confirmation.
    pub source: Option<[u8; 32]>,
    /// The wrapped key of `kept`.
    pub wrapped_key: Vec<u8>,
    /// Whom it goes to and what it tells, encrypted.
    pub kept: Vec<u8>,
}

/// What a notice that no campaign sends is about.
#[derive(Debug, Clone)]
pub struct RequestedNotice {
    /// Which mail.
    pub kind: NoticeKind,
    /// About which account.
    pub subject: SubjectId,
    /// The link that it holds, or that was used.
    pub link: Option<LinkId>,
    /// The language to write in.
    pub language: String,
    /// The keyed hash of the address.
    pub address_key: [u8; 32],
    /// The wrapped key of `kept`; `None` once the notice is final.
    pub wrapped_key: Option<Vec<u8>>,
    /// Whom it goes to and what it tells, encrypted; `None` once the notice is final.
    pub kept: Option<Vec<u8>>,
}

record!(RequestedNotice { kind, subject, link, language, address_key, wrapped_key, kept });

impl Tx {
    /// Writes down that somebody asks for a mail.
    pub fn add_mail_request(&mut self, request: NewMailRequest) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query =
                self.0.run(&ADD_REQUEST).bind(Cell(request.kind)).bind(Cell(request.source));
            Ok(query.bind(request.wrapped_key).bind(request.asked).exactly_one().await?)
        })
    }

    /// How many requests nobody has looked at yet.
    pub fn mail_requests_waiting(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&WAITING)).await?) })
    }

    /// Since when the one of them has waited that was asked for first.
    pub fn mail_requests_waiting_since(&mut self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(async move {
            let (since,) = self.0.run(&OLDEST).one::<(Option<Cell<Timestamp>>,)>().await?;
            Ok(since.map(|Cell(since)| since))
        })
    }

    /// The request that has waited longest.
    pub fn next_mail_request(&mut self) -> StoreFuture<'_, Option<MailRequest>> {
        Box::pin(async move { Ok(self.0.run(&NEXT_REQUEST).optional().await?) })
    }

    /// Says that a request is dealt with; `false` if somebody else was quicker.
    pub fn drop_mail_request(&mut self, id: RequestId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.0.run(&DROP_REQUEST).bind(Cell(id)).execute().await? == 1) })
    }

    /// Drops the request that has waited longest, of which nothing can be read.
    pub fn drop_first_mail_request(&mut self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&DROP_FIRST).execute().await?;
            Ok(())
        })
    }

    /// Lets nobody else count mails or make links until this transaction ends.
    pub fn hold_requests(&mut self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&HOLD).one::<(i64,)>().await?;
            Ok(())
        })
    }

    /// Writes a notice that no campaign sends. The schema refuses a second mail of a kind for one
    /// link.
    pub fn add_requested_notice(
        &mut self,
        new: NewRequestedNotice,
        now: Timestamp,
    ) -> StoreFuture<'_, NoticeId> {
        Box::pin(async move {
            let query = self.0.run(&ADD_NOTICE).bind(Cell(new.kind)).bind(Cell(now));
            let (Cell(id),) = query.one::<(Cell<NoticeId>,)>().await?;
            let query = self.0.run(&ADD_REQUESTED).bind(Cell(id)).bind(Cell(new.kind));
            let query = query.bind(Cell(new.subject)).bind(new.link.map(Cell)).bind(Cell(now));
            let query = query.bind(new.language).bind(Cell(new.address_key));
            let query = query.bind(new.source.map(Cell)).bind(new.wrapped_key).bind(new.kept);
            query.exactly_one().await?;
            Ok(id)
        })
    }

    /// What a notice that no campaign sends is about.
    pub fn requested_notice(&mut self, id: NoticeId) -> StoreFuture<'_, RequestedNotice> {
        Box::pin(async move { Ok(self.0.run(&REQUESTED).bind(Cell(id)).one().await?) })
    }

    /// The language of the mail that a link was in.
    pub fn language_of_link(&mut self, link: LinkId) -> StoreFuture<'_, String> {
        Box::pin(async move {
            let (language,) = self.0.run(&LANGUAGE).bind(Cell(link)).one::<(String,)>().await?;
            Ok(language)
        })
    }

    /// How many notices that no campaign sends a worker would have something to do with now.
    pub fn requested_notices_due(&mut self) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&DUE)).await?) })
    }

    /// Whether a notice that no campaign sends is not final.
    pub fn is_requested_notice_open(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let open = self.0.run(&OPEN).all::<(i64,)>().await?;
            Ok(open.into_iter().any(|(open,)| open > 0))
        })
    }

    /// The notices that no campaign sends and that can be sent still.
    pub fn requested_notices_open(&mut self) -> StoreFuture<'_, Vec<NoticeId>> {
        Box::pin(async move {
            let open = self.0.run(&OPEN_ONES).all::<(Cell<NoticeId>,)>().await?;
            Ok(open.into_iter().map(|(Cell(id),)| id).collect())
        })
    }

    /// Destroys whom a notice went to and what it told.
    pub fn forget_requested_notice(&mut self, id: NoticeId) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.0.run(&FORGET).bind(Cell(id)).exactly_one().await?) })
    }

    /// How many mails one source asked for since a moment.
    pub fn requested_by_source(
        &mut self,
        source: [u8; 32],
        since: Timestamp,
    ) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let query = self.0.run(&MAILED_FOR_SOURCE).bind(Cell(source)).bind(Cell(since));
            Ok(Self::count(query).await?)
        })
    }

    /// The requested notice that has waited longest, held; `None` if none is to be sent now.
    pub fn requested_notice_to_send(&mut self) -> StoreFuture<'_, Option<Notice>> {
        Box::pin(async move { Ok(self.0.run(&TO_SEND).optional().await?) })
    }

    /// Requested notices whose worker no longer says that it is alive, held.
    pub fn requested_notices_left_in_flight(&mut self) -> StoreFuture<'_, Vec<Notice>> {
        Box::pin(async move { Ok(self.0.run(&LEFT_IN_FLIGHT).all().await?) })
    }
}
