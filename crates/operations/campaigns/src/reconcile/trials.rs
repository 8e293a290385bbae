//! Trying whether a hash that nobody here knows is of a secret of ours: what tells of it may be
//! lost, since our own store was restored.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use directory::RowNow;
use instance::{Instance, KeyRing, Step};
use model::{AccountId, CredentialVersion, Discrepancy, Secret, StoredHash, Verdict};
use password::{Attempt, Verifier};
use tokio::task::spawn_blocking;

use super::{found::Disagreements, means::Reconciling, repair::halt_all};
use crate::{ReconcileError, limits::OLD_VERSIONS_TRIED, ours::secrets_of_ours, saga::version};

/// Those that are to be tried: a bounded number, and the next time others. Credential versions are
/// keyed hashes, so their order is as good as any, and nobody can choose a place in it.
pub(crate) struct Trials {
    most: usize,
    after: Option<CredentialVersion>,
    chosen: BTreeMap<TrialOrder, Trial>,
    offered: u64,
}

/// Those behind the one that was tried last come first.
type TrialOrder = (bool, CredentialVersion, AccountId);

struct Trial {
    account: AccountId,
    hash: StoredHash,
    /// Secrets of ours that could have taken the place of a password that the account had.
    secrets: Vec<Secret>,
    /// Whether there are more than are tried.
    is_cut: bool,
}

impl Trials {
    pub(crate) const fn new(most: usize, after: Option<CredentialVersion>) -> Self {
        Self { most, after, chosen: BTreeMap::new(), offered: 0 }
    }

    /// Takes an account up if its turn has come.
    pub(crate) fn offer(
        &mut self,
        account: &AccountId,
        hash: StoredHash,
        now: CredentialVersion,
        old: BTreeSet<CredentialVersion>,
        keys: &KeyRing,
    ) {
        self.offered += 1;
        let turn = (self.after.is_some_and(|after| now <= after), now, account.clone());
        if self.chosen.len() >= self.most
            && self.chosen.keys().last().is_none_or(|last| turn > *last)
        {
            return;
        }
        let is_cut = old.len() > OLD_VERSIONS_TRIED;
        let secrets = secrets_of_ours(keys, account, old);
        self.chosen.insert(turn, Trial { account: account.clone(), hash, secrets, is_cut });
        if self.chosen.len() > self.most {
            self.chosen.pop_last();
        }
    }

    /// Tries them; returns the last one, after which the next time begins.
    pub(crate) async fn run(
        self,
        means: &Reconciling<'_>,
        findings: &mut Disagreements,
    ) -> Result<Option<CredentialVersion>, ReconcileError> {
        let last = self.chosen.keys().last().map(|(_, version, _)| *version);
        let (mut tried, mut ours) = (0, 0);
        let trials = self.chosen.into_values().collect::<Vec<_>>();
        let is_whole = trials.len() as u64 == self.offered;
        if !trials.is_empty() {
            means.progress.begin(Step::Verify, trials.len() as u64);
        }
        let mut rest = trials.into_iter().peekable();
        while rest.peek().is_some() {
            let some: Vec<_> = rest.by_ref().take(TRIALS_AT_ONCE).collect();
            let count = some.len() as u64;
            for (trial, verdict) in try_all(means.verifier, some).await? {
                tried += u64::from(is_tried(verdict, &trial));
                if matches!(verdict, Verdict::Match { .. }) {
                    ours += 1;
                    note(means, &trial, findings).await?;
                }
            }
            means.progress.advance(count);
        }
        means.progress.end();
        findings.tried(tried, self.offered - tried, is_whole);
        if is_uncompared(means.instance).await? {
            findings.unjudged(self.offered - ours);
        }
        Ok(last)
    }
}

/// So many are tried between two looks at anything else.
const TRIALS_AT_ONCE: usize = 64;

async fn try_all(
    verifier: &Arc<Verifier>,
    trials: Vec<Trial>,
) -> Result<Vec<(Trial, Verdict)>, ReconcileError> {
    let verifier = Arc::clone(verifier);
    let tried = spawn_blocking(move || {
        let attempts: Vec<_> = trials
            .iter()
            .map(|trial| Attempt { hash: &trial.hash, secrets: &trial.secrets })
            .collect();
        let verdicts = verifier.verify_many(&attempts).into_iter().map(|tried| tried.verdict);
        trials.into_iter().zip(verdicts).collect()
    });
    Ok(tried.await?)
}

/// Only a secret that was tried can be no match.
const fn is_tried(verdict: Verdict, trial: &Trial) -> bool {
    match verdict {
        Verdict::Match { .. } => true,
        Verdict::NoMatch => !trial.is_cut,
        Verdict::Unverified(_) => false,
    }
}

/// Whether operators have signed that steps are lost, and no comparison has seen the whole table
/// since.
async fn is_uncompared(instance: &Instance) -> Result<bool, ReconcileError> {
    let mut tx = instance.store().begin().await?;
    Ok(instance.proved(&mut tx).await?.is_uncompared())
}

/// Whether so many values of ours of which nothing tells follow from steps that operators know to be
/// lost: whoever goes on has settled what was under way.
async fn is_explained(instance: &Instance, unrecorded: u64) -> Result<bool, ReconcileError> {
    let mut tx = instance.store().begin().await?;
    Ok(unrecorded <= instance.proved(&mut tx).await?.unrecorded_explained())
}

/// A value of ours that nothing tells of. What was done to whom is not known any more: nothing can be
/// put right here, and nothing may go on.
async fn note(
    means: &Reconciling<'_>,
    trial: &Trial,
    findings: &mut Disagreements,
) -> Result<(), ReconcileError> {
    let RowNow::Holds(now) = means.directory.look(&trial.account).await? else { return Ok(()) };
    let keys = means.instance.keys();
    if version(keys, &now) != version(keys, &trial.hash) {
        return Ok(());
    }
    let mut tx = means.instance.store().read().await?;
    let campaign = match means.instance.subject_of(&mut tx, &trial.account).await? {
        Some(subject) => tx.latest_campaign_of(subject).await?,
        None => None,
    };
    drop(tx);
    findings.add(Discrepancy::Unrecorded, &trial.account, campaign, false);
    if is_explained(means.instance, findings.found(Discrepancy::Unrecorded)).await? {
        Ok(())
    } else {
        halt_all(means.instance, findings).await
    }
}
