//! Notices: one row a mail, committed as `inflight` before its first byte is sent.

use std::{collections::BTreeMap, time::Duration};

use model::{CampaignId, KeyId, NoticeId, NoticeKind, NoticeState, SubjectId, Timestamp};

use sql::{Record, Row, SqlError};

use crate::{
    StoreFuture, Tx, WorkerName,
    cell::{Cell, Field},
};

sql::queries! {
    ADD = ["INSERT INTO notice (campaign, address, kind, state, attempts, not_before, made_at)
        VALUES ($1, $2, 'reset_required', 'pending', 0, $3, $3) RETURNING id"];
    SET_CODE = ["UPDATE notice SET code_lookup = $1, key_id = $2 WHERE id = $3"];
    ADD_LINES = ["INSERT INTO notice_line (notice, campaign, address, subject) VALUES {rows}"];
    TO_SEND = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at,
            put_offs, put_off_at, key_id FROM notice
        WHERE campaign = $1 AND state = 'pending' AND not_before <= " NOW "
        ORDER BY not_before, id LIMIT 1"];
    // Whoever the relay has not said no to shows most. All others are asked for in turn.
    TO_PROBE = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at,
            put_offs, put_off_at, key_id FROM notice
        WHERE campaign = $1 AND state = 'pending' AND not_before <= " NOW "
        ORDER BY COALESCE(put_off_at, 0), not_before, id LIMIT 1"];
    LONGEST_PUT_OFF = ["SELECT campaign, MIN(COALESCE(put_off_at, 0)) FROM notice
        WHERE campaign IS NOT NULL AND state = 'pending' GROUP BY campaign"];
    LEFT_IN_FLIGHT = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at,
            put_offs, put_off_at, key_id FROM notice WHERE campaign = $1 AND state = 'inflight' AND lease_until <= " NOW "
        ORDER BY id"];
    HOLD = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at,
            put_offs, put_off_at, key_id FROM notice
        WHERE id = $1" FOR_UPDATE];
    SAVE = ["UPDATE notice SET state = $1, attempts = $2, not_before = $3,
            ended_at = CASE WHEN $4 THEN COALESCE(ended_at, " NOW ") END,
            answer = COALESCE($5, answer), put_offs = $6, put_off_at = $7
        WHERE id = $8"];
    PUT_ASIDE = ["UPDATE notice SET not_before = " NOW " + $1, lease_until = " NOW " + $1
        WHERE id = $2 AND state IN ('pending', 'inflight')"];
    ANSWER = ["SELECT answer FROM notice WHERE id = $1"];
    LEASE = ["UPDATE notice SET state = 'inflight', attempts = $1, lease_owner = $2,
            lease_until = " NOW " + $3
        WHERE id = $4 AND state = 'pending'"];
    RENEW = ["UPDATE notice SET lease_until = " NOW " + $1
        WHERE id = $2 AND lease_owner = $3 AND attempts = $4 AND state = 'inflight'
            AND lease_until > " NOW];
    BY_CODE = ["SELECT notice.id, notice.campaign, notice.address, notice.kind, notice.state,
            notice.attempts, notice.not_before, notice.made_at, notice.put_offs,
            notice.put_off_at, notice.key_id,
            COALESCE(campaign_address.address_key, requested_notice.address_key) AS address_key
        FROM notice
        LEFT JOIN campaign_address ON campaign_address.campaign = notice.campaign
            AND campaign_address.number = notice.address
        LEFT JOIN requested_notice ON requested_notice.notice = notice.id
        WHERE notice.code_lookup IN {list}"];
    ADDRESS_KEY = ["SELECT
            COALESCE(campaign_address.address_key, requested_notice.address_key) AS address_key
        FROM notice
        LEFT JOIN campaign_address ON campaign_address.campaign = notice.campaign
            AND campaign_address.number = notice.address
        LEFT JOIN requested_notice ON requested_notice.notice = notice.id
        WHERE notice.id = $1"];
    CODES_AFTER = ["SELECT notice.id, notice.key_id, notice.code_lookup,
            COALESCE(campaign_address.address_key, requested_notice.address_key) AS address_key
        FROM notice
        LEFT JOIN campaign_address ON campaign_address.campaign = notice.campaign
            AND campaign_address.number = notice.address
        LEFT JOIN requested_notice ON requested_notice.notice = notice.id
        WHERE notice.id > $1 AND notice.code_lookup IS NOT NULL
        ORDER BY notice.id LIMIT $2"];
    REQUESTED_AMONG = ["SELECT id FROM notice WHERE campaign IS NULL AND id > $1 AND id <= $2"];
    CODELESS = ["SELECT id FROM notice WHERE code_lookup IS NULL AND attempts > 0 ORDER BY id LIMIT 1"];
    DISPUTE = ["UPDATE notice SET disputed_at = " NOW " WHERE id = $1 AND disputed_at IS NULL"];
    LINE_COUNT = ["SELECT COUNT(*) FROM notice_line WHERE campaign = $1"];
    LINES = ["SELECT subject FROM notice_line WHERE notice = $1 ORDER BY subject"];
    COUNTS = ["SELECT state, COUNT(*) AS notices FROM notice WHERE campaign = $1
        GROUP BY state ORDER BY state"];
}

/// One notice as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// Its key.
    pub id: NoticeId,
    /// On whose behalf.
    pub errand: Errand,
    /// What it says.
    pub kind: NoticeKind,
    /// How far it is.
    pub state: NoticeState,
    /// Attempts begun.
    pub attempts: u32,
    /// When the next attempt may begin.
    pub not_before: Timestamp,
    /// When it was written. Every attempt bears this date.
    pub made_at: Timestamp,
    /// How often it was put off for its address's sake.
    pub put_offs: u32,
    /// When the relay last said no to it.
    pub put_off_at: Option<Timestamp>,
    /// The instance key that its code and its token are derived from; `None` is the store's first.
    pub key: Option<KeyId>,
}

/// On whose behalf a notice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// A campaign's.
    Campaign {
        /// Which campaign.
        campaign: CampaignId,
        /// The number of its address there.
        address: u64,
    },
    /// The recipient's own: they asked for it, or did what it confirms.
    Request,
}

impl Errand {
    /// The campaign, if it is one's.
    #[must_use]
    pub const fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::Campaign { campaign, .. } => Some(*campaign),
            Self::Request => None,
        }
    }
}

impl Record for Notice {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: Field::read(row, "id")?,
            errand: Errand::decode(row)?,
            kind: Field::read(row, "kind")?,
            state: Field::read(row, "state")?,
            attempts: Field::read(row, "attempts")?,
            not_before: Field::read(row, "not_before")?,
            made_at: Field::read(row, "made_at")?,
            put_offs: Field::read(row, "put_offs")?,
            put_off_at: Field::read(row, "put_off_at")?,
            key: Field::read(row, "key_id")?,
        })
    }
}

impl Record for Errand {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        let campaign = Field::read(row, "campaign")?;
        let address = Option::zip(campaign, Field::read(row, "address")?);
        Ok(address
            .map_or(Self::Request, |(campaign, address)| Self::Campaign { campaign, address }))
    }
}

/// What is told of a notice to whoever holds its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedNotice {
    /// The notice itself.
    pub notice: Notice,
    /// The keyed hash of the address that it went to.
    pub address_key: [u8; 32],
}

record!(CodedNotice { address_key; notice });

/// By what a notice is looked up, and what that is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCode {
    /// The notice.
    pub notice: NoticeId,
    /// The instance key that its code is derived from; `None` is the store's first.
    pub key: Option<KeyId>,
    /// The keyed hash of the address that it went to; `None` if that is kept no more.
    pub address_key: Option<[u8; 32]>,
    /// The keyed hash of its code.
    pub lookup: [u8; 32],
}

