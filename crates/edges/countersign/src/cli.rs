//! What can be typed. These comments are `--help` and docs/cli.md.
#![expect(clippy::doc_markdown, reason = "a terminal shows backticks as they are")]

mod backup;
mod campaign;
mod key;
mod leak;
mod operator;
mod verify;
mod witness;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use ledger::{CosignatureError, WitnessVerifier};
use url::Url;

use crate::config::Preset;

pub(crate) use self::{
    backup::{Backup, Restore},
    campaign::{CampaignCommand, CampaignDraft, RelayCheck, WorkerArguments},
    key::KeyCommand,
    leak::{AccountCommand, FindingCommand, FindingFilter, KeptLeakCommand, LeakAdd, LeakCommand},
    operator::{OperatorCommand, SendingCommand, Sign},
    verify::VerifyCommand,
    witness::{WitnessCommand, WitnessRun},
};

/// Under which options stand that every command has.
const GLOBAL: &str = "Options of every command";

/// Finds the accounts whose passwords were exposed by hacks of other sites, takes those passwords
/// out of use, tells the right people, and only them, and brings them back in.
///
/// To see the whole job on an invented site, with nothing set up:
///
///   countersign demo
///
/// To try it on an account export, with nothing stored:
///
///   countersign assess --accounts users.csv leaked.txt
///
/// To keep what is found, and to act on it: `init` and `doctor` set an instance up, `leak add`,
/// `leak screen` and `leak verify` find the accounts, `operator` and `sending` say who may sign and
/// what may send, and `campaign` resets passwords and tells people once two operators have signed
/// (`sign`). `countersign help COMMAND` says more of each.
///
/// Exit codes: 0 done, 1 error, 2 usage, 3 refused by a guard, or what is stored is not what was
/// signed, 4 done in part.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, verbatim_doc_comment)]
pub(crate) struct Cli {
    /// The configuration file [default: countersign.toml, or what COUNTERSIGN_CONFIG names].
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(crate) config: Option<PathBuf>,

    /// Print the result as one JSON object on standard output.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,

    /// Show no progress.
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    pub(crate) quiet: bool,

    /// Log more: -v what is done, -vv everything. RUST_LOG chooses by part: `info,campaigns=debug`.
    #[arg(long, short, global = true, action = ArgAction::Count, help_heading = GLOBAL)]
    pub(crate) verbose: u8,

    /// The form of the log on standard error [default: text on a terminal, json elsewhere].
    #[arg(long, global = true, value_name = "FORM", help_heading = GLOBAL)]
    pub(crate) log_format: Option<LogFormat>,

    #[command(subcommand)]
    pub(crate) command: CliCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    Demo(Demo),
    Assess(Assess),
    Init(Init),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Bring the store's tables up to date.
    Migrate,
    Backup(Backup),
    Restore(Restore),
    /// Check that store, directory, key, clock and mail server are as they must be.
    Doctor(RelayCheck),
    /// Tell where all campaigns stand, whether anybody is told now, and whether the site's table agrees.
    Status,
    Reconcile(Reconcile),
    /// The embedded directory: a copy of accounts, kept in Countersign's own store.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Leaks: register, screen, verify, look at.
    #[command(subcommand)]
    Leak(LeakCommand),
    /// Findings: whose password stands in which leak. No command shows the password.
    #[command(subcommand)]
    Finding(FindingCommand),
    /// Stored hashes: which forms are known, and what one hash is.
    #[command(subcommand)]
    Verify(VerifyCommand),
    /// Operators: who may sign.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Campaigns: reset the exposed accounts and tell their people.
    #[command(subcommand)]
    Campaign(CampaignCommand),
    /// Sending: which database and which hosts may send at all.
    #[command(subcommand)]
    Sending(SendingCommand),
    /// The instance key: which one is in force, and how another one takes its place.
    #[command(subcommand)]
    Key(KeyCommand),
    Sign(Sign),
    Worker(WorkerArguments),
    Serve(Serve),
    /// The audit log of everything done.
    #[command(subcommand)]
    Log(LogCommand),
    /// Watch over other hosts' logs: sign that each has only grown since it was seen last.
    #[command(subcommand)]
    Witness(WitnessCommand),
    Completions(Completions),
    /// Print a reference page for docs/.
    #[command(hide = true)]
    Reference {
        /// Which page.
        page: Page,
    },
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Page {
    Cli,
    Config,
}

/// Show the whole job on an invented site: find, sign, seal, tell, and come back.
///
/// It makes accounts and leaks whose truth is known, screens and verifies the leaks, has four
/// operators sign a campaign, runs it into a local mailbox, holds the outcome against the truth,
/// and then serves the mailbox, the report and the pages for people on this host. Nothing leaves
/// it, no configuration is read, and a temporary folder is removed at the end.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the report: exit code 0 only if what was found equals the truth and every total
    /// reconciles, else 1.
    #[arg(long)]
    pub(crate) once: bool,

    /// Accounts of the invented site.
    #[arg(long, value_name = "COUNT", default_value_t = demo::DemoOptions::default().accounts)]
    pub(crate) accounts: u32,

    /// Another number makes another site.
    #[arg(long, value_name = "NUMBER", default_value_t = demo::DemoOptions::default().seed)]
    pub(crate) seed: u64,

    /// Keep everything in this folder, which must not exist yet.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Serve on this port of this host; on any free one if it is taken.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) port: u16,
}

