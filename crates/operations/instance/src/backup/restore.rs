//! Makes a store out of a backup, disarmed: whatever was done since the backup is not known.

use std::{mem, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use ledger::{Audited, HistoryReport, LogEvent};
use model::{Clock, Randomness, canonical::hex_of};
use serde::Serialize;
use store::{AnyRow, Store, StoreError, StoreTable, TableColumn, Tx};

use super::{
    file::{BackupFile, BackupFileError, BackupHeader, BackupItem, BackupItems},
    report::BackupReport,
};
use crate::{
    Instance, InstanceError, InstanceFault, InstanceKey, InstanceOptions, LogError, Progress, Step,
    failpoint,
    instance::{open_keys, require_migrated},
    limits::{RESTORED_BYTES_PER_WRITE, RESTORED_ROWS_PER_WRITE},
    log::{ReadLog, read_log},
};

/// Where a store is to be made.
pub struct RestoreTarget {
    /// The database, which nobody has used yet.
    pub store: Store,
    /// The instance key that the backup was made with.
    pub key: InstanceKey,
    /// This host's clock.
    pub clock: Arc<dyn Clock>,
    /// Where nonces come from.
    pub randomness: Arc<dyn Randomness>,
    /// How the instance is to do its work.
    pub options: InstanceOptions,
}

/// A store that was restored.
#[derive(Debug, Serialize)]
pub struct RestoreReport {
    /// What the backup held.
    #[serde(flatten)]
    pub backup: BackupReport,
    /// Entries of the log that cannot have come about so.
    pub log_faults: usize,
    /// Copies of standard input that are still needed, and are not on this host.
    pub missing_inputs: Vec<MissingInput>,
}

/// A leak that cannot be screened here.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct MissingInput {
    /// Its name.
    pub leak: String,
    /// Where the encrypted copy of its input should be.
    pub file: PathBuf,
}

/// Makes a store out of a backup in one transaction. Its last act is a log entry that lets nothing be
/// sent until operators have signed that they know of the restore.
///
/// # Errors
/// [`RestoreError`]; then the database holds no instance.
pub fn restore(
    backup: BackupFile,
    target: RestoreTarget,
    progress: &dyn Progress,
) -> BoxFuture<'_, Result<RestoreReport, RestoreError>> {
    Box::pin(async move {
        let RestoreTarget { store, key, clock, randomness, options } = target;
        let (header, bytes) = (backup.header().clone(), backup.bytes());
        let mut report = BackupReport::new(backup.path(), header.clone());
        let items = backup.items(&key)?;
        prepare(&store, &header).await?;
        let mut tx = store.begin().await?;
        refuse_used(&mut tx).await?;
        progress.begin(Step::Restore, bytes);
        load(&mut tx, items, &mut report, progress).await?;
        tx.count_on().await?;
        let (row, keys) = open_keys(&mut tx, key).await?;
        let instance = Instance::of(row, store, keys, (clock, randomness), options);
        if instance.id() != header.instance {
            return Err(RestoreError::OtherInstance);
        }
        let (checkpoint, history) = check_log(&instance, &mut tx, &header).await?;
        report.checkpoint = checkpoint;
        let missing_inputs = missing_inputs(&mut tx).await?;
        instance.record(&mut tx, &[restored(&report)]).await?;
        failpoint::reach("restore_loaded").await;
        tx.commit().await?;
        progress.end();
        Ok(RestoreReport { backup: report, log_faults: history.faults.len(), missing_inputs })
    })
}

fn restored(report: &BackupReport) -> LogEvent {
    let BackupHeader { log, made_at, .. } = &report.header;
    LogEvent::StoreRestored {
        entries: log.size,
        root: hex_of(&log.root),
        backup_at: *made_at,
        requests_dropped: report.requests_left_out,
    }
}

/// Tables without an instance are no store yet, so they may be there already.
async fn prepare(store: &Store, header: &BackupHeader) -> Result<(), RestoreError> {
    let needed = Store::schema_version_needed();
    if header.schema != needed {
        let (made, program) = (header.schema, header.program.clone());
        return Err(RestoreError::OtherSchema { made, needed, program });
    }
    let is_begun = match store.schema_version().await? {
        None => true,
        // Whoever restored before was interrupted while the tables were made.
        Some(version) => version < needed && store.read().await?.instance().await?.is_none(),
    };
    if is_begun {
        store.migrate().await?;
    }
    Ok(require_migrated(store).await?)
}

async fn refuse_used(tx: &mut Tx) -> Result<(), RestoreError> {
    if let Some(row) = tx.instance().await? {
        return Err(RestoreError::Holds { instance: row.id });
    }
    match tx.first_used_table().await? {
        Some(table) => Err(RestoreError::Used { table: table.name() }),
        None => Ok(()),
    }
}

