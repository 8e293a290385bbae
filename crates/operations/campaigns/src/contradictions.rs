use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::FoldRefusal;
use store::Tx;

use crate::{
    CampaignError,
    loaded::{kill_switch, shared},
};

/// The rows that are not as the audit log says, of those that decide what is done: the kill switch's
/// and every campaign's, also one that is gone.
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
            found.extend(refusal(shared(instance, &mut tx, row.id).await)?);
        }
        Ok(found)
    })
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
