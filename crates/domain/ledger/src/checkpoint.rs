use std::{fmt, str::FromStr};

use ed25519_dalek::{Signer as _, SigningKey};
use signed_note::{
    Note, NoteError, Signature, Signer, StandardVerifier, Verifier as _, VerifierList, key_id,
};
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
        self.sign_by(&[self], size, root)
    }

    /// The same with two signatures: the last checkpoint that this key signs is the first one of the
    /// key that follows it, of the same log.
    ///
    /// # Errors
    /// [`CheckpointError`] if the origin may not stand in a note.
    pub fn sign_last(&self, next: &Self, size: u64, root: Hash) -> Result<String, CheckpointError> {
        self.sign_by(&[self, next], size, root)
    }

    fn sign_by(
        &self,
        signers: &[&dyn Signer],
        size: u64,
        root: Hash,
    ) -> Result<String, CheckpointError> {
        let head = checkpoint::Checkpoint::new(&self.origin, size, tlog::Hash(root), "")
            .map_err(|_| CheckpointError::Malformed)?;
        let mut note = Note::new(&head.to_bytes(), &[])?;
        note.add_sigs(signers)?;
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

    /// By which signatures name it.
    fn key_id(&self) -> Option<u32> {
        Some(StandardVerifier::new(&self.0).ok()?.key_id())
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

/// Checks the checkpoints of a log whose keys were rotated: each key has signed those of some sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointVerifiers {
    in_force: CheckpointVerifier,
    /// Each with the size of the last checkpoint that its key has signed.
    retired: Vec<(CheckpointVerifier, u64)>,
}

impl CheckpointVerifiers {
    /// Of the key in force, and of those before it, each with the last size that it has signed.
    #[must_use]
    pub const fn new(
        in_force: CheckpointVerifier,
        retired: Vec<(CheckpointVerifier, u64)>,
    ) -> Self {
        Self { in_force, retired }
    }

    /// Who checks what is signed now.
    #[must_use]
    pub const fn in_force(&self) -> &CheckpointVerifier {
        &self.in_force
    }

    /// Who checks what was signed before, up to which size.
    #[must_use]
    pub fn retired(&self) -> &[(CheckpointVerifier, u64)] {
        &self.retired
    }

    /// Reads a signed checkpoint of any size.
    ///
    /// # Errors
    /// [`CheckpointError`] as [`CheckpointVerifier::read`], and if a key has signed it that was
    /// retired at a smaller size.
    pub fn read(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        let refused = match self.in_force.read(note) {
            Err(CheckpointError::Signature(error)) => error,
            read => return read,
        };
        let read = |(verifier, last): &(CheckpointVerifier, u64)| {
            verifier.read(note).ok().map(|read| (read, *last))
        };
        match self.retired.iter().find_map(read) {
            Some((read, last)) if read.size <= last => Ok(read),
            Some((Checkpoint { size, .. }, last)) => Err(CheckpointError::Retired { size, last }),
            None => Err(CheckpointError::Signature(refused)),
        }
    }

    /// Whether each signature of a checkpoint names one of these keys. One that they do not know is of a
    /// key that came into force later.
    #[must_use]
    pub fn know_signers(&self, note: &str) -> bool {
        let known = self.retired.iter().map(|(verifier, _)| verifier).chain([&self.in_force]);
        let known: Vec<_> = known.filter_map(CheckpointVerifier::key_id).collect();
        let mut signatures = note.lines().filter(|line| line.starts_with(SIGNATURE));
        signatures.all(|line| {
            Signature::from_bytes(line.as_bytes()).is_ok_and(|found| known.contains(&found.id()))
        })
    }
}

/// How a line of a note begins that is a signature.
const SIGNATURE: &str = "\u{2014} ";

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
    /// A key has signed it that had been rotated by then. Whoever has stolen it could do so.
    #[error(
        "the checkpoint of {size} entries is signed by a key that was retired at {last} entries: it \
         is forged"
    )]
    Retired {
        /// Entries that it signs.
        size: u64,
        /// The last size that the key may sign.
        last: u64,
    },
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
    fn each_key_signs_the_sizes_of_its_time() {
        let verifiers = CheckpointVerifiers::new(key(2).verifier(), vec![(key(1).verifier(), 7)]);
        let size = |note: &str| verifiers.read(note).map(|read| read.size);
        let last = key(1).sign_last(&key(2), 7, [9; 32]).unwrap();
        for (note, expected) in [
            (&key(1).sign(3, [9; 32]).unwrap(), 3),
            (&last, 7),
            (&key(2).sign(8, [9; 32]).unwrap(), 8),
        ] {
            assert_eq!(size(note).unwrap(), expected);
        }
        assert!(key(1).verifier().read(&last).is_ok() && key(2).verifier().read(&last).is_ok());
        let forged = verifiers.read(&key(1).sign(8, [9; 32]).unwrap());
        assert!(matches!(forged, Err(CheckpointError::Retired { size: 8, last: 7 })));
        let unknown = verifiers.read(&key(3).sign(3, [9; 32]).unwrap());
        assert!(matches!(unknown, Err(CheckpointError::Signature(_))));
    }

    #[test]
    fn whoever_was_rotated_does_not_know_who_signs_after_them() {
        let alone = |seed| CheckpointVerifiers::new(key(seed).verifier(), Vec::new());
        for seed in 0..64 {
            let note = key(seed).sign(7, [9; 32]).unwrap();
            assert!(alone(seed).know_signers(&note) && !alone(seed + 1).know_signers(&note));
            let last = key(seed).sign_last(&key(seed + 1), 7, [9; 32]).unwrap();
            let both =
                CheckpointVerifiers::new(key(seed + 1).verifier(), vec![(key(seed).verifier(), 7)]);
            assert!(both.know_signers(&last) && !alone(seed).know_signers(&last));
        }
    }

    #[test]
    fn a_changed_checkpoint_is_refused() {
        let note = key(1).sign(7, [9; 32]).unwrap().replace("\n7\n", "\n8\n");
        assert!(matches!(key(1).verifier().read(&note), Err(CheckpointError::Signature(_))));
    }
}
