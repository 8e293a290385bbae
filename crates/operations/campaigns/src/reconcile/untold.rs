//! Who is sealed, or may be, and is not going to be told.

use instance::{Instance, InstanceFault};
use model::{CampaignState, Discrepancy, Timestamp};
use store::{CampaignRow, Tx};

use super::found::Disagreements;
use crate::{limits::STUCK_AFTER, progress::progress};

/// In whatever state a campaign is. While it runs, those count whose address was begun long ago.
pub(crate) async fn find_untold(
    instance: &Instance,
    findings: &mut Disagreements,
) -> Result<(), InstanceFault> {
    let mut tx = instance.store().read().await?;
    let now = tx.now().await?;
    for row in tx.campaigns().await? {
        let accounts = untold(instance, &mut tx, &row, now).await?;
        if accounts > 0 {
            findings.count(Discrepancy::Untold, Some(row.id), accounts);
            list(instance, &mut tx, &row, accounts, findings).await?;
        }
    }
    Ok(())
}

async fn untold(
    instance: &Instance,
    tx: &mut Tx,
    row: &CampaignRow,
    now: Timestamp,
) -> Result<u64, InstanceFault> {
    if CampaignState::RUNNING.contains(&row.state) {
        let stuck = tx.stuck_counts(row.id, now.before(STUCK_AFTER)).await?;
        return Ok(stuck.into_iter().map(|(_, accounts)| accounts).sum());
    }
    Ok(progress(instance, tx, row.id).await?.unsettled.accounts())
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
