use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use instance::Instance;
use model::{AccountId, CredentialVersion, LeakName, SubjectId, Timestamp};
use password::FormId;
use serde::Serialize;
use store::{StoreError, Tx};

use crate::{leaks::in_other_forms, proof::ProvedForms};

/// What can be said of a password that no open finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfound {
    /// It stands in none of the leaks that were looked through by then. Of a password that was chosen
    /// later, this says nothing.
    NotFound {
        /// When it was compared last.
        as_of: Timestamp,
    },
    /// Nobody can tell.
    NotChecked {
        /// Whether a leak holds records about the account. If not, no leak was looked through.
        is_named: bool,
    },
}

/// Says what is known of a password, as it is stored now, that no open finding is about. `named` are the
/// forms that operators name today ([`Verifier::forms_id`](password::Verifier::forms_id)): what was tried
/// when they named others says nothing.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn unfound<'a>(
    instance: &'a Instance,
    tx: &'a mut Tx,
    account: &'a AccountId,
    now: Option<CredentialVersion>,
    named: FormId,
) -> BoxFuture<'a, Result<Unfound, StoreError>> {
    const NAMED: Unfound = Unfound::NotChecked { is_named: true };
    Box::pin(async move {
        let mut as_of = tx.looked_through_at().await?;
        if tx.leaks_waiting_for(account).await? > 0 {
            return Ok(NAMED);
        }
        if let Some(subject) = instance.subject_of(tx, account).await? {
            let Some(tried_at) = last_tried(tx, subject, now).await? else { return Ok(NAMED) };
            if is_tried_in_other_forms(instance, tx, subject, named).await? {
                return Ok(NAMED);
            }
            as_of = as_of.max(tried_at);
        }
        let never = Unfound::NotChecked { is_named: false };
        Ok(as_of.map_or(never, |as_of| Unfound::NotFound { as_of }))
    })
}

/// When the records about an account were tried on this password last, if ever; `None` if some could not be
/// tried, or were tried on another password.
async fn last_tried(
    tx: &mut Tx,
    subject: SubjectId,
    now: Option<CredentialVersion>,
) -> Result<Option<Option<Timestamp>>, StoreError> {
    let tried = tx.tried_of(subject).await?;
    let is_all = tried.iter().all(|tried| tried.version == now);
    let is_judged = tx.leaks_unverified_for(subject).await? == 0;
    Ok((is_all && is_judged).then(|| tried.iter().map(|tried| tried.tried_at).max()))
}

/// Whether a leak that names somebody was verified when operators named other forms, and was not looked
/// through again.
async fn is_tried_in_other_forms(
    instance: &Instance,
    tx: &mut Tx,
    subject: SubjectId,
    named: FormId,
) -> Result<bool, StoreError> {
    let tried: Vec<_> = tx.tried_of(subject).await?.into_iter().map(|tried| tried.leak).collect();
    let proved = ProvedForms::read(instance.keys(), tx).await?;
    for leak in tx.leaks().await?.into_iter().filter(|leak| tried.contains(&leak.id)) {
        if in_other_forms(&proved, tx, &leak, named).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The accounts that leaks name and whose password could not be tried: whether they are exposed, nobody
/// knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// How many, each counted once.
    pub accounts: u64,
    /// Leak by leak, those without any left out.
    pub by_leak: BTreeMap<LeakName, u64>,
}

/// Counts the accounts whose password could not be tried.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn not_checked(instance: &Instance) -> BoxFuture<'_, Result<NotChecked, StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let by_leak = tx.unverified_by_leak().await?.into_iter().collect();
        Ok(NotChecked { accounts: tx.unverified_accounts().await?, by_leak })
    })
}
