use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{AccountId, AccountIdError, LeakDate, LeakName, Provenance};

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Fill the embedded directory from an export; accounts with the same id are replaced. They are
    /// a copy: they can be searched and planned for, and only a rehearsal seals them.
    Import {
        /// CSV with a header, or JSON lines, as for `assess --accounts`.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LeakCommand {
    /// Show what files look like before they are registered: their form, how their lines are laid out, how
    /// many lines there are. Nothing that stands in them is shown or kept.
    ///
    /// Some lines at the beginning, in the middle and at the end are looked at. Each column is shown by its
    /// kind alone: `<address>:<text>`.
    Inspect {
        /// Leaked files or folders.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    #[command(flatten)]
    Kept(KeptLeakCommand),
}

/// What is done with leaks that are registered, or that become so.
#[derive(Debug, Subcommand)]
pub(crate) enum KeptLeakCommand {
    Add(LeakAdd),
    /// Look for our accounts in a leak. Can be stopped at any moment and started again.
    Screen {
        /// The leak's name.
        name: LeakName,
    },
    /// Try the leaked passwords on our accounts' stored hashes; matches become findings, and
    /// everything else is destroyed. Can be stopped at any moment and started again.
    Verify {
        /// The leak's name.
        name: LeakName,
    },
    /// List the registered leaks.
    ///
    /// Exit codes: 4 if "not exposed" of one of them is no all-clear, else 0.
    List,
    /// Show one leak: files, what became of every line, findings.
    Show {
        /// The leak's name.
        name: LeakName,
        /// Write the accounts that are exposed, could not be verified or are counted WITHOUT PROOF: CSV, or
        /// JSON lines if FILE ends in .jsonl. It never holds a password. In CSV, text that a spreadsheet
        /// would take for a formula, such as the id `@anna`, has `'` before it; JSON lines are exact.
        #[arg(long, alias = "list", value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take a leak out that should not have been registered, with all that is known of it. One that exposes
    /// somebody, or that a campaign is about, stays.
    Remove {
        /// The leak's name.
        name: LeakName,
    },
    /// Show where rejected lines of a screened leak stand, and why each was rejected: some of each
    /// reason. Their content is kept nowhere.
    Rejects {
        /// The leak's name.
        name: LeakName,
    },
}

/// Register the files of a leak, with their fingerprints.
///
/// The files stay where they are, and must not change until the leak is screened.
#[derive(Debug, Clone, Args)]
pub(crate) struct LeakAdd {
    /// What the leak is called here, and in mails unless --public-name says otherwise.
    #[arg(long)]
    pub(crate) name: LeakName,

    /// What mails and public pages call it: a name that its readers know, such as that of the site
    /// which was hacked.
    #[arg(long)]
    pub(crate) public_name: Option<LeakName>,

    /// When it happened: 2016, 2016-05 or 2016-05-17.
    #[arg(long)]
    pub(crate) date: LeakDate,

    /// How sure the site is of it: confirmed, circulating or unknown.
    #[arg(long)]
    pub(crate) provenance: Provenance,

    /// Register files that another leak has already.
    #[arg(long)]
    pub(crate) again: bool,

    /// Leaked files or folders; - keeps standard input, encrypted, until it is verified.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FindingCommand {
    List(FindingFilter),
    /// Show one finding: where its records stand, and whether the password is still stored as it was.
    Show {
        /// The finding's number, as `finding list` shows it.
        #[arg(value_name = "NUMBER")]
        id: i64,
    },
}

/// List findings: account, leak, and whether the exposed password is still stored as it was: `hash_changed`
/// is said of a new password, and of the same one hashed anew.
#[derive(Debug, Args)]
pub(crate) struct FindingFilter {
    /// Only those in this leak.
    #[arg(long, value_name = "LEAK")]
    pub(crate) leak: Option<LeakName>,

    /// Only those of this account, by its id.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<AccountId>,
}

fn account_id(text: &str) -> Result<AccountId, AccountIdError> {
    AccountId::new(text)
}
