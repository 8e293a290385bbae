//! Notices: one row a mail, committed as `inflight` before its first byte is sent.

use std::time::Duration;

use model::{
    AccountId, CampaignId, LeakDate, LeakName, NoticeId, NoticeKind, NoticeState, Provenance, Tier,
    Timestamp,
};

use crate::{StoreError, Tx, WorkerName, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO notice (campaign, address, kind, state, attempts, not_before, made_at)
        VALUES ($1, $2, 'reset_required', 'pending', 0, $3, $3) RETURNING id"];
    SET_CODE = ["UPDATE notice SET code_lookup = $1 WHERE id = $2"];
    ADD_LINES = ["INSERT INTO notice_line (notice, campaign, address, account) VALUES {rows}"];
    TO_SEND = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at
        FROM notice
        WHERE campaign = $1 AND state = 'pending' AND not_before <= " NOW "
        ORDER BY not_before, id LIMIT 1"];
    LEFT_IN_FLIGHT = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at
        FROM notice WHERE campaign = $1 AND state = 'inflight' AND lease_until <= " NOW "
        ORDER BY id"];
    HOLD = ["SELECT id, campaign, address, kind, state, attempts, not_before, made_at FROM notice
        WHERE id = $1" FOR_UPDATE];
    SAVE = ["UPDATE notice SET state = $1, attempts = $2, not_before = $3,
            ended_at = CASE WHEN $4 THEN COALESCE(ended_at, " NOW ") END,
            answer = COALESCE($5, answer)
        WHERE id = $6"];
    LEASE = ["UPDATE notice SET state = 'inflight', attempts = $1, lease_owner = $2,
            lease_until = " NOW " + $3
        WHERE id = $4 AND state = 'pending'"];
    RENEW = ["UPDATE notice SET lease_until = " NOW " + $1
        WHERE id = $2 AND lease_owner = $3 AND attempts = $4 AND state = 'inflight'"];
    BY_CODE = ["SELECT notice.id, notice.campaign, notice.address, notice.kind, notice.state,
            notice.attempts, notice.not_before, notice.made_at, notice.ended_at,
            requested_notice.language,
            COALESCE(campaign_address.address_key, requested_notice.address_key) AS address_key
        FROM notice
        LEFT JOIN campaign_address ON campaign_address.campaign = notice.campaign
            AND campaign_address.number = notice.address
        LEFT JOIN requested_notice ON requested_notice.notice = notice.id
        WHERE notice.code_lookup = $1"];
    DISPUTE = ["UPDATE notice SET disputed_at = " NOW " WHERE id = $1 AND disputed_at IS NULL"];
    LINES = ["SELECT account FROM notice_line WHERE notice = $1 ORDER BY account"];
    // A leak is named once, by the finding that came first.
    EXPOSURES = ["SELECT finding.tier, finding.verified_at, leak.name, leak.date, leak.provenance
        FROM finding JOIN leak ON leak.id = finding.leak
        WHERE finding.id IN (SELECT MIN(finding.id) FROM notice_line
            JOIN reset_evidence ON reset_evidence.campaign = notice_line.campaign
                AND reset_evidence.account = notice_line.account
            JOIN finding ON finding.id = reset_evidence.finding
            WHERE notice_line.notice = $1 GROUP BY finding.leak)
        ORDER BY finding.id"];
    EXPOSURES_OF_RESET = ["SELECT finding.tier, finding.verified_at, leak.name, leak.date,
            leak.provenance
        FROM finding JOIN leak ON leak.id = finding.leak
        WHERE finding.id IN (SELECT MIN(finding.id) FROM reset_evidence
            JOIN finding ON finding.id = reset_evidence.finding
            WHERE reset_evidence.campaign = $1 AND reset_evidence.account = $2
            GROUP BY finding.leak)
        ORDER BY finding.id"];
    RECOUNT = ["SELECT state, COUNT(*) AS notices FROM notice WHERE campaign = $1
        GROUP BY state ORDER BY state"];
    COUNTS = ["SELECT state, notices FROM notice_tally WHERE campaign = $1 AND notices > 0
        ORDER BY state"];
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

#[derive(sqlx::FromRow)]
pub(crate) struct NoticeRow {
    #[sqlx(try_from = "Cell<NoticeId>")]
    id: NoticeId,
    campaign: Option<Cell<CampaignId>>,
    address: Option<Cell<u64>>,
    #[sqlx(try_from = "Cell<NoticeKind>")]
    kind: NoticeKind,
    #[sqlx(try_from = "Cell<NoticeState>")]
    state: NoticeState,
    #[sqlx(try_from = "Cell<u32>")]
    attempts: u32,
    #[sqlx(try_from = "Cell<Timestamp>")]
    not_before: Timestamp,
    #[sqlx(try_from = "Cell<Timestamp>")]
    made_at: Timestamp,
}

impl From<NoticeRow> for Notice {
    fn from(row: NoticeRow) -> Self {
        let NoticeRow { id, campaign, address, kind, state, attempts, not_before, made_at } = row;
        let errand = match (campaign, address) {
            (Some(Cell(campaign)), Some(Cell(address))) => Errand::Campaign { campaign, address },
            _ => Errand::Request,
        };
        Self { id, errand, kind, state, attempts, not_before, made_at }
    }
}

/// What is told of a notice to whoever holds its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedNotice {
    /// The notice itself.
    pub notice: Notice,
    /// When the mail server had the last word on it.
    pub ended_at: Option<Timestamp>,
    /// The language that it was written in; `None` where its accounts' locales decide.
    pub language: Option<String>,
    /// The keyed hash of the address that it went to.
    pub address_key: [u8; 32],
}

#[derive(sqlx::FromRow)]
struct CodedRow {
    #[sqlx(flatten)]
    notice: NoticeRow,
    ended_at: Option<Cell<Timestamp>>,
    language: Option<String>,
    #[sqlx(try_from = "Cell<[u8; 32]>")]
    address_key: [u8; 32],
}

impl From<CodedRow> for CodedNotice {
    fn from(row: CodedRow) -> Self {
        let CodedRow { notice, ended_at, language, address_key } = row;
        let ended_at = ended_at.map(Timestamp::from);
        Self { notice: notice.into(), ended_at, language, address_key }
    }
}

/// Why a notice is sent: where a password of its accounts was found.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NoticeExposure {
    /// What led from the record to the account.
    #[sqlx(try_from = "Cell<Tier>")]
    pub tier: Tier,
    /// When it was found.
    #[sqlx(try_from = "Cell<Timestamp>")]
    pub verified_at: Timestamp,
    /// What the leak is called.
    #[sqlx(try_from = "Cell<LeakName>")]
    pub name: LeakName,
    /// When it happened.
    #[sqlx(try_from = "Cell<LeakDate>")]
    pub date: LeakDate,
    /// How sure the site is of it.
    #[sqlx(try_from = "Cell<Provenance>")]
    pub provenance: Provenance,
}

impl Tx {
    /// Writes a notice of a campaign that is to be sent, with a line for each account. The schema
    /// refuses a second one for the address, an account of another address, and one whose
    /// password was not taken out of use.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_notice(
        &mut self,
        campaign: CampaignId,
        address: u64,
        accounts: &[AccountId],
        now: Timestamp,
    ) -> Result<NoticeId, StoreError> {
        let query = self.0.run(&ADD).bind(Cell(campaign)).bind(Cell(address));
        let (Cell(id),) = query.bind(Cell(now)).one::<(Cell<NoticeId>,)>().await?;
        self.0
            .insert_all(&ADD_LINES, accounts.iter().cloned(), |query, account| {
                let query = query.bind(Cell(id)).bind(Cell(campaign));
                query.bind(Cell(address)).bind(Cell(account))
            })
            .await?;
        Ok(id)
    }

    /// Keeps what a notice is found by when somebody types its code.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn set_code_lookup(
        &mut self,
        id: NoticeId,
        lookup: [u8; 32],
    ) -> Result<(), StoreError> {
        Ok(self.0.run(&SET_CODE).bind(Cell(lookup)).bind(Cell(id)).exactly_one().await?)
    }

    /// The notice that has waited longest; `None` if none is to be sent now.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn notice_to_send(
        &mut self,
        campaign: CampaignId,
    ) -> Result<Option<Notice>, StoreError> {
        let row = self.0.run(&TO_SEND).bind(Cell(campaign)).optional::<NoticeRow>().await?;
        Ok(row.map(Notice::from))
    }

    /// Notices whose worker no longer says that it is alive.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn notices_left_in_flight(
        &mut self,
        campaign: CampaignId,
    ) -> Result<Vec<Notice>, StoreError> {
        let rows = self.0.run(&LEFT_IN_FLIGHT).bind(Cell(campaign)).all::<NoticeRow>().await?;
        Ok(rows.into_iter().map(Notice::from).collect())
    }

    /// A notice that nobody else can change until this transaction ends.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn hold_notice(&mut self, id: NoticeId) -> Result<Notice, StoreError> {
        Ok(self.0.run(&HOLD).bind(Cell(id)).one::<NoticeRow>().await?.into())
    }

    /// Says that an attempt begins. Commit it before the first byte is sent.
    ///
    /// # Errors
    /// What the database reports, also when the notice is not `pending`.
    pub async fn begin_notice(
        &mut self,
        id: NoticeId,
        attempts: u32,
        owner: &WorkerName,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let query = self.0.run(&LEASE).bind(Cell(attempts)).bind(owner.to_string());
        Ok(query.bind(Cell(lease)).bind(Cell(id)).exactly_one().await?)
    }

    /// Says that the worker of an attempt is alive; `false` if the notice is no longer its own.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn renew_notice(
        &mut self,
        id: NoticeId,
        attempts: u32,
        owner: &WorkerName,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let query = self.0.run(&RENEW).bind(Cell(lease)).bind(Cell(id));
        Ok(query.bind(owner.to_string()).bind(Cell(attempts)).execute().await? == 1)
    }

    /// Keeps how an attempt ended. The schema refuses to make a final notice anything else, but
    /// for what was `uncertain` and turns out to be sent or refused.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn save_notice(
        &mut self,
        notice: &Notice,
        answer: Option<String>,
    ) -> Result<(), StoreError> {
        let query = self.0.run(&SAVE).bind(Cell(notice.state)).bind(Cell(notice.attempts));
        let query = query.bind(Cell(notice.not_before)).bind(notice.state.is_final()).bind(answer);
        Ok(query.bind(Cell(notice.id)).exactly_one().await?)
    }

    /// The notice with a code of this look-up.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn notice_by_code(
        &mut self,
        lookup: [u8; 32],
    ) -> Result<Option<CodedNotice>, StoreError> {
        let row = self.0.run(&BY_CODE).bind(Cell(lookup)).optional::<CodedRow>().await?;
        Ok(row.map(CodedNotice::from))
    }

    /// Keeps that a recipient says of a notice that it is not right; `false` if that is known.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn dispute_notice(&mut self, id: NoticeId) -> Result<bool, StoreError> {
        Ok(self.0.run(&DISPUTE).bind(Cell(id)).execute().await? == 1)
    }

    /// The accounts that a notice speaks of.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn notice_lines(&mut self, id: NoticeId) -> Result<Vec<AccountId>, StoreError> {
        let rows = self.0.run(&LINES).bind(Cell(id)).all::<(Cell<AccountId>,)>().await?;
        Ok(rows.into_iter().map(|(Cell(account),)| account).collect())
    }

    /// Where the passwords that a notice speaks of were found: each leak once.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn notice_exposures(
        &mut self,
        id: NoticeId,
    ) -> Result<Vec<NoticeExposure>, StoreError> {
        Ok(self.0.run(&EXPOSURES).bind(Cell(id)).all().await?)
    }

    /// Where the password that a campaign took out of use was found: each leak once.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn reset_exposures(
        &mut self,
        campaign: CampaignId,
        account: &AccountId,
    ) -> Result<Vec<NoticeExposure>, StoreError> {
        let query = self.0.run(&EXPOSURES_OF_RESET).bind(Cell(campaign));
        Ok(query.bind(Cell(account.clone())).all().await?)
    }

    /// How many notices of a campaign are in which state, as it is kept.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn notice_counts(
        &mut self,
        campaign: CampaignId,
    ) -> Result<Vec<(NoticeState, u64)>, StoreError> {
        self.counts(&COUNTS, campaign).await
    }

    /// How many notices of a campaign are in which state, row by row: for what is published.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn recount_notices(
        &mut self,
        campaign: CampaignId,
    ) -> Result<Vec<(NoticeState, u64)>, StoreError> {
        self.counts(&RECOUNT, campaign).await
    }

    async fn counts(
        &mut self,
        statement: &sql::Statement,
        campaign: CampaignId,
    ) -> Result<Vec<(NoticeState, u64)>, StoreError> {
        let query = self.0.run(statement).bind(Cell(campaign));
        let rows = query.all::<(Cell<NoticeState>, Cell<u64>)>().await?;
        Ok(rows.into_iter().map(|(Cell(state), Cell(count))| (state, count)).collect())
    }
}
