//! The key of a witness, in a file of its own: whoever has it can sign that a log has only grown.

use std::{
    fs::DirBuilder,
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use ledger::{WitnessKey, WitnessName};
use model::Randomness;
use private_file::{PrivateFile, PrivateReadError, UnfinishedFile};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const FILE: &str = "witness.key";
const FOLDER_MODE: u32 = 0o700;

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct WitnessKeyFile {
    #[zeroize(skip)]
    v: WitnessKeyFormat,
    #[zeroize(skip)]
    name: WitnessName,
    #[serde(with = "model::canonical::hex")]
    seed: [u8; 32],
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum WitnessKeyFormat {
    #[serde(rename = "countersign witness key 1")]
    V1,
}

/// Makes a folder for a witness, with a fresh key in it.
///
/// # Errors
/// [`WitnessKeyError`] if there is a key already, or the system refuses.
pub fn make_key(
    folder: &Path,
    name: WitnessName,
    randomness: &dyn Randomness,
) -> Result<WitnessKey, WitnessKeyError> {
    let path = folder.join(FILE);
    let file = WitnessKeyFile { v: WitnessKeyFormat::V1, name, seed: randomness.array() };
    file.write(folder, &path).map_err(|source| WitnessKeyError::System { path, source })?;
    Ok(file.key())
}

/// Reads the key of a witness.
///
/// # Errors
/// [`WitnessKeyError`] names the file, and never shows the key.
pub fn read_key(folder: &Path) -> Result<WitnessKey, WitnessKeyError> {
    let path = folder.join(FILE);
    let unreadable = |source| WitnessKeyError::Unreadable { path: path.clone(), source };
    let key = PrivateFile::read(&path).map_err(unreadable)?;
    // What serde reports could quote the key.
    match serde_json::from_slice::<WitnessKeyFile>(&key.bytes) {
        Ok(file) => Ok(file.key()),
        Err(_) => Err(WitnessKeyError::Damaged { path }),
    }
}

impl WitnessKeyFile {
    fn write(&self, folder: &Path, path: &Path) -> io::Result<()> {
        let bytes = Zeroizing::new(serde_json::to_vec(self)?);
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        let mut file = UnfinishedFile::begin(path)?;
        file.write_all(&bytes)?;
        file.finish()
    }

    fn key(&self) -> WitnessKey {
        WitnessKey::new(&self.name, &self.seed)
    }
}

/// What is wrong with a witness's key file.
#[derive(Debug, thiserror::Error)]
pub enum WitnessKeyError {
    /// Not readable, or not by its owner alone.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: PrivateReadError,
    },
    /// Not in the format.
    #[error("{} is no key of a witness, or damaged", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    System {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    struct Sevens;

    impl Randomness for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_key_is_made_once_and_read_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("w");
        let make = || make_key(&folder, "witness.example/w1".parse().unwrap(), &Sevens);
        let verifier = make().unwrap().verifier();
        assert_eq!(read_key(&folder).unwrap().verifier(), verifier);
        assert!(make().unwrap_err().to_string().contains("witness.key"));
        let path = folder.join(FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = read_key(&folder).unwrap_err().to_string();
        assert!(
            error.ends_with("witness.key: it is open to others: run `chmod 600` on it"),
            "{error}"
        );
    }
}
