use std::path::PathBuf;

use authority::RosterDigest;
use clap::{Args, Subcommand};
use model::OperatorName;

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
        output: PathBuf,
    },
    /// Propose the first roster. All of its operators, at least three, sign it (`countersign sign`).
    Init {
        /// What `keygen` printed for each of them, or @FILE with that line in it.
        #[arg(required = true, value_name = "PUBLIC")]
        operators: Vec<String>,
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Propose one more operator. Two of the present ones sign.
    Add {
        /// What `keygen` printed, or @FILE with that line in it.
        #[arg(value_name = "PUBLIC")]
        operator: String,
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Propose that somebody signs no more. Two of the present operators sign.
    Remove {
        /// Who.
        name: OperatorName,
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
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
pub(crate) enum SendingCommand {
    /// Propose that this host may send: what two operators sign, and a sending file for it.
    ///
    /// Nothing changes until they have signed and `sending arm` has taken it: the proposed sending
    /// file lies beside the present one, and its name ends in `.proposed`.
    ///
    /// Where more than one host is to send, each of them proposes. One proposal takes the others in
    /// (`--with`) and is signed; it has to name witnesses, since the hosts do not know of each other
    /// how far they have seen the log.
    Propose {
        /// The document to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// What another host has proposed, which is to send, too. More than one may be given.
        #[arg(long, value_name = "FILE")]
        with: Vec<PathBuf>,
        /// Witnesses that have to sign for the log before anything is sealed or sent, as a C2SP
        /// tlog-policy: lines `witness NAME KEY URL`, `group NAME any|all|NUMBER NAME..` and
        /// `quorum NAME`. Enough of them are asked at once, and have to sign.
        #[arg(long, value_name = "FILE")]
        witnesses: Option<PathBuf>,
    },
    /// Take an arming that two operators have signed: sending is possible from now on, until
    /// nothing was sent for 24 hours.
    ///
    /// On the host that proposed it, the proposed sending file is used from now on.
    Arm {
        /// The document.
        file: PathBuf,
    },
    /// Use the sending file that this host has proposed, where `sending arm` ran on another one.
    Adopt,
    /// Tell whether this host may send, and why not. Exit code 3 if it may not.
    ///
    /// Where witnesses have to sign for the log, they are asked.
    Status,
}

/// Read and sign a document: a plan, a roster or an arming.
///
/// It needs neither configuration nor store: sign on a host that you trust. The document says what
/// it is. What you confirm - how many accounts a plan resets, the digest of a roster or an arming -
/// and your passphrase are asked for on the terminal: no flag and no pipe can answer.
///
/// Your signature on a plan is an approval, in a file of its own, which you hand back. Rosters and
/// armings collect their signatures: yours is added to the file.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The document.
    pub(crate) file: PathBuf,

    /// Your key file.
    #[arg(long, value_name = "KEYFILE")]
    pub(crate) key: PathBuf,

    /// The file to write: a plan's approval; a roster or an arming with your signature, instead of
    /// adding it to the document's own file.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
