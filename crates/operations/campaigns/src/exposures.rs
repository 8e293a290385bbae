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

#[cfg(test)]
mod tests {
    use std::slice;

    use model::{Provenance, Tier, Timestamp};

    use super::*;

    /// 2012-11-08, and so many days later.
    fn found(leak: i64, days: i64, tier: Tier) -> FoundIn {
        let verified_at = Timestamp::from_micros(1_352_332_800_000_000 + days * 86_400_000_000);
        FoundIn { leak: LeakId(leak), tier, verified_at }
    }

    fn reason(leak: i64, name: &str, public_name: Option<&str>) -> Reason {
        Reason {
            leak: LeakId(leak),
            name: name.parse().unwrap(),
            date: "2012".parse().unwrap(),
            public_name: public_name.map(|name| name.parse().unwrap()),
            provenance: Provenance::Circulating,
            is_suspect: false,
            targets: 1,
        }
    }

    fn told(name: &str, found: FoundIn) -> Exposure {
        let FoundIn { tier, verified_at, .. } = found;
        let (name, date) = (name.parse().unwrap(), Some("2012".parse().unwrap()));
        Exposure::new(verified_at, tier, name, date, Provenance::Circulating).unwrap()
    }

    #[test]
    fn a_leak_is_named_once_by_what_came_first_and_as_it_was_signed() {
        let reasons = [reason(1, "Example", None), reason(2, "dump 7", Some("Bookshop"))];
        let [later, first] = [found(1, 11, Tier::Exact), found(1, 0, Tier::Lead)];
        let other = found(2, 3, Tier::Username);
        let named = exposures(&reasons, &[later, first, other]).unwrap();
        assert_eq!(named, [told("Example", first), told("Bookshop", other)]);
    }

    #[test]
    fn a_leak_that_nobody_has_signed_for_is_named_to_nobody() {
        let reasons = [reason(1, "Example", None)];
        let error = exposures(&reasons, slice::from_ref(&found(2, 0, Tier::Exact))).unwrap_err();
        assert!(matches!(error, TellError::NotSigned { leak: LeakId(2) }), "{error}");
    }
}