/// Count the accounts that are exposed now, without keys and without storing anything.
///
/// An export needs no configuration. Where there is one, the forms that `directory.hash` names count for
/// the export as well.
///
/// Reads the accounts, looks for them in the leaks, and tries every leaked password on its
/// account's stored hash. Leaks are files of `identifier:password` lines (delimiters : ; , | and
/// tab), plain, .gz or .zst, or folders of them; - is standard input.
#[derive(Debug, Args)]
pub(crate) struct Assess {
    /// An account export: CSV with a header, or JSON lines. Columns id and hash, email or
    /// username or both; hash_changed_at, email_verified, locale and last_login_at if there.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "directory",
        required_unless_present = "directory"
    )]
    pub(crate) accounts: Option<PathBuf>,

    /// Read the accounts from the directory of the configuration instead.
    #[arg(long)]
    pub(crate) directory: bool,

    /// Write the accounts that are exposed, could not be verified or are counted WITHOUT PROOF: CSV, or
    /// JSON lines if FILE ends in .jsonl. The file must not exist yet, is for its owner alone, and never holds a password.
    /// In CSV, text that a spreadsheet would take for a formula, such as the id `@anna`, has `'` before
    /// it; JSON lines are exact.
    #[arg(long, alias = "list", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Leaked files or folders, or - for standard input.
    #[arg(required = true, value_name = "LEAK")]
    pub(crate) leaks: Vec<PathBuf>,
}

/// Write a configuration, an instance key and a store.
///
/// The store and the key belong together: keep a copy of the key apart from every backup of the
/// store. Nothing that exists is overwritten.
#[derive(Debug, Clone, Args)]
pub(crate) struct Init {
    /// The folder to write into.
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,

    /// Mark the store, for ever, as one for tests and demonstrations: it mails only to loopback
    /// or a maildir, and durations may be short.
    #[arg(long)]
    pub(crate) rehearsal: bool,

    /// Keep the store there instead of in an embedded database: postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,

    /// Whose tables the site's database has; or embedded, a copy of its accounts that can be searched
    /// and planned for, and that only a rehearsal seals. Unset, the tables tell, and without
    /// --directory it is embedded.
    #[arg(long, value_name = "PRESET")]
    pub(crate) preset: Option<Preset>,

    /// What the names of the preset's tables begin with, if not as usual.
    #[arg(long, value_name = "TEXT", requires = "preset")]
    pub(crate) prefix: Option<String>,

    /// The site's database, for reading: sqlite:PATH, postgres://USER@HOST/DATABASE or
    /// mysql://USER@HOST/DATABASE (for MariaDB as well).
    #[arg(long, value_name = "URL")]
    pub(crate) directory: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration file and the environment; name file, key and reason of a fault.
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Compute the whole log again and hold it against its signed checkpoints, and its entries
    /// against each other.
    ///
    /// Whether the entries can have come about as the program works is asked apart from what the
    /// program itself goes by: whether every sealing has its intent, whether a notice was begun
    /// twice, whether anything was begun while the kill switch was pulled. `--json` has the counts
    /// of each campaign by the entries alone. Exit code 3 if it does not agree, or an entry
    /// breaks a rule.
    Verify {
        /// A checkpoint kept elsewhere: the log must still contain what it signed.
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Print the latest signed checkpoint, to be kept elsewhere.
    Checkpoint,
    /// Have a witness sign the latest checkpoint: that the log has only grown since it saw it last.
    ///
    /// Prints the checkpoint with the witness's signature, to be kept elsewhere. Exit code 3 if the
    /// witness has seen entries that this store does not hold: it is a restored backup, or a copy. Run
    /// it as often as you want such a store to be noticed.
    Cosign {
        /// Where the witness answers: what comes before `/add-checkpoint`.
        #[arg(long, value_name = "URL")]
        url: Url,
        /// The witness's verifier key, which `countersign witness init` prints.
        #[arg(long, value_name = "KEY", value_parser = witness_verifier)]
        witness: Box<WitnessVerifier>,
    },
    /// Print the log's entries, one JSON object a line.
    Show {
        /// The first entry to print, from 0.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Add the account's id to each entry about somebody: the log itself names a number, which
        /// says nothing once the person is forgotten.
        #[arg(long)]
        accounts: bool,
    },
}

fn witness_verifier(key: &str) -> Result<Box<WitnessVerifier>, CosignatureError> {
    key.parse().map(Box::new)
}

/// Answer over HTTP, and run campaigns as `countersign worker` does.
///
/// While this host may not send, it says so in its log, and answers all the same.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Answer alone: others run `countersign worker`, on this host or elsewhere.
    #[arg(long)]
    pub(crate) no_worker: bool,
}

/// Compare the site's table with what is kept here, and put right what safely can be.
///
/// Reads every account and finds those that hold a value of ours of which nothing tells, those of
/// whom the password that was taken out of use works again, and everybody who is sealed and left
/// untold. Workers do the same every hour (`reconcile.every`). Campaigns that run and are concerned
/// are halted.
///
/// Exit codes: 0 all agree, 4 something was found, 1 the table could not be read to its end.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// Print the accounts that were found, too.
    #[arg(long)]
    pub(crate) list: bool,

    /// Accounts whose password nobody here knows that are tried for a value of ours. Each costs as
    /// much as a sign-in; the next time goes on with others. After Countersign's own store was
    /// restored, try them all.
    #[arg(long, value_name = "COUNT", default_value_t = campaigns::limits::VALUES_TRIED)]
    pub(crate) tries: usize,
}

/// Print what a shell needs to complete these commands
///
///   countersign completions bash > /etc/bash_completion.d/countersign
///
///   countersign completions zsh > ~/.zfunc/_countersign
///
///   countersign completions fish > ~/.config/fish/completions/countersign.fish
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Completions {
    /// Which shell.
    pub(crate) shell: ShellName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ShellName {
    Bash,
    Zsh,
    Fish,
}
