use std::{fmt, str::FromStr};

use ed25519_dalek::{Signer as _, SigningKey};
use signed_note::{Note, NoteError, Signer, StandardVerifier, VerifierList, key_id};
use tlog_tiles::{checkpoint, tlog};

use crate::Hash;

/// Ed25519, as C2SP `signed-note` numbers its algorithms.
const ALGORITHM_ED25519: u8 = 1;

/// The state of a log at one moment: how many entries, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, for all time.
    pub origin: String,
    /// Entries in it.
    pub size: u64,
    /// Merkle root over them.
    pub root: Hash,
}

/// Signs the checkpoints of one log.
pub struct CheckpointKey {
    origin: String,
    key: SigningKey,
}

impl CheckpointKey {
    /// The key of the log called `origin`, from 32 secret bytes.
    #[must_use]
    pub fn new(origin: &str, seed: &[u8; 32]) -> Self {
        Self { origin: origin.to_owned(), key: SigningKey::from_bytes(seed) }
    }

    /// A C2SP `tlog-checkpoint`: origin, size, root, and a signature line.
    ///
    /// # Errors
    /// [`CheckpointError`] if the origin may not stand in a note.
    pub fn sign(&self, size: u64, root: Hash) -> Result<String, CheckpointError> {
        let head = checkpoint::Checkpoint::new(&self.origin, size, tlog::Hash(root), "")
            .map_err(|_| CheckpointError::Malformed)?;
        let mut note = Note::new(&head.to_bytes(), &[])?;
        note.add_sigs(&[self])?;
        String::from_utf8(note.to_bytes()).map_err(|_| CheckpointError::Malformed)
    }

    /// Who can check what this key signs: the text to publish.
    #[must_use]
    pub fn verifier(&self) -> CheckpointVerifier {
        let key = self.key.verifying_key();
        CheckpointVerifier(signed_note::new_ed25519_verifier_key(&self.origin, &key))
    }
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckpointKey({})", self.origin)
    }
}

impl Signer for CheckpointKey {
    fn name(&self) -> &str {
        &self.origin
    }

    fn key_id(&self) -> u32 {
        let public = self.key.verifying_key().to_bytes();
        key_id(&self.origin, &[&[ALGORITHM_ED25519], public.as_slice()].concat())
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.key.try_sign(text)?.to_bytes().to_vec())
    }
}

/// Checks checkpoints: a C2SP verifier key, `origin+id+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointVerifier(String);

impl CheckpointVerifier {
    /// The name that the log has for all time.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.0.split('+').next().unwrap_or_default()
    }

    /// Reads a signed checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`] if it is malformed, of another log, or signed by another key.
    pub fn read(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        let verifier = StandardVerifier::new(&self.0).map_err(|_| CheckpointError::Malformed)?;
        let note = Note::from_bytes(note.as_bytes())?;
        note.verify(&VerifierList::new(vec![Box::new(verifier)]))?;
        let head = checkpoint::Checkpoint::from_bytes(note.text())
            .map_err(|_| CheckpointError::Malformed)?;
        self.of_this_log(&head)
    }

    fn of_this_log(&self, head: &checkpoint::Checkpoint) -> Result<Checkpoint, CheckpointError> {
        let origin = head.origin().to_owned();
        if self.origin() != origin {
            return Err(CheckpointError::OtherLog { origin });
        }
        Ok(Checkpoint { origin, size: head.size(), root: head.hash().0 })
    }
}

impl FromStr for CheckpointVerifier {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        StandardVerifier::new(text).map_err(|_| CheckpointError::Malformed)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CheckpointVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no checkpoint of this log.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not in the format.
    #[error("the checkpoint is malformed")]
    Malformed,
    /// Signed for a log of another name.
    #[error("the checkpoint is of another log, `{origin}`")]
    OtherLog {
        /// The log it names.
        origin: String,
    },
    /// Not signed, or not by this log's key.
    #[error("the checkpoint's signature does not verify: {0}")]
    Signature(#[from] NoteError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "countersign/0123456789abcdef/audit";

    fn key(seed: u8) -> CheckpointKey {
        CheckpointKey::new(ORIGIN, &[seed; 32])
    }

    #[test]
    fn a_checkpoint_is_read_back_by_its_verifier_alone() {
        let note = key(1).sign(7, [9; 32]).unwrap();
        let read = key(1).verifier().read(&note).unwrap();
        assert_eq!(read, Checkpoint { origin: ORIGIN.to_owned(), size: 7, root: [9; 32] });
        assert!(matches!(key(2).verifier().read(&note), Err(CheckpointError::Signature(_))));
    }

    #[test]
    fn a_changed_checkpoint_is_refused() {
        let note = key(1).sign(7, [9; 32]).unwrap().replace("\n7\n", "\n8\n");
        assert!(matches!(key(1).verifier().read(&note), Err(CheckpointError::Signature(_))));
    }
}
