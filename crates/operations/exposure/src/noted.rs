use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault, LogError};
use ledger::{FoldRefusal, NotedFold};
use model::LeakId;
use store::Tx;

/// Passes a store that notes of as many accounts what was tried on them, and whom nobody could check, as the
/// log says, or more: others may be verifying.
///
/// # Errors
/// [`LogError::Row`] names a leak of which some are gone.
pub fn check_noted<'a>(
    instance: &'a Instance,
    tx: &'a mut Tx,
) -> BoxFuture<'a, Result<(), InstanceFault>> {
    Box::pin(async move {
        let logged = instance.proved(tx).await?.noted();
        let [tried, unverified] = tx.noted_by_leak().await?.map(BTreeMap::from_iter);
        let kept = |rows: &BTreeMap<LeakId, u64>, leak: LeakId| rows.get(&leak).copied();
        let is_short = |(leak, noted): &(LeakId, NotedFold)| {
            kept(&tried, *leak).unwrap_or_default() < noted.tried
                || kept(&unverified, *leak).unwrap_or_default() < noted.unverified
        };
        match logged.into_iter().find(is_short) {
            Some((leak, _)) => Err(LogError::Row(FoldRefusal::Noted { leak }).into()),
            None => Ok(()),
        }
    })
}
