use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::CampaignFold;
use model::{CampaignState, NoticeState, TargetState, Timestamp};

use crate::{CampaignError, tale::Tale};

/// A campaign as the audit log alone tells of it, whatever its rows say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedCampaign {
    /// What operators call it.
    pub name: String,
    /// Where it stands.
    pub state: CampaignState,
    /// Accounts in its plan, once there is one.
    pub targets: Option<u64>,
    /// Accounts by how far it is with them; those left alone do not count.
    pub accounts: BTreeMap<TargetState, u64>,
    /// Notices by how far they are.
    pub notices: BTreeMap<NoticeState, u64>,
    /// Accounts that are sealed, and whose notice is not final.
    pub sealed_untold: u64,
    /// When a worker last did something for somebody.
    pub worked_at: Option<Timestamp>,
}

/// Every campaign of the audit log, the oldest first.
///
/// # Errors
/// [`CampaignError`] if the log is not what was signed, or the store fails.
pub fn counted_campaigns(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<CountedCampaign>, CampaignError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let log = instance.proved(&mut tx).await?;
        Ok(log.campaigns().filter_map(|(_, fold)| CountedCampaign::of(fold)).collect())
    })
}

impl CountedCampaign {
    /// `None` of one that the log does not say to be drafted.
    fn of(fold: &CampaignFold) -> Option<Self> {
        let standing = fold.standing.as_ref()?;
        let tale = Tale::of(fold);
        Some(Self {
            name: standing.name.clone(),
            state: standing.state.parse().ok()?,
            targets: (fold.targets > 0).then_some(fold.targets),
            accounts: tale.reckoning.accounts,
            notices: tale.reckoning.notices,
            sealed_untold: tale.untold,
            worked_at: fold.worked_at,
        })
    }
}
