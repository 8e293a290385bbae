use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::{CampaignFold, FoldRefusal};
use model::{CampaignId, CampaignState};
use store::Tx;

use crate::{
    CampaignError,
    loaded::{kill_switch, shared},
};

/// The rows that are not as the audit log says, of those that decide what is done: the kill switch's
/// and every campaign's, also one that is gone, and an address of a campaign under way that is done by
/// one of both alone.
///
/// # Errors
/// [`CampaignError`] if the log is not what was signed, or the store fails.
pub fn contradictions(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<FoldRefusal>, CampaignError>> {
    Box::pin(async move {
        let mut found = Vec::new();
        let mut tx = instance.store().begin().await?;
        found.extend(refusal(kill_switch(instance, &mut tx).await)?);
        found.extend(refusal(check_campaigns(instance, &mut tx).await)?);
        for row in tx.campaigns().await? {
            match shared(instance, &mut tx, row.id).await {
                Ok(_) if !CampaignState::MOVING.contains(&row.state) => {}
                Ok(_) => found.extend(address_done_by_one(instance, &mut tx, row.id).await?),
                refused => found.extend(refusal(refused)?),
            }
        }
        Ok(found)
    })
}

/// Nobody takes it up, or somebody takes it up again. The campaign is held: no address of it is done
/// meanwhile. They are read one by one only where their number differs.
async fn address_done_by_one(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<Option<FoldRefusal>, CampaignError> {
    let count = tx.address_counts(campaign).await?.done;
    let log = instance.proved(tx).await?;
    let Some(CampaignFold { done, .. }) = log.campaign(campaign) else { return Ok(None) };
    if done.len() as u64 == count {
        return Ok(None);
    }
    let rows: BTreeSet<_> = tx.addresses_done(campaign).await?.into_iter().collect();
    let address = rows.symmetric_difference(done).next().copied();
    Ok(address.map(|address| FoldRefusal::Address { campaign, address }))
}

/// Passes a store that holds every campaign of the log: whoever was sealed by one that is gone would be
/// forgotten.
///
/// # Errors
/// [`CampaignError::Row`] names the first one that is gone.
pub fn check_campaigns_kept(instance: &Instance) -> BoxFuture<'_, Result<(), CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        check_campaigns(instance, &mut tx).await
    })
}

/// The log comes first: of what it tells nothing is deleted later.
async fn check_campaigns(instance: &Instance, tx: &mut Tx) -> Result<(), CampaignError> {
    let log = instance.proved(tx).await?;
    Ok(log.check_campaigns(&tx.campaign_ids().await?)?)
}

fn refusal<T>(judged: Result<T, CampaignError>) -> Result<Option<FoldRefusal>, CampaignError> {
    match judged {
        Ok(_) => Ok(None),
        Err(CampaignError::Row(refusal)) => Ok(Some(refusal)),
        Err(error) => Err(error),
    }
}
