use authority::{Approval, Roster, RosterDigest, verify_approvals};
use campaign::{Event, Plan, SignedPlan, State};
use futures_util::future::BoxFuture;
use instance::{Instance, roster_in};
use ledger::{CampaignEvent, FoldRefusal};
use model::Timestamp;
use store::Tx;

use crate::{
    CampaignError, CampaignView,
    freeze::plan_of,
    loaded::{Loaded, held_by_name, seen, take_step},
    show_campaign,
};

/// The plan that operators are to read and sign, in the one form of its bytes.
///
/// # Errors
/// [`CampaignError::NoPlan`] before it is frozen, [`CampaignError::Row`] if what is kept is not as
/// the log says.
pub fn export_plan<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<Plan, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        // Nobody is shown a plan to sign that is not the one that was frozen.
        let (loaded, log) = seen(instance, &mut tx, name).await?;
        let plan = current_plan(&mut tx, &loaded).await?;
        log.check_plan(loaded.id(), &plan.digest().to_string())?;
        Ok(plan)
    })
}

/// The plan of the round that the campaign is in.
pub(crate) async fn current_plan(tx: &mut Tx, loaded: &Loaded) -> Result<Plan, CampaignError> {
    let plan = plan_of(tx, loaded).await?;
    match loaded.campaign.plan() {
        Some(ordered) if ordered == plan.digest() => Ok(plan),
        Some(_) => Err(FoldRefusal::Plan { campaign: loaded.id() }.into()),
        None => {
            let (name, state) = (loaded.row.name.clone(), loaded.campaign.state().to_string());
            Err(CampaignError::NoPlan { name, state })
        }
    }
}

/// Takes an operator's approval of the plan as it is frozen now, or its author's signature. With the
/// last one that is needed the campaign is signed.
///
/// # Errors
/// [`CampaignError::Approval`] says why the signature does not count.
pub fn approve_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
    approval: &'a Approval,
    founding: RosterDigest,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().begin().await?;
        let mut loaded = held_by_name(instance, &mut tx, name).await?;
        let plan = current_plan(&mut tx, &loaded).await?;
        let roster = roster_in(&mut tx, instance, founding).await?;
        let now = tx.now().await?;
        approval.check(&plan, &roster, now)?;
        let operator = approval.operator().to_string();
        let (campaign, round) = (loaded.id(), plan.round());
        if tx.add_approval(campaign, round, &operator, approval.to_bytes()).await? {
            let signed = if approval.operator() == plan.author() {
                CampaignEvent::CampaignWritten { campaign, round, operator }
            } else {
                CampaignEvent::CampaignApproved { campaign, round, operator }
            };
            instance.record(&mut tx, &[signed.into()]).await?;
        }
        if loaded.campaign.state() == State::Frozen
            && let Ok(signed) = signed_plan(&mut tx, &loaded, &roster, now).await
        {
            take_step(instance, &mut tx, &mut loaded, Event::Sign(&signed), now).await?;
        }
        tx.commit().await?;
        show_campaign(instance, name).await
    })
}

/// The campaigns that run and cannot go on, since their plan is not signed by those who may: each with
/// why not. One whose row is not as the log says is passed by: [`contradictions`](crate::contradictions())
/// names it.
///
/// # Errors
/// [`CampaignError`] if the store fails.
pub fn unsigned_campaigns<'a>(
    instance: &'a Instance,
    roster: &'a Roster,
) -> BoxFuture<'a, Result<Vec<(String, CampaignError)>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let now = tx.now().await?;
        let mut unsigned = Vec::new();
        for campaign in tx.campaign_ids().await? {
            let loaded = match Loaded::read(campaign, tx.campaign_by_id(campaign).await) {
                Err(CampaignError::Row(_)) => continue,
                loaded => loaded?,
            };
            if !matches!(loaded.campaign.state(), State::Running(_)) {
                continue;
            }
            match signed_plan(&mut tx, &loaded, roster, now).await {
                Err(error) if error.is_refusal() => unsigned.push((loaded.row.name, error)),
                signed => drop(signed?),
            }
        }
        Ok(unsigned)
    })
}

/// The plan of the campaign's round with every signature under it checked, as at each claim.
pub(crate) async fn signed_plan(
    tx: &mut Tx,
    loaded: &Loaded,
    roster: &Roster,
    now: Timestamp,
) -> Result<SignedPlan, CampaignError> {
    let plan = current_plan(tx, loaded).await?;
    let approvals = tx.approvals(loaded.id(), plan.round()).await?;
    let approvals = approvals.iter().map(|body| Approval::parse(body));
    let approvals = approvals.collect::<Result<Vec<_>, _>>()?;
    Ok(verify_approvals(&plan, &approvals, roster, now)?.into())
}
