use tlog_tiles::tlog::EMPTY_HASH;

use crate::{AddCheckpoint, Checkpoint, Hash, check_growth};

/// Decides whether a witness signs a checkpoint. `seen` is how far it has seen this log: its size, and
/// its root. `checkpoint` is the request's, and its log's signature is verified.
///
/// # Errors
/// [`CosignRefusal`] says why not.
pub fn decide_cosign(
    seen: Option<(u64, Hash)>,
    request: &AddCheckpoint,
    checkpoint: &Checkpoint,
) -> Result<(), CosignRefusal> {
    let Checkpoint { size, root, .. } = checkpoint;
    if request.old > *size {
        return Err(CosignRefusal::Backwards { old: request.old, size: *size });
    }
    // Whoever has seen nothing signs whatever comes first.
    let (seen_size, seen_root) = seen.unwrap_or((0, EMPTY_HASH.0));
    if request.old != seen_size {
        return Err(CosignRefusal::OtherSize { seen: seen_size });
    }
    check_growth((seen_size, seen_root), (*size, *root), &request.proof)
        .map_err(|_| CosignRefusal::NotGrown { seen: seen_size, size: *size })
}

/// Why a witness does not sign a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CosignRefusal {
    /// The request contradicts itself.
    #[error("a checkpoint of {size} entries does not go on from {old}")]
    Backwards {
        /// Where the request begins.
        old: u64,
        /// Where its checkpoint ends.
        size: u64,
    },
    /// The request begins elsewhere.
    #[error("this witness has seen {seen} entries of the log")]
    OtherSize {
        /// How many it has seen.
        seen: u64,
    },
    /// The log is another one than before, or nothing proves that it is the same.
    #[error(
        "nothing proves that the log of {size} entries begins with the {seen} that this witness has seen"
    )]
    NotGrown {
        /// How many it has seen.
        seen: u64,
        /// How many there are said to be.
        size: u64,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{growth_positions, prove_growth, testing};

    struct Log(BTreeMap<u64, Hash>, Hash, u64);

    fn log_of(entries: u64, with: u8) -> Log {
        let (stored, root) = testing::log_of(entries, with);
        Log(stored, root, entries)
    }

    impl Log {
        fn checkpoint(&self) -> Checkpoint {
            Checkpoint { origin: "a".to_owned(), size: self.2, root: self.1 }
        }

        /// What is asked of a witness that has signed for so many entries.
        fn request(&self, old: u64) -> AddCheckpoint {
            let proof = match old {
                old if old > self.2 => Vec::new(),
                old => {
                    let positions = growth_positions(old, self.2).unwrap();
                    let hashes = positions.into_iter().map(|at| (at, self.0[&at])).collect();
                    prove_growth(old, self.2, &hashes).unwrap()
                }
            };
            AddCheckpoint { old, proof, note: String::new() }
        }

        const fn seen(&self) -> (u64, Hash) {
            (self.2, self.1)
        }
    }

    fn decide(seen: Option<(u64, Hash)>, log: &Log, old: u64) -> Result<(), CosignRefusal> {
        decide_cosign(seen, &log.request(old), &log.checkpoint())
    }

    #[test]
    fn a_log_that_has_grown_is_signed_for() {
        let (before, now) = (log_of(5, 1), log_of(9, 1));
        assert_eq!(decide(None, &before, 0), Ok(()));
        assert_eq!(decide(Some(before.seen()), &now, 5), Ok(()));
        assert_eq!(
            decide(Some(now.seen()), &now, 9),
            Ok(()),
            "asked again, since the answer was lost"
        );
    }

    #[test]
    fn a_restored_log_is_not_signed_for() {
        let (before, now) = (log_of(5, 1), log_of(9, 1));
        assert_eq!(decide(Some(now.seen()), &before, 5), Err(CosignRefusal::OtherSize { seen: 9 }));
        let backwards = decide_cosign(Some(now.seen()), &now.request(9), &before.checkpoint());
        assert_eq!(backwards, Err(CosignRefusal::Backwards { old: 9, size: 5 }));
    }

    #[test]
    fn a_log_that_went_another_way_is_not_signed_for() {
        let (before, other, longer) = (log_of(5, 1), log_of(5, 2), log_of(9, 2));
        for (log, size) in [(other, 5), (longer, 9)] {
            let forked = Err(CosignRefusal::NotGrown { seen: 5, size });
            assert_eq!(decide(Some(before.seen()), &log, 5), forked);
        }
    }

    #[test]
    fn a_log_begins_empty_and_without_a_proof() {
        let (empty, log) = (log_of(0, 1), log_of(3, 1));
        assert_eq!(decide(None, &empty, 0), Ok(()));
        let invented = Checkpoint { root: [0; 32], ..empty.checkpoint() };
        let refused = decide_cosign(None, &empty.request(0), &invented);
        assert_eq!(refused, Err(CosignRefusal::NotGrown { seen: 0, size: 0 }));
        let proven = AddCheckpoint { proof: vec![[0; 32]], ..log.request(0) };
        let refused = decide_cosign(None, &proven, &log.checkpoint());
        assert_eq!(refused, Err(CosignRefusal::NotGrown { seen: 0, size: 3 }));
    }
}
