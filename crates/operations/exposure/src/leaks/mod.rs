mod error;
mod intake;
mod remove;
mod report;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use instance::{Instance, InstanceFault, Progress};
use ledger::{FileAdded, LeakAdded, LogEvent};
use model::{
    FindingId, LeakDate, LeakName, LeakState, Provenance, RecordRef, SubjectId, canonical::hex_of,
};
use password::{FormId, HashShape};
use store::{
    Finding, Leak, LeakFile, NewFile, NewLeak, ShapeCount, StoreError, Tx, UnverifiedAccount,
};
use tokio::task::spawn_blocking;

use crate::{
    AccountsRead, contexts::SPOOL, list::ListedAccount, noted::check_noted, proof::ProvedForms,
    spool,
};

pub use error::LeakError;
use intake::Intake;
pub(crate) use intake::{STANDARD_INPUT, modified_at};
pub use remove::remove_leak;
pub use report::{FileReport, LeakReport};
use report::{FormDoubts, is_read};

/// A leak to be registered.
#[derive(Debug, Clone)]
pub struct AddLeak {
    /// What it is called.
    pub name: LeakName,
    /// What people are told that it is called, if that is another name.
    pub public_name: Option<LeakName>,
    /// When it happened.
    pub date: LeakDate,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// Files, folders, or `-` for standard input.
    pub files: Vec<PathBuf>,
    /// Whether files that another leak has may be registered once more.
    pub again: bool,
}

/// Registers a leak and fingerprints its files. Standard input is kept, encrypted.
///
/// # Errors
/// [`LeakError`] if the name is taken or a file cannot be read.
pub fn add_leak(
    instance: &Instance,
    leak: AddLeak,
    progress: Arc<dyn Progress>,
) -> BoxFuture<'_, Result<LeakReport, LeakError>> {
    Box::pin(async move {
        if instance.store().read().await?.leak_by_name(&leak.name).await?.is_some() {
            return Err(StoreError::NameTaken { name: leak.name }.into());
        }
        if leak.date.is_after(instance.clock().now()) {
            return Err(LeakError::Future { date: leak.date });
        }
        let (key, wrapped) = instance.keys().new_data_key(SPOOL, instance.randomness());
        let intake = Intake::of(instance, &leak.files, key)?;
        let files = spawn_blocking(move || intake.take_all(progress.as_ref())).await??;
        let registered = register(instance, &leak, &files, wrapped).await;
        if registered.is_err() {
            remove_kept(files.iter().filter_map(|file| file.kept.as_deref()))?;
        }
        registered?;
        show_leak(instance, &leak.name, None).await
    })
}

/// Removes the encrypted copies of standard input.
pub(crate) fn remove_kept<'a>(kept: impl Iterator<Item = &'a str>) -> Result<(), LeakError> {
    for path in kept.map(Path::new) {
        let failed = |source| LeakError::Keep { path: path.to_owned(), source };
        spool::remove(path).map_err(failed)?;
    }
    Ok(())
}

async fn register(
    instance: &Instance,
    leak: &AddLeak,
    files: &[NewFile],
    spool_key: Vec<u8>,
) -> Result<(), LeakError> {
    let AddLeak { name, public_name, date, provenance, .. } = leak.clone();
    let added_at = instance.clock().now();
    let new = NewLeak { name, public_name, date, provenance, added_at, spool_key };
    let mut tx = instance.store().begin().await?;
    if !leak.again {
        refuse_known(&mut tx, files).await?;
    }
    let id = tx.add_leak(&new, files).await?;
    let added = LeakAdded {
        leak: id,
        name: new.name,
        public_name: new.public_name,
        date: new.date,
        provenance,
        files: files.iter().map(file_added).collect(),
    };
    instance.record(&mut tx, &[LogEvent::LeakAdded(added)]).await?;
    Ok(tx.commit().await?)
}

/// The same lines twice find nobody else, and people would be told of two leaks.
async fn refuse_known(tx: &mut Tx, files: &[NewFile]) -> Result<(), LeakError> {
    for file in files.iter().filter(|file| file.bytes > 0) {
        if let Some(name) = tx.leak_with_file(file.sha256).await? {
            return Err(LeakError::Again { path: file.path.clone(), name });
        }
    }
    Ok(())
}

