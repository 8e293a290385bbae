use notice::Language;
use serde::Serialize;

use super::words;
use crate::{
    in_process::{CountedCampaign, InProcess},
    people::ask::Unanswered,
    written,
};

/// A campaign in a list.
#[derive(Serialize)]
pub(crate) struct ListedCampaign {
    name: String,
    state: &'static str,
    /// In the plan, once there is one.
    accounts: Option<String>,
}

/// Every campaign, the oldest first.
pub(crate) async fn campaigns(operations: &InProcess) -> Result<Vec<ListedCampaign>, Unanswered> {
    Ok(operations.campaigns().await?.into_iter().map(ListedCampaign::of).collect())
}

impl ListedCampaign {
    fn of(counted: CountedCampaign) -> Self {
        let CountedCampaign { name, state, targets, .. } = counted;
        Self {
            name,
            state: words::state(state.as_str()),
            accounts: targets.map(|targets| {
                written::counted(Language::English, targets, "1 account", "accounts")
            }),
        }
    }
}
