//! What is kept of the values that accounts of the site may hold, and what is put right when they
//! hold another one.

use model::{
    CampaignId, CredentialVersion, NoticeId, NoticeState, SkipReason, SubjectId, SwapId,
    TargetState,
};
use sql::{Record, Row, SqlError};

use crate::{
    StoreFuture, Swap, Tx,
    cell::{Cell, Field},
};

sql::queries! {
    SWAPS = ["SELECT swap.id, swap.subject, swap.purpose, swap.campaign, swap.round, swap.link,
            swap.expected, swap.made, swap.state, swap.attempt, swap.passed, swap.site,
            swap.transaction_id, target.state AS target, target.skip_reason, target.address,
            reset_line.version AS found
        FROM swap LEFT JOIN target ON target.campaign = swap.campaign
            AND target.subject = swap.subject
        LEFT JOIN reset_line ON reset_line.campaign = swap.campaign
            AND reset_line.subject = swap.subject
        WHERE swap.subject IN {list} ORDER BY swap.id"];
    MADE = ["SELECT made, subject, campaign FROM swap
        WHERE purpose <> 'reinstate' AND made IN {list}"];
    VERSIONS = ["SELECT subject, version, MAX(is_found) = 1 AS is_found FROM (
            SELECT subject, version, 1 AS is_found FROM finding
            WHERE state IN ('open', 'dismissed', 'reset') AND subject IN {list}
            UNION ALL SELECT subject, version, 0 FROM target WHERE subject IN {list}
        ) AS stored GROUP BY subject, version"];
    LATEST = ["SELECT campaign FROM target WHERE subject = $1 ORDER BY campaign DESC LIMIT 1"];
    FIND = ["UPDATE swap SET state = 'done', ended_at = " NOW "
        WHERE id = $1 AND state IN ('undone', 'overtaken')"];
    END_LINE = ["UPDATE reset_line SET recalled_at = " NOW "
        WHERE campaign = $1 AND subject = $2 AND recalled_at IS NULL"];
    REVIVE_LINE = ["UPDATE reset_line SET recalled_at = NULL
        WHERE campaign = $1 AND subject = $2"];
    OTHER_LINE = ["SELECT COUNT(*) FROM reset_line AS own JOIN reset_line AS other
            ON other.subject = own.subject AND other.version = own.version
                AND other.campaign <> own.campaign AND other.recalled_at IS NULL
        WHERE own.campaign = $1 AND own.subject = $2"];
    ADDRESS = ["SELECT campaign_address.address_key, campaign_address.done_at IS NOT NULL AS is_done,
            campaign_address.done_at IS NULL AND campaign_address.lease_until > " NOW " AS is_held,
            notice.id AS notice, notice.state AS notice_state
        FROM campaign_address LEFT JOIN notice ON notice.campaign = campaign_address.campaign
            AND notice.address = campaign_address.number
        WHERE campaign_address.campaign = $1 AND campaign_address.number = $2"];
    REOPEN = ["UPDATE campaign_address SET done_at = NULL, settled_at = NULL
        WHERE campaign = $1 AND number = $2 AND done_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.campaign = campaign_address.campaign
                AND notice.address = campaign_address.number)"];
    ADD_LINE = ["INSERT INTO notice_line (notice, campaign, address, subject)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"];
}

/// A replacement of an account's stored password, with how far its campaign is with the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSwap {
    /// The replacement.
    pub swap: Swap,
    /// The account in the campaign.
    pub target: Option<KnownTarget>,
    /// The password as it was found in the leak, where there is a line about its sealing.
    pub found: Option<CredentialVersion>,
}

/// An account in a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownTarget {
    /// How far it is.
    pub state: TargetState,
    /// Why it was left alone, if it was.
    pub skip_reason: Option<SkipReason>,
    /// The number of its address.
    pub address: u64,
}

impl Record for KnownSwap {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        let (state, address) = (Field::read(row, "target")?, Field::read(row, "address")?);
        let skip_reason = Field::read(row, "skip_reason")?;
        let target = Option::zip(state, address);
        Ok(Self {
            swap: Swap::decode(row)?,
            found: Field::read(row, "found")?,
            target: target.map(|(state, address)| KnownTarget { state, skip_reason, address }),
        })
    }
}

/// Whom a value of ours was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeValue {
    /// The value.
    pub made: CredentialVersion,
    /// For whom.
    pub subject: SubjectId,
    /// On behalf of which campaign, if of one.
    pub campaign: Option<CampaignId>,
}

record!(MadeValue { made, subject, campaign });

/// A password of an account, as it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredVersion {
    /// Whose.
    pub subject: SubjectId,
    /// Which.
    pub version: CredentialVersion,
    /// Whether it stands in a leak; if not, a campaign has only met it when it was frozen.
    pub is_found: bool,
}

record!(StoredVersion { subject, version, is_found });

/// How far an address of a campaign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressNow {
    /// The keyed hash of the address.
    pub key: [u8; 32],
    /// Whether every account is sealed or skipped.
    pub is_done: bool,
    /// Whether a worker is at it.
    pub is_held: bool,
    /// Its notice, if there is one.
    pub notice: Option<(NoticeId, NoticeState)>,
}

impl Record for AddressNow {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        let notice = Field::read(row, "notice")?;
        Ok(Self {
            key: Field::read(row, "address_key")?,
            is_done: Field::read(row, "is_done")?,
            is_held: Field::read(row, "is_held")?,
            notice: Option::zip(notice, Field::read(row, "notice_state")?),
        })
    }
}

