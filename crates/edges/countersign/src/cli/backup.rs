use std::path::PathBuf;

use clap::Args;

/// Write everything that the store holds into a new, encrypted file.
///
/// The file is one state of the store, whoever works meanwhile. It is encrypted under the instance
/// key, which is not in it: keep a copy of the key apart from it. Nor are the configuration, the
/// sending file, and encrypted copies of standard input in it. It can be restored into either
/// database. The audit log says when backups were made.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write. It must not exist yet, and is for its owner alone.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Make a store out of a backup, in the empty database that the configuration names.
///
/// It is all or nothing. The restored store is disarmed: it does not know whom you have told since the
/// backup, so nothing is sealed or sent until two operators have signed that they know it, and what was
/// under way is never sent. First make sure that nobody uses the old store any more.
///
/// Exit codes: 0 restored, 1 the file is damaged or the database fails, 3 the database is not empty,
/// or the backup is of another key or version.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Only read the file to its end and check it: no database is opened.
    #[arg(long)]
    pub(crate) check: bool,
}
