use ledger::CampaignEvent;
use model::{AccountId, CampaignId, SkipReason, SubjectId, SwapId, TargetState};
use store::Tx;

use crate::{RunError, SealError};

/// What became of one account of a campaign.
pub(crate) struct EndedAccount<'a> {
    pub(crate) campaign: CampaignId,
    pub(crate) account: &'a AccountId,
    pub(crate) subject: SubjectId,
    /// The replacement of its stored password, if one was intended.
    pub(crate) swap: Option<SwapId>,
    pub(crate) end: TargetState,
    pub(crate) reason: Option<SkipReason>,
}

/// Records it. What was never sealed keeps no line: another campaign may find it exposed.
pub(crate) async fn record_end(
    tx: &mut Tx,
    ended: &EndedAccount<'_>,
    address: u64,
) -> Result<CampaignEvent, RunError> {
    let EndedAccount { campaign, account, subject, swap, end, reason } = *ended;
    let from = if swap.is_some() { TargetState::Sealing } else { TargetState::Pending };
    if !tx.move_target(campaign, subject, from, end, reason).await? {
        return Err(SealError::Moved { account: account.clone() }.into());
    }
    if swap.is_some() && !matches!(end, TargetState::Sealed | TargetState::Overtaken) {
        tx.drop_reset_line(campaign, subject).await?;
    }
    Ok(event_of(ended, address))
}

fn event_of(ended: &EndedAccount<'_>, address: u64) -> CampaignEvent {
    let EndedAccount { campaign, subject, swap, end, reason, .. } = *ended;
    let whom = subject.into();
    match (end, swap, reason) {
        (TargetState::Sealed, ..) => CampaignEvent::AccountSealed { campaign, whom, address },
        (TargetState::Overtaken, Some(swap), _) => {
            CampaignEvent::AccountOvertaken { campaign, whom, swap }
        }
        (_, _, Some(reason)) => CampaignEvent::AccountSkipped { campaign, whom, reason },
        (_, swap, None) => {
            let swap = swap.unwrap_or(SwapId(0));
            CampaignEvent::SealingUndone { campaign, whom, swap }
        }
    }
}
