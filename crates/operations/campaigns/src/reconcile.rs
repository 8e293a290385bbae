//! Comparing the site's table with what is kept: every account that holds a value of ours which
//! nothing tells of, every line without its value, and everybody who is sealed and left untold.
//!
//! The table is read in a stream, and what looks wrong there is judged again over the connection
//! that writes. What is kept is read after the row: whatever we write there is on record before.

mod compare;
mod found;
mod last;
mod means;
mod records;
mod repair;
mod rows;
mod sealings;
mod trials;
mod unseen;
mod untold;

use std::time::Duration;

use directory::{Ability, ReadError};
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    future::{self, BoxFuture, Either},
    stream::TryChunksError,
};
use instance::{Instance, Step, failpoint, while_renewing};
use ledger::{LogEvent, Reconciled};
use model::{Account, CredentialVersion};
use store::{ReconciliationLease, WorkerName};

use self::{
    compare::{Later, compare, settle},
    found::Disagreements,
    rows::check_swaps,
    trials::Trials,
    unseen::refuse_hidden,
    untold::find_untold,
};
use crate::{
    ReconcileError,
    limits::{ACCOUNTS_PER_LOOK_UP, FOUND_LISTED_MAX, RECONCILE_AGAIN_AFTER, VALUES_TRIED},
};

pub use self::{
    found::{DisagreeingAccount, ReconcileOutcome},
    last::{ReconciliationView, last_reconciliation},
    means::Reconciling,
};

/// How far to go.
#[derive(Debug, Clone, Copy)]
pub struct Thoroughness {
    /// Accounts whose password nobody here knows that are tried for a value of ours.
    pub tries_max: usize,
    /// Accounts that are listed.
    pub listed_max: usize,
}

impl Default for Thoroughness {
    fn default() -> Self {
        Self { tries_max: VALUES_TRIED, listed_max: FOUND_LISTED_MAX }
    }
}

/// Compares the site's table with what is kept, and puts right what safely can be.
///
/// # Errors
/// [`ReconcileError`] says why nothing is known: then nobody may say that all agree.
pub fn reconcile<'a>(
    means: &'a Reconciling<'a>,
    thoroughness: Thoroughness,
) -> BoxFuture<'a, Result<ReconcileOutcome, ReconcileError>> {
    Box::pin(async move {
        if !means.directory.capabilities().can(Ability::Seal) {
            return Err(ReconcileError::ReadOnly);
        }
        let held = take(means.instance, Duration::ZERO, Duration::ZERO).await?;
        let held = held.ok_or(ReconcileError::UnderWay)?;
        let passed = held_pass(means, &held, thoroughness).await;
        conclude(means, &held, passed, AskedBy::Operator).await
    })
}

/// The same, if the last comparison ended so long ago and nobody else is at it. Where the directory
/// cannot be written to, that is left to others. Once `ended` is, what is being compared is broken off, as
/// by a crash: another one begins anew. What was found is recorded to the end.
///
/// # Errors
/// As [`reconcile`].
pub fn reconcile_if_due<'a>(
    means: &'a Reconciling<'a>,
    every: Duration,
    ended: BoxFuture<'a, ()>,
) -> BoxFuture<'a, Result<Option<Reconciled>, ReconcileError>> {
    Box::pin(async move {
        if !means.directory.capabilities().can(Ability::Seal) {
            return Ok(None);
        }
        let again = every.min(RECONCILE_AGAIN_AFTER);
        let Some(held) = take(means.instance, every, again).await? else { return Ok(None) };
        let passing = Box::pin(held_pass(means, &held, Thoroughness::default()));
        let Either::Left((passed, _)) = future::select(passing, ended).await else {
            return Ok(None);
        };
        let outcome = conclude(means, &held, passed, AskedBy::Nobody).await?;
        Ok(Some(outcome.result))
    })
}

