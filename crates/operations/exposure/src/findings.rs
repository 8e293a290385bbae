//! Findings, to be looked at: all of them but the secret.

use std::collections::{BTreeMap, HashMap};

use directory::{Directory, ReadError};
use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault, LogError};
use ledger::FoldRefusal;
use model::{
    Account, AccountId, FindingId, FindingState, HashFormat, LeakId, LeakName, RecordRef, Tier,
    Timestamp, text_enum,
};
use serde::Serialize;
use store::{Finding, Tx};

use crate::limits::ACCOUNTS_PER_BATCH;

/// Which findings to look at: all of them, unless a leak or an account is named.
#[derive(Debug, Clone, Default)]
pub struct FindingSelection {
    /// Those in this leak.
    pub leak: Option<LeakName>,
    /// Those of this account.
    pub account: Option<AccountId>,
}

text_enum! {
    /// Whether a finding's password is still stored as it was.
    pub enum PasswordNow {
        /// It is stored as it was when the finding was verified.
        Unchanged = "unchanged",
        /// The account's stored hash is another now: a new password, or the same one hashed anew.
        Changed = "hash_changed",
        /// The account has none any more.
        Removed = "removed",
        /// The site has deleted the account.
        Gone = "gone",
    }
}

/// One finding, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingReport {
    /// Its number.
    pub finding: FindingId,
    /// Whose password it is.
    pub account: AccountId,
    /// Where the password stands.
    pub leak: LeakName,
    /// What led from the record to the account.
    pub tier: Tier,
    /// How the password was stored.
    pub hash_format: HashFormat,
    /// What has been done about it.
    pub state: FindingState,
    /// Whether it is still stored as it was.
    pub password: PasswordNow,
    /// When it was verified.
    pub verified_at: Timestamp,
    /// The records that hold the password, in their order.
    pub records: Vec<RecordRef>,
}

/// Lists findings, leak by leak.
///
/// # Errors
/// [`FindingError`] if the leak is unknown, or the store or the directory fails.
pub fn list_findings<'a>(
    instance: &'a Instance,
    directory: &'a dyn Directory,
    selection: &'a FindingSelection,
) -> BoxFuture<'a, Result<Vec<FindingReport>, FindingError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let leaks = leaks(instance, &mut tx, selection.leak.as_ref()).await?;
        let found = match &selection.account {
            Some(account) => found_of(instance, &mut tx, account, &leaks).await?,
            None => found_in(instance, &mut tx, &leaks).await?,
        };
        drop(tx);
        Gathered { instance, directory, leaks }.report(found).await
    })
}

/// Shows one finding.
///
/// # Errors
/// [`FindingError::Unknown`] if there is none of that number.
pub fn show_finding<'a>(
    instance: &'a Instance,
    directory: &'a dyn Directory,
    number: FindingId,
) -> BoxFuture<'a, Result<FindingReport, FindingError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let finding = tx.finding(number).await?.ok_or(FindingError::Unknown { number })?;
        findings_in(instance, &mut tx, finding.leak).await?;
        let records = records_of(instance, &mut tx, &finding).await?;
        let leaks = leaks(instance, &mut tx, None).await?;
        drop(tx);
        let reports =
            Gathered { instance, directory, leaks }.report(vec![(finding, records)]).await?;
        reports.into_iter().next().ok_or(FindingError::Unknown { number })
    })
}

/// The first finding of each leak that is not as it was made, or that its records are not.
///
/// # Errors
/// [`InstanceFault`] if the log is not what was signed, or the store fails.
pub fn check_all_findings(
    instance: &Instance,
) -> BoxFuture<'_, Result<Vec<FoldRefusal>, InstanceFault>> {
    Box::pin(async move {
        let mut refused = Vec::new();
        let mut tx = instance.store().read().await?;
        for leak in tx.leaks().await? {
            let only = BTreeMap::from([(leak.id, leak.name)]);
            match found_in(instance, &mut tx, &only).await {
                Err(InstanceFault::Log(LogError::Row(row))) => refused.push(row),
                checked => drop(checked?),
            }
        }
        Ok(refused)
    })
}

type LocatedFinding = (Finding, Vec<RecordRef>);

/// The names of the leaks to look into.
async fn leaks(
    instance: &Instance,
    tx: &mut Tx,
    only: Option<&LeakName>,
) -> Result<BTreeMap<LeakId, LeakName>, FindingError> {
    let mut leaks: BTreeMap<_, _> =
        instance.leaks(tx).await?.into_iter().map(|leak| (leak.id, leak.name)).collect();
    if let Some(only) = only {
        leaks.retain(|_, name| name == only);
        if leaks.is_empty() {
            return Err(FindingError::UnknownLeak { name: only.clone() });
        }
    }
    Ok(leaks)
}

