use campaign::{NoticeEnds, StageProgress, Unsettled};
use instance::{Instance, InstanceFault};
use ledger::{CampaignFold, Fold};
use model::{CampaignId, NoticeState};
use store::Tx;

/// What has been done of a campaign: its steps go by the audit log, so that no row moves it on or keeps
/// it where it is, nor says that all are told. A transaction that only reads asks this before all else.
pub(crate) async fn progress(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<StageProgress, InstanceFault> {
    Ok(progress_in(&*instance.proved(tx).await?, campaign))
}

/// The same, of a log that is proved.
pub(crate) fn progress_in(log: &Fold, campaign: CampaignId) -> StageProgress {
    log.campaign(campaign).map(progress_of).unwrap_or_default()
}

fn progress_of(fold: &CampaignFold) -> StageProgress {
    let of = |state| fold.notice_counts.get(&state).copied().unwrap_or_default();
    let (refused, uncertain) = (of(NoticeState::Refused), of(NoticeState::Uncertain));
    let ended = of(NoticeState::Sent) + refused + uncertain;
    StageProgress {
        settled_addresses: fold.settled.without_gap(),
        notices: NoticeEnds { ended, refused, uncertain },
        unsettled: Unsettled { sealing: fold.sealing, untold: fold.untold() },
    }
}
