//! Some accounts of the site's table, held against everything that is kept of them.

use std::collections::BTreeMap;

use model::{Account, CampaignId, Discrepancy};

use super::{
    found::Disagreements,
    means::Reconciling,
    records::{Judged, ReadRow, Records},
    repair::{OddRow, put_right},
    trials::Trials,
};
use crate::{ReconcileError, limits::FOUND_SEALED_KEPT, saga::version};

/// What a scan of the table leaves for when it has ended.
pub(crate) struct Later<'a> {
    /// Those whose password nobody here knows.
    pub(crate) trials: &'a mut Trials,
    /// Those whose sessions are to be ended: while a table of SQLite is read, nobody may write to it.
    pub(crate) sealed: &'a mut Vec<Account>,
}

/// Notes which of these accounts disagree with what is kept, and puts that right where it can.
pub(crate) async fn compare(
    means: &Reconciling<'_>,
    accounts: Vec<Account>,
    later: &mut Later<'_>,
    findings: &mut Disagreements,
) -> Result<(), ReconcileError> {
    let mut odd = Vec::new();
    let (rows, sealed) = judged(means, seen(means, accounts)).await?;
    findings.saw_sealed(sealed);
    for (seen, judged) in rows {
        match judged {
            Judged::Agrees => {}
            Judged::Unknown(old) => {
                let keys = means.instance.keys();
                later.trials.offer(&seen.account.id, seen.hash, seen.version, old, keys);
            }
            Judged::Disagrees(Discrepancy::FoundSealed, _)
                if later.sealed.len() < FOUND_SEALED_KEPT =>
            {
                later.sealed.push(seen.account);
            }
            Judged::Disagrees(..) => odd.push(seen.account),
        }
    }
    settle(means, odd, findings).await
}

/// Judges these accounts again, and puts right what is kept of them where it can.
pub(crate) async fn settle(
    means: &Reconciling<'_>,
    odd: Vec<Account>,
    findings: &mut Disagreements,
) -> Result<(), ReconcileError> {
    if odd.is_empty() {
        return Ok(());
    }
    let looked = look_again(means, odd).await?;
    let mut misfits: BTreeMap<Option<CampaignId>, Vec<OddRow>> = BTreeMap::new();
    for (seen, judged) in judged(means, looked).await?.0 {
        if let Judged::Disagrees(kind, campaign) = judged {
            misfits.entry(campaign).or_default().push(OddRow { kind, seen });
        }
    }
    for (campaign, misfits) in misfits {
        put_right(means, campaign, &misfits, findings).await?;
    }
    Ok(())
}

/// Accounts without a password hold nothing of ours.
fn seen(means: &Reconciling<'_>, accounts: Vec<Account>) -> Vec<ReadRow> {
    let seen = accounts.into_iter().filter_map(|account| {
        let hash = account.credential.as_ref()?.hash().clone();
        let version = version(means.instance.keys(), &hash);
        Some(ReadRow { account, hash, version })
    });
    seen.collect()
}

/// What was read may be a replica's that lags, or its owner may have changed it since: what counts
/// is what the connection that writes shows.
async fn look_again(
    means: &Reconciling<'_>,
    odd: Vec<Account>,
) -> Result<Vec<ReadRow>, ReconcileError> {
    let mut renewed = Vec::new();
    for account in odd {
        renewed.extend(means.directory.renew(account).await?);
    }
    Ok(seen(means, renewed))
}

/// Each with what is to be said of it, and how many are sealed.
async fn judged(
    means: &Reconciling<'_>,
    seen: Vec<ReadRow>,
) -> Result<(Vec<(ReadRow, Judged)>, u64), ReconcileError> {
    let mut tx = means.instance.store().read().await?;
    let records = Records::read(means.instance, &mut tx, &seen).await?;
    let judge = |seen: ReadRow| {
        let judged = records.judge(&seen);
        (seen, judged)
    };
    Ok((seen.into_iter().map(judge).collect(), records.sealed()))
}
