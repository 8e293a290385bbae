//! Where passwords were found, in the words of the plan that operators have signed.

use std::collections::BTreeMap;

use campaign::Reason;
use futures_util::future::BoxFuture;
use instance::Instance;
use model::{CampaignId, FoundIn, LeakId, SubjectId};
use notice::Exposure;
use outbox::{Kept, TellError};
use store::{StoreError, Tx};

use crate::{CampaignError, RunError, examine::kept_of, freeze::plan_of, loaded::shared};

/// Where the password was found that a campaign has taken out of use.
///
/// # Errors
/// [`RunError`] if the campaign is not as the log says, or names a place that nobody has signed for.
pub fn exposures_of<'a>(
    instance: &'a Instance,
    tx: &'a mut Tx,
    campaign: CampaignId,
    subject: SubjectId,
) -> BoxFuture<'a, Result<Vec<Exposure>, RunError>> {
    Box::pin(async move {
        let loaded = shared(instance, tx, campaign).await?;
        let plan = plan_of(tx, &loaded).await?;
        let log = instance.proved(tx).await?;
        log.check_plan(campaign, &plan.digest().to_string()).map_err(CampaignError::from)?;
        drop(log);
        let account = instance.account_of(tx, subject).await?;
        let line = tx.reset_line(campaign, subject).await?;
        let line = line.filter(|line| line.kept.is_some());
        let kept = line.map(|line| kept_of(instance, campaign, &account, &line)).transpose()?;
        let found = found_in(tx, campaign, subject, kept.as_ref()).await?;
        Ok(exposures(plan.reasons(), &found)?)
    })
}

/// What was kept of it when the account was sealed. Lines of version 0.1.0 have nothing of it, and
/// some are destroyed: then the findings tell.
pub(crate) async fn found_in(
    tx: &mut Tx,
    campaign: CampaignId,
    subject: SubjectId,
    kept: Option<&Kept>,
) -> Result<Vec<FoundIn>, StoreError> {
    match kept {
        Some(kept) if !kept.found.is_empty() => Ok(kept.found.clone()),
        _ => tx.reset_evidence(campaign, subject).await,
    }
}

/// Each leak once, by what came first, and as the plan names it: its row may say anything.
pub(crate) fn exposures(reasons: &[Reason], found: &[FoundIn]) -> Result<Vec<Exposure>, TellError> {
    let mut firsts: BTreeMap<LeakId, &FoundIn> = BTreeMap::new();
    for found in found {
        let first = firsts.entry(found.leak).or_insert(found);
        if found.verified_at < first.verified_at {
            *first = found;
        }
    }
    firsts.into_values().map(|found| exposure(reasons, found)).collect()
}

fn exposure(reasons: &[Reason], found: &FoundIn) -> Result<Exposure, TellError> {
    let FoundIn { leak, tier, verified_at } = *found;
    let reason = reasons.iter().find(|reason| reason.leak == leak);
    let Reason { name, public_name, date, provenance, .. } =
        reason.ok_or(TellError::NotSigned { leak })?;
    let name = public_name.as_ref().unwrap_or(name).clone();
    Ok(Exposure::new(verified_at, tier, name, Some(date.clone()), *provenance)?)
}
