use model::digest_type;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Target, Targets, limits::PROOF_HASHES_MAX};

digest_type! {
    /// The Merkle root over a campaign's targets: what a signature holds on to.
    TargetRoot
}

type NodeHash = [u8; 32];

/// The Merkle tree over a campaign's targets, hashed as in RFC 6962, section 2.1.
///
/// It takes 64 bytes a target. A worker builds it from the targets or from their leaf hashes, and
/// checks each target against the signed root before it touches the account.
#[derive(Debug, Clone)]
pub struct TargetTree {
    /// Leaf hashes first; an odd node at the end of a level moves up as it is. Never empty.
    levels: Vec<Vec<NodeHash>>,
}

impl TargetTree {
    /// The tree over frozen targets.
    #[must_use]
    pub fn new(targets: &Targets) -> Self {
        Self::from_hashes(targets.iter().map(|target| leaf_hash(&target.leaf())).collect())
    }

    /// Number of targets.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, Vec::len) as u64
    }

    /// The root over all of them.
    #[must_use]
    pub fn root(&self) -> TargetRoot {
        TargetRoot::from_bytes(top(&self.levels))
    }

    /// The proof that the target at `index` is one of them; `None` beyond the last one.
    #[must_use]
    pub fn prove(&self, index: u64) -> Option<InclusionProof> {
        let mut place = usize::try_from(index).ok().filter(|_| index < self.size())?;
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(place ^ 1).map(|hash| Sibling(*hash)));
            place /= 2;
        }
        Some(InclusionProof { index, size: self.size(), path })
    }

    fn from_hashes(leaves: Vec<NodeHash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            levels.push(below.chunks(2).map(parent).collect());
        }
        Self { levels }
    }
}

/// That one target stands in a signed plan, at this place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    index: u64,
    size: u64,
    path: Vec<Sibling>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Sibling(#[serde(with = "model::canonical::hex")] NodeHash);

impl InclusionProof {
    /// Whether `target` stands at this place in the list of `size` targets with this root.
    #[must_use]
    pub fn check(&self, target: &Target, root: TargetRoot, size: u64) -> bool {
        let fits = self.size == size && self.path.len() <= PROOF_HASHES_MAX;
        fits && self.climb(leaf_hash(&target.leaf())) == Some(*root.as_bytes())
    }

    /// RFC 9162, section 2.1.3.2.
    fn climb(&self, leaf: NodeHash) -> Option<NodeHash> {
        let (mut place, mut last) = (self.index, self.size.checked_sub(1)?);
        if place > last {
            return None;
        }
        let mut hash = leaf;
        for Sibling(sibling) in &self.path {
            while last > 0 && place == last && place.is_multiple_of(2) {
                (place, last) = (place / 2, last / 2);
            }
            if last == 0 {
                return None;
            }
            let left = place.is_multiple_of(2);
            hash = if left { parent(&[hash, *sibling]) } else { parent(&[*sibling, hash]) };
            (place, last) = (place / 2, last / 2);
        }
        while last > 0 && place == last && place.is_multiple_of(2) {
            (place, last) = (place / 2, last / 2);
        }
        (last == 0).then_some(hash)
    }
}

fn leaf_hash(leaf: &[u8]) -> NodeHash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

fn top(levels: &[Vec<NodeHash>]) -> NodeHash {
    let top = levels.last().and_then(|level| level.first());
    *top.expect("targets are never none")
}

/// Of two nodes their hash, of a single one itself.
fn parent(nodes: &[NodeHash]) -> NodeHash {
    match nodes {
        [left, right] => {
            Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
        }
        _ => nodes[0],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tlog_tiles::tlog::{self, HashReader};

    use super::*;
    use crate::testing::targets;

    #[derive(Default)]
    struct Stored(Vec<tlog::Hash>);

    impl HashReader for Stored {
        fn read_hashes(&self, positions: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
            let hash = |at: &u64| self.0.get(usize::try_from(*at).unwrap()).copied();
            positions.iter().map(hash).collect::<Option<_>>().ok_or(tlog::Error::IndexesNotInTree)
        }
    }

    fn judged_root(leaves: impl Iterator<Item = Vec<u8>>) -> (u64, Stored) {
        let mut stored = Stored::default();
        let mut size = 0;
        for leaf in leaves {
            let hashes = tlog::stored_hashes(size, &leaf, &stored).unwrap();
            stored.0.extend(hashes);
            size += 1;
        }
        (size, stored)
    }

    proptest! {
        #[test]
        fn another_library_finds_the_same_root_and_proofs(count in 1_u64..70) {
            let targets = targets(count);
            let tree = TargetTree::new(&targets);
            let (size, stored) = judged_root(targets.iter().map(Target::leaf));
            let root = tlog::tree_hash(size, &stored).unwrap();
            prop_assert_eq!(tree.root(), TargetRoot::from_bytes(root.0));
            for index in 0..size {
                let proof = tlog::prove_record(size, index, &stored).unwrap();
                let proof: Vec<_> = proof.iter().map(|hash| Sibling(hash.0)).collect();
                prop_assert_eq!(tree.prove(index).unwrap().path, proof);
            }
        }

        #[test]
        fn a_proof_holds_for_its_target_alone(count in 1_u64..40, other in 0_u64..40) {
            let targets = targets(count);
            let tree = TargetTree::new(&targets);
            for (index, target) in (0..).zip(targets.iter()) {
                let proof = tree.prove(index).unwrap();
                prop_assert!(proof.check(target, tree.root(), count));
                prop_assert!(!proof.check(target, tree.root(), count + 1));
                let moved = InclusionProof { index: other, ..proof };
                prop_assert!(other == index || !moved.check(target, tree.root(), count));
            }
            prop_assert_eq!(tree.prove(count), None);
        }
    }
}
