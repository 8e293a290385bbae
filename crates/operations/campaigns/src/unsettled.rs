use campaign::Unsettled;
use futures_util::future::BoxFuture;
use instance::Instance;
use model::{AccountId, CampaignId, CampaignState, NoticeState, TargetState};
use outbox::masked_id;
use serde::Serialize;
use store::{Tx, UnsettledAccount};

use crate::{
    CampaignError,
    limits::UNSETTLED_LISTED_MAX,
    loaded::{Loaded, seen},
    progress::{progress, progress_in},
};

/// Whom a campaign must not leave as they are: they are sealed, or may be, and nobody there was told
/// for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsettledPeople {
    /// Accounts whose sealing was begun and is not known to have ended.
    pub sealing: u64,
    /// Accounts that are sealed while the notice to their address is not final.
    pub untold: u64,
    /// The first of them.
    pub accounts: Vec<UnsettledPerson>,
    /// The first with whom the campaign is through, and whom somebody has to look after: nobody could
    /// reach them (`refused`), or nobody can tell whether they were told (`uncertain`; `skipped` since they hold a
    /// value of ours that nothing else tells of) or sealed (`overtaken`).
    pub unreached: Vec<UnsettledPerson>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsettledPerson {
    /// The account's id.
    pub account: AccountId,
    /// How far it is with it.
    pub state: TargetState,
    /// How far the notice to its address is; none before all accounts there are settled.
    pub notice: Option<NoticeState>,
}

/// Whom a campaign must not leave as they are.
///
/// # Errors
/// [`CampaignError::None`] if there is none of this name.
pub fn unsettled_people<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<UnsettledPeople, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let (loaded, log) = seen(instance, &mut tx, name).await?;
        let campaign = loaded.id();
        let Unsettled { sealing, untold } = progress_in(&log, campaign).unsettled;
        drop(log);
        let accounts = tx.unsettled_accounts(campaign, UNSETTLED_LISTED_MAX).await?;
        let accounts = people(instance, &mut tx, accounts).await?;
        let unreached = tx.unreached_accounts(campaign, UNSETTLED_LISTED_MAX).await?;
        let unreached = people(instance, &mut tx, unreached).await?;
        Ok(UnsettledPeople { sealing, untold, accounts, unreached })
    })
}

/// Of each campaign that stands halted while people are sealed, or may be, and nobody there was told, the
/// error that says so: nothing settles them before an operator does something.
///
/// # Errors
/// [`CampaignError`] if the store fails.
pub fn halted_unsettled(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<CampaignError>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let mut found = Vec::new();
        for (campaign, name) in tx.campaign_names_in(&[CampaignState::Halted]).await? {
            found.extend(unsettled_in(instance, &mut tx, campaign, name).await?);
        }
        Ok(found)
    })
}

/// Refuses what would leave somebody sealed and untold.
pub(crate) async fn refuse_unsettled(
    instance: &Instance,
    tx: &mut Tx,
    loaded: &Loaded,
) -> Result<(), CampaignError> {
    let unsettled = unsettled_in(instance, tx, loaded.id(), loaded.row.name.clone()).await?;
    unsettled.map_or(Ok(()), Err)
}

async fn unsettled_in(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    name: String,
) -> Result<Option<CampaignError>, CampaignError> {
    let unsettled = progress(instance, tx, campaign).await?.unsettled;
    if !unsettled.is_anybody() {
        return Ok(None);
    }
    let first = tx.unsettled_accounts(campaign, NAMED).await?;
    let first = people(instance, tx, first).await?;
    let first: Vec<_> = first.iter().map(|person| masked_id(&person.account)).collect();
    let first = match &*first {
        [] => "no row says who: somebody else has written to the store".to_owned(),
        first => format!("first: {}", first.join(", ")),
    };
    Ok(Some(CampaignError::Unsettled { name, unsettled, first }))
}

/// So many accounts stand in the refusal itself.
const NAMED: u64 = 3;

/// In the order of the rows.
async fn people(
    instance: &Instance,
    tx: &mut Tx,
    found: Vec<UnsettledAccount>,
) -> Result<Vec<UnsettledPerson>, CampaignError> {
    let accounts = instance.accounts_of(tx, found.iter().map(|found| found.subject)).await?;
    let mut people = Vec::new();
    for UnsettledAccount { subject, state, notice } in found {
        people.push(UnsettledPerson { account: accounts.of(subject)?.clone(), state, notice });
    }
    Ok(people)
}
