use std::collections::{BTreeMap, BTreeSet};

use authority::SignedRoster;
use campaign::{HaltReason, Plan, State};
use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault, LogError};
use ledger::FoldRefusal;
use model::{CampaignId, LeakId, TargetState};
use store::Tx;

use crate::{
    CampaignError, StatementError,
    loaded::{Loaded, halt_alone, kill_switch, shared},
    statement::statements_in,
    tale::Tale,
    view::accounts,
};

/// The rows that are not as the audit log says, of those that decide what is done: the kill switch's
/// and every campaign's, also one that is gone, with the counts of its addresses and notices.
///
/// # Errors
/// [`CampaignError`] if the log is not what was signed, or the store fails.
pub fn contradictions(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<FoldRefusal>, CampaignError>> {
    Box::pin(async move {
        let mut found = Vec::new();
        let mut tx = instance.store().begin().await?;
        found.extend(beyond(&mut tx).await?);
        found.extend(requested(instance, &mut tx).await?);
        found.extend(unchecked(&mut tx).await?);
        found.extend(refusal(check_newest_roster(instance, &mut tx).await)?);
        found.extend(refusal(kill_switch(instance, &mut tx).await)?);
        found.extend(refusal(check_campaigns(instance, &mut tx).await)?);
        found.extend(refusal(instance.leaks(&mut tx).await.map_err(CampaignError::from))?);
        found.extend(findings(instance, &mut tx).await?);
        let noted = exposure::check_noted(instance, &mut tx).await;
        found.extend(refusal(noted.map_err(CampaignError::from))?);
        found.extend(refusal(check_statements(instance, &mut tx).await)?);
        for campaign in tx.campaign_ids().await? {
            match shared(instance, &mut tx, campaign).await {
                Ok(loaded) => {
                    found.extend(refusal(check_plan(instance, &mut tx, &loaded).await)?);
                    found.extend(uncounted(instance, &mut tx, &loaded).await?);
                    found.extend(unkept(instance, &mut tx, campaign).await?);
                }
                refused => found.extend(refusal(refused)?),
            }
        }
        Ok(found)
    })
}

/// The same, and halts each campaign that runs and of which one of these rows is: else its people would
/// stay as they are in silence.
///
/// # Errors
/// As [`contradictions`].
pub fn halt_contradicted(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<FoldRefusal>, CampaignError>> {
    Box::pin(async move {
        let found = contradictions(instance).await?;
        let campaigns: BTreeSet<_> = found.iter().filter_map(FoldRefusal::of_campaign).collect();
        for campaign in campaigns {
            halt_alone(instance, campaign, HaltReason::Contradicted).await?;
        }
        Ok(found)
    })
}

/// An entry that nobody of ours has appended, or a checkpoint of such: nothing can be recorded as long as it
/// stands there.
async fn beyond(tx: &mut Tx) -> Result<Option<FoldRefusal>, CampaignError> {
    if let Some(position) = tx.log_entry_beyond().await? {
        return Ok(Some(FoldRefusal::Beyond { position }));
    }
    let signed = tx.checkpoint_beyond().await?;
    Ok(signed.map(|signed| FoldRefusal::Checkpoint { signed }))
}

/// A notice that the page would deny.
async fn unchecked(tx: &mut Tx) -> Result<Option<FoldRefusal>, CampaignError> {
    let notice = tx.notice_without_code().await?;
    Ok(notice.map(|notice| FoldRefusal::Notice { notice }))
}

/// A mail that somebody waits for, by the log, and that nobody would send by its row.
async fn requested(instance: &Instance, tx: &mut Tx) -> Result<Option<FoldRefusal>, CampaignError> {
    // Others write some and send some meanwhile: what was open before and after was open between.
    let before = instance.proved(tx).await?.requested_open();
    let kept: BTreeSet<_> = tx.requested_notices_open().await?.into_iter().collect();
    let after = instance.proved(tx).await?.requested_open();
    let gone = before.intersection(&after).find(|notice| !kept.contains(notice));
    Ok(gone.map(|notice| FoldRefusal::Notice { notice: *notice }))
}

async fn check_newest_roster(instance: &Instance, tx: &mut Tx) -> Result<(), CampaignError> {
    let newest = tx.roster_documents().await?.pop();
    let newest = newest.map(|body| SignedRoster::parse(&body));
    let log = instance.proved(tx).await?;
    let digest = match newest.transpose() {
        Ok(newest) => newest.map(|signed| signed.document().digest().to_string()),
        Err(_) => return Err(FoldRefusal::Roster.into()),
    };
    Ok(log.check_roster(digest.as_deref())?)
}

/// A leak of which somebody was found by one of both alone.
async fn findings(instance: &Instance, tx: &mut Tx) -> Result<Option<FoldRefusal>, CampaignError> {
    // Findings are never taken away, so that what was known before must be there.
    let before = instance.proved(tx).await?.finding_counts();
    let rows: BTreeMap<_, _> = tx.finding_counts().await?.into_iter().collect();
    let kept = |leak: &LeakId| rows.get(leak).copied().unwrap_or_default();
    let short = before.into_iter().find(|(leak, logged)| kept(leak) < *logged);
    Ok(short.map(|(leak, logged)| FoldRefusal::Findings { leak, rows: kept(&leak), logged }))
}

/// What was said in public must be what is shown there.
async fn check_statements(instance: &Instance, tx: &mut Tx) -> Result<(), CampaignError> {
    match statements_in(instance, tx).await {
        Err(StatementError::Campaign(error)) => Err(error),
        Err(StatementError::Fault(fault)) => Err(fault.into()),
        _ => Ok(()),
    }
}

/// Operators read it before they sign, and a worker before it seals.
async fn check_plan(
    instance: &Instance,
    tx: &mut Tx,
    loaded: &Loaded,
) -> Result<(), CampaignError> {
    let campaign = loaded.id();
    if loaded.campaign.state() == State::Draft {
        return Ok(());
    }
    let plan = tx.plan(campaign).await?.map(|body| Plan::parse(&body));
    let Some(Ok(plan)) = plan else { return Err(FoldRefusal::Plan { campaign }.into()) };
    let log = instance.proved(tx).await?;
    Ok(log.check_plan(campaign, &plan.digest().to_string())?)
}

/// What keeps a campaign that is not over from its end in silence, or lets it end too early: an address
/// that is done by one of both alone, or notices that are not as far. The campaign is held: neither
/// moves meanwhile.
async fn uncounted(
    instance: &Instance,
    tx: &mut Tx,
    loaded: &Loaded,
) -> Result<Option<FoldRefusal>, CampaignError> {
    let campaign = loaded.id();
    match loaded.campaign.state() {
        State::Draft | State::Closed => return Ok(None),
        State::Done => return lost_notices(instance, tx, campaign).await,
        _ => {}
    }
    let settled = tx.addresses_settled_count(campaign).await?;
    let notices: BTreeMap<_, _> = tx.notice_counts(campaign).await?.into_iter().collect();
    let (accounts, skipped) = accounts(tx, loaded).await?;
    let log = instance.proved(tx).await?;
    let Some(fold) = log.campaign(campaign) else { return Ok(None) };
    if fold.done.len() as u64 != tx.addresses_done_count(campaign).await? {
        let rows: BTreeSet<_> = tx.addresses_done(campaign).await?.into_iter().collect();
        let address = rows.symmetric_difference(&fold.done).next().copied();
        return Ok(address.map(|address| FoldRefusal::Address { campaign, address }));
    }
    if fold.settled.count() != settled {
        let rows: BTreeSet<_> = tx.addresses_settled(campaign).await?.into_iter().collect();
        let mut all = 0..fold.addresses;
        let address = all.find(|address| rows.contains(address) != fold.settled.contains(*address));
        return Ok(address.map(|address| FoldRefusal::Address { campaign, address }));
    }
    let logged = Tale::of(fold).reckoning;
    if logged.notices != notices {
        return Ok(Some(FoldRefusal::Notices { campaign }));
    }
    let is_same = logged.accounts == accounts && logged.skipped == skipped;
    Ok((!is_same).then_some(FoldRefusal::Accounts { campaign }))
}

/// Notices of a campaign that is done, and that are not as far: whoever has got one that is gone is told that
/// there is none.
async fn lost_notices(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<Option<FoldRefusal>, CampaignError> {
    let notices: BTreeMap<_, _> = tx.notice_counts(campaign).await?.into_iter().collect();
    let log = instance.proved(tx).await?;
    let logged = log.campaign(campaign).map(|fold| Tale::of(fold).reckoning.notices);
    let is_same = logged.is_none_or(|logged| logged == notices);
    Ok((!is_same).then_some(FoldRefusal::Notices { campaign }))
}

/// What was done to somebody's password, or that a notice is about them, is kept no more: they would not be
/// told, or the leaked password would do again. The campaign is held.
async fn unkept(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<Option<FoldRefusal>, CampaignError> {
    let lines = tx.notice_line_count(campaign).await?;
    let kept = tx.reset_line_count(campaign).await?;
    let log = instance.proved(tx).await?;
    let Some(fold) = log.campaign(campaign) else { return Ok(None) };
    if lines < fold.notices.values().map(|notice| notice.lines).sum() {
        return Ok(Some(FoldRefusal::Notices { campaign }));
    }
    let is_out = |state: &&TargetState| matches!(state, TargetState::Sealed | TargetState::Reset);
    let out_of_use = fold.accounts.values().filter(is_out).count() as u64;
    Ok((kept < out_of_use).then_some(FoldRefusal::Accounts { campaign }))
}

/// Passes a store that holds every campaign of the log: whoever was sealed by one that is gone would be
/// forgotten.
///
/// # Errors
/// [`CampaignError::Row`] names the first one that is gone.
pub fn check_campaigns_kept(instance: &Instance) -> BoxFuture<'_, Result<(), CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        check_campaigns(instance, &mut tx).await
    })
}

/// The log comes first: of what it tells nothing is deleted later.
async fn check_campaigns(instance: &Instance, tx: &mut Tx) -> Result<(), CampaignError> {
    let log = instance.proved(tx).await?;
    Ok(log.check_campaigns(&tx.campaign_ids().await?)?)
}

fn refusal<T>(judged: Result<T, CampaignError>) -> Result<Option<FoldRefusal>, CampaignError> {
    match judged {
        Ok(_) => Ok(None),
        Err(
            CampaignError::Row(refusal)
            | CampaignError::Fault(InstanceFault::Log(LogError::Row(refusal))),
        ) => Ok(Some(refusal)),
        Err(error) => Err(error),
    }
}
