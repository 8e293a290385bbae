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

    /// The leaks that are registered.
    pub fn leaks(&self) -> impl Iterator<Item = LeakId> {
        self.leaks.keys().copied()
    }

    /// Passes the leaks that the store holds, if none is missing there of those that were registered
    /// before they were read.
    ///
    /// # Errors
    /// [`FoldRefusal::Leak`].
    pub fn check_leaks(&self, before: &[LeakId], rows: &[LeakId]) -> Result<(), FoldRefusal> {
        let mut left = before.iter().filter(|leak| self.leaks.contains_key(leak));
        match left.find(|leak| !rows.contains(leak)) {
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

    /// How many people's passwords were found in each leak.
    #[must_use]
    pub fn finding_counts(&self) -> Vec<(LeakId, u64)> {
        self.leaks.iter().map(|(leak, fold)| (*leak, fold.found.len() as u64)).collect()
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

    /// The leaks in which a person's password was found.
    #[must_use]
    pub fn found_in(&self, subject: SubjectId) -> Vec<LeakId> {
        let whom = Whom::Subject(subject);
        let found = self.leaks.iter().filter(|(_, fold)| fold.found.contains(&whom));
        found.map(|(leak, _)| *leak).collect()
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
