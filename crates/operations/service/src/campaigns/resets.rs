use std::{collections::BTreeMap, sync::Arc};

use directory::Directory;
use ledger::CampaignEvent;
use model::{AccountId, CampaignId, StoredHash, TargetState, Verdict};
use password::Verifier;
use store::{CampaignRow, Finding, ResetLine};
use tokio::task::spawn_blocking;

use super::{evidence::secret, run::WorkError};
use crate::{Site, limits::ACCOUNTS_PER_LOOK_UP};

/// Sees who has chosen a new password: a hash that is neither ours nor the one that was replaced.
/// Whether it is the leaked password again is tried before its secret is destroyed. Returns how
/// many there were.
///
/// # Errors
/// [`WorkError`] if store or directory fail.
pub async fn watch_resets(
    site: &Site,
    directory: &Directory,
    verifier: &Arc<Verifier>,
) -> Result<u64, WorkError> {
    let mut resets = 0;
    for row in site.store.read().await?.campaigns().await? {
        resets += watch_one(site, directory, verifier, &row).await?;
    }
    Ok(resets)
}

/// Sees that one account's owner has just chosen a new password, in whichever campaigns it is
/// sealed.
pub(crate) async fn watch_account(
    site: &Site,
    verifier: &Arc<Verifier>,
    account: &AccountId,
    hash: &StoredHash,
) -> Result<(), WorkError> {
    let resets = site.store.read().await?.resets_of_account(account).await?;
    for reset in resets.iter().filter(|reset| is_own(site, &reset.line, hash)) {
        record(site, verifier, reset.campaign, account, hash.clone()).await?;
    }
    Ok(())
}

async fn watch_one(
    site: &Site,
    directory: &Directory,
    verifier: &Arc<Verifier>,
    row: &CampaignRow,
) -> Result<u64, WorkError> {
    let (mut resets, mut from) = (0, 0);
    let limit = ACCOUNTS_PER_LOOK_UP as u64;
    loop {
        let lines = site.store.read().await?.sealed_lines(row.id, from, limit).await?;
        let Some((last, _)) = lines.last() else { return Ok(resets) };
        from = last + 1;
        let ids: Vec<_> = lines.iter().map(|(_, line)| line.account.clone()).collect();
        let present = directory.by_ids(&ids).await?;
        let hashes = present.into_iter().filter_map(|account| Some((account.id, account.hash?)));
        let mut hashes: BTreeMap<_, _> = hashes.collect();
        for (_, line) in &lines {
            let changed = hashes.remove(&line.account).filter(|hash| is_own(site, line, hash));
            if let Some(hash) = changed {
                resets += u64::from(record(site, verifier, row.id, &line.account, hash).await?);
            }
        }
    }
}

fn is_own(site: &Site, line: &ResetLine, hash: &StoredHash) -> bool {
    let version = site.vault.credential_version(hash);
    version != line.sealed && version != line.replaced
}

/// `false` if another worker has seen it first.
async fn record(
    site: &Site,
    verifier: &Arc<Verifier>,
    campaign: CampaignId,
    account: &AccountId,
    hash: StoredHash,
) -> Result<bool, WorkError> {
    let findings = site.store.read().await?.findings_of_target(campaign, account).await?;
    let reused = is_reused(site, verifier, &findings, hash).await?;
    let mut tx = site.store.begin().await?;
    tx.hold_campaign(campaign).await?;
    let (from, to) = (TargetState::Sealed, TargetState::Reset);
    if !tx.move_target(campaign, account, from, to, None).await? {
        return Ok(false);
    }
    tx.close_findings(campaign, account).await?;
    tx.release_target(campaign, account).await?;
    let reset = CampaignEvent::AccountReset { campaign, account: account.clone(), reused };
    site.record(&mut tx, &[reset.into()]).await?;
    tx.commit().await?;
    Ok(true)
}

async fn is_reused(
    site: &Site,
    verifier: &Arc<Verifier>,
    findings: &[Finding],
    hash: StoredHash,
) -> Result<bool, WorkError> {
    let mut secrets = Vec::new();
    for finding in findings {
        secrets.extend(secret(site, finding)?);
    }
    let verifier = Arc::clone(verifier);
    let verdict = spawn_blocking(move || verifier.verify(&hash, &secrets)).await?;
    Ok(matches!(verdict, Verdict::Match { .. }))
}

/// Destroys the secrets of campaigns that have been done for long enough.
pub(super) async fn destroy_old_secrets(site: &Site) -> Result<(), WorkError> {
    let rows = site.store.read().await?.campaigns().await?;
    for row in rows.into_iter().filter(|row| row.destroy_secrets_at().is_some()) {
        let mut tx = site.store.begin().await?;
        let row = tx.hold_campaign(row.id).await?;
        let now = tx.now().await?;
        if row.destroy_secrets_at().is_none_or(|at| at > now) {
            continue;
        }
        let findings = tx.destroy_campaign_secrets(row.id).await?;
        tx.set_destroy_secrets_at(row.id, None).await?;
        let destroyed = CampaignEvent::SecretsDestroyed { campaign: row.id, findings };
        site.record(&mut tx, &[destroyed.into()]).await?;
        tx.commit().await?;
    }
    Ok(())
}
