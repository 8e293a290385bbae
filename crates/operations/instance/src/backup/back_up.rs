use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use authority::LogMark;
use futures_util::{TryStreamExt as _, future::BoxFuture};
use ledger::LogEvent;
use model::{Timestamp, canonical::hex_of};
use private_file::UnfinishedFile;
use store::{Store, StoreError, StoreTable, Tx};

use super::{
    file::{BackupFormat, BackupHeader, BackupItem, BackupWriter},
    report::BackupReport,
};
use crate::{Instance, InstanceFault, Progress, Step, arming::newest_mark, failpoint};

/// Writes everything that the store holds at this moment into a new file, and into the log that this
/// was done. Whoever works meanwhile goes on.
///
/// # Errors
/// [`BackUpError`]; then there is no file, unless the error says so.
pub fn back_up<'a>(
    instance: &'a Instance,
    path: &'a Path,
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Result<BackupReport, BackUpError>> {
    Box::pin(async move {
        let failed = |source| BackUpError::unwritable(path, source);
        let file = UnfinishedFile::begin(path).map_err(failed)?;
        progress.begin(Step::BackUp, 0);
        let mut tx = instance.store().read().await?;
        let header = header(instance, &mut tx).await?;
        let key = instance.keys().backup_key();
        let mut writer =
            BackupWriter::begin(file, &header, &key, instance.randomness()).map_err(failed)?;
        let mut report = BackupReport::new(path, header);
        for table in StoreTable::carried() {
            failpoint::reach("backup_table").await;
            let rows = write_table(&mut tx, table, &mut writer, progress, path).await?;
            report.count(table.name(), rows);
        }
        report.requests_left_out = tx.mail_requests_waiting().await?;
        report.checkpoint = tx.latest_checkpoint().await?.map(|it| it.note).unwrap_or_default();
        drop(tx);
        writer.write(&report.end()).map_err(failed)?;
        let file = writer.finish().map_err(failed)?;
        failpoint::reach("backup_written").await;
        file.finish().map_err(failed)?;
        progress.end();
        let unrecorded =
            |source| BackUpError::Unrecorded { path: path.to_owned(), source: Box::new(source) };
        record(instance, &report.header.log).await.map_err(unrecorded)?;
        Ok(report)
    })
}

/// When the last backup was made, as the log says; `None` if none was.
///
/// # Errors
/// [`InstanceFault`] if the log is not what was signed, or the store fails.
pub fn last_backup(instance: &Instance) -> BoxFuture<'_, Result<Option<Timestamp>, InstanceFault>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        Ok(instance.proved(&mut tx).await?.last_backup())
    })
}

async fn header(instance: &Instance, tx: &mut Tx) -> Result<BackupHeader, InstanceFault> {
    Ok(BackupHeader {
        v: BackupFormat::V1,
        instance: instance.id().to_owned(),
        kind: instance.kind(),
        key: instance.keys().id(),
        made_at: instance.clock().now(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: Store::schema_version_needed(),
        log: newest_mark(tx).await?,
        salt: instance.randomness().array(),
    })
}

/// Answers with the number of rows.
async fn write_table<W: Write>(
    tx: &mut Tx,
    table: &'static StoreTable,
    writer: &mut BackupWriter<'_, W>,
    progress: &dyn Progress,
    path: &Path,
) -> Result<u64, BackUpError> {
    let failed = |source| BackUpError::unwritable(path, source);
    let columns = tx.table_columns(table).await?;
    let head = BackupItem::Table { name: table.name().to_owned(), columns: columns.clone() };
    writer.write(&head).map_err(failed)?;
    let (mut rows, mut count) = (tx.table_rows(table, &columns), 0);
    while let Some(row) = rows.try_next().await? {
        progress.advance(writer.write(&BackupItem::Row(row)).map_err(failed)?);
        count += 1;
    }
    Ok(count)
}

async fn record(instance: &Instance, log: &LogMark) -> Result<(), InstanceFault> {
    let made = LogEvent::BackupMade { entries: log.size, root: hex_of(&log.root) };
    let mut tx = instance.store().begin().await?;
    instance.record(&mut tx, &[made]).await?;
    Ok(tx.commit().await?)
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackUpError {
    /// Nothing is overwritten.
    #[error("{} is there already: name another file, or move it away", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else makes the same one.
    #[error("another process writes {} now", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is there.
    #[error("{} is a whole backup, but the audit log does not say that it was made: {source}", path.display())]
    Unrecorded {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<InstanceFault>,
    },
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

crate::from_through!(BackUpError, Fault: StoreError);

impl BackUpError {
    fn unwritable(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            io::ErrorKind::ResourceBusy => Self::Busy { path },
            _ => Self::Unwritable { path, source },
        }
    }
}
