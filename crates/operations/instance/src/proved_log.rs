use ledger::Fold;
use tokio::sync::Mutex;

/// What a process knows of the audit log. It reads every entry once, and believes none before a
/// signed checkpoint covers it.
#[derive(Debug, Default)]
pub(crate) struct ProvedLog(pub(crate) Mutex<ProvedEntries>);

/// The entries that a process has proved.
#[derive(Debug, Default)]
pub(crate) struct ProvedEntries {
    /// What they say; nothing while more of them are read.
    pub(crate) fold: Fold,
    /// The most that were proved. A log that has fewer was put back.
    pub(crate) proved: u64,
}
