use campaign::{NoticeEnds, StageProgress, Unsettled};
use instance::Instance;
use ledger::CampaignFold;
use model::{CampaignId, NoticeState};
use store::Tx;

use crate::CampaignError;

/// What has been done of a campaign: its steps go by the audit log, so that no row moves it on or keeps
/// it where it is. A transaction that only reads asks this before all else.
pub(crate) async fn progress(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<StageProgress, CampaignError> {
    let log = instance.proved(tx).await?;
    Ok(log.campaign(campaign).map(progress_of).unwrap_or_default())
}

fn progress_of(fold: &CampaignFold) -> StageProgress {
    let of = |state| fold.notice_counts.get(&state).copied().unwrap_or_default();
    let (refused, uncertain) = (of(NoticeState::Refused), of(NoticeState::Uncertain));
    let ended = of(NoticeState::Sent) + refused + uncertain;
    StageProgress {
        settled_addresses: fold.settled.without_gap(),
        notices: NoticeEnds { ended, refused, uncertain },
        unsettled: unsettled_in(fold),
    }
}

/// Whom a campaign must not leave as they are, by the audit log: rows may say that all are told.
pub(crate) async fn unsettled(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<Unsettled, CampaignError> {
    let log = instance.proved(tx).await?;
    Ok(log.campaign(campaign).map(unsettled_in).unwrap_or_default())
}

pub(crate) fn unsettled_in(fold: &CampaignFold) -> Unsettled {
    Unsettled { sealing: fold.sealing, untold: fold.untold() }
}
