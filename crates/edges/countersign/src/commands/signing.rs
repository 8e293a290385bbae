//! What the commands share by which an operator signs.

use std::path::{Path, PathBuf};

use authority::{KeyFileError, OperatorKey};
use zeroize::Zeroizing;

use super::Failure;
use crate::{files, terminal::Terminal};

/// Opens a key file with the passphrase that is typed on the terminal.
pub(super) fn open_key(terminal: &Terminal, file: &Path) -> Result<OperatorKey, Failure> {
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
