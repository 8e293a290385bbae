//! What becomes of an account whose owner has chosen a new password, and of leaked secrets at last.

use std::{collections::BTreeMap, sync::Arc};

use campaign::State;
use exposure::secret_of;
use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::CampaignEvent;
use model::{
    Account, AccountId, CampaignId, ChosenPassword, CredentialNow, SiteRow, StoredHash, SubjectId,
    TargetState, Verdict,
};
use password::Verifier;
use store::{Finding, PastReset, ResetLine, SealedLine, StoreError};
use tokio::task::spawn_blocking;

use crate::{
    CampaignError, WatchError,
    loaded::{Loaded, held},
    past_resets::check_reset_line,
    saga::credential_of,
};

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
        let mut tx = instance.store().read().await?;
        let Some(subject) = instance.subject_of(&mut tx, &account.id).await? else { return Ok(()) };
        let resets = tx.resets_of_subject(subject).await?;
        drop(tx);
        let own = resets.into_iter().filter(|reset| is_own(instance, &reset.line, account));
        let own = own.map(|PastReset { campaign, line, .. }| OwnPassword {
            campaign,
            line,
            account: account.id.clone(),
            hash: credential.hash().clone(),
        });
        record_all(instance, verifier, own.collect()).await?;
        Ok(())
    })
}

/// Somebody's own new password, as it was read from the site.
pub(crate) struct OwnPassword {
    campaign: CampaignId,
    line: ResetLine,
    account: AccountId,
    hash: StoredHash,
}

/// Who of those that are sealed has chosen a new password, going by their rows.
pub(crate) fn own_passwords(
    instance: &Instance,
    sealed: Vec<SealedLine>,
    accounts: &BTreeMap<SubjectId, Account>,
) -> Vec<OwnPassword> {
    let own = |SealedLine { campaign, line }| {
        let account = accounts.get(&line.subject)?;
        let hash = account.credential.as_ref()?.hash().clone();
        let is_own = is_own(instance, &line, account);
        is_own.then(|| OwnPassword { campaign, line, account: account.id.clone(), hash })
    };
    sealed.into_iter().filter_map(own).collect()
}

/// Returns how many nobody else has recorded before. One that cannot be recorded keeps no other one
/// from it, and is told at last.
pub(crate) async fn record_all(
    instance: &Instance,
    verifier: &Arc<Verifier>,
    own: Vec<OwnPassword>,
) -> Result<u64, WatchError> {
    let (mut resets, mut failed) = (0, None);
    for own in own {
        match record(instance, verifier, own).await {
            Ok(is_first) => resets += u64::from(is_first),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(resets), Err)
}

/// Whether the row holds a password that is neither ours nor the one that we replaced, also not as it
/// was before the site hashed it anew: that one comes back with a backup of the site.
fn is_own(instance: &Instance, line: &ResetLine, account: &Account) -> bool {
    let now = credential_of(instance.keys(), Some(account));
    SiteRow::classify(now, line.replaced, line.sealed) == SiteRow::Other
        && now != CredentialNow::Present(line.version)
}

/// `false` if another worker has seen it first.
async fn record(
    instance: &Instance,
    verifier: &Arc<Verifier>,
    own: OwnPassword,
) -> Result<bool, WatchError> {
    let OwnPassword { campaign, line, account, hash } = own;
    let subject = line.subject;
    let findings = findings_of(instance, campaign, subject).await?;
    let password = judged(instance, verifier, &account, &findings, hash).await?;
    let mut tx = instance.store().begin().await?;
    tx.hold_campaign(campaign).await?;
    let (from, to) = (TargetState::Sealed, TargetState::Reset);
    if !tx.move_target(campaign, subject, from, to, None).await? {
        return Ok(false);
    }
    check_reset_line(instance, &mut tx, campaign, &line).await?;
    tx.close_findings(campaign, subject).await?;
    tx.release_target(campaign, subject).await?;
    let reset = CampaignEvent::AccountReset { campaign, whom: subject.into(), password };
    instance.record(&mut tx, &[reset.into()]).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whoever gave somebody another's findings would have us try the other's secret, and fail.
async fn findings_of(
    instance: &Instance,
    campaign: CampaignId,
    subject: SubjectId,
) -> Result<Vec<Finding>, WatchError> {
    let mut tx = instance.store().read().await?;
    let findings = tx.findings_of_targets(campaign, &[subject]).await?;
    instance.check_found(&mut tx, &findings).await?;
    Ok(findings)
}

/// A secret that is destroyed could be the new password, too.
async fn judged(
    instance: &Instance,
    verifier: &Arc<Verifier>,
    account: &AccountId,
    findings: &[Finding],
    hash: StoredHash,
) -> Result<ChosenPassword, WatchError> {
    let mut secrets = Vec::new();
    for finding in findings {
        secrets.extend(secret_of(instance, account, finding)?);
    }
    let all_tried = !secrets.is_empty() && secrets.len() == findings.len();
    let verifier = Arc::clone(verifier);
    let verdict = spawn_blocking(move || verifier.verify(&hash, &secrets).verdict).await?;
    Ok(match verdict {
        Verdict::Match { .. } => ChosenPassword::Leaked,
        Verdict::NoMatch if all_tried => ChosenPassword::Another,
        Verdict::NoMatch | Verdict::Unverified(_) => ChosenPassword::Unjudged,
    })
}

/// Destroys the leaked secrets of campaigns that are over, once they have been kept long enough. A row
/// that is not as the log says keeps its secrets, and no other campaign's from being destroyed.
///
/// # Errors
/// [`CampaignError`] of the first campaign of which they could not be destroyed.
pub fn destroy_old_secrets(instance: &Instance) -> BoxFuture<'_, Result<(), CampaignError>> {
    Box::pin(async move {
        let mut failed = None;
        for campaign in campaigns_to_destroy(instance).await? {
            failed = failed.or(destroy_secrets_of(instance, campaign).await.err());
        }
        failed.map_or(Ok(()), Err)
    })
}

/// A campaign that is not over needs them, whatever its row says of when they are to be destroyed.
async fn destroy_secrets_of(
    instance: &Instance,
    campaign: CampaignId,
) -> Result<(), CampaignError> {
    let mut tx = instance.store().begin().await?;
    let Loaded { row, campaign, .. } = held(instance, &mut tx, campaign).await?;
    let is_over = matches!(campaign.state(), State::Done | State::Closed);
    let now = tx.now().await?;
    if !is_over || row.destroy_secrets_at().is_none_or(|at| at > now) {
        return Ok(());
    }
    let findings = tx.destroy_campaign_secrets(row.id).await?;
    tx.set_destroy_secrets_at(row.id, None).await?;
    let destroyed = CampaignEvent::SecretsDestroyed { campaign: row.id, findings };
    instance.record(&mut tx, &[destroyed.into()]).await?;
    Ok(tx.commit().await?)
}

async fn campaigns_to_destroy(instance: &Instance) -> Result<Vec<CampaignId>, StoreError> {
    let mut tx = instance.store().read().await?;
    let now = tx.now().await?;
    tx.campaigns_to_destroy(now).await
}
