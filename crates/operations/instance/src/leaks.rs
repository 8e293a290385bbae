//! Leaks as they were registered: whoever can write to the database may have given them another name, or
//! another file.

use futures_util::future::BoxFuture;
use ledger::{FileAdded, FindingRow, Fold, FoldRefusal, LeakAdded};
use model::{LeakId, RecordRef, SubjectId, canonical::hex_of};
use store::{Finding, Leak, LeakFile, Tx};

use crate::{Instance, InstanceFault, LogError};

impl Instance {
    /// All leaks, in the order in which they were registered.
    ///
    /// # Errors
    /// [`LogError::Row`] if one is missing, or not as the log says.
    pub fn leaks<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
    ) -> BoxFuture<'tx, Result<Vec<Leak>, InstanceFault>> {
        Box::pin(async move {
            // Others may register one meanwhile, or remove one.
            let before: Vec<_> = self.proved(tx).await?.leaks().collect();
            let leaks = tx.leaks().await?;
            let mut rows = Vec::with_capacity(leaks.len());
            for leak in &leaks {
                rows.push(registered(leak, &tx.leak_files(leak.id).await?));
            }
            let ids: Vec<_> = leaks.iter().map(|leak| leak.id).collect();
            let log = self.proved(tx).await?;
            rows.iter().try_for_each(|row| log.check_leak(row)).map_err(LogError::Row)?;
            log.check_leaks(&before, &ids).map_err(LogError::Row)?;
            Ok(leaks)
        })
    }

    /// A leak's files, in the order in which they were registered.
    ///
    /// # Errors
    /// [`LogError::Row`] if the leak or one of them is not as the log says.
    pub fn leak_files<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
        leak: &'tx Leak,
    ) -> BoxFuture<'tx, Result<Vec<LeakFile>, InstanceFault>> {
        Box::pin(async move {
            let files = tx.leak_files(leak.id).await?;
            let row = registered(leak, &files);
            self.proved(tx).await?.check_leak(&row).map_err(LogError::Row)?;
            Ok(files)
        })
    }

    /// The findings against one account, whatever was done about them, if none is missing.
    ///
    /// # Errors
    /// [`LogError::Row`] names the leak in which the log says that there was one.
    pub fn findings_of<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
        subject: SubjectId,
    ) -> BoxFuture<'tx, Result<Vec<Finding>, InstanceFault>> {
        Box::pin(async move {
            // Nobody takes one away, and others may make one meanwhile.
            let found_in = self.proved(tx).await?.found_in(subject);
            let findings = tx.findings_of(subject).await?;
            check_rows(&*self.proved(tx).await?, &findings)?;
            let is_kept = |leak: &LeakId| findings.iter().any(|finding| finding.leak == *leak);
            match found_in.into_iter().find(|leak| !is_kept(leak)) {
                Some(leak) => Err(LogError::Row(FoldRefusal::Finding { leak, subject }).into()),
                None => Ok(findings),
            }
        })
    }

    /// Passes findings that are all of whom the log says, and as they were made.
    ///
    /// # Errors
    /// [`LogError::Row`] names the first one that is not.
    pub fn check_found<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
        findings: &'tx [Finding],
    ) -> BoxFuture<'tx, Result<(), InstanceFault>> {
        Box::pin(async move { Ok(check_rows(&*self.proved(tx).await?, findings)?) })
    }

    /// Passes the records in which a finding's password stands, in their order.
    ///
    /// # Errors
    /// [`LogError::Row`] if the log says otherwise.
    pub fn check_records<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
        finding: &'tx Finding,
        records: &'tx [RecordRef],
    ) -> BoxFuture<'tx, Result<(), InstanceFault>> {
        Box::pin(async move {
            let mut records = records.to_vec();
            records.sort();
            let log = self.proved(tx).await?;
            let checked = log.check_records(finding.leak, finding.subject, &records);
            Ok(checked.map_err(LogError::Row)?)
        })
    }

    /// Passes the findings of a leak, by the people of whom they are.
    ///
    /// # Errors
    /// [`LogError::Row`] if the log says otherwise.
    pub fn check_findings<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
        leak: LeakId,
        findings: &'tx [Finding],
    ) -> BoxFuture<'tx, Result<(), InstanceFault>> {
        Box::pin(async move {
            let subjects: Vec<_> = findings.iter().map(|finding| finding.subject).collect();
            let log = self.proved(tx).await?;
            log.check_findings(leak, &subjects).map_err(LogError::Row)?;
            Ok(check_rows(&log, findings)?)
        })
    }

    /// Passes as many findings in a leak as were made.
    ///
    /// # Errors
    /// [`LogError::Row`] if the log says otherwise.
    pub fn check_finding_count<'a: 'tx, 'tx>(
        &'a self,
        tx: &'tx mut Tx,
        leak: LeakId,
        rows: u64,
    ) -> BoxFuture<'tx, Result<(), InstanceFault>> {
        Box::pin(async move {
            let log = self.proved(tx).await?;
            Ok(log.check_finding_count(leak, rows).map_err(LogError::Row)?)
        })
    }
}

fn check_rows(log: &Fold, findings: &[Finding]) -> Result<(), LogError> {
    findings.iter().try_for_each(|finding| {
        let Finding { subject, version, hash_format, tier, .. } = *finding;
        let row = FindingRow { subject, version, hash_format, tier };
        log.check_finding(finding.leak, &row).map_err(LogError::Row)
    })
}

/// A leak as the log would say that it is registered.
fn registered(leak: &Leak, files: &[LeakFile]) -> LeakAdded {
    let Leak { id, name, public_name, date, provenance, .. } = leak.clone();
    let file = |LeakFile { path, sha256, bytes, .. }: &LeakFile| FileAdded {
        path: path.clone(),
        sha256: hex_of(sha256),
        bytes: *bytes,
    };
    let files = files.iter().map(file).collect();
    LeakAdded { leak: id, name, public_name, date, provenance, files }
}
