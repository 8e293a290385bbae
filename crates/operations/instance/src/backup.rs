//! A copy of the whole store in one encrypted file, which either database can be made from again.

mod back_up;
mod check;
mod file;
mod report;
mod restore;
#[cfg(test)]
mod tests;

pub use back_up::{BackUpError, back_up, last_backup};
pub use check::{CheckBackupError, check_backup};
pub use file::{BackupFile, BackupFileError, BackupHeader};
pub use report::BackupReport;
pub use restore::{MissingInput, RestoreError, RestoreReport, RestoreTarget, restore};
