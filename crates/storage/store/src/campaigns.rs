//! Campaigns, what was signed for them, and the one row that stops them all.

use model::{CampaignId, KillSwitch, LeakId, Timestamp};

use crate::{StoreError, Tx, cell::Cell};

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
    LIST = ["SELECT id, name, author, policy, created_at, state, machine, destroy_secrets_at
        FROM campaign ORDER BY id"];
    SAVE = ["UPDATE campaign SET state = $1, machine = $2 WHERE id = $3"];
    DESTROY_AT = ["UPDATE campaign SET destroy_secrets_at = $1 WHERE id = $2"];
    ADD_PLAN = ["INSERT INTO plan (campaign, round, body) VALUES ($1, $2, $3)"];
    PLAN = ["SELECT body FROM plan WHERE campaign = $1 ORDER BY round DESC LIMIT 1"];
    ADD_APPROVAL = ["INSERT INTO approval (campaign, round, operator, body)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"];
    APPROVALS = ["SELECT body FROM approval WHERE campaign = $1 AND round = $2 ORDER BY operator"];
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
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CampaignRow {
    /// Its key.
    #[sqlx(try_from = "Cell<CampaignId>")]
    pub id: CampaignId,
    /// What operators call it.
    pub name: String,
    /// Who is answerable for it.
    pub author: String,
    /// How it is to be gone about.
    pub policy: Vec<u8>,
    /// When it was begun.
    #[sqlx(try_from = "Cell<Timestamp>")]
    pub created_at: Timestamp,
    /// Where it stands, in one word.
    pub state: String,
    /// Where it stands, as the decision machine wrote it.
    pub machine: Vec<u8>,
    /// When its findings' secrets are to be destroyed.
    destroy_secrets_at: Option<i64>,
}

impl CampaignRow {
    /// When its findings' secrets are to be destroyed; `None` before it is done, and afterwards.
    #[must_use]
    pub fn destroy_secrets_at(&self) -> Option<Timestamp> {
        self.destroy_secrets_at.map(Timestamp::from_micros)
    }
}

impl Tx {
    /// Begins a campaign. Its machine is still empty: save it in the same transaction.
    ///
    /// # Errors
    /// What the database reports: a name is taken once.
    pub async fn add_campaign(&mut self, new: NewCampaign) -> Result<CampaignId, StoreError> {
        let query = self.0.run(&ADD).bind(new.name).bind(new.author).bind(new.policy);
        let query = query.bind(Cell(new.created_at)).bind(Vec::<u8>::new());
        let (Cell(id),) = query.one::<(Cell<CampaignId>,)>().await?;
        self.0
            .insert_all(&ADD_LEAKS, new.leaks, |query, leak| query.bind(Cell(id)).bind(Cell(leak)))
            .await?;
        Ok(id)
    }

    /// The leaks whose findings a campaign is about.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn campaign_leaks(
        &mut self,
        campaign: CampaignId,
    ) -> Result<Vec<LeakId>, StoreError> {
        let rows = self.0.run(&LEAKS).bind(Cell(campaign)).all::<(Cell<LeakId>,)>().await?;
        Ok(rows.into_iter().map(|(Cell(leak),)| leak).collect())
    }

    /// A campaign by its name.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn campaign(&mut self, name: &str) -> Result<Option<CampaignRow>, StoreError> {
        Ok(self.0.run(&BY_NAME).bind(name.to_owned()).optional().await?)
    }

    /// A campaign by its key, as it is now.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn campaign_by_id(&mut self, id: CampaignId) -> Result<CampaignRow, StoreError> {
        Ok(self.0.run(&BY_ID).bind(Cell(id)).one().await?)
    }

    /// A campaign that nobody else can read for a step or a claim until this transaction ends.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn hold_campaign(&mut self, id: CampaignId) -> Result<CampaignRow, StoreError> {
        Ok(self.0.run(&HOLD).bind(Cell(id)).one().await?)
    }

    /// All campaigns, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn campaigns(&mut self) -> Result<Vec<CampaignRow>, StoreError> {
        Ok(self.0.run(&LIST).all().await?)
    }

    /// Keeps the state that a step has led to.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn save_campaign(
        &mut self,
        id: CampaignId,
        state: &str,
        machine: Vec<u8>,
    ) -> Result<(), StoreError> {
        let query = self.0.run(&SAVE).bind(state.to_owned()).bind(machine);
        Ok(query.bind(Cell(id)).exactly_one().await?)
    }

    /// Says when the secrets of a campaign's findings are to be destroyed; `None` once they are.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn set_destroy_secrets_at(
        &mut self,
        id: CampaignId,
        at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let at = at.map(Timestamp::as_micros);
        Ok(self.0.run(&DESTROY_AT).bind(at).bind(Cell(id)).exactly_one().await?)
    }

    /// Keeps a frozen plan, for ever. The schema refuses a second one of the same round.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_plan(
        &mut self,
        campaign: CampaignId,
        round: u32,
        body: Vec<u8>,
    ) -> Result<(), StoreError> {
        let query = self.0.run(&ADD_PLAN).bind(Cell(campaign)).bind(Cell(round)).bind(body);
        Ok(query.exactly_one().await?)
    }

    /// The plan of a campaign's latest round.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn plan(&mut self, campaign: CampaignId) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.0.run(&PLAN).bind(Cell(campaign)).optional::<(Vec<u8>,)>().await?;
        Ok(row.map(|(body,)| body))
    }

    /// Keeps an operator's approval, for ever; `false` if this operator has given one already.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn add_approval(
        &mut self,
        campaign: CampaignId,
        round: u32,
        operator: &str,
        body: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let query = self.0.run(&ADD_APPROVAL).bind(Cell(campaign)).bind(Cell(round));
        Ok(query.bind(operator.to_owned()).bind(body).execute().await? == 1)
    }

    /// The approvals of one round.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn approvals(
        &mut self,
        campaign: CampaignId,
        round: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let query = self.0.run(&APPROVALS).bind(Cell(campaign)).bind(Cell(round));
        let rows = query.all::<(Vec<u8>,)>().await?;
        Ok(rows.into_iter().map(|(body,)| body).collect())
    }

    /// Whether anything may begin, and since when it is so. Nobody can change it until this
    /// transaction, which must be one that writes, ends.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn kill_switch(&mut self) -> Result<(KillSwitch, Timestamp), StoreError> {
        let row = self.0.run(&KILL_SWITCH).one::<(Cell<KillSwitch>, Cell<Timestamp>)>().await?;
        let (Cell(position), Cell(since)) = row;
        Ok((position, since))
    }

    /// Pulls or releases the kill switch. Pulled again, it is pulled since now: plans frozen in
    /// between do not count either.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn set_kill_switch(
        &mut self,
        position: KillSwitch,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let query = self.0.run(&SET_KILL_SWITCH).bind(Cell(position)).bind(Cell(now));
        Ok(query.exactly_one().await?)
    }
}