/// Looks before it asks for the row: every worker asks once a minute.
async fn take(
    instance: &Instance,
    every: Duration,
    again: Duration,
) -> Result<Option<ReconciliationLease>, ReconcileError> {
    if instance.store().read().await?.reconciliation().await?.is_under_way {
        return Ok(None);
    }
    let owner = WorkerName::from_random(instance.randomness().array());
    let mut tx = instance.store().begin().await?;
    let lease = instance.options().lease;
    let held = tx.take_reconciliation(&owner, lease, every, again).await?;
    tx.commit().await?;
    Ok(held)
}

/// Who has asked for a comparison, and reads what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AskedBy {
    Operator,
    Nobody,
}

async fn held_pass(
    means: &Reconciling<'_>,
    held: &ReconciliationLease,
    thoroughness: Thoroughness,
) -> Result<ComparedTable, ReconcileError> {
    while_renewing(means.instance, held, pass(means, thoroughness)).await
}

async fn conclude(
    means: &Reconciling<'_>,
    held: &ReconciliationLease,
    passed: Result<ComparedTable, ReconcileError>,
    asked_by: AskedBy,
) -> Result<ReconcileOutcome, ReconcileError> {
    match passed {
        Ok((findings, tried)) => finish(means.instance, held, findings, tried, asked_by).await,
        Err(error) => {
            let mut tx = means.instance.store().begin().await?;
            tx.fail_reconciliation(held).await?;
            tx.commit().await?;
            Err(error)
        }
    }
}

/// What was found, and the last credential version that was tried.
type ComparedTable = (Disagreements, Option<CredentialVersion>);

async fn pass(
    means: &Reconciling<'_>,
    thoroughness: Thoroughness,
) -> Result<ComparedTable, ReconcileError> {
    check_swaps(means.instance).await?;
    let mut tx = means.instance.store().read().await?;
    let (kept, campaigns) = (tx.reconciliation().await?, tx.campaigns().await?);
    drop(tx);
    let mut trials = Trials::new(thoroughness.tries_max, kept.tried);
    let mut findings = Disagreements::new(thoroughness.listed_max, &campaigns);
    means.progress.begin(Step::Reconcile, means.directory.count().await?);
    let mut sealed = Vec::new();
    // A row that is no account, for want of an id, is none that was sealed.
    let accounts = means.directory.scan().filter(|row| future::ready(!is_no_account(row)));
    let mut accounts = accounts.try_chunks(ACCOUNTS_PER_LOOK_UP);
    while let Some(some) = accounts.try_next().await.map_err(unread)? {
        let read = some.len() as u64;
        let mut later = Later { trials: &mut trials, sealed: &mut sealed };
        compare(means, some, &mut later, &mut findings).await?;
        failpoint::reach("accounts_compared").await;
        findings.read(read);
        means.progress.advance(read);
    }
    drop(accounts);
    means.progress.end();
    refuse_hidden(means, findings.sealed()).await?;
    for some in sealed.chunks(ACCOUNTS_PER_LOOK_UP) {
        settle(means, some.to_vec(), &mut findings).await?;
    }
    let tried = trials.run(means, &mut findings).await?;
    find_untold(means.instance, &mut findings).await?;
    Ok((findings, tried))
}

fn is_no_account(row: &Result<Account, ReadError>) -> bool {
    row.as_ref().is_err_and(ReadError::is_of_row)
}

fn unread(TryChunksError(_, error): TryChunksError<Account, ReadError>) -> ReconcileError {
    error.into()
}

async fn finish(
    instance: &Instance,
    held: &ReconciliationLease,
    findings: Disagreements,
    tried: Option<CredentialVersion>,
    asked_by: AskedBy,
) -> Result<ReconcileOutcome, ReconcileError> {
    let is_whole = findings.is_whole();
    let outcome = findings.into_outcome();
    // Whom nobody here can judge, an operator is told of.
    let whole = is_whole && (asked_by == AskedBy::Operator || outcome.result.unjudged == 0);
    let mut tx = instance.store().begin().await?;
    if !tx.finish_reconciliation(held, tried).await? {
        return Err(ReconcileError::Lost);
    }
    let event = LogEvent::TableReconciled { result: outcome.result.clone(), whole };
    instance.record(&mut tx, &[event]).await?;
    tx.commit().await?;
    Ok(outcome)
}