impl Tx {
    /// Every replacement of some accounts' passwords, the earliest first.
    pub fn swaps_of<'c>(
        &'c mut self,
        subjects: &'c [SubjectId],
    ) -> StoreFuture<'c, Vec<KnownSwap>> {
        Box::pin(async move { Ok(self.all_among(&SWAPS, subjects).await?) })
    }

    /// Those of some values that were made by us, and for whom.
    pub fn made_among<'c>(
        &'c mut self,
        versions: &'c [CredentialVersion],
    ) -> StoreFuture<'c, Vec<MadeValue>> {
        Box::pin(async move { Ok(self.all_among(&MADE, versions).await?) })
    }

    /// The passwords of some accounts that findings and campaigns know, as they were stored.
    pub fn versions_of<'c>(
        &'c mut self,
        subjects: &'c [SubjectId],
    ) -> StoreFuture<'c, Vec<StoredVersion>> {
        Box::pin(async move { Ok(self.all_among(&VERSIONS, subjects).await?) })
    }

    /// The last campaign that an account is a target of.
    pub fn latest_campaign_of(
        &mut self,
        subject: SubjectId,
    ) -> StoreFuture<'_, Option<CampaignId>> {
        Box::pin(async move {
            let query = self.0.run(&LATEST).bind(Cell(subject));
            Ok(query.optional::<(Cell<CampaignId>,)>().await?.map(|(Cell(campaign),)| campaign))
        })
    }

    /// Says of a replacement that was given up that its value stands in the site's table after all;
    /// `false` if that is known.
    pub fn find_swap(&mut self, id: SwapId) -> StoreFuture<'_, bool> {
        Box::pin(async move { Ok(self.0.run(&FIND).bind(Cell(id)).execute().await? == 1) })
    }

    /// Says of a password that was taken out of use that it works again: another campaign may take
    /// it out of use. `false` if that is known.
    pub fn end_reset_line(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&END_LINE).bind(Cell(campaign)).bind(Cell(subject));
            Ok(query.execute().await? == 1)
        })
    }

    /// Says of a password that it is out of use after all; `false` if there is no line about it, or
    /// if another campaign has one.
    pub fn revive_reset_line(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&OTHER_LINE).bind(Cell(campaign)).bind(Cell(subject));
            if Self::count(query).await? > 0 {
                return Ok(false);
            }
            let query = self.0.run(&REVIVE_LINE).bind(Cell(campaign)).bind(Cell(subject));
            Ok(query.execute().await? == 1)
        })
    }

    /// How far an address of a campaign is.
    pub fn address_now(
        &mut self,
        campaign: CampaignId,
        number: u64,
    ) -> StoreFuture<'_, AddressNow> {
        Box::pin(async move {
            Ok(self.0.run(&ADDRESS).bind(Cell(campaign)).bind(Cell(number)).one().await?)
        })
    }

    /// Lets an address that was settled without a notice be taken up again; `false` if it has one.
    pub fn reopen_address(&mut self, campaign: CampaignId, number: u64) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&REOPEN).bind(Cell(campaign)).bind(Cell(number));
            Ok(query.execute().await? == 1)
        })
    }

    /// Has a notice that is not sent yet speak of one more account.
    pub fn add_notice_line(
        &mut self,
        notice: NoticeId,
        campaign: CampaignId,
        address: u64,
        subject: SubjectId,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&ADD_LINE).bind(Cell(notice)).bind(Cell(campaign));
            query.bind(Cell(address)).bind(Cell(subject)).execute().await?;
            Ok(())
        })
    }
}
