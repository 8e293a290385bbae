//! Recognising a value of ours of which nothing tells any more: it follows from an account and from a
//! password that the account had.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use instance::{Instance, KeyRing};
use model::{AccountId, CredentialVersion, Secret, StoredHash, Verdict};
use password::Attempt;
use tokio::task::spawn_blocking;

use crate::{RunError, WorkerContext, limits::OLD_VERSIONS_TRIED};

/// Those of these accounts whose stored password is a value of ours. Whoever holds one has not chosen
/// it.
pub(crate) async fn hold_ours(
    context: &WorkerContext<'_>,
    changed: Vec<(AccountId, StoredHash)>,
) -> Result<BTreeSet<AccountId>, RunError> {
    if changed.is_empty() {
        return Ok(BTreeSet::new());
    }
    let secrets = secrets_for(context.instance, &changed).await?;
    let verifier = Arc::clone(&context.means.verifier);
    let tried = spawn_blocking(move || {
        let attempts: Vec<_> = changed.iter().zip(&*secrets).map(attempt_of).collect();
        let tried = verifier.verify_many(&attempts);
        let ours = changed.iter().zip(tried);
        let ours = ours.filter(|(_, tried)| matches!(tried.verdict, Verdict::Match { .. }));
        ours.map(|((account, _), _)| account.clone()).collect()
    });
    Ok(tried.await?)
}

fn attempt_of<'a>(
    ((_, hash), secrets): (&'a (AccountId, StoredHash), &'a Vec<Secret>),
) -> Attempt<'a> {
    Attempt { hash, secrets }
}

/// What could have taken the place of a password that the account had, by every key of the store.
pub(crate) fn secrets_of_ours(
    keys: &KeyRing,
    account: &AccountId,
    old: BTreeSet<CredentialVersion>,
) -> Vec<Secret> {
    let old = old.into_iter().take(OLD_VERSIONS_TRIED);
    old.flat_map(|old| keys.sealed_secrets(account, old)).collect()
}

/// For each of these accounts, in their order.
async fn secrets_for(
    instance: &Instance,
    changed: &[(AccountId, StoredHash)],
) -> Result<Vec<Vec<Secret>>, RunError> {
    let mut tx = instance.store().read().await?;
    let ids: Vec<_> = changed.iter().map(|(id, _)| id.clone()).collect();
    let subjects = instance.subjects_of(&mut tx, &ids).await?;
    let named: Vec<_> = subjects.values().copied().collect();
    let mut old: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for stored in tx.versions_of(&named).await? {
        old.entry(stored.subject).or_default().insert(stored.version);
    }
    let of = |id| {
        let old = subjects.get(id).and_then(|subject| old.get(subject)).cloned();
        secrets_of_ours(instance.keys(), id, old.unwrap_or_default())
    };
    Ok(ids.iter().map(of).collect())
}
