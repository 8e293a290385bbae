//! Whether the rows of all swaps are what the audit log says of them.

use std::{collections::HashSet, ops::Bound};

use instance::Instance;
use model::SwapId;

use super::records::is_to_count;
use crate::{ReconcileError, limits::SWAPS_PER_READ};

/// Passes a store of whose swaps no row is changed, and none is gone. Each part of them is read
/// together with the log, so that both are of one moment.
pub(crate) async fn check_swaps(instance: &Instance) -> Result<(), ReconcileError> {
    let mut after = Some(SwapId(0));
    while let Some(from) = after {
        after = check_some(instance, from).await?;
    }
    Ok(())
}

/// The last one that was compared; `None` if there are no more.
async fn check_some(instance: &Instance, after: SwapId) -> Result<Option<SwapId>, ReconcileError> {
    let mut tx = instance.store().read().await?;
    let log = instance.proved(&mut tx).await?;
    let swaps = tx.swaps_after(after, SWAPS_PER_READ).await?;
    let mut rows = HashSet::new();
    for swap in &swaps {
        is_to_count(&log, swap)?;
        rows.insert(swap.id);
    }
    let is_last = (swaps.len() as u64) < SWAPS_PER_READ;
    let last = swaps.last().map(|swap| swap.id).filter(|_| !is_last);
    let until = last.map_or(Bound::Unbounded, Bound::Included);
    log.check_no_swap_missing((Bound::Excluded(after), until), &rows)?;
    Ok(last)
}