fn file_added(file: &NewFile) -> FileAdded {
    FileAdded { path: file.path.clone(), sha256: hex_of(&file.sha256), bytes: file.bytes }
}

/// All registered leaks, the oldest first. `named` are the forms that operators name today
/// ([`Verifier::forms_id`](password::Verifier::forms_id)).
///
/// # Errors
/// [`LeakError`] if the store fails.
pub fn leaks(
    instance: &Instance,
    named: FormId,
) -> BoxFuture<'_, Result<Vec<LeakReport>, LeakError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        check_noted(instance, &mut tx).await?;
        let proved = ProvedForms::read(instance.keys(), &mut tx).await?;
        let mut reports = Vec::new();
        for leak in instance.leaks(&mut tx).await? {
            reports.push(report(instance, &proved, &mut tx, leak, Some(named)).await?);
        }
        Ok(reports)
    })
}

/// One leak: its files, what became of every line, its findings; and, if it is told which forms operators
/// name today, whether it was verified in others.
///
/// # Errors
/// [`LeakError::Unknown`] if there is none of that name.
pub fn show_leak<'a>(
    instance: &'a Instance,
    name: &'a LeakName,
    named: Option<FormId>,
) -> BoxFuture<'a, Result<LeakReport, LeakError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        check_noted(instance, &mut tx).await?;
        let leak = find(instance, &mut tx, name).await?;
        let proved = ProvedForms::read(instance.keys(), &mut tx).await?;
        report(instance, &proved, &mut tx, leak, named).await
    })
}

/// The accounts that a leak exposes, those that could not be verified, and those that are counted without
/// proof, by id.
///
/// # Errors
/// [`LeakError::Unknown`] if there is none of that name.
pub fn listed_accounts<'a>(
    instance: &'a Instance,
    name: &'a LeakName,
) -> BoxFuture<'a, Result<Vec<ListedAccount>, LeakError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        check_noted(instance, &mut tx).await?;
        let found = find(instance, &mut tx, name).await?;
        let leak = found.id;
        let without_proof = without_proof(instance, &mut tx, found).await?;
        let mut records: BTreeMap<FindingId, Vec<RecordRef>> = BTreeMap::new();
        for (finding, record) in tx.finding_records(leak).await? {
            records.entry(finding).or_default().push(record);
        }
        let (findings, unverified) = (tx.findings(leak).await?, tx.unverified(leak).await?);
        instance.check_findings(&mut tx, leak, &findings).await?;
        let subjects = findings.iter().map(|finding| finding.subject);
        let subjects = subjects.chain(unverified.iter().map(|row| row.subject));
        let subjects = subjects.chain(without_proof.iter().map(|(subject, _)| *subject));
        let accounts = instance.accounts_of(&mut tx, subjects).await?;
        let mut listed = Vec::new();
        for Finding { id, subject, hash_format, tier, .. } in findings {
            let mut records = records.remove(&id).unwrap_or_default();
            records.sort();
            let account = accounts.of(subject)?.clone();
            listed.push(ListedAccount::exposed(account, hash_format, tier, records));
        }
        for UnverifiedAccount { subject, reason, hash_format, head, records } in unverified {
            let account = accounts.of(subject)?.clone();
            listed.push(ListedAccount::unverified(account, reason, hash_format, head, records));
        }
        for (subject, shape) in without_proof {
            let account = accounts.of(subject)?.clone();
            listed.push(ListedAccount::without_proof(account, None, &shape));
        }
        listed.sort_by(|a, b| a.account.cmp(&b.account));
        Ok(listed)
    })
}