/// Rows of one table on their way.
#[derive(Default)]
struct Portion {
    table: Option<(&'static StoreTable, Vec<TableColumn>)>,
    rows: Vec<AnyRow>,
    bytes: u64,
}

async fn load(
    tx: &mut Tx,
    mut items: BackupItems,
    report: &mut BackupReport,
    progress: &dyn Progress,
) -> Result<(), RestoreError> {
    let mut portion = Portion::default();
    loop {
        let (item, length) = items.next()?;
        progress.advance(length);
        match item {
            BackupItem::Table { name, columns } => {
                portion.write(tx).await?;
                failpoint::reach("restore_table").await;
                portion.table = Some((table_of(&name)?, columns));
            }
            BackupItem::Row(row) => {
                let (table, _) = portion.table.as_ref().ok_or_else(|| unknown(""))?;
                report.count(table.name(), 1);
                if portion.add(row, length) {
                    portion.write(tx).await?;
                }
            }
            BackupItem::End { requests_left_out, .. } => {
                report.requests_left_out = requests_left_out;
                return portion.write(tx).await;
            }
        }
    }
}

impl Portion {
    /// Whether it is time to write.
    fn add(&mut self, row: AnyRow, bytes: u64) -> bool {
        self.rows.push(row);
        self.bytes += bytes;
        self.rows.len() >= RESTORED_ROWS_PER_WRITE || self.bytes >= RESTORED_BYTES_PER_WRITE
    }

    async fn write(&mut self, tx: &mut Tx) -> Result<(), RestoreError> {
        let rows = mem::take(&mut self.rows);
        self.bytes = 0;
        let Some((table, columns)) = &self.table else { return Ok(()) };
        let written = tx.put_table_rows(table, columns, rows).await;
        written.map_err(|source| RestoreError::Rows { table: table.name(), source })
    }
}

fn table_of(name: &str) -> Result<&'static StoreTable, RestoreError> {
    StoreTable::carried().find(|table| table.name() == name).ok_or_else(|| unknown(name))
}

fn unknown(table: &str) -> RestoreError {
    RestoreError::UnknownTable { table: table.to_owned() }
}

/// Everything that is acted on is held against the log, and the log against its checkpoints here.
async fn check_log(
    instance: &Instance,
    tx: &mut Tx,
    header: &BackupHeader,
) -> Result<(String, HistoryReport), RestoreError> {
    let ReadLog { audited, checkpoint, history } = read_log(instance, tx, None).await?;
    let Audited { entries, root, .. } = audited;
    if (entries, root) == (header.log.size, header.log.root) {
        return Ok((checkpoint, history));
    }
    Err(RestoreError::OtherLog { said: header.log.size, entries })
}

async fn missing_inputs(tx: &mut Tx) -> Result<Vec<MissingInput>, StoreError> {
    let kept = tx.kept_inputs().await?.into_iter();
    let inputs = kept.map(|(leak, file)| MissingInput { leak, file: file.into() });
    Ok(inputs.filter(|input| !input.file.exists()).collect())
}

/// Why a store is not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup cannot be read.
    #[error(transparent)]
    File(#[from] BackupFileError),
    /// Nothing is overwritten.
    #[error(
        "the database holds instance {instance}: a backup is restored into an empty database alone. Set \
         `store.url` to one that is empty, or move the file that it names away"
    )]
    Holds {
        /// Its id.
        instance: String,
    },
    /// Somebody has put something there.
    #[error(
        "the table {table} of the database holds rows: a backup is restored into an empty database alone. \
         Set `store.url` to one that is empty"
    )]
    Used {
        /// Which table.
        table: &'static str,
    },
    /// Another version of Countersign has to restore it.
    #[error(
        "the backup's tables are of version {made}, this program's are of version {needed}: restore it \
         with Countersign {program}, which made it, then run `countersign migrate` with this version"
    )]
    OtherSchema {
        /// In the backup.
        made: i64,
        /// This program's.
        needed: i64,
        /// Which version of Countersign made it.
        program: String,
    },
    /// It was not made by the program that it names.
    #[error("the backup has a table `{table}`, which no version of these tables has")]
    UnknownTable {
        /// Its name.
        table: String,
    },
    /// The database does not take them.
    #[error("the rows of the table {table} cannot be written: {source}")]
    Rows {
        /// Which table.
        table: &'static str,
        /// Why not.
        source: StoreError,
    },
    /// Its first line names another one.
    #[error("the backup does not hold the instance that its first line names")]
    OtherInstance,
    /// Its first line says something else.
    #[error(
        "the backup's audit log has {entries} entries, and should have {said} with another root"
    )]
    OtherLog {
        /// By the header.
        said: u64,
        /// In it.
        entries: u64,
    },
    /// What it holds is no instance of this key, or of this version.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// Log or database failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

crate::from_through!(RestoreError, Fault: StoreError, LogError);

impl RestoreError {
    /// Whether a rule says no, rather than something being wrong.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::Holds { .. } | Self::Used { .. } | Self::OtherSchema { .. } => true,
            Self::File(error) => error.is_refusal(),
            _ => false,
        }
    }
}