record!(KeptCode { notice = "id", key = "key_id", address_key, lookup = "code_lookup" });

impl Tx {
    /// Writes a notice of a campaign that is to be sent, with a line for each account. The schema
    /// refuses a second one for the address, an account of another address, and one whose
    /// password was not taken out of use.
    pub fn add_notice<'c>(
        &'c mut self,
        campaign: CampaignId,
        address: u64,
        subjects: &'c [SubjectId],
        now: Timestamp,
    ) -> StoreFuture<'c, NoticeId> {
        Box::pin(async move {
            let query = self.0.run(&ADD).bind(Cell(campaign)).bind(Cell(address));
            let (Cell(id),) = query.bind(Cell(now)).one::<(Cell<NoticeId>,)>().await?;
            self.0
                .insert_all(&ADD_LINES, subjects.iter().copied(), |query, subject| {
                    let query = query.bind(Cell(id)).bind(Cell(campaign));
                    query.bind(Cell(address)).bind(Cell(subject))
                })
                .await?;
            Ok(id)
        })
    }

    /// The first notice that was begun, and that nobody could check by its code.
    pub fn notice_without_code(&mut self) -> StoreFuture<'_, Option<NoticeId>> {
        Box::pin(async move {
            let found = self.0.run(&CODELESS).optional::<(Cell<NoticeId>,)>().await?;
            Ok(found.map(|(Cell(id),)| id))
        })
    }

    /// Keeps what a notice is found by when somebody types its code, and which instance key the code
    /// is derived from.
    pub fn set_code_lookup(
        &mut self,
        id: NoticeId,
        lookup: [u8; 32],
        key: KeyId,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&SET_CODE).bind(Cell(lookup)).bind(Cell(key));
            Ok(query.bind(Cell(id)).exactly_one().await?)
        })
    }

    /// The keyed hash of the address that a notice goes to.
    pub fn notice_address_key(&mut self, id: NoticeId) -> StoreFuture<'_, [u8; 32]> {
        Box::pin(async move {
            let (Cell(key),) = self.0.run(&ADDRESS_KEY).bind(Cell(id)).one().await?;
            Ok(key)
        })
    }

    /// The notice that has waited longest; `None` if none is to be sent now.
    pub fn notice_to_send(&mut self, campaign: CampaignId) -> StoreFuture<'_, Option<Notice>> {
        Box::pin(async move { Ok(self.0.run(&TO_SEND).bind(Cell(campaign)).optional().await?) })
    }

    /// The notice by which a pause is best tried; `None` if none is to be sent now.
    pub fn notice_to_probe(&mut self, campaign: CampaignId) -> StoreFuture<'_, Option<Notice>> {
        Box::pin(async move { Ok(self.0.run(&TO_PROBE).bind(Cell(campaign)).optional().await?) })
    }

    /// Of each campaign that has somebody to tell: when the relay said no to whoever of them it has said
    /// so to longest ago; at 0 if there is somebody to whom it has not.
    pub fn longest_put_off(&mut self) -> StoreFuture<'_, BTreeMap<CampaignId, Timestamp>> {
        Box::pin(async move {
            let rows = self.0.run(&LONGEST_PUT_OFF);
            let rows = rows.all::<(Cell<CampaignId>, Cell<Timestamp>)>().await?.into_iter();
            Ok(rows.map(|(Cell(campaign), Cell(at))| (campaign, at)).collect())
        })
    }

    /// Lets others go before a notice that is due.
    pub fn put_notice_aside(&mut self, id: NoticeId, wait: Duration) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&PUT_ASIDE).bind(Cell(wait)).bind(Cell(id)).execute().await?;
            Ok(())
        })
    }

    /// Notices whose worker no longer says that it is alive.
    pub fn notices_left_in_flight(&mut self, campaign: CampaignId) -> StoreFuture<'_, Vec<Notice>> {
        Box::pin(async move { Ok(self.0.run(&LEFT_IN_FLIGHT).bind(Cell(campaign)).all().await?) })
    }

    /// A notice that nobody else can change until this transaction ends.
    pub fn hold_notice(&mut self, id: NoticeId) -> StoreFuture<'_, Notice> {
        Box::pin(async move { Ok(self.0.run(&HOLD).bind(Cell(id)).one().await?) })
    }

    /// What the relay answered to it last; `None` if it was never asked.
    pub fn notice_answer(&mut self, id: NoticeId) -> StoreFuture<'_, Option<String>> {
        Box::pin(async move {
            let (answer,) = self.0.run(&ANSWER).bind(Cell(id)).one().await?;
            Ok(answer)
        })
    }

    /// Says that an attempt begins. Commit it before the first byte is sent.
    ///
    /// # Errors
    /// What the database reports, also when the notice is not `pending`.
    pub fn begin_notice<'c>(
        &'c mut self,
        id: NoticeId,
        attempts: u32,
        owner: &'c WorkerName,
        lease: Duration,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&LEASE).bind(Cell(attempts)).bind(owner.to_string());
            Ok(query.bind(Cell(lease)).bind(Cell(id)).exactly_one().await?)
        })
    }

    /// Says that the worker of an attempt is alive; `false` if the notice is no longer its own.
    pub fn renew_notice<'c>(
        &'c mut self,
        id: NoticeId,
        attempts: u32,
        owner: &'c WorkerName,
        lease: Duration,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&RENEW).bind(Cell(lease)).bind(Cell(id));
            Ok(query.bind(owner.to_string()).bind(Cell(attempts)).execute().await? == 1)
        })
    }

    /// Keeps how an attempt ended. The schema refuses to make a final notice anything else, but
    /// for what was `uncertain` and turns out to be sent or refused.
    pub fn save_notice<'c>(
        &'c mut self,
        notice: &'c Notice,
        answer: Option<String>,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&SAVE).bind(Cell(notice.state)).bind(Cell(notice.attempts));
            let query =
                query.bind(Cell(notice.not_before)).bind(notice.state.is_final()).bind(answer);
            let query = query.bind(Cell(notice.put_offs)).bind(notice.put_off_at.map(Cell));
            Ok(query.bind(Cell(notice.id)).exactly_one().await?)
        })
    }

    /// The notice with a code of one of these look-ups: of what was typed, one for each instance key.
    pub fn notice_by_code<'c>(
        &'c mut self,
        lookups: &'c [[u8; 32]],
    ) -> StoreFuture<'c, Option<CodedNotice>> {
        Box::pin(async move { Ok(self.all_among(&BY_CODE, lookups).await?.into_iter().next()) })
    }

    /// So many notices that have a code, those that follow one.
    pub fn notice_codes_after(
        &mut self,
        after: NoticeId,
        count: u64,
    ) -> StoreFuture<'_, Vec<KeptCode>> {
        Box::pin(async move {
            Ok(self.0.run(&CODES_AFTER).bind(Cell(after)).bind(Cell(count)).all().await?)
        })
    }

    /// The notices that no campaign sends, behind one and up to another.
    pub fn requested_notices_among(
        &mut self,
        after: NoticeId,
        last: NoticeId,
    ) -> StoreFuture<'_, Vec<NoticeId>> {
        Box::pin(async move {
            let query = self.0.run(&REQUESTED_AMONG).bind(Cell(after)).bind(Cell(last));
            let rows = query.all::<(Cell<NoticeId>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(id),)| id).collect())
        })
    }

    /// Keeps that a recipient says of a notice that it is not right; `false` if that is known.
    pub fn dispute_notice(&mut self, id: NoticeId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.0.run(&DISPUTE).bind(Cell(id)).execute().await? == 1) })
    }

    /// The accounts that a notice speaks of.
    pub fn notice_lines(&mut self, id: NoticeId) -> StoreFuture<'_, Vec<SubjectId>> {
        Box::pin(async move {
            let rows = self.0.run(&LINES).bind(Cell(id)).all::<(Cell<SubjectId>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(subject),)| subject).collect())
        })
    }

    /// Of how many accounts notices of a campaign speak.
    pub fn notice_line_count(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&LINE_COUNT).bind(Cell(campaign))).await?) },
        )
    }

    /// How many notices of a campaign are in which state.
    pub fn notice_counts(
        &mut self,
        campaign: CampaignId,
    ) -> StoreFuture<'_, Vec<(NoticeState, u64)>> {
        Box::pin(async move {
            let query = self.0.run(&COUNTS).bind(Cell(campaign));
            let rows = query.all::<(Cell<NoticeState>, Cell<u64>)>().await?;
            Ok(rows.into_iter().map(|(Cell(state), Cell(count))| (state, count)).collect())
        })
    }
}
