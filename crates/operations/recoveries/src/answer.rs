use campaigns::{RunError, SwapError, past_resets, saga::credential_of};
use exposure::{Unfound, unfound};
use instance::Instance;
use ledger::FoldRefusal;
use model::{Account, CredentialNow, SiteRow, SubjectId};
use password::FormId;
use store::{Finding, PastReset, Tx};

use crate::{RequestError, letter::Found};

/// What is known of an account's password, as it is at this moment. `named` are the forms of hashes that
/// operators name today.
pub(crate) async fn what_is_found(
    instance: &Instance,
    tx: &mut Tx,
    subject: SubjectId,
    account: &Account,
    named: FormId,
) -> Result<Found, RequestError> {
    let resets = past_resets(instance, tx, subject).await.map_err(RunError::from)?;
    // Also those that somebody has closed: this very password was found.
    let findings = instance.findings_of(tx, subject).await?;
    let now = credential_of(instance.keys(), Some(account));
    if let Some(found) = found(now, resets.last(), &findings) {
        return Ok(found);
    }
    refuse_denial(tx, subject, now).await?;
    if account.unreadable.is_some() {
        // A leak may name them by what could not be read.
        return Ok(Found::NotChecked { is_named: false, is_partial: true });
    }
    let now = match now {
        CredentialNow::Present(version) => Some(version),
        _ => None,
    };
    Ok(match unfound(instance, tx, &account.id, now, named).await? {
        Unfound::NotFound { as_of, is_compared } => {
            Found::Nothing { until_micros: as_of.as_micros(), is_compared }
        }
        Unfound::NotChecked { is_named, is_partial } => Found::NotChecked { is_named, is_partial },
    })
}

/// Where rows are gone, others still tell that a campaign is about this person.
async fn refuse_denial(
    tx: &mut Tx,
    subject: SubjectId,
    now: CredentialNow,
) -> Result<(), RequestError> {
    match now {
        CredentialNow::Present(version) if tx.is_found_elsewhere(version).await? => {
            let denied = SwapError::from(FoldRefusal::Denied { subject });
            Err(RunError::from(denied).into())
        }
        _ => Ok(()),
    }
}

/// A password that is switched off and not replaced comes first, then one that still opens the
/// account, then what is over.
fn found(now: CredentialNow, last: Option<&PastReset>, findings: &[Finding]) -> Option<Found> {
    let is_ours = |reset: &PastReset| {
        SiteRow::classify(now, reset.line.replaced, reset.line.sealed) == SiteRow::Ours
    };
    let is_sealed = last.is_some_and(is_ours);
    let is_open = findings.iter().any(|finding| now == CredentialNow::Present(finding.version));
    match last {
        None | Some(_) if is_open && !is_sealed => Some(Found::Open),
        None => None,
        Some(PastReset { campaign, at, .. }) => Some(Found::SwitchedOff {
            campaign: *campaign,
            at_micros: at.as_micros(),
            chosen_since: !is_sealed,
        }),
    }
}
