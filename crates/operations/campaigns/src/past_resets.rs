//! What campaigns have done to somebody's passwords, held against the audit log.

use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::{Fold, FoldRefusal};
use model::{CampaignId, SubjectId};
use store::{PastReset, ResetLine, Swap, Tx};

use crate::{SwapError, limits::LOOKS_AT_RESETS, swap_row::swap_row};

/// What campaigns have done to somebody's passwords, the first one first, as the log says it too, and when.
/// Nobody is kept from going on meanwhile: rows that seem to differ are looked at again.
///
/// # Errors
/// [`SwapError::Row`] names what somebody else has written, or what is gone.
pub fn past_resets<'a>(
    instance: &'a Instance,
    tx: &'a mut Tx,
    subject: SubjectId,
) -> BoxFuture<'a, Result<Vec<PastReset>, SwapError>> {
    Box::pin(async move {
        for _ in 1..LOOKS_AT_RESETS {
            match look(instance, tx, subject).await {
                Err(SwapError::Row(_)) => {}
                seen => return seen,
            }
        }
        look(instance, tx, subject).await
    })
}

async fn look(
    instance: &Instance,
    tx: &mut Tx,
    subject: SubjectId,
) -> Result<Vec<PastReset>, SwapError> {
    let mut resets = tx.resets_of_subject(subject).await?;
    let mut swaps = Vec::with_capacity(resets.len());
    for PastReset { campaign, line, .. } in &resets {
        swaps.push(tx.swap_of_line(*campaign, line).await?);
    }
    let log = instance.proved(tx).await?;
    let campaigns: Vec<_> = resets.iter().map(|reset| reset.campaign).collect();
    log.check_resets(subject, &campaigns)?;
    for (PastReset { campaign, line, at }, swap) in resets.iter_mut().zip(&swaps) {
        check(&log, *campaign, line, swap.as_ref())?;
        // People are told when it was, and for how long what was replaced is refused depends on it.
        *at = swap.as_ref().and_then(|swap| log.intended_at(swap.id)).unwrap_or(*at);
    }
    resets.sort_by_key(|reset| reset.at);
    Ok(resets)
}

/// Passes the line of somebody who is sealed. Hold their campaign: then nobody moves it meanwhile.
///
/// # Errors
/// [`SwapError::Row`] if the log says otherwise.
pub(crate) async fn check_reset_line(
    instance: &Instance,
    tx: &mut Tx,
    campaign: CampaignId,
    line: &ResetLine,
) -> Result<(), SwapError> {
    let swap = tx.swap_of_line(campaign, line).await?;
    let log = instance.proved(tx).await?;
    Ok(check(&log, campaign, line, swap.as_ref())?)
}

/// What a line says of both hashes stands in the swap as well, all of which the log has.
fn check(
    log: &Fold,
    campaign: CampaignId,
    line: &ResetLine,
    swap: Option<&Swap>,
) -> Result<(), FoldRefusal> {
    let swap = swap.filter(|swap| swap.expected == line.replaced);
    let unknown = FoldRefusal::ResetLine { campaign, subject: line.subject };
    log.check_swap(&swap_row(swap.ok_or(unknown)?))
}
