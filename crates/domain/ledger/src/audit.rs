use crate::{Checkpoint, CheckpointError, CheckpointVerifiers, Hash, MissingHash, Tree};

/// Goes through a whole log, entry by entry, and holds it against its signed checkpoints.
///
/// It trusts nothing that is stored beside the entries: every hash is computed again.
#[derive(Debug)]
pub struct Audit<'a> {
    verifiers: &'a CheckpointVerifiers,
    tree: Tree,
    checkpoints: u64,
}

/// A log that agrees with all its checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audited {
    /// Entries in it.
    pub entries: u64,
    /// Checkpoints that were held against it.
    pub checkpoints: u64,
    /// Root over the entries.
    pub root: Hash,
}

impl<'a> Audit<'a> {
    /// Starts before the first entry.
    #[must_use]
    pub fn new(verifiers: &'a CheckpointVerifiers) -> Self {
        Self { verifiers, tree: Tree::default(), checkpoints: 0 }
    }

    /// Takes the next entry; `stored` are the hashes that the store holds for it.
    ///
    /// # Errors
    /// [`AuditError::Changed`] if they are not the entry's.
    pub fn entry(&mut self, body: &[u8], stored: &[Hash]) -> Result<(), AuditError> {
        let position = self.tree.size();
        if self.tree.push(body)? == stored {
            return Ok(());
        }
        Err(AuditError::Changed { position })
    }

    /// Holds a checkpoint of exactly the entries so far against them.
    ///
    /// # Errors
    /// [`AuditError`] says what does not agree.
    pub fn checkpoint(&mut self, note: &str) -> Result<(), AuditError> {
        let signed = self.verifiers.read(note)?;
        let (size, root) = (self.tree.size(), self.tree.root()?);
        if (signed.size, signed.root) != (size, root) {
            return Err(AuditError::Contradicted { signed: Box::new(signed), size });
        }
        self.checkpoints += 1;
        Ok(())
    }

    /// Entries so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Ends the audit.
    ///
    /// # Errors
    /// [`AuditError::Unsigned`] if no checkpoint covers the last entry.
    pub fn finish(self, signed_size: u64) -> Result<Audited, AuditError> {
        let entries = self.tree.size();
        if signed_size != entries {
            return Err(AuditError::Unsigned { entries, signed: signed_size });
        }
        Ok(Audited { entries, checkpoints: self.checkpoints, root: self.tree.root()? })
    }
}

/// How a log contradicts itself. Each of these means that somebody changed it, or that it is lost.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// An entry is not the one that was hashed.
    #[error("entry {position} of the audit log is not the one that was written")]
    Changed {
        /// Its number, from 0.
        position: u64,
    },
    /// A signed checkpoint and the entries differ.
    #[error(
        "the audit log's first {size} entries are not those that the checkpoint of {} signs",
        signed.size
    )]
    Contradicted {
        /// What was signed.
        signed: Box<Checkpoint>,
        /// Entries present.
        size: u64,
    },
    /// Entries that no checkpoint covers, or a checkpoint over entries that are gone.
    #[error("the audit log has {entries} entries, but its last checkpoint signs {signed}")]
    Unsigned {
        /// Entries present.
        entries: u64,
        /// Entries signed.
        signed: u64,
    },
    /// A checkpoint cannot be trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Hashes are missing.
    #[error(transparent)]
    Missing(#[from] MissingHash),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckpointKey;

    fn key() -> CheckpointKey {
        CheckpointKey::new("countersign/test/audit", &[5; 32])
    }

    struct Log {
        entries: Vec<(Vec<u8>, Vec<Hash>)>,
        checkpoint: String,
    }

    fn log_of(entries: &[&str]) -> Log {
        let mut tree = Tree::default();
        let mut push =
            |body: &&str| (body.as_bytes().to_vec(), tree.push(body.as_bytes()).unwrap());
        let entries = entries.iter().map(&mut push).collect();
        let checkpoint = key().sign(tree.size(), tree.root().unwrap()).unwrap();
        Log { entries, checkpoint }
    }

    fn audit(log: &Log) -> Result<Audited, AuditError> {
        let verifiers = CheckpointVerifiers::new(key().verifier(), Vec::new());
        let mut audit = Audit::new(&verifiers);
        for (body, hashes) in &log.entries {
            audit.entry(body, hashes)?;
        }
        let signed = verifiers.read(&log.checkpoint)?.size;
        if signed == audit.size() {
            audit.checkpoint(&log.checkpoint)?;
        }
        audit.finish(signed)
    }

    #[test]
    fn an_untouched_log_is_confirmed() {
        let audited = audit(&log_of(&["a", "b", "c"])).unwrap();
        assert_eq!((audited.entries, audited.checkpoints), (3, 1));
    }

    #[test]
    fn a_changed_entry_is_found_where_it_stands() {
        let mut log = log_of(&["a", "b", "c"]);
        log.entries[1].0 = b"B".to_vec();
        assert!(matches!(audit(&log), Err(AuditError::Changed { position: 1 })));
    }

    #[test]
    fn a_log_rewritten_with_all_its_hashes_contradicts_its_checkpoint() {
        let forged = Log { checkpoint: log_of(&["a", "b"]).checkpoint, ..log_of(&["a", "x"]) };
        assert!(matches!(audit(&forged), Err(AuditError::Contradicted { .. })));
    }

    #[test]
    fn a_shortened_log_is_found() {
        let mut log = log_of(&["a", "b", "c"]);
        log.entries.pop();
        assert!(matches!(audit(&log), Err(AuditError::Unsigned { entries: 2, signed: 3 })));
    }
}
