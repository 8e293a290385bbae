use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use ledger::{
    AddCheckpoint, AddCheckpointError, Checkpoint, CheckpointError, CheckpointVerifier,
    CosignRefusal, CosignatureError, WitnessKey, decide_cosign,
};
use model::Clock;
use region::LockGuard;

use crate::seen::{SeenError, SeenFolder, SeenLog};

/// Microseconds of a second.
const MICROS: i64 = 1_000_000;

/// One witness, with its key and what it remembers.
pub struct WitnessDesk {
    key: Box<WitnessKey>,
    /// Keeps the key out of the swap file, where that is permitted.
    _locked: Option<LockGuard>,
    /// By the name that each log has for all time: its keys, which may be rotated.
    logs: BTreeMap<String, Vec<CheckpointVerifier>>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

/// A line to add to a checkpoint.
pub type Cosign = String;

impl WitnessDesk {
    /// A witness of these logs, which keeps in `folder` how far it has seen each.
    #[must_use]
    pub fn new(
        key: WitnessKey,
        logs: impl IntoIterator<Item = CheckpointVerifier>,
        folder: PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut known = BTreeMap::<_, Vec<_>>::new();
        for log in logs {
            known.entry(log.origin().to_owned()).or_default().push(log);
        }
        let key = Box::new(key);
        let locked = region::lock(&raw const *key, size_of::<WitnessKey>());
        if let Err(error) = &locked {
            tracing::debug!(%error, "the witness's key may be written to the swap file");
        }
        Self { key, _locked: locked.ok(), logs: known, folder, clock }
    }

    /// Signs what is asked for, unless the log is not the one that was seen. Nobody else does so in
    /// this folder meanwhile, and it is remembered before it is answered.
    ///
    /// # Errors
    /// [`CosignError`] says why not.
    pub fn add(&self, body: &str) -> Result<Cosign, CosignError> {
        let request = AddCheckpoint::parse(body)?;
        let origin = request.note.split('\n').next().unwrap_or_default();
        let keys = self.logs.get(origin).ok_or(CosignError::UnknownLog)?;
        let checkpoint = read_by_any(keys, &request.note)?;
        let locked = SeenFolder::of(&self.folder)?;
        let seen = locked.read(origin)?;
        decide_cosign(seen.as_ref().map(SeenLog::as_pair), &request, &checkpoint)?;
        let seconds = self.clock.now().as_micros().div_euclid(MICROS);
        let line = self.key.cosign(&request.note, u64::try_from(seconds).unwrap_or_default())?;
        locked.write(&SeenLog::of(checkpoint))?;
        Ok(line)
    }
}

/// What a log has signed by any of its keys; else what the last one says of it.
fn read_by_any(keys: &[CheckpointVerifier], note: &str) -> Result<Checkpoint, CosignError> {
    let mut refused = CosignError::UnknownLog;
    for key in keys {
        match key.read(note) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(error) => refused = error.into(),
        }
    }
    Err(refused)
}

