//! What leaks were registered, and whose passwords stand in them.

use std::collections::HashSet;

use model::{CampaignId, LeakId, SubjectId};
use serde::{Deserialize, Serialize};

use super::{Fold, FoldRefusal};
use crate::{Hash, LeakAdded, Whom, tree::leaf_hash};

/// What the log says of one leak.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LeakFold {
    /// A hash of what it was registered as.
    digest: Hash,
    /// Whose passwords stand in it.
    pub(super) found: HashSet<Whom>,
}

impl Fold {
    /// Passes a leak that is as it was registered: its names, its date and its files.
    ///
    /// # Errors
    /// [`FoldRefusal::Leak`].
    pub fn check_leak(&self, row: &LeakAdded) -> Result<(), FoldRefusal> {
        let logged = self.leaks.get(&row.leak);
        if logged.is_some_and(|logged| logged.digest == digest(row)) {
            return Ok(());
        }
        Err(FoldRefusal::Leak { leak: row.leak })
    }

    /// Passes the leaks that the store holds, if none is missing there.
    ///
    /// # Errors
    /// [`FoldRefusal::Leak`].
    pub fn check_leaks(&self, rows: &[LeakId]) -> Result<(), FoldRefusal> {
        match self.leaks.keys().find(|leak| !rows.contains(leak)) {
            Some(leak) => Err(FoldRefusal::Leak { leak: *leak }),
            None => Ok(()),
        }
    }

    /// Passes the leaks that a campaign is about, as it was drafted.
    ///
    /// # Errors
    /// [`FoldRefusal::Campaign`].
    pub fn check_leaks_of(&self, id: CampaignId, rows: &[LeakId]) -> Result<(), FoldRefusal> {
        let is_so = self.campaign(id).is_some_and(|campaign| campaign.leaks == rows);
        if is_so { Ok(()) } else { Err(FoldRefusal::Campaign { campaign: id }) }
    }

    /// Passes as many findings in a leak as were made.
    ///
    /// # Errors
    /// [`FoldRefusal::Findings`].
    pub fn check_finding_count(&self, leak: LeakId, rows: u64) -> Result<(), FoldRefusal> {
        let logged = self.leaks.get(&leak).map_or(0, |leak| leak.found.len() as u64);
        if rows == logged { Ok(()) } else { Err(FoldRefusal::Findings { leak, rows, logged }) }
    }

    /// Passes the people against whom findings of a leak are open, if nobody's is missing there whom no
    /// campaign has taken up yet.
    ///
    /// # Errors
    /// [`FoldRefusal::Finding`].
    pub fn check_open_findings(
        &self,
        leak: LeakId,
        open: &HashSet<SubjectId>,
    ) -> Result<(), FoldRefusal> {
        let found = self.leaks.get(&leak).into_iter().flat_map(|leak| &leak.found);
        let is_open =
            |whom: &Whom| matches!(whom, Whom::Subject(subject) if open.contains(subject));
        let mut hidden = found.filter(|whom| !is_open(whom) && !self.is_perhaps_closed(whom));
        hidden.next().map_or(Ok(()), |whom| Err(FoldRefusal::finding(leak, whom)))
    }

    /// Passes the leaks in which a person's password was found by the store's rows, if none is missing
    /// there.
    ///
    /// # Errors
    /// [`FoldRefusal::Finding`].
    pub fn check_found(&self, subject: SubjectId, rows: &[LeakId]) -> Result<(), FoldRefusal> {
        let whom = Whom::Subject(subject);
        let mut missing = self.leaks.iter().filter(|(leak, _)| !rows.contains(leak));
        match missing.find(|(_, fold)| fold.found.contains(&whom)) {
            Some((leak, _)) => Err(FoldRefusal::finding(*leak, &whom)),
            None => Ok(()),
        }
    }

    /// Whether a campaign may have closed what was found of somebody: it has taken them up, or it is over
    /// and did not take everybody up.
    fn is_perhaps_closed(&self, whom: &Whom) -> bool {
        self.campaigns.values().any(|campaign| {
            let is_short = campaign.accounts.len() as u64 != campaign.targets;
            campaign.accounts.contains_key(whom) || (campaign.is_destroyed && is_short)
        })
    }
}

impl LeakFold {
    pub(super) fn added(leak: &LeakAdded) -> Self {
        Self { digest: digest(leak), found: HashSet::new() }
    }
}

/// Of the same form for rows and log.
fn digest(leak: &LeakAdded) -> Hash {
    // Names and numbers can always be written.
    leaf_hash(&serde_json::to_vec(leak).unwrap_or_default())
}
