//! That a log has only grown: the proof of RFC 6962 that the tree of some entries begins with the tree
//! of fewer.

use std::{cell::RefCell, collections::BTreeMap};

use tlog_tiles::tlog::{self, Error, HashReader};

use crate::Hash;

/// The stored hashes that a proof from `old` to `new` entries is made of, by their places; none where
/// nothing has to be proved, since there were no entries, or are no others.
///
/// # Errors
/// [`GrowthError`] unless `old <= new`.
pub fn growth_positions(old: u64, new: u64) -> Result<Vec<u64>, GrowthError> {
    if needs_no_proof(old, new) {
        return Ok(Vec::new());
    }
    let asked = AskedHashes::default();
    tlog::prove_tree(new, old, &asked).map_err(|_| GrowthError { old, new })?;
    Ok(asked.0.into_inner())
}

/// The proof from `old` to `new` entries; `hashes` are those that [`growth_positions`] names.
///
/// # Errors
/// [`GrowthError`] unless `old <= new` and the hashes are there.
pub fn prove_growth(
    old: u64,
    new: u64,
    hashes: &BTreeMap<u64, Hash>,
) -> Result<Vec<Hash>, GrowthError> {
    if needs_no_proof(old, new) {
        return Ok(Vec::new());
    }
    let proof =
        tlog::prove_tree(new, old, &StoredHashes(hashes)).map_err(|_| GrowthError { old, new })?;
    Ok(proof.into_iter().map(|hash| hash.0).collect())
}

const fn needs_no_proof(old: u64, new: u64) -> bool {
    old == 0 || old == new
}

/// Passes a proof that a log with this root has only grown to that one.
///
/// # Errors
/// [`GrowthError`] if it proves anything else, or nothing.
pub fn check_growth(
    (old, old_root): (u64, Hash),
    (new, new_root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), GrowthError> {
    let failed = GrowthError { old, new };
    if old == new {
        return if old_root == new_root && proof.is_empty() { Ok(()) } else { Err(failed) };
    }
    if old == 0 {
        return if proof.is_empty() { Ok(()) } else { Err(failed) };
    }
    let proof: Vec<_> = proof.iter().copied().map(tlog::Hash).collect();
    let checked = tlog::check_tree(&proof, new, tlog::Hash(new_root), old, tlog::Hash(old_root));
    checked.map_err(|_| failed)
}

/// Not the log of before, grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing proves that the log of {new} entries begins with the {old} of before")]
pub struct GrowthError {
    old: u64,
    new: u64,
}

/// Notes which hashes a proof asks for.
#[derive(Default)]
struct AskedHashes(RefCell<Vec<u64>>);

impl HashReader for AskedHashes {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<tlog::Hash>, Error> {
        self.0.borrow_mut().extend_from_slice(positions);
        Ok(vec![tlog::Hash([0; 32]); positions.len()])
    }
}

struct StoredHashes<'a>(&'a BTreeMap<u64, Hash>);

impl HashReader for StoredHashes<'_> {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<tlog::Hash>, Error> {
        let hash = |position| self.0.get(position).map(|hash| tlog::Hash(*hash));
        positions.iter().map(hash).collect::<Option<_>>().ok_or(Error::IndexesNotInTree)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Tree, testing::log_of};

    proptest! {
        #[test]
        fn a_log_that_has_grown_proves_it_and_another_does_not(old in 1_u64..70, more in 0_u64..70) {
            let (stored, root) = log_of(old + more, 1);
            let (_, before) = log_of(old, 1);
            let positions = growth_positions(old, old + more).unwrap();
            prop_assert!(positions.len() <= 63);
            let asked = positions.into_iter().map(|at| (at, stored[&at])).collect();
            let proof = prove_growth(old, old + more, &asked).unwrap();
            let check = |before| check_growth((old, before), (old + more, root), &proof);
            prop_assert_eq!(check(before), Ok(()));
            prop_assert!(check(log_of(old, 2).1).is_err());
        }
    }

    #[test]
    fn whoever_has_seen_nothing_needs_no_proof() {
        let (_, root) = log_of(3, 1);
        let nothing = (0, Tree::default().root().unwrap());
        assert_eq!(check_growth(nothing, (3, root), &[]), Ok(()));
        assert!(check_growth(nothing, (3, root), &[[0; 32]]).is_err());
        assert!(growth_positions(4, 3).is_err());
    }
}
