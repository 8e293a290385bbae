use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::FoldRefusal;

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
        let rows: BTreeSet<_> = tx.campaigns().await?.into_iter().map(|row| row.id).collect();
        for campaign in &rows {
            found.extend(refusal(shared(instance, &mut tx, *campaign).await)?);
        }
        let log = instance.proved(&mut tx).await?;
        let gone = log.campaigns().filter(|campaign| !rows.contains(campaign));
        found.extend(gone.map(|campaign| FoldRefusal::Campaign { campaign }));
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
