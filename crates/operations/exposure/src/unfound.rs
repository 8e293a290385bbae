use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault};
use ledger::Fold;
use model::{AccountId, CredentialVersion, LeakName, SubjectId, Timestamp};
use password::FormId;
use serde::Serialize;
use store::{Leak, StoreError, TriedAccount, Tx};

use crate::{
    leaks::{in_other_forms, partly_read},
    noted::check_noted,
    proof::ProvedForms,
};

/// What can be said of a password that no open finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfound {
    /// It stands in none of the leaks that were looked through by then. Of a password that was chosen
    /// later, this says nothing.
    NotFound {
        /// When it was compared last.
        as_of: Timestamp,
        /// Whether leaks name the account, and all that they hold of it was tried on this very password.
        /// If not, they named nobody who had its identifiers by then.
        is_compared: bool,
    },
    /// Nobody can tell.
    NotChecked {
        /// Whether a leak holds records about the account. If not, it may do so in what could not be read.
        is_named: bool,
        /// Whether a leak that was looked through could not be read as a whole. If neither, none was looked
        /// through.
        is_partial: bool,
    },
}

/// Says what is known of a password, as it is stored now, that no open finding is about. `named` are the
/// forms that operators name today ([`Verifier::forms_id`](password::Verifier::forms_id)): what was tried
/// when they named others says nothing.
///
/// # Errors
/// [`InstanceFault`] if the store fails, or a leak is not as the log says.
pub fn unfound<'a>(
    instance: &'a Instance,
    tx: &'a mut Tx,
    account: &'a AccountId,
    now: Option<CredentialVersion>,
    named: FormId,
) -> BoxFuture<'a, Result<Unfound, InstanceFault>> {
    const NAMED: Unfound = Unfound::NotChecked { is_named: true, is_partial: false };
    Box::pin(async move {
        check_noted(instance, tx).await?;
        if tx.leaks_waiting_for(account).await? > 0 {
            return Ok(NAMED);
        }
        let tried_at = match instance.subject_of(tx, account).await? {
            None => None,
            Some(subject) => match last_tried(instance, tx, subject, now, named).await? {
                Tried::Not => return Ok(NAMED),
                Tried::Nothing => None,
                Tried::At(tried_at) => Some(tried_at),
            },
        };
        if !partly_read(tx).await?.is_empty() {
            return Ok(Unfound::NotChecked { is_named: false, is_partial: true });
        }
        let as_of = instance.proved(tx).await?.looked_through_at().max(tried_at);
        let never = Unfound::NotChecked { is_named: false, is_partial: false };
        let is_compared = tried_at.is_some();
        Ok(as_of.map_or(never, |as_of| Unfound::NotFound { as_of, is_compared }))
    })
}

/// What has become of the records about an account.
enum Tried {
    /// There are none.
    Nothing,
    /// All were tried on the password that it has now, in a form that is proved and one of today's; last
    /// then.
    At(Timestamp),
    /// Some could not be tried, or not in such a form, or were tried on another password.
    Not,
}

async fn last_tried(
    instance: &Instance,
    tx: &mut Tx,
    subject: SubjectId,
    now: Option<CredentialVersion>,
    named: FormId,
) -> Result<Tried, InstanceFault> {
    if tx.leaks_unverified_for(subject).await? > 0 {
        return Ok(Tried::Not);
    }
    let tried = tx.tried_of(subject).await?;
    if tried.is_empty() {
        return Ok(Tried::Nothing);
    }
    let proved = ProvedForms::read(instance.keys(), tx).await?;
    let is_judged = |tried: &TriedAccount| {
        now.is_some() && tried.version == now && proved.holds_any(&tried.forms)
    };
    if !tried.iter().all(is_judged)
        || is_in_other_forms(instance, tx, &proved, &tried, named).await?
    {
        return Ok(Tried::Not);
    }
    let log = instance.proved(tx).await?;
    let last = tried.iter().filter_map(|tried| tried_at(&log, tried)).max();
    Ok(last.map_or(Tried::Not, Tried::At))
}

/// Its row may say anything, and the log between which moments it was.
fn tried_at(log: &Fold, tried: &TriedAccount) -> Option<Timestamp> {
    let (from, to) = log.tried_between(tried.leak)?;
    Some(tried.tried_at.max(from).min(to.max(from)))
}

/// Whether one of these leaks was verified when operators named other forms, and was not looked through
/// again.
async fn is_in_other_forms(
    instance: &Instance,
    tx: &mut Tx,
    proved: &ProvedForms<'_>,
    tried: &[TriedAccount],
    named: FormId,
) -> Result<bool, InstanceFault> {
    let is_tried = |leak: &Leak| tried.iter().any(|tried| tried.leak == leak.id);
    for leak in instance.leaks(tx).await?.into_iter().filter(is_tried) {
        let shapes = tx.shapes(leak.id).await?;
        if in_other_forms(instance, proved, tx, (&leak, &shapes), named).await? > 0 {
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
    /// Leaks that could not be read as a whole: whom the rest of them names, nobody knows.
    pub partly_read: Vec<LeakName>,
}

/// Counts the accounts whose password could not be tried, and names the leaks that may hold more.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn not_checked(instance: &Instance) -> BoxFuture<'_, Result<NotChecked, StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let by_leak = tx.unverified_by_leak().await?.into_iter().collect();
        let accounts = tx.unverified_accounts().await?;
        Ok(NotChecked { accounts, by_leak, partly_read: partly_read(&mut tx).await? })
    })
}
