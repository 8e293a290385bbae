use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use campaign::TargetTree;
use directory::Directory;
use instance::Instance;
use model::CampaignId;
use outbox::{Outbox, SendingContext};
use password::Verifier;
use store::WorkerName;

/// Everything that a campaign is run with.
#[derive(Debug)]
pub struct Means {
    /// The site's accounts.
    pub directory: Arc<dyn Directory>,
    /// What tries leaked passwords, as the site hashes them.
    pub verifier: Arc<Verifier>,
    /// What notices are written and sent with.
    pub outbox: Outbox,
}

/// One worker, of any number, on any hosts.
pub struct WorkerContext<'a> {
    /// Whose campaigns.
    pub instance: &'a Instance,
    /// What they are run with.
    pub means: &'a Means,
    /// Who holds what this worker has taken up.
    pub name: WorkerName,
    trees: RwLock<HashMap<CampaignId, Arc<TargetTree>>>,
}

impl<'a> WorkerContext<'a> {
    /// A worker with a name of its own, never used before.
    #[must_use]
    pub fn new(instance: &'a Instance, means: &'a Means) -> Self {
        let name = WorkerName::from_random(instance.randomness().array());
        Self { instance, means, name, trees: RwLock::default() }
    }

    /// As which it sends notices.
    #[must_use]
    pub const fn sender(&self) -> SendingContext<'_> {
        SendingContext { instance: self.instance, outbox: &self.means.outbox, worker: &self.name }
    }

    /// The tree over a campaign's targets that this worker has made before.
    pub(crate) fn kept_tree(&self, campaign: CampaignId) -> Option<Arc<TargetTree>> {
        self.trees.read().unwrap_or_else(PoisonError::into_inner).get(&campaign).cloned()
    }

    pub(crate) fn keep_tree(&self, campaign: CampaignId, tree: &Arc<TargetTree>) {
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        trees.insert(campaign, Arc::clone(tree));
    }
}

impl fmt::Debug for WorkerContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkerContext({})", self.name)
    }
}
