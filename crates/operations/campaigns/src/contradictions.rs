use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::FoldRefusal;

use crate::{
    CampaignError,
    loaded::{kill_switch, shared},
};

/// The rows that are not as the audit log says, of those that decide what is done: the kill switch's
/// and every campaign's.
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
        for row in tx.campaigns().await? {
            found.extend(refusal(shared(instance, &mut tx, row.id).await)?);
        }
        Ok(found)
    })
}

fn refusal<T>(judged: Result<T, CampaignError>) -> Result<Option<FoldRefusal>, CampaignError> {
    match judged {
        Ok(_) => Ok(None),
        Err(CampaignError::Row(refusal)) => Ok(Some(refusal)),
        Err(error) => Err(error),
    }
}
