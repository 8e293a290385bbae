//! What the log counts of a campaign, held against what the rows count: where they differ, nobody knows
//! whom the rows leave out.

use campaign::{Plan, Reckoning};
use instance::ProvedFold;
use ledger::CampaignFold;
use store::Tx;

use crate::{CampaignError, loaded::Loaded, tale::Tale, view::accounts};

/// What the log tells of a campaign that is as it says, and the counts in it that add up and equal the
/// rows'.
pub(crate) async fn agreed_tale(
    log: ProvedFold<'_>,
    tx: &mut Tx,
    loaded: &Loaded,
) -> Result<(Tale, Reckoning), CampaignError> {
    let tale = Tale::of(log.campaign(loaded.id()).unwrap_or(&CampaignFold::default()));
    // Those who seal and send meanwhile must not wait for the rest.
    drop(log);
    let logged = tale.reckoning.clone().reconcile()?;
    rows(tx, loaded).await?.reconcile()?.agree(&logged)?;
    Ok((tale, logged))
}

/// The same counts from the rows.
async fn rows(tx: &mut Tx, loaded: &Loaded) -> Result<Reckoning, CampaignError> {
    let id = loaded.id();
    let plan = tx.plan(id).await?.map(|body| Plan::parse(&body)).transpose()?;
    let (accounts, skipped) = accounts(tx, loaded).await?;
    let addresses = tx.address_counts(id).await?;
    let counts = plan.as_ref().map(Plan::counts).filter(|_| addresses.all > 0);
    Ok(Reckoning {
        targets: counts.map_or(0, |counts| counts.targets),
        addresses: counts.map_or(0, |counts| counts.addresses),
        accounts,
        skipped,
        notices: tx.notice_counts(id).await?.into_iter().collect(),
        addresses_open: addresses.all - addresses.done,
        addresses_skipped: addresses.untold,
    })
}