/// Whoever of a leak is counted without proof, and the shape of their hash.
async fn without_proof(
    instance: &Instance,
    tx: &mut Tx,
    leak: Leak,
) -> Result<Vec<(SubjectId, HashShape)>, LeakError> {
    let id = leak.id;
    let proved = ProvedForms::read(instance.keys(), tx).await?;
    let shapes = tx.shapes(id).await?;
    let report = report(instance, &proved, tx, leak, None).await?;
    if report.counts.without_proof.is_empty() {
        return Ok(Vec::new());
    }
    let tried = tx.tried_forms(id).await?.into_iter();
    let unproved = tried.filter(|(_, forms)| !forms.is_empty() && !proved.holds_any(forms));
    let with_shape = unproved.map(|(subject, forms)| {
        // Behind these stands what operators had named.
        let shape = shapes.iter().find(|count| count.forms.starts_with(&forms));
        let shape = shape.map_or_else(HashShape::others, |it| HashShape::kept(it.shape.clone()));
        (subject, shape)
    });
    Ok(with_shape.collect())
}

/// The leak of a name, as it was registered.
pub(crate) async fn find(
    instance: &Instance,
    tx: &mut Tx,
    name: &LeakName,
) -> Result<Leak, LeakError> {
    let leak = tx.leak_by_name(name).await?;
    let leak = leak.ok_or_else(|| LeakError::Unknown { name: name.clone() })?;
    instance.leak_files(tx, &leak).await?;
    Ok(leak)
}

async fn report(
    instance: &Instance,
    proved: &ProvedForms<'_>,
    tx: &mut Tx,
    leak: Leak,
    named: Option<FormId>,
) -> Result<LeakReport, LeakError> {
    let files = tx.leak_files(leak.id).await?;
    let summary = tx.summary(leak.id).await?;
    instance.check_finding_count(tx, leak.id, summary.findings).await?;
    let read = tx.noted_accounts(leak.id).await?.map(AccountsRead::from);
    let unverified = tx.unverified_by_reason(leak.id).await?;
    let shapes = tx.shapes(leak.id).await?;
    let in_other_forms = match named {
        Some(named) => in_other_forms(instance, proved, tx, (&leak, &shapes), named).await?,
        None => 0,
    };
    let doubts = FormDoubts { without_proof: proved.without(shapes), in_other_forms };
    Ok(LeakReport::new(leak, files, (summary, read), unverified, doubts))
}

/// The leaks that are verified as far as they could be read, and could not be read as a whole.
pub(crate) async fn partly_read(tx: &mut Tx) -> Result<Vec<LeakName>, StoreError> {
    let mut partly = Vec::new();
    let leaks = tx.leaks().await?.into_iter();
    for leak in leaks.filter(|leak| leak.state == LeakState::Verified) {
        let (tally, incomplete_files) = tx.lines_read(leak.id).await?;
        let read = tx.noted_accounts(leak.id).await?.map(AccountsRead::from);
        if !is_read((&tally, &incomplete_files), read) {
            partly.push(leak.name);
        }
    }
    Ok(partly)
}

/// How many accounts of a leak, whose shapes are given, were tried when operators named other forms; none if
/// its files were looked through again since.
pub(crate) async fn in_other_forms(
    instance: &Instance,
    proved: &ProvedForms<'_>,
    tx: &mut Tx,
    (leak, shapes): (&Leak, &[ShapeCount]),
    named: FormId,
) -> Result<u64, InstanceFault> {
    let accounts = proved.in_other_forms(shapes, named);
    if accounts == 0 || is_verified_again(instance, proved, tx, leak, named).await? {
        return Ok(0);
    }
    Ok(accounts)
}

/// Whether another leak has the same files, and was verified in the forms that operators name today.
async fn is_verified_again(
    instance: &Instance,
    proved: &ProvedForms<'_>,
    tx: &mut Tx,
    leak: &Leak,
    named: FormId,
) -> Result<bool, InstanceFault> {
    let files = instance.leak_files(tx, leak).await?;
    for other in instance.leaks(tx).await? {
        if other.id == leak.id || other.state != LeakState::Verified {
            continue;
        }
        let theirs = instance.leak_files(tx, &other).await?;
        let has = |file: &LeakFile| theirs.iter().any(|their| their.sha256 == file.sha256);
        let shapes = tx.shapes(other.id).await?;
        if files.iter().all(has) && proved.in_other_forms(&shapes, named) == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
