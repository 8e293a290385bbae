//! Campaigns, what was signed for them, and the one row that stops them all.

use model::{CampaignId, CampaignState, KillSwitch, LeakId, Timestamp};

use crate::{StoreFuture, Tx, Versioned, cell::Cell, error::not_taken, only_row::one_row};

sql::queries! {
    ADD = ["INSERT INTO campaign (name, author, policy, created_at, state, machine)
        VALUES ($1, $2, $3, $4, 'draft', $5) RETURNING id"];
    ADD_LEAKS = ["INSERT INTO campaign_leak (campaign, leak) VALUES {rows}"];
    LEAKS = ["SELECT leak FROM campaign_leak WHERE campaign = $1 ORDER BY leak"];
    BY_NAME = ["SELECT id, name, author, policy, created_at, state, machine, destroy_secrets_at
        FROM campaign WHERE name = $1"];
    BY_ID = ["SELECT id, name, author, policy, created_at, state, machine, destroy_secrets_at
        FROM campaign WHERE id = $1"];
    HOLD = ["SELECT id, name, author, policy, created_at, state, machine, destroy_secrets_at
        FROM campaign WHERE id = $1" FOR_UPDATE];
    SHARE = ["SELECT id, name, author, policy, created_at, state, machine, destroy_secrets_at
        FROM campaign WHERE id = $1" FOR_SHARE];
    SET_POLICY = ["UPDATE campaign SET policy = $1 WHERE id = $2"];
    SET_AUTHOR = ["UPDATE campaign SET author = $1 WHERE id = $2"];
    LIST = ["SELECT id, name, author, policy, created_at, state, machine, destroy_secrets_at
        FROM campaign ORDER BY id"];
    NAMES_IN_STATES = ["SELECT id, name FROM campaign WHERE state IN {list} ORDER BY id"];
    IN_STATES = ["SELECT id, name, author, policy, created_at, state, machine, destroy_secrets_at
        FROM campaign WHERE state IN {list} ORDER BY id"];
    TO_DESTROY = ["SELECT id FROM campaign WHERE destroy_secrets_at <= $1 ORDER BY id"];
    SAVE = ["UPDATE campaign SET state = $1, machine = $2 WHERE id = $3"];
    DESTROY_AT = ["UPDATE campaign SET destroy_secrets_at = $1 WHERE id = $2"];
    ADD_PLAN = ["INSERT INTO plan (campaign, round, body) VALUES ($1, $2, $3)"];
    PLAN = ["SELECT body FROM plan WHERE campaign = $1 ORDER BY round DESC LIMIT 1"];
    ADD_APPROVAL = ["INSERT INTO approval (campaign, round, operator, body)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"];
    APPROVALS = ["SELECT body FROM approval WHERE campaign = $1 AND round = $2 ORDER BY operator"];
    IDS = ["SELECT id FROM campaign"];
    KILL_SWITCH = ["SELECT position, since FROM kill_switch" FOR_SHARE];
    SET_KILL_SWITCH = ["UPDATE kill_switch SET position = $1, since = $2"];
}

/// A campaign that is being put together.
#[derive(Debug, Clone)]
pub struct NewCampaign {
    /// What operators call it.
    pub name: String,
    /// Who is answerable for it.
    pub author: String,
    /// How it is to be gone about, as its author wrote it.
    pub policy: Vec<u8>,
    /// Now.
    pub created_at: Timestamp,
    /// The leaks whose findings it is about; at least one.
    pub leaks: Vec<LeakId>,
}

/// A campaign as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// Its key.
    pub id: CampaignId,
    /// What operators call it.
    pub name: String,
    /// Who is answerable for it.
    pub author: String,
    /// How it is to be gone about.
    pub policy: Versioned,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Where it stands, in one word.
    pub state: CampaignState,
    /// Where it stands, as the decision machine wrote it.
    pub machine: Versioned,
    /// When its findings' secrets are to be destroyed.
    destroy_secrets_at: Option<Timestamp>,
}

record!(CampaignRow { id, name, author, policy, created_at, state, machine, destroy_secrets_at });

impl CampaignRow {
    /// When its findings' secrets are to be destroyed; `None` before it is done, and afterwards.
    #[must_use]
    pub fn destroy_secrets_at(&self) -> Option<Timestamp> {
        self.destroy_secrets_at
    }
}

impl Tx {
    /// Begins a campaign. Its machine is still empty: save it in the same transaction.
    ///
    /// # Errors
    /// What the database reports: a name is taken once.
    pub fn add_campaign(&mut self, new: NewCampaign) -> StoreFuture<'_, CampaignId> {
        Box::pin(async move {
            let query = self
                .0
                .run(&ADD)
                .bind(new.name)
                .bind(new.author)
                .bind(Cell(Versioned::new(new.policy)));
            let query = query.bind(Cell(new.created_at)).bind(Cell(Versioned::new(Vec::new())));
            let (Cell(id),) = query.one::<(Cell<CampaignId>,)>().await?;
            self.0
                .insert_all(&ADD_LEAKS, new.leaks, |query, leak| {
                    query.bind(Cell(id)).bind(Cell(leak))
                })
                .await?;
            Ok(id)
        })
    }

    /// Has a campaign go about it in another way, from the plan that is frozen next.
    pub fn set_campaign_policy(&mut self, id: CampaignId, policy: Vec<u8>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&SET_POLICY).bind(Cell(Versioned::new(policy)));
            query.bind(Cell(id)).execute().await?;
            Ok(())
        })
    }

    /// Has somebody else be answerable for a campaign, from the plan that is frozen next.
    pub fn set_campaign_author<'c>(
        &'c mut self,
        id: CampaignId,
        author: &'c str,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&SET_AUTHOR).bind(author.to_owned());
            query.bind(Cell(id)).execute().await?;
            Ok(())
        })
    }

    /// The leaks whose findings a campaign is about.
    pub fn campaign_leaks(&mut self, campaign: CampaignId) -> StoreFuture<'_, Vec<LeakId>> {
        Box::pin(async move {
            let rows = self.0.run(&LEAKS).bind(Cell(campaign)).all::<(Cell<LeakId>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(leak),)| leak).collect())
        })
    }

    /// A campaign by its name.
    pub fn campaign<'c>(&'c mut self, name: &'c str) -> StoreFuture<'c, Option<CampaignRow>> {
        Box::pin(async move { Ok(self.0.run(&BY_NAME).bind(name.to_owned()).optional().await?) })
    }

    /// A campaign by its key, as it is now.
    pub fn campaign_by_id(&mut self, id: CampaignId) -> StoreFuture<'_, CampaignRow> {
        Box::pin(async move { Ok(self.0.run(&BY_ID).bind(Cell(id)).one().await?) })
    }

    /// A campaign that nobody else can read for a step or a claim until this transaction ends.
    pub fn hold_campaign(&mut self, id: CampaignId) -> StoreFuture<'_, CampaignRow> {
        Box::pin(async move { Ok(self.0.run(&HOLD).bind(Cell(id)).one().await?) })
    }

    /// A campaign that nobody can move until this transaction ends; others may ask for the same.
    pub fn share_campaign(&mut self, id: CampaignId) -> StoreFuture<'_, CampaignRow> {
        Box::pin(async move { Ok(self.0.run(&SHARE).bind(Cell(id)).one().await?) })
    }

    /// All campaigns, the oldest first.
    pub fn campaigns(&mut self) -> StoreFuture<'_, Vec<CampaignRow>> {
        Box::pin(async move { Ok(self.0.run(&LIST).all().await?) })
    }

    /// The keys of all campaigns.
    pub fn campaign_ids(&mut self) -> StoreFuture<'_, Vec<CampaignId>> {
        Box::pin(async move {
            let ids = self.0.run(&IDS).all::<(Cell<CampaignId>,)>().await?;
            Ok(ids.into_iter().map(|(Cell(id),)| id).collect())
        })
    }

    /// Which campaigns are in one of these states, each with its name, the oldest first. What is wrong
    /// with the rest of one's row hides no other one.
    pub fn campaign_names_in<'c>(
        &'c mut self,
        states: &'c [CampaignState],
    ) -> StoreFuture<'c, Vec<(CampaignId, String)>> {
        Box::pin(async move {
            type Named = (Cell<CampaignId>, String);
            let named = self.all_among::<_, Named>(&NAMES_IN_STATES, states).await?;
            Ok(named.into_iter().map(|(Cell(id), name)| (id, name)).collect())
        })
    }

    /// The campaigns in one of these states, the oldest first. No state is no campaign.
    pub fn campaigns_in<'c>(
        &'c mut self,
        states: &'c [CampaignState],
    ) -> StoreFuture<'c, Vec<CampaignRow>> {
        Box::pin(async move { Ok(self.all_among(&IN_STATES, states).await?) })
    }

    /// The campaigns whose findings' secrets are to be destroyed by now, the oldest first.
    pub fn campaigns_to_destroy(&mut self, now: Timestamp) -> StoreFuture<'_, Vec<CampaignId>> {
        Box::pin(async move {
            let query = self.0.run(&TO_DESTROY).bind(Cell(now));
            let rows = query.all::<(Cell<CampaignId>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(id),)| id).collect())
        })
    }

    /// Keeps the state that a step has led to.
    pub fn save_campaign(
        &mut self,
        id: CampaignId,
        state: CampaignState,
        machine: Vec<u8>,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&SAVE).bind(Cell(state)).bind(Cell(Versioned::new(machine)));
            query.bind(Cell(id)).exactly_one().await.map_err(not_taken)
        })
    }

    /// Says when the secrets of a campaign's findings are to be destroyed; `None` once they are.
    pub fn set_destroy_secrets_at(
        &mut self,
        id: CampaignId,
        at: Option<Timestamp>,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let at = at.map(Cell);
            Ok(self.0.run(&DESTROY_AT).bind(at).bind(Cell(id)).exactly_one().await?)
        })
    }

    /// Keeps a frozen plan, for ever. The schema refuses a second one of the same round.
    pub fn add_plan(
        &mut self,
        campaign: CampaignId,
        round: u32,
        body: Vec<u8>,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self
                .0
                .run(&ADD_PLAN)
                .bind(Cell(campaign))
                .bind(Cell(round))
                .bind(Cell(Versioned::new(body)));
            Ok(query.exactly_one().await?)
        })
    }

    /// The plan of a campaign's latest round.
    pub fn plan(&mut self, campaign: CampaignId) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let row =
                self.0.run(&PLAN).bind(Cell(campaign)).optional::<(Cell<Versioned>,)>().await?;
            Ok(row.map(|(Cell(body),)| body.into_bytes()))
        })
    }

    /// Keeps an operator's approval, for ever; `false` if this operator has given one already.
    pub fn add_approval<'c>(
        &'c mut self,
        campaign: CampaignId,
        round: u32,
        operator: &'c str,
        body: Vec<u8>,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&ADD_APPROVAL).bind(Cell(campaign)).bind(Cell(round));
            Ok(query.bind(operator.to_owned()).bind(Cell(Versioned::new(body))).execute().await?
                == 1)
        })
    }

    /// The approvals of one round.
    pub fn approvals(&mut self, campaign: CampaignId, round: u32) -> StoreFuture<'_, Vec<Vec<u8>>> {
        Box::pin(async move {
            let query = self.0.run(&APPROVALS).bind(Cell(campaign)).bind(Cell(round));
            let rows = query.all::<(Cell<Versioned>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(body),)| body.into_bytes()).collect())
        })
    }

    /// Whether anything may begin, and since when it is so. Nobody can change it until this
    /// transaction, which must be one that writes, ends.
    ///
    /// # Errors
    /// [`StoreError::NotOneRow`](crate::StoreError::NotOneRow) if that cannot be told.
    pub fn kill_switch(&mut self) -> StoreFuture<'_, (KillSwitch, Timestamp)> {
        Box::pin(async move {
            let query = self.0.run(&KILL_SWITCH);
            let (Cell(position), Cell(since)) = one_row(query, "kill_switch").await?;
            Ok((position, since))
        })
    }

    /// Pulls or releases the kill switch. Pulled again, it is pulled since now: plans frozen in
    /// between do not count either.
    pub fn set_kill_switch(&mut self, position: KillSwitch, now: Timestamp) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&SET_KILL_SWITCH).bind(Cell(position)).bind(Cell(now));
            query.exactly_one().await.map_err(not_taken)
        })
    }
}
