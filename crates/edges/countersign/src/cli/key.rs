use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make another instance key, which is in force only once it is rotated to.
    ///
    /// Prints its id, and the verifier key of the log under it: tell your witnesses of it before you
    /// rotate (`countersign witness run --log` takes both keys).
    New {
        /// The key file to write, for its owner alone.
        file: PathBuf,
    },
    /// Put another instance key into force, and wrap every data key by it.
    ///
    /// It asks on the terminal. In one transaction the new key is in force: whoever runs with the key
    /// before is refused from then on and ends with exit code 3. It says which file to put where, and
    /// wraps the data keys anew while those with the new key work. If it was interrupted, run it again.
    Rotate {
        /// The key file that `key new` made; without it, what an earlier rotation has left to do is
        /// done.
        #[arg(long, value_name = "FILE")]
        new_key: Option<PathBuf>,
    },
    /// List the keys that the store has had, which checkpoints each has signed, and how many data keys
    /// each still wraps.
    List,
}
