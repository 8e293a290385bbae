//! What secrets of a leak are encrypted for. Whoever decrypts must name the same.

pub(crate) use instance::purpose::{FINDING, SPOOL};
use model::{AccountId, CredentialVersion, FoundIn, LeakId};

/// What a candidate's ciphertext is bound to.
pub(crate) fn candidate_context(leak: LeakId, account: &AccountId) -> String {
    format!("candidate of leak {leak} for account {account}")
}

/// What a finding's ciphertext is bound to: all that its owner is told of it.
pub(crate) fn finding_context(
    found: &FoundIn,
    account: &AccountId,
    version: CredentialVersion,
) -> String {
    let FoundIn { leak, tier, verified_at } = found;
    let at = verified_at.as_micros();
    format!("finding of leak {leak} for account {account}, {version}, by {tier} at {at}")
}

/// The same for findings that version 0.1.0 made.
pub(crate) fn early_finding_context(
    leak: LeakId,
    account: &AccountId,
    version: CredentialVersion,
) -> String {
    format!("finding of leak {leak} for account {account}, {version}")
}
