use campaign::{NoticeEnds, StageProgress, Unsettled};
use instance::Instance;
use ledger::CampaignFold;
use model::{CampaignId, NoticeState, TargetState};
use store::{StoreError, Tx};

use crate::CampaignError;

/// What has been done of a campaign: its steps go by the audit log, so that no row moves it on or keeps
/// it where it is. A transaction that only reads asks this before all else.
pub(crate) async fn progress(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<StageProgress, CampaignError> {
    let log = instance.proved(tx).await?;
    let done = log.campaign(campaign).map(progress_of).unwrap_or_default();
    drop(log);
    Ok(StageProgress { unsettled: unsettled(tx, campaign).await?, ..done })
}

fn progress_of(fold: &CampaignFold) -> StageProgress {
    let of = |state| fold.notice_counts.get(&state).copied().unwrap_or_default();
    let (refused, uncertain) = (of(NoticeState::Refused), of(NoticeState::Uncertain));
    let ended = of(NoticeState::Sent) + refused + uncertain;
    StageProgress {
        settled_addresses: fold.settled.without_gap(),
        notices: NoticeEnds { ended, refused, uncertain },
        unsettled: Unsettled::default(),
    }
}

/// Whom a campaign must not leave as they are. Who has chosen a password since was not told of the
/// reset for all that.
pub(crate) async fn unsettled(tx: &mut Tx, campaign: CampaignId) -> Result<Unsettled, StoreError> {
    let mut unsettled = Unsettled::default();
    for (state, count) in tx.unsettled_counts(campaign).await? {
        match state {
            TargetState::Sealing => unsettled.sealing += count,
            _ => unsettled.untold += count,
        }
    }
    Ok(unsettled)
}
