//! What the site has said in public of its campaigns.

use model::{CampaignId, Timestamp};

use crate::{StoreFuture, Tx, Versioned, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO statement (campaign, made_at, body) VALUES ($1, $2, $3)"];
    LATEST = ["SELECT campaign, body FROM statement
        WHERE id IN (SELECT MAX(id) FROM statement GROUP BY campaign)"];
}

/// What was last said in public of one campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// Which one.
    pub campaign: CampaignId,
    /// The counts, as JSON.
    pub body: Versioned,
}

record!(StatementRow { campaign, body });

impl Tx {
    /// Says something of a campaign in public, in place of what was said before.
    pub fn add_statement(
        &mut self,
        campaign: CampaignId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self
                .0
                .run(&ADD)
                .bind(Cell(campaign))
                .bind(Cell(now))
                .bind(Cell(Versioned::new(body)));
            Ok(query.exactly_one().await?)
        })
    }

    /// The last word on each campaign, the newest campaign first.
    pub fn statements(&mut self) -> StoreFuture<'_, Vec<StatementRow>> {
        Box::pin(async move { Ok(self.0.run(&LATEST).all().await?) })
    }
}
