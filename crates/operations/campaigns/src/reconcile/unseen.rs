//! Whether the connection that reads shows every row.
//!
//! A policy of the database can hide rows without a word. Then nothing that was read says anything
//! of those, and nobody may say that all agree.

use std::collections::HashSet;

use directory::RowNow;
use model::{AccountId, CampaignState};
use store::Shares;

use super::means::Reconciling;
use crate::{ReconcileError, limits::ACCOUNTS_PER_LOOK_UP};

/// Fails if an account that is sealed is hidden. Only if fewer of them were seen than there are is
/// each one asked for.
pub(crate) async fn refuse_hidden(
    means: &Reconciling<'_>,
    seen: u64,
) -> Result<(), ReconcileError> {
    let mut tx = means.instance.store().read().await?;
    let (mut campaigns, mut sealed) = (Vec::new(), 0);
    for (campaign, _) in tx.campaign_names_in(CampaignState::STARTED).await? {
        campaigns.push(campaign);
        sealed += tx.sealed_count(campaign).await?;
    }
    drop(tx);
    if seen >= sealed {
        return Ok(());
    }
    for campaign in campaigns {
        let mut from = 0;
        loop {
            let mut tx = means.instance.store().read().await?;
            let limit = ACCOUNTS_PER_LOOK_UP as u64;
            let lines = tx.sealed_lines(campaign, Shares::ALL, from, limit).await?;
            let subjects = lines.iter().map(|(_, line)| line.subject);
            let accounts = means.instance.accounts_of(&mut tx, subjects).await?;
            drop(tx);
            let Some((last, _)) = lines.last() else { break };
            from = last + 1;
            let ids = accounts.iter().map(|(_, account)| account.clone());
            refuse_hidden_among(means, ids.collect()).await?;
        }
    }
    Ok(())
}

/// Whoever is gone is hidden from nobody.
async fn refuse_hidden_among(
    means: &Reconciling<'_>,
    ids: Vec<AccountId>,
) -> Result<(), ReconcileError> {
    let shown = means.directory.by_ids(&ids).await?;
    let shown: HashSet<_> = shown.into_iter().map(|account| account.id).collect();
    for account in ids.into_iter().filter(|id| !shown.contains(id)) {
        if !matches!(means.directory.look(&account).await?, RowNow::Gone) {
            return Err(ReconcileError::Hidden { account });
        }
    }
    Ok(())
}
