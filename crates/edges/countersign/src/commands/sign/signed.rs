use std::path::{Path, PathBuf};

use authority::{KeyFileError, OperatorKey};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{commands::CommandFailure, files, terminal::ControllingTerminal};

/// What was signed, and where the signature is.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum SignedDocument {
    Plan { file: String, operator: String, plan: String, round: u32 },
    Roster { file: String, digest: String, signers: Vec<String> },
    Arming { file: String, digest: String, signers: Vec<String> },
}

/// Opens a key file with the passphrase that is typed on the terminal.
pub(super) fn open_key(
    terminal: &ControllingTerminal,
    file: &Path,
) -> Result<OperatorKey, CommandFailure> {
    let bytes = files::read(file).map(Zeroizing::new)?;
    let failed = |source| KeyError { file: file.to_owned(), source };
    let text = str::from_utf8(&bytes).map_err(|_| failed(KeyFileError::Malformed))?;
    let passphrase = terminal.ask_passphrase(&format!("Passphrase of {}: ", file.display()))?;
    Ok(OperatorKey::from_file(text, &passphrase).map_err(failed)?)
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", file.display())]
struct KeyError {
    file: PathBuf,
    source: KeyFileError,
}
