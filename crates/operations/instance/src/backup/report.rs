use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::file::{BackupHeader, BackupItem};

/// What a backup holds.
#[derive(Debug, Clone, Serialize)]
pub struct BackupReport {
    /// The file.
    pub file: PathBuf,
    /// What it says of itself.
    #[serde(flatten)]
    pub header: BackupHeader,
    /// The signed checkpoint of its log.
    pub checkpoint: String,
    /// Rows in all.
    pub rows: u64,
    /// Rows of each table that has any.
    pub tables: BTreeMap<String, u64>,
    /// Requests for mails that nobody had looked at: they are not in it.
    pub requests_left_out: u64,
}

impl BackupReport {
    pub(super) fn new(path: &Path, header: BackupHeader) -> Self {
        Self {
            file: path.to_owned(),
            header,
            checkpoint: String::new(),
            rows: 0,
            tables: BTreeMap::new(),
            requests_left_out: 0,
        }
    }

    pub(super) fn count(&mut self, table: &str, rows: u64) {
        self.rows += rows;
        if rows > 0 {
            *self.tables.entry(table.to_owned()).or_default() += rows;
        }
    }

    pub(super) const fn end(&self) -> BackupItem {
        BackupItem::End { rows: self.rows, requests_left_out: self.requests_left_out }
    }
}
