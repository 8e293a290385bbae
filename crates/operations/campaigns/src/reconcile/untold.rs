//! Who is sealed, or may be, and is not going to be told.

use instance::{Instance, InstanceFault};
use model::{CampaignState, Discrepancy, TargetState, Timestamp};
use store::{CampaignRow, StoreError, Tx};

use super::found::Disagreements;
use crate::limits::STUCK_AFTER;

/// In whatever state a campaign is. While it runs, those count whose address was begun long ago.
pub(crate) async fn find_untold(
    instance: &Instance,
    findings: &mut Disagreements,
) -> Result<(), InstanceFault> {
    let mut tx = instance.store().read().await?;
    let now = tx.now().await?;
    for row in tx.campaigns().await? {
        let counts = untold(&mut tx, &row, now).await?;
        let accounts = counts.into_iter().map(|(_, accounts)| accounts).sum();
        if accounts > 0 {
            findings.count(Discrepancy::Untold, Some(row.id), accounts);
            list(instance, &mut tx, &row, accounts, findings).await?;
        }
    }
    Ok(())
}

async fn untold(
    tx: &mut Tx,
    row: &CampaignRow,
    now: Timestamp,
) -> Result<Vec<(TargetState, u64)>, StoreError> {
    if CampaignState::RUNNING.contains(&row.state) {
        return tx.stuck_counts(row.id, now.before(STUCK_AFTER)).await;
    }
    tx.unsettled_counts(row.id).await
}

async fn list(
    instance: &Instance,
    tx: &mut Tx,
    row: &CampaignRow,
    accounts: u64,
    findings: &mut Disagreements,
) -> Result<(), InstanceFault> {
    let room = accounts.min(findings.room() as u64);
    let found = tx.unsettled_accounts(row.id, room).await?;
    let accounts = instance.accounts_of(tx, found.iter().map(|found| found.subject)).await?;
    for found in found {
        findings.list(Discrepancy::Untold, accounts.of(found.subject)?, Some(row.id), false);
    }
    Ok(())
}
