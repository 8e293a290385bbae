use authority::RosterDigest;
use campaign::{Campaign, CampaignName, Policy, StoreKind};
use futures_util::future::BoxFuture;
use instance::{Instance, LogError, roster_in};
use ledger::CampaignEvent;
use model::{InstanceKind, LeakId, LeakName, LeakState, OperatorName};
use store::{NewCampaign, Tx};

use crate::{
    CampaignError, CampaignView, loaded::logged_digest, needs::refuse_stranger, show_campaign,
};

/// A campaign to be put together.
#[derive(Debug, Clone)]
pub struct NewDraft {
    /// What operators call it; recipients never see it.
    pub name: CampaignName,
    /// Who is answerable for it: they sign its plan, and never count as one who approves it.
    pub author: OperatorName,
    /// The leaks whose findings it is about; at least one.
    pub leaks: Vec<LeakName>,
    /// How to go about it.
    pub policy: Policy,
}

/// Begins a campaign. It touches nobody before it is frozen, signed and started.
///
/// # Errors
/// [`CampaignError`] names the leak, the operator or the part of the policy that is not taken.
pub fn draft_campaign<'a>(
    instance: &'a Instance,
    draft: &'a NewDraft,
    founding: RosterDigest,
) -> BoxFuture<'a, Result<CampaignView, CampaignError>> {
    Box::pin(async move {
        draft.policy.check(store_kind(instance.kind()))?;
        let mut tx = instance.store().begin().await?;
        if tx.campaign(draft.name.as_str()).await?.is_some() {
            return Err(CampaignError::NameTaken { name: draft.name.to_string() });
        }
        let roster = roster_in(&mut tx, instance, founding).await?;
        refuse_stranger(&draft.author, &roster)?;
        let leaks = verified_leaks(instance, &mut tx, &draft.leaks).await?;
        keep(instance, &mut tx, draft, leaks).await?;
        tx.commit().await?;
        show_campaign(instance, draft.name.as_str()).await
    })
}

/// The policy's bounds depend on what the store is for.
pub(crate) const fn store_kind(kind: InstanceKind) -> StoreKind {
    match kind {
        InstanceKind::Site => StoreKind::Site,
        InstanceKind::Rehearsal => StoreKind::Rehearsal,
    }
}

async fn verified_leaks(
    instance: &Instance,
    tx: &mut Tx,
    names: &[LeakName],
) -> Result<Vec<LeakId>, CampaignError> {
    if names.is_empty() {
        return Err(CampaignError::NoLeak);
    }
    let known = instance.leaks(tx).await?;
    let mut leaks = Vec::new();
    for name in names {
        let leak = known.iter().find(|leak| leak.name == *name);
        let leak = leak.ok_or_else(|| CampaignError::NoSuchLeak { name: name.clone() })?;
        if leak.state != LeakState::Verified {
            let state = leak.state.to_string();
            return Err(CampaignError::NotVerified { name: name.clone(), state });
        }
        leaks.push(leak.id);
    }
    leaks.sort_unstable();
    leaks.dedup();
    Ok(leaks)
}

async fn keep(
    instance: &Instance,
    tx: &mut Tx,
    draft: &NewDraft,
    leaks: Vec<LeakId>,
) -> Result<(), CampaignError> {
    let now = tx.now().await?;
    let new = NewCampaign {
        name: draft.name.to_string(),
        author: draft.author.to_string(),
        policy: serde_json::to_vec(&draft.policy).map_err(LogError::from)?,
        created_at: now,
        leaks: leaks.clone(),
    };
    let id = tx.add_campaign(new).await?;
    let machine = Campaign::draft(id, now);
    let bytes = serde_json::to_vec(&machine)
        .map_err(|source| CampaignError::Machine { campaign: id, source })?;
    let digest = logged_digest(&bytes);
    tx.save_campaign(id, machine.state().word(), bytes).await?;
    let drafted = CampaignEvent::CampaignDrafted {
        campaign: id,
        name: draft.name.to_string(),
        author: draft.author.to_string(),
        leaks,
        machine: Some(digest),
    };
    Ok(instance.record(tx, &[drafted.into()]).await?)
}
