//! What can be typed. These comments are `--help` and docs/cli.md.
#![expect(clippy::doc_markdown, reason = "a terminal shows backticks as they are")]

use std::path::PathBuf;

use authority::RosterDigest;
use campaign::CampaignName;
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{LeakDate, LeakName, OperatorName, Provenance};

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
/// Exit codes: 0 done, 1 error, 2 usage, 3 refused by a guard, 4 done in part.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, verbatim_doc_comment)]
pub(crate) struct Cli {
    /// The configuration file [default: countersign.toml, or what COUNTERSIGN_CONFIG names].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print the result as one JSON object on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Show no progress.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(Demo),
    Assess(Assess),
    Init(Init),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Bring the store's tables up to date.
    Migrate,
    /// Check that store, directory, key and clock are as they must be.
    Doctor,
    /// The embedded directory: accounts kept in Countersign's own store.
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Leaks: register, screen, verify, look at.
    #[command(subcommand)]
    Leak(LeakCommand),
    /// Operators: who may sign.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Campaigns: reset the exposed accounts and tell their people.
    #[command(subcommand)]
    Campaign(CampaignCommand),
    /// Sending: which database and which hosts may send at all.
    #[command(subcommand)]
    Sending(SendingCommand),
    Worker(WorkerArguments),
    /// Answer over HTTP, and run campaigns as `countersign worker` does.
    ///
    /// While this host may not send, it says so in its log, and answers all the same.
    Serve,
    /// The audit log of everything done.
    #[command(subcommand)]
    Log(LogCommand),
    /// Print a reference page for docs/.
    #[command(hide = true)]
    Reference {
        /// Which page.
        page: Page,
    },
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
    pub(crate) folder: Option<PathBuf>,

    /// Serve on this port of this host; on any free one if it is taken.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) port: u16,
}

/// Count the accounts that are exposed now, without keys and without storing anything.
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

    /// Write the accounts that are exposed or could not be verified: CSV, or JSON lines if FILE
    /// ends in .jsonl. It never holds a password.
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,

    /// Leaked files or folders, or - for standard input.
    #[arg(required = true, value_name = "LEAK")]
    pub(crate) leaks: Vec<PathBuf>,
}

