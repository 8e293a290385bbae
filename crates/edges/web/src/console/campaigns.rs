use notice::Language;
use serde::Serialize;

use super::words;
use crate::{
    in_process::{CampaignView, InProcess},
    people::ask::Unanswered,
    written::counted,
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
    fn of(view: CampaignView) -> Self {
        let targets = view.plan.map(|plan| plan.targets);
        Self {
            name: view.name,
            state: words::state(view.state),
            accounts: targets
                .map(|targets| counted(Language::English, targets, "1 account", "accounts")),
        }
    }
}
