//! Reads a backup to its end, without any database.

use ledger::{AuditError, CheckpointError, CheckpointVerifier, MissingHash, Tree};
use sha2::{Digest as _, Sha256};
use store::{AnyRow, AnyValue, TableColumn};

use super::{
    file::{BackupFile, BackupFileError, BackupHeader, BackupItem},
    report::BackupReport,
};
use crate::{InstanceKey, KeyRing, Progress, Step};

/// Reads all of a backup: every frame, and its audit log against the last signed checkpoint.
///
/// # Errors
/// [`CheckBackupError`] says what is wrong with it.
pub fn check_backup(
    backup: BackupFile,
    key: &InstanceKey,
    progress: &dyn Progress,
) -> Result<BackupReport, CheckBackupError> {
    progress.begin(Step::CheckBackup, backup.bytes());
    let mut report = BackupReport::new(backup.path(), backup.header().clone());
    let verifier = KeyRing::new(key.clone()).checkpoint_key(&report.header.instance).verifier();
    let mut log = LogCheck::new(&verifier);
    let mut items = backup.items(key)?;
    let mut table = (String::new(), Vec::new());
    loop {
        let (item, length) = items.next()?;
        progress.advance(length);
        match item {
            BackupItem::Table { name, columns } => table = (name, columns),
            BackupItem::Row(row) => {
                report.count(&table.0, 1);
                log.take(&table.0, &table.1, row)?;
            }
            BackupItem::End { requests_left_out, .. } => {
                report.requests_left_out = requests_left_out;
                break;
            }
        }
    }
    report.checkpoint = log.finish(&report.header)?;
    progress.end();
    Ok(report)
}

/// The log of a backup, as its rows go by: entries, then hashes, then checkpoints, each in order.
struct LogCheck<'a> {
    verifier: &'a CheckpointVerifier,
    tree: Tree,
    /// Over all hashes of the tree, as they are computed and as they are stored.
    computed: Sha256,
    stored: Sha256,
    checkpoint: String,
}

impl<'a> LogCheck<'a> {
    fn new(verifier: &'a CheckpointVerifier) -> Self {
        let (computed, stored) = (Sha256::new(), Sha256::new());
        Self { verifier, tree: Tree::default(), computed, stored, checkpoint: String::new() }
    }

    fn take(
        &mut self,
        table: &str,
        columns: &[TableColumn],
        row: AnyRow,
    ) -> Result<(), CheckBackupError> {
        let column = |name| value_of(columns, row, name);
        match table {
            "log_entry" => {
                if let Some(AnyValue::Bytes(body)) = column("body") {
                    for hash in self.tree.push(&body)? {
                        self.computed.update(hash);
                    }
                }
            }
            "log_hash" => {
                if let Some(AnyValue::Bytes(hash)) = column("hash") {
                    self.stored.update(hash);
                }
            }
            "log_checkpoint" => {
                if let Some(AnyValue::Text(note)) = column("note") {
                    self.checkpoint = note;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Answers with the last checkpoint.
    fn finish(self, header: &BackupHeader) -> Result<String, CheckBackupError> {
        let (entries, root) = (self.tree.size(), self.tree.root()?);
        if self.computed.finalize() != self.stored.finalize() {
            return Err(CheckBackupError::Hashes);
        }
        if (header.log.size, header.log.root) != (entries, root) {
            return Err(CheckBackupError::OtherLog { said: header.log.size, entries });
        }
        let signed = self.verifier.read(&self.checkpoint)?;
        if (signed.size, signed.root) == (entries, root) {
            return Ok(self.checkpoint);
        }
        Err(AuditError::Contradicted { signed: Box::new(signed), size: entries }.into())
    }
}

fn value_of(columns: &[TableColumn], AnyRow(row): AnyRow, name: &str) -> Option<AnyValue> {
    let place = columns.iter().position(|column| column.name == name)?;
    row.into_iter().nth(place)
}

/// What is wrong with a backup.
#[derive(Debug, thiserror::Error)]
pub enum CheckBackupError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] BackupFileError),
    /// The tree's hashes are others.
    #[error("the hashes of the backup's audit log are not those of its entries")]
    Hashes,
    /// The first line says something else than the rows.
    #[error(
        "the backup's audit log has {entries} entries, and should have {said} with another root"
    )]
    OtherLog {
        /// By the header.
        said: u64,
        /// In it.
        entries: u64,
    },
    /// The last checkpoint signs another log.
    #[error("the backup's audit log: {0}")]
    Audit(#[from] AuditError),
    /// The last checkpoint is none of ours.
    #[error("the backup's audit log: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Hashes are missing.
    #[error("the backup's audit log: {0}")]
    Missing(#[from] MissingHash),
}

impl CheckBackupError {
    /// Whether the file is whole, and not for here.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::File(error) if error.is_refusal())
    }
}