/// Why a witness does not sign.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// It is no request.
    #[error(transparent)]
    Form(#[from] AddCheckpointError),
    /// It watches over other logs.
    #[error("this witness does not know the log")]
    UnknownLog,
    /// The log has not signed it.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It has not grown from what was seen.
    #[error(transparent)]
    Refused(#[from] CosignRefusal),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] CosignatureError),
    /// What was seen cannot be read or written: then nothing is signed.
    #[error(transparent)]
    Seen(#[from] SeenError),
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use ledger::{CheckpointKey, Hash, Tree, growth_positions, prove_growth};
    use model::Timestamp;

    use super::*;

    const ORIGIN: &str = "countersign/0123456789abcdef/audit";

    struct Now;

    impl Clock for Now {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(1_352_332_800_000_000)
        }
    }

    fn log() -> CheckpointKey {
        CheckpointKey::new(ORIGIN, &[1; 32])
    }

    fn desk(folder: &tempfile::TempDir) -> WitnessDesk {
        let key = WitnessKey::new(&"witness.example/w1".parse().unwrap(), &[2; 32]);
        WitnessDesk::new(key, [log().verifier()], folder.path().to_owned(), Arc::new(Now))
    }

    /// What a log of so many entries asks, of which the witness has seen so many.
    fn body(old: u64, size: u64, with: u8) -> (String, String) {
        let (mut tree, mut stored) = (Tree::default(), Vec::new());
        for entry in 0..size {
            stored.extend(tree.push(&[&entry.to_le_bytes()[..], &[with]].concat()).unwrap());
        }
        let stored: HashMap<u64, Hash> = (0..).zip(stored).collect();
        let note = log().sign(size, tree.root().unwrap()).unwrap();
        let proof = if old > size {
            Vec::new()
        } else {
            let positions = growth_positions(old, size).unwrap().into_iter();
            prove_growth(old, size, &positions.map(|at| (at, stored[&at])).collect()).unwrap()
        };
        (AddCheckpoint { old, proof, note: note.clone() }.to_string(), note)
    }

    #[test]
    fn a_log_that_grows_is_signed_for_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let verifier = WitnessKey::new(&"witness.example/w1".parse().unwrap(), &[2; 32]).verifier();
        for (old, size) in [(0, 3), (3, 9), (9, 9), (9, 70)] {
            let (body, note) = body(old, size, 1);
            let line = desk(&folder).add(&body).unwrap();
            assert_eq!(verifier.read(&note, &line).unwrap().seconds, 1_352_332_800);
        }
    }

    #[test]
    fn a_log_that_was_put_back_is_signed_for_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder);
        desk.add(&body(0, 9, 1).0).unwrap();
        let answers = [(5, 7, 1), (0, 7, 1), (9, 12, 2)]
            .map(|(old, size, with)| desk.add(&body(old, size, with).0).unwrap_err());
        assert!(matches!(
            answers,
            [
                CosignError::Refused(CosignRefusal::OtherSize { seen: 9 }),
                CosignError::Refused(CosignRefusal::OtherSize { seen: 9 }),
                CosignError::Refused(CosignRefusal::NotGrown { seen: 9, size: 12 }),
            ]
        ));
        desk.add(&body(9, 12, 1).0).unwrap();
    }

    /// Operators name the log's next key beforehand, and both of them sign the entry between.
    #[test]
    fn a_log_whose_key_is_rotated_is_signed_for_by_either() {
        let folder = tempfile::tempdir().unwrap();
        let next = CheckpointKey::new(ORIGIN, &[3; 32]);
        let name = "witness.example/w1".parse().unwrap();
        let desk = WitnessDesk::new(
            WitnessKey::new(&name, &[2; 32]),
            [log().verifier(), next.verifier()],
            folder.path().to_owned(),
            Arc::new(Now),
        );
        let mut tree = Tree::default();
        tree.push(b"entry").unwrap();
        let root = tree.root().unwrap();
        for note in [log().sign(1, root), log().sign_last(&next, 1, root), next.sign(1, root)] {
            let old = u64::from(folder.path().read_dir().unwrap().any(|_| true));
            let request = AddCheckpoint { old, proof: Vec::new(), note: note.unwrap() };
            desk.add(&request.to_string()).unwrap();
        }
        let other = CheckpointKey::new(ORIGIN, &[4; 32]).sign(1, root).unwrap();
        let other = AddCheckpoint { old: 1, proof: Vec::new(), note: other };
        assert!(matches!(desk.add(&other.to_string()), Err(CosignError::Checkpoint(_))));
    }

    #[test]
    fn nothing_else_is_signed_for() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder);
        let (body, _) = body(0, 3, 1);
        let other = body.replace("0123456789abcdef", "fedcba9876543210");
        assert!(matches!(desk.add(&other), Err(CosignError::UnknownLog)));
        let changed = body.replacen("\n3\n", "\n4\n", 1);
        assert!(matches!(desk.add(&changed), Err(CosignError::Checkpoint(_))));
        assert!(matches!(desk.add("old 0"), Err(CosignError::Form(_))));
    }
}
