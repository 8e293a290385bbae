//! What becomes of an account whose owner has chosen a new password, and of leaked secrets at last.

use std::{collections::BTreeMap, sync::Arc};

use exposure::secret_of;
use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::CampaignEvent;
use model::{
    Account, AccountId, CampaignId, ChosenPassword, SiteRow, StoredHash, TargetState, Verdict,
};
use password::Verifier;
use store::{Finding, ResetLine, SealedLine};
use tokio::task::spawn_blocking;

use crate::{WatchError, saga::credential_of};

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

/// Somebody's own new password, as it was read from the site.
pub(crate) struct OwnPassword {
    campaign: CampaignId,
    account: AccountId,
    hash: StoredHash,
}

/// Who of those that are sealed has chosen a new password, going by their rows.
pub(crate) fn own_passwords(
    instance: &Instance,
    sealed: Vec<SealedLine>,
    accounts: Vec<Account>,
) -> Vec<OwnPassword> {
    let accounts: BTreeMap<_, _> = accounts.into_iter().map(|a| (a.id.clone(), a)).collect();
    let own = |SealedLine { campaign, line }| {
        let account = accounts.get(&line.account)?;
        let hash = account.credential.as_ref()?.hash().clone();
        is_own(instance, &line, account).then_some(OwnPassword {
            campaign,
            account: line.account,
            hash,
        })
    };
    sealed.into_iter().filter_map(own).collect()
}

/// Returns how many nobody else has recorded before.
pub(crate) async fn record_all(
    instance: &Instance,
    verifier: &Arc<Verifier>,
    own: Vec<OwnPassword>,
) -> Result<u64, WatchError> {
    let mut resets = 0;
    for OwnPassword { campaign, account, hash } in own {
        resets += u64::from(record(instance, verifier, campaign, &account, hash).await?);
    }
    Ok(resets)
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
    let password = judged(instance, verifier, &findings, hash).await?;
    let mut tx = instance.store().begin().await?;
    tx.hold_campaign(campaign).await?;
    let (from, to) = (TargetState::Sealed, TargetState::Reset);
    if !tx.move_target(campaign, account, from, to, None).await? {
        return Ok(false);
    }
    tx.close_findings(campaign, account).await?;
    tx.release_target(campaign, account).await?;
    let reset = CampaignEvent::AccountReset { campaign, account: account.clone(), password };
    instance.record(&mut tx, &[reset.into()]).await?;
    tx.commit().await?;
    Ok(true)
}

/// A secret that is destroyed could be the new password, too.
async fn judged(
    instance: &Instance,
    verifier: &Arc<Verifier>,
    findings: &[Finding],
    hash: StoredHash,
) -> Result<ChosenPassword, WatchError> {
    let mut secrets = Vec::new();
    for finding in findings {
        secrets.extend(secret_of(instance, finding)?);
    }
    let all_tried = !secrets.is_empty() && secrets.len() == findings.len();
    let verifier = Arc::clone(verifier);
    let verdict = spawn_blocking(move || verifier.verify(&hash, &secrets)).await?;
    Ok(match verdict {
        Verdict::Match { .. } => ChosenPassword::Leaked,
        Verdict::NoMatch if all_tried => ChosenPassword::Another,
        Verdict::NoMatch | Verdict::Unverified(_) => ChosenPassword::Unjudged,
    })
}

/// Destroys the secrets of campaigns that have been done for long enough.
///
/// # Errors
/// [`WatchError`] if the store fails.
pub fn destroy_old_secrets(instance: &Instance) -> BoxFuture<'_, Result<(), WatchError>> {
    Box::pin(async move {
        for campaign in campaigns_to_destroy(instance).await? {
            let mut tx = instance.store().begin().await?;
            let row = tx.hold_campaign(campaign).await?;
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

async fn campaigns_to_destroy(instance: &Instance) -> Result<Vec<CampaignId>, WatchError> {
    let mut tx = instance.store().read().await?;
    let now = tx.now().await?;
    Ok(tx.campaigns_to_destroy(now).await?)
}
