//! Rows of swaps, held against what the audit log says of them.

use instance::Instance;
use ledger::SwapRow;
use model::{
    SwapState,
    canonical::{digest, hex_of},
};
use store::{NewSwap, Swap, SwapLease, Tx};

use crate::SwapError;

/// Passes a swap that is open, and of which this is the last attempt. Hold its row: then nobody ends
/// it or takes it over before it is compared.
///
/// # Errors
/// [`SwapError::Row`] if the log says otherwise.
pub async fn check_open_swap(
    instance: &Instance,
    tx: &mut Tx,
    swap: &Swap,
    attempt: u32,
) -> Result<(), SwapError> {
    let row = SwapRow { state: SwapState::Intended, attempt, ..swap_row(swap) };
    Ok(instance.proved(tx).await?.check_swap(&row)?)
}

/// Ends a swap that is as the log says; `None` if another attempt has it.
///
/// # Errors
/// [`SwapError::Row`] if the log says otherwise.
pub async fn end_open_swap(
    instance: &Instance,
    tx: &mut Tx,
    held: SwapLease,
    end: SwapState,
) -> Result<Option<Swap>, SwapError> {
    let Some(swap) = tx.end_swap(held, end).await? else { return Ok(None) };
    check_open_swap(instance, tx, &swap, held.attempt).await?;
    Ok(Some(swap))
}

/// What the log calls a swap: SHA-256, in hexadecimal, of all that stays in its row.
#[must_use]
pub fn swap_digest(swap: &NewSwap) -> String {
    let NewSwap { subject, behalf, expected, made } = swap;
    let (campaign, round) = behalf.campaign().unzip();
    let numbers = [
        subject.0,
        campaign.map_or(0, |campaign| campaign.0),
        round.map_or(0, i64::from),
        behalf.link().map_or(0, |link| link.0),
    ];
    let mut body = numbers.map(i64::to_be_bytes).concat();
    body.extend([*expected.as_bytes(), *made.as_bytes()].as_flattened());
    body.extend(behalf.purpose().as_str().as_bytes());
    hex_of(&digest("countersign swap", &body))
}

pub(crate) fn swap_row(swap: &Swap) -> SwapRow {
    let Swap { id, subject, behalf, expected, made, state, attempt, .. } = *swap;
    SwapRow {
        id,
        subject,
        campaign: behalf.campaign().map(|(campaign, _)| campaign),
        state,
        attempt,
        digest: swap_digest(&NewSwap { subject, behalf, expected, made }),
    }
}
