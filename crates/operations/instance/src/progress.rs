/// What long work tells whoever waits for it.
pub trait Progress: Send + Sync {
    /// A step begins; `total` counts [`Step::unit`]s, 0 if nobody knows how many.
    fn begin(&self, step: Step, total: u64);
    /// So many more are done.
    fn advance(&self, amount: u64);
    /// Something to know while waiting.
    fn note(&self, text: &str);
    /// The step is over.
    fn end(&self);
}

/// Shows nothing: nobody waits.
#[derive(Debug, Clone, Copy)]
pub struct Unseen;

impl Progress for Unseen {
    fn begin(&self, _: Step, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}

/// The steps that take long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading the site's accounts.
    ReadAccounts,
    /// Fingerprinting the files of a leak.
    HashFiles,
    /// Looking for our accounts in a leak.
    Screen,
    /// Trying leaked passwords on stored hashes.
    Verify,
    /// Looking up whom a campaign would be about.
    Freeze,
    /// Telling people whose password was taken out of use.
    Tell,
    /// Comparing the site's table with what is kept.
    Reconcile,
    /// Wrapping data keys by the key in force.
    WrapKeys,
    /// Writing the store into a file.
    BackUp,
    /// Reading a backup.
    CheckBackup,
    /// Making a store out of a backup.
    Restore,
}

impl Step {
    /// What it says while it runs.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::ReadAccounts => "Reading accounts",
            Self::HashFiles => "Fingerprinting files",
            Self::Screen => "Screening",
            Self::Verify => "Verifying",
            Self::Freeze => "Looking up targets",
            Self::Tell => "Sealing and telling",
            Self::Reconcile => "Comparing accounts",
            Self::WrapKeys => "Wrapping data keys",
            Self::BackUp => "Backing up",
            Self::CheckBackup => "Reading the backup",
            Self::Restore => "Restoring",
        }
    }

    /// What it counts.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::ReadAccounts | Self::Verify | Self::Freeze | Self::Reconcile => Unit::Accounts,
            Self::HashFiles | Self::Screen | Self::BackUp | Self::CheckBackup | Self::Restore => {
                Unit::Bytes
            }
            Self::Tell => Unit::Addresses,
            Self::WrapKeys => Unit::DataKeys,
        }
    }
}

/// What a step counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Accounts of the site.
    Accounts,
    /// Addresses that are written to.
    Addresses,
    /// Data keys.
    DataKeys,
    /// Bytes of files.
    Bytes,
}
