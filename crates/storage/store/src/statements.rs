//! What the site has said in public of its campaigns.

use model::{CampaignId, Timestamp};

use crate::{StoreFuture, Tx, Versioned, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO statement (campaign, made_at, body) VALUES ($1, $2, $3)"];
    // The last word on each campaign, dated by the first.
    LATEST = ["SELECT statement.made_at, statement.body, first.made_at AS first_made_at
        FROM statement
        JOIN (SELECT campaign, MIN(id) AS first, MAX(id) AS last FROM statement GROUP BY campaign)
            AS said ON said.last = statement.id
        JOIN statement AS first ON first.id = said.first
        ORDER BY first.made_at DESC, said.first DESC"];
}

/// What is said in public of one campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// When it was said so.
    pub made_at: Timestamp,
    /// When something was said of the campaign for the first time.
    pub first_made_at: Timestamp,
    /// The counts, as JSON.
    pub body: Versioned,
}

record!(StatementRow { made_at, first_made_at, body });

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
