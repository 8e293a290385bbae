//! Who must not be left as they are: accounts that are sealed, or may be, while nobody there was
//! told for good.

use model::{CampaignId, NoticeState, SubjectId, TargetState, Timestamp};

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    // As for those in hand: the addresses come first, by their index. SQLite reads a CROSS JOIN
    // from left to right.
    STUCK = ["SELECT target.state, COUNT(*) AS accounts FROM campaign_address CROSS JOIN target
        WHERE campaign_address.campaign = $1
            AND (CASE WHEN settled_at IS NULL THEN taken_at END) > 0
            AND campaign_address.taken_at < $2
            AND target.campaign = campaign_address.campaign
            AND target.address = campaign_address.number
            AND target.state IN ('sealing', 'sealed', 'reset')
        GROUP BY target.state"];
    LIST = ["SELECT target.subject, target.state, (SELECT notice.state FROM notice
                WHERE notice.campaign = target.campaign AND notice.address = target.address)
                AS notice
        FROM campaign_address CROSS JOIN target
        WHERE campaign_address.campaign = $1
            AND (CASE WHEN settled_at IS NULL THEN taken_at END) > 0
            AND target.campaign = campaign_address.campaign
            AND target.address = campaign_address.number
            AND target.state IN ('sealing', 'sealed', 'reset')
        ORDER BY campaign_address.number, target.subject LIMIT $2"];
    UNREACHED = ["SELECT target.subject, target.state, notice.state AS notice
        FROM notice JOIN target ON target.campaign = notice.campaign
            AND target.address = notice.address
        WHERE notice.campaign = $1 AND (target.state = 'sealed' AND notice.state = 'refused'
            OR target.state IN ('sealed', 'reset') AND notice.state = 'uncertain')
        UNION ALL
        SELECT target.subject, target.state, NULL FROM target
        WHERE target.campaign = $1 AND (target.state = 'overtaken'
            OR target.skip_reason = 'unrecorded'
            OR target.state = 'put_back' AND NOT EXISTS (SELECT 1 FROM swap
                WHERE swap.subject = target.subject AND swap.campaign = target.campaign
                    AND swap.state = 'done'))
        ORDER BY subject LIMIT $2"];
    EARLIER = ["SELECT COUNT(*) FROM (SELECT 1 AS one FROM campaign_address CROSS JOIN target
        WHERE campaign_address.campaign = $1
            AND (CASE WHEN settled_at IS NULL THEN taken_at END) > 0
            AND campaign_address.taken_at < $2
            AND target.campaign = campaign_address.campaign
            AND target.address = campaign_address.number
            AND target.state <> 'pending'
            AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.campaign = target.campaign
                AND notice.address = target.address AND notice.state = 'pending'
                AND notice.put_off_at IS NOT NULL)
        LIMIT 1) AS earlier"];
}

/// An account of which it is not settled that its owner knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledAccount {
    /// Which account.
    pub subject: SubjectId,
    /// How far it is with it.
    pub state: TargetState,
    /// How far the notice to its address is; `None` until all accounts there are settled.
    pub notice: Option<NoticeState>,
}

record!(UnsettledAccount { subject, state, notice });

impl Tx {
    /// How many accounts of a campaign are being sealed, or were sealed, while no notice to their address is
    /// final, of addresses that were begun before this moment.
    pub fn stuck_counts(
        &mut self,
        campaign: CampaignId,
        before: Timestamp,
    ) -> StoreFuture<'_, Vec<(TargetState, u64)>> {
        Box::pin(async move {
            let query = self.0.run(&STUCK).bind(Cell(campaign)).bind(Cell(before));
            let rows = query.all::<(Cell<TargetState>, Cell<u64>)>().await?;
            Ok(rows.into_iter().map(|(Cell(state), Cell(count))| (state, count)).collect())
        })
    }

    /// The first of these accounts, in the campaign's order.
    pub fn unsettled_accounts(
        &mut self,
        campaign: CampaignId,
        limit: u64,
    ) -> StoreFuture<'_, Vec<UnsettledAccount>> {
        Box::pin(async move {
            Ok(self.0.run(&LIST).bind(Cell(campaign)).bind(Cell(limit)).all().await?)
        })
    }

    /// The first accounts whose owners the campaign could not reach (`refused`), or of which nobody can
    /// tell whether they were told, or sealed at all, by subject. Of those who were not reached, who
    /// has chosen another password since is not among them.
    pub fn unreached_accounts(
        &mut self,
        campaign: CampaignId,
        limit: u64,
    ) -> StoreFuture<'_, Vec<UnsettledAccount>> {
        Box::pin(async move {
            Ok(self.0.run(&UNREACHED).bind(Cell(campaign)).bind(Cell(limit)).all().await?)
        })
    }

    /// Whether an address that was begun before this moment waits to be sealed or told, and the relay
    /// has not put it off.
    pub fn is_earlier_unsettled(
        &mut self,
        campaign: CampaignId,
        before: Timestamp,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&EARLIER).bind(Cell(campaign)).bind(Cell(before));
            Ok(Self::count(query).await? > 0)
        })
    }
}
