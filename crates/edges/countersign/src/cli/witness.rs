use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use ledger::{CheckpointVerifier, WitnessName};

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Make a witness's folder and its key, and print who can check what it signs.
    Init {
        /// Where its key lies, and how far it has seen each log.
        #[arg(long, value_name = "FOLDER")]
        folder: PathBuf,
        /// What it calls itself, for all time: a name of yours, such as witness.example.org/w1.
        #[arg(long, value_name = "NAME")]
        name: WitnessName,
    },
    Run(WitnessRun),
}

/// Answer hosts that ask for a signature under the checkpoints of their logs.
///
/// A checkpoint is signed only if its log has grown from what was seen of it last, and that is
/// remembered before the answer. So a store that was restored from a backup, or copied, gets no
/// signature. Run it on another host than those that send: beside them it would be put back with
/// them. It speaks C2SP tlog-witness: `POST /add-checkpoint`. It needs neither configuration nor
/// store.
#[derive(Debug, Args)]
pub(crate) struct WitnessRun {
    /// The folder that `witness init` made.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: PathBuf,

    /// A log to watch over: its verifier key, which `countersign log verify` prints. More than one
    /// may be given, also of one log whose key is about to be rotated (`countersign key new`).
    #[arg(long = "log", value_name = "KEY", required = true)]
    pub(crate) logs: Vec<CheckpointVerifier>,

    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    pub(crate) listen: SocketAddr,

    /// A certificate to show, in PEM. Without one it answers in the clear: nothing in a checkpoint is
    /// secret, and whatever is signed can be checked.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) certificate: Option<PathBuf>,

    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
}
