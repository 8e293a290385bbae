use std::{collections::BTreeMap, sync::Arc};

use directory::Directory;
use exposure::secret_of;
use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::CampaignEvent;
use model::{Account, AccountId, CampaignId, SiteRow, StoredHash, TargetState, Verdict};
use password::Verifier;
use store::{CampaignRow, Finding, ResetLine};
use tokio::task::spawn_blocking;

use crate::{WatchError, limits::ACCOUNTS_PER_LOOK_UP, saga::credential_of};

/// Sees who has chosen a new password: a hash that is neither ours nor the one that was replaced.
/// Whether it is the leaked password again is tried before its secret is destroyed. Returns how
/// many there were.
///
/// # Errors
/// [`WatchError`] if store or directory fail.
pub fn watch_resets<'a>(
    instance: &'a Instance,
    directory: &'a dyn Directory,
    verifier: &'a Arc<Verifier>,
) -> BoxFuture<'a, Result<u64, WatchError>> {
    Box::pin(async move {
        let mut resets = 0;
        for row in instance.store().read().await?.campaigns().await? {
            resets += watch_one(instance, directory, verifier, &row).await?;
        }
        Ok(resets)
    })
}

/// Sees that one account's owner has just chosen a new password, in whichever campaigns it is
/// sealed.
///
/// # Errors
/// [`WatchError`] if the store fails.
pub fn watch_account<'a>(
    instance: &'a Instance,
    verifier: &'a Arc<Verifier>,
    account: &'a Account,
) -> BoxFuture<'a, Result<(), WatchError>> {
    Box::pin(async move {
        let Some(credential) = &account.credential else { return Ok(()) };
        let resets = instance.store().read().await?.resets_of_account(&account.id).await?;
        for reset in resets.iter().filter(|reset| is_own(instance, &reset.line, account)) {
            record(instance, verifier, reset.campaign, &account.id, credential.hash().clone())
                .await?;
        }
        Ok(())
    })
}

async fn watch_one(
    instance: &Instance,
    directory: &dyn Directory,
    verifier: &Arc<Verifier>,
    row: &CampaignRow,
) -> Result<u64, WatchError> {
    let (mut resets, mut from) = (0, 0);
    let limit = ACCOUNTS_PER_LOOK_UP as u64;
    loop {
        let lines = instance.store().read().await?.sealed_lines(row.id, from, limit).await?;
        let Some((last, _)) = lines.last() else { return Ok(resets) };
        from = last + 1;
        let ids: Vec<_> = lines.iter().map(|(_, line)| line.account.clone()).collect();
        let present = directory.by_ids(&ids).await?;
        let mut present: BTreeMap<_, _> = present.into_iter().map(|a| (a.id.clone(), a)).collect();
        for (_, line) in &lines {
            let Some(account) = present.remove(&line.account) else { continue };
            if is_own(instance, line, &account)
                && let Some(credential) = account.credential
            {
                let hash = credential.into_hash();
                resets += u64::from(record(instance, verifier, row.id, &line.account, hash).await?);
            }
        }
    }
}

/// Whether the row holds a password that is neither ours nor the one that we replaced.
fn is_own(instance: &Instance, line: &ResetLine, account: &Account) -> bool {
    let now = credential_of(instance.keys(), Some(account));
    SiteRow::classify(now, line.replaced, line.sealed) == SiteRow::Other
}

/// `false` if another worker has seen it first.
async fn record(
    instance: &Instance,
    verifier: &Arc<Verifier>,
    campaign: CampaignId,
    account: &AccountId,
    hash: StoredHash,
) -> Result<bool, WatchError> {
    let findings = instance.store().read().await?.findings_of_target(campaign, account).await?;
    let reused = is_reused(instance, verifier, &findings, hash).await?;
    let mut tx = instance.store().begin().await?;
    tx.hold_campaign(campaign).await?;
    let (from, to) = (TargetState::Sealed, TargetState::Reset);
    if !tx.move_target(campaign, account, from, to, None).await? {
        return Ok(false);
    }
    tx.close_findings(campaign, account).await?;
    tx.release_target(campaign, account).await?;
    let reset = CampaignEvent::AccountReset { campaign, account: account.clone(), reused };
    instance.record(&mut tx, &[reset.into()]).await?;
    tx.commit().await?;
    Ok(true)
}

async fn is_reused(
    instance: &Instance,
    verifier: &Arc<Verifier>,
    findings: &[Finding],
    hash: StoredHash,
) -> Result<bool, WatchError> {
    let mut secrets = Vec::new();
    for finding in findings {
        secrets.extend(secret_of(instance, finding)?);
    }
    let verifier = Arc::clone(verifier);
    let verdict = spawn_blocking(move || verifier.verify(&hash, &secrets)).await?;
    Ok(matches!(verdict, Verdict::Match { .. }))
}

/// Destroys the secrets of campaigns that have been done for long enough.
///
/// # Errors
/// [`WatchError`] if the store fails.
pub fn destroy_old_secrets(instance: &Instance) -> BoxFuture<'_, Result<(), WatchError>> {
    Box::pin(async move {
        let rows = instance.store().read().await?.campaigns().await?;
        for row in rows.into_iter().filter(|row| row.destroy_secrets_at().is_some()) {
            let mut tx = instance.store().begin().await?;
            let row = tx.hold_campaign(row.id).await?;
            let now = tx.now().await?;
            if row.destroy_secrets_at().is_none_or(|at| at > now) {
                continue;
            }
            let findings = tx.destroy_campaign_secrets(row.id).await?;
            tx.set_destroy_secrets_at(row.id, None).await?;
            let destroyed = CampaignEvent::SecretsDestroyed { campaign: row.id, findings };
            instance.record(&mut tx, &[destroyed.into()]).await?;
            tx.commit().await?;
        }
        Ok(())
    })
}