/// Write a configuration, an instance key and a store.
///
/// The store and the key belong together: keep a copy of the key apart from every backup of the
/// store. Nothing that exists is overwritten.
#[derive(Debug, Args)]
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

    /// The form of the site's account table: embedded, django or generic.
    #[arg(long, value_name = "PRESET", default_value = "embedded")]
    pub(crate) preset: PresetName,

    /// The site's database, for reading: sqlite:PATH or postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "URL")]
    pub(crate) directory: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetName {
    Embedded,
    Django,
    Generic,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration file and the environment; name file, key and reason of a fault.
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// Fill the embedded directory from an export; accounts with the same id are replaced.
    Import {
        /// CSV with a header, or JSON lines, as for `assess --accounts`.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LeakCommand {
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
    List,
    /// Show one leak: files, what became of every line, findings.
    Show {
        /// The leak's name.
        name: LeakName,
        /// Write the accounts that are exposed or could not be verified: CSV, or JSON lines if
        /// FILE ends in .jsonl. It never holds a password.
        #[arg(long, value_name = "FILE")]
        list: Option<PathBuf>,
    },
}

/// Register the files of a leak, with their fingerprints.
///
/// The files stay where they are, and must not change until the leak is screened.
#[derive(Debug, Clone, Args)]
pub(crate) struct LeakAdd {
    /// What the leak is called, in notices too.
    #[arg(long)]
    pub(crate) name: LeakName,

    /// When it happened: 2016, 2016-05 or 2016-05-17.
    #[arg(long)]
    pub(crate) date: LeakDate,

    /// How sure the site is of it: confirmed, circulating or unknown.
    #[arg(long)]
    pub(crate) provenance: Provenance,

    /// Leaked files or folders; - keeps standard input, encrypted, until it is verified.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Compute the whole log again and hold it against its signed checkpoints.
    Verify {
        /// A checkpoint kept elsewhere: the log must still contain what it signed.
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Print the latest signed checkpoint, to be kept elsewhere.
    Checkpoint,
    /// Print the log's entries, one JSON object a line.
    Show {
        /// The first entry to print, from 0.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Make an operator's key, encrypted under a passphrase that is asked for on the terminal.
    ///
    /// It needs neither configuration nor store: make it on the host where you will sign. The
    /// line that it prints is for your colleagues; the file is for nobody else.
    Keygen {
        /// What the operator is called: lower-case letters, digits and - . _
        name: OperatorName,
        /// The key file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Propose the first roster. All of its operators, at least three, sign it.
    Found {
        /// What `keygen` printed for each of them, or @FILE with that line in it.
        #[arg(required = true, value_name = "PUBLIC")]
        operators: Vec<String>,
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Propose one more operator. Two of the present ones sign.
    Add {
        /// What `keygen` printed, or @FILE with that line in it.
        #[arg(value_name = "PUBLIC")]
        operator: String,
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Propose that somebody signs no more. Two of the present operators sign.
    Remove {
        /// Who.
        name: OperatorName,
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Read and sign a roster or an arming, and add the signature to its file.
    ///
    /// It needs neither configuration nor store. Everything is asked on the terminal: no flag
    /// and no pipe can answer.
    Sign {
        /// The document.
        file: PathBuf,
        /// Your key file.
        #[arg(long, value_name = "KEYFILE")]
        key: PathBuf,
    },
    /// Take a roster document that enough operators have signed.
    Accept {
        /// The document.
        file: PathBuf,
        /// The digest that the founders agreed on, while `operators.roster_digest` is not set.
        #[arg(long, value_name = "DIGEST")]
        founding_digest: Option<RosterDigest>,
    },
    /// List who may sign.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CampaignCommand {
    Draft(CampaignDraft),
    /// Print the policy that campaigns have by default, to be edited and given to `draft`.
    Policy,
    /// Fix whom a campaign is about, how it goes about it and with which words: what operators
    /// then sign. After a halt, the same is fixed again for a new round.
    Freeze {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Show what is to be signed, with some masked targets.
    Show {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Write the frozen plan into a file, to be signed on other hosts.
    Export {
        /// The campaign's name.
        name: CampaignName,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Read and sign an exported plan, and write the approval.
    ///
    /// It needs neither configuration nor store: sign on a host that you trust. The number of
    /// accounts and the passphrase are asked for on the terminal: no flag and no pipe can answer.
    Sign {
        /// The exported plan.
        plan: PathBuf,
        /// Your key file.
        #[arg(long, value_name = "KEYFILE")]
        key: PathBuf,
        /// The approval to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take approvals that operators have handed back. With the last one that is needed the
    /// campaign is signed.
    Approve {
        /// The campaign's name.
        name: CampaignName,
        /// The approvals.
        #[arg(required = true, value_name = "APPROVAL")]
        approvals: Vec<PathBuf>,
    },
    /// Start a signed campaign: workers take it up from now on.
    Start {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Tell where campaigns stand: one, or all.
    Status {
        /// The campaign's name.
        name: Option<CampaignName>,
    },
    /// Stop a campaign before the next account, or everything at once.
    ///
    /// It needs no signature. Going on needs two.
    Halt {
        /// The campaign's name.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        name: Option<CampaignName>,
        /// Pull the kill switch: nothing begins in any campaign, and all that run are halted.
        #[arg(long)]
        all: bool,
    },
    /// Let a halted campaign go on, once the plan of its new round is signed.
    Resume {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Make a frozen campaign a draft again. Its signatures are void.
    Thaw {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Say in public what became of everybody: the page "Security notices" shows it.
    ///
    /// The counts are those of `report`. Publishing again replaces what the page shows; what was
    /// said before stays on record.
    Publish {
        /// The campaign's name.
        name: CampaignName,
    },
    /// End a campaign for good. Its accounts may be targets of others.
    Close {
        /// The campaign's name.
        name: CampaignName,
    },
    /// Count from the audit log what became of everybody, and hold it against the store.
    ///
    /// Exit code 4 if some notices are uncertain; 1, loudly, if the totals do not reconcile.
    Report {
        /// The campaign's name.
        name: CampaignName,
    },
}

/// Begin a campaign. It touches nobody before it is frozen, signed by two and started.
#[derive(Debug, Args)]
pub(crate) struct CampaignDraft {
    /// What operators call it. Recipients never see it.
    pub(crate) name: CampaignName,

    /// The operator who is answerable for it, and will not approve it.
    #[arg(long)]
    pub(crate) author: OperatorName,

    /// A verified leak whose findings it is about; may be given several times.
    #[arg(long = "leak", required = true, value_name = "LEAK")]
    pub(crate) leaks: Vec<LeakName>,

    /// A TOML file with what differs from the default policy.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// Run campaigns: seal, end sessions, send, as far as the signed plans allow.
///
/// Any number of workers share the work. One ends when it is told to (SIGTERM, Ctrl-C), after it
/// has finished what it has in hand; killing it loses nothing either.
#[derive(Debug, Args)]
pub(crate) struct WorkerArguments {
    /// End as soon as no campaign runs.
    #[arg(long)]
    pub(crate) until_done: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SendingCommand {
    /// Make this host's sending file, and what two operators sign so that it may send.
    ///
    /// From now on until `sending arm`, this host sends nothing. Other hosts that are to send
    /// get a copy of the sending file.
    Propose {
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take an arming that two operators have signed: sending is possible from now on, until
    /// nothing was sent for 24 hours.
    Arm {
        /// The document.
        file: PathBuf,
    },
    /// Tell whether this host may send, and why not. Exit code 3 if it may not.
    Status,
}