async fn found_in(
    instance: &Instance,
    tx: &mut Tx,
    leaks: &BTreeMap<LeakId, LeakName>,
) -> Result<Vec<LocatedFinding>, InstanceFault> {
    let mut found = Vec::new();
    for leak in leaks.keys() {
        let mut records: HashMap<FindingId, Vec<RecordRef>> = HashMap::new();
        for (finding, record) in tx.finding_records(*leak).await? {
            records.entry(finding).or_default().push(record);
        }
        let findings = findings_in(instance, tx, *leak).await?;
        for finding in findings {
            let records = records.remove(&finding.id).unwrap_or_default();
            instance.check_records(tx, &finding, &records).await?;
            found.push((finding, records));
        }
    }
    Ok(found)
}

/// The findings of a leak, of the people of whom the log says that they were made.
async fn findings_in(
    instance: &Instance,
    tx: &mut Tx,
    leak: LeakId,
) -> Result<Vec<Finding>, InstanceFault> {
    let findings = tx.findings(leak).await?;
    instance.check_findings(tx, leak, &findings).await?;
    Ok(findings)
}

async fn records_of(
    instance: &Instance,
    tx: &mut Tx,
    finding: &Finding,
) -> Result<Vec<RecordRef>, InstanceFault> {
    let records = tx.records_of(finding.id).await?;
    instance.check_records(tx, finding, &records).await?;
    Ok(records)
}

async fn found_of(
    instance: &Instance,
    tx: &mut Tx,
    account: &AccountId,
    leaks: &BTreeMap<LeakId, LeakName>,
) -> Result<Vec<LocatedFinding>, InstanceFault> {
    let mut found = Vec::new();
    let Some(subject) = instance.subject_of(tx, account).await? else { return Ok(found) };
    for finding in instance.findings_of(tx, subject).await? {
        if leaks.contains_key(&finding.leak) {
            findings_in(instance, tx, finding.leak).await?;
            let records = records_of(instance, tx, &finding).await?;
            found.push((finding, records));
        }
    }
    Ok(found)
}

/// What turns rows into reports.
struct Gathered<'a> {
    instance: &'a Instance,
    directory: &'a dyn Directory,
    leaks: BTreeMap<LeakId, LeakName>,
}

impl Gathered<'_> {
    async fn report(&self, found: Vec<LocatedFinding>) -> Result<Vec<FindingReport>, FindingError> {
        let mut reports = Vec::with_capacity(found.len());
        for batch in found.chunks(ACCOUNTS_PER_BATCH) {
            let mut tx = self.instance.store().read().await?;
            let subjects = batch.iter().map(|(row, _)| row.subject);
            let accounts = self.instance.accounts_of(&mut tx, subjects).await?;
            drop(tx);
            let ids: Vec<_> = accounts.iter().map(|(_, account)| account.clone()).collect();
            let present = self.directory.by_ids(&ids).await?.into_iter();
            let present = present.map(|account| (account.id.clone(), account)).collect();
            for (row, records) in batch {
                let account = accounts.of(row.subject)?;
                reports.extend(self.report_one(row, account, records, &present));
            }
        }
        Ok(reports)
    }

    /// `None` only for a leak that was registered while we looked.
    fn report_one(
        &self,
        row: &Finding,
        account: &AccountId,
        records: &[RecordRef],
        present: &HashMap<AccountId, Account>,
    ) -> Option<FindingReport> {
        Some(FindingReport {
            finding: row.id,
            account: account.clone(),
            leak: self.leaks.get(&row.leak)?.clone(),
            tier: row.tier,
            hash_format: row.hash_format,
            state: row.state,
            password: self.password_now(row, present.get(account)),
            verified_at: row.verified_at,
            records: records.to_vec(),
        })
    }

    fn password_now(&self, row: &Finding, account: Option<&Account>) -> PasswordNow {
        let Some(account) = account else { return PasswordNow::Gone };
        match &account.credential {
            None => PasswordNow::Removed,
            Some(now) if now.version(self.instance.keys()) == row.version => PasswordNow::Unchanged,
            Some(_) => PasswordNow::Changed,
        }
    }
}

/// Why findings cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    /// No finding has that number.
    #[error("there is no finding {number}: `countersign finding list` shows all of them")]
    Unknown {
        /// What was asked for.
        number: FindingId,
    },
    /// No leak has that name.
    #[error("no leak is called `{name}`: `countersign leak list` shows those that are registered")]
    UnknownLeak {
        /// What was asked for.
        name: LeakName,
    },
    /// Whether passwords have changed cannot be seen.
    #[error(transparent)]
    Directory(#[from] ReadError),
    /// What can fail in every operation on an instance.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

instance::from_faults!(FindingError);
