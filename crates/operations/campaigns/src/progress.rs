use std::collections::HashMap;

use campaign::{NoticeEnds, StageProgress, Unsettled};
use model::{CampaignId, NoticeState, TargetState};
use store::{StoreError, Tx};

/// What has been done of a campaign, counted in the transaction that takes its next step.
pub(crate) async fn progress(
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<StageProgress, StoreError> {
    Ok(StageProgress {
        settled_addresses: match tx.first_unsettled_address(campaign).await? {
            Some(first) => first,
            None => tx.address_counts(campaign).await?.all,
        },
        notices: notice_ends(tx, campaign).await?,
        unsettled: unsettled(tx, campaign).await?,
    })
}

async fn notice_ends(tx: &mut Tx, campaign: CampaignId) -> Result<NoticeEnds, StoreError> {
    let notices: HashMap<_, _> = tx.notice_counts(campaign).await?.into_iter().collect();
    let of = |state| notices.get(&state).copied().unwrap_or_default();
    let (refused, uncertain) = (of(NoticeState::Refused), of(NoticeState::Uncertain));
    Ok(NoticeEnds { ended: of(NoticeState::Sent) + refused + uncertain, refused, uncertain })
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
