//! What a campaign needs of the directory: it reads accounts, seals them, and tells their owners.
//! Ending sessions it leaves to the site where the directory cannot. And of its author.

use authority::Roster;
use directory::{Ability, Directory, Kinship};
use model::OperatorName;

use crate::CampaignError;

/// Passes a directory that can do all of it, now.
pub(crate) async fn refuse_unable(directory: &dyn Directory) -> Result<(), CampaignError> {
    if !directory.capabilities().can(Ability::Tell) {
        let reason = "it holds no addresses: set `directory.columns.email`".to_owned();
        return Err(CampaignError::Unable { what: "tell anybody", reason });
    }
    let granted = directory.try_write().await?.granted();
    let unable = |reason| CampaignError::Unable { what: "seal passwords", reason };
    granted.map_err(unable)?;
    match directory.kinship().await? {
        Kinship::One | Kinship::Untold(_) => Ok(()),
        Kinship::Two(reason) => Err(unable(reason)),
    }
}

/// Refuses an author who could not sign the plan.
pub(crate) fn refuse_stranger(author: &OperatorName, roster: &Roster) -> Result<(), CampaignError> {
    match roster.operator(author) {
        Some(_) => Ok(()),
        None => Err(CampaignError::UnknownAuthor { name: author.to_string() }),
    }
}
