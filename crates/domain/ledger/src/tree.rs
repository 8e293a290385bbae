use std::collections::HashMap;

use tlog_tiles::tlog::{self, Error, HashReader};

use crate::Hash;

/// Nodes kept before those that no later entry needs are dropped.
const NODES_KEPT_MAX: usize = 4096;

/// The right edge of the log's Merkle tree: enough to append to it and to name its root.
///
/// Memory is bounded whatever the number of entries.
#[derive(Debug, Default)]
pub struct Tree {
    size: u64,
    nodes: Nodes,
}

/// Where the hashes of entry `position` begin in the stored sequence of hashes.
#[must_use]
pub fn hash_position(position: u64) -> u64 {
    tlog::stored_hash_index(0, position)
}

/// The stored hashes that [`Tree::resume`] needs for a log of `size` entries.
#[must_use]
pub fn frontier(size: u64) -> Vec<u64> {
    tlog::sub_tree_index(0, size, Vec::new())
}

/// What the tree holds of an entry.
pub(crate) fn leaf_hash(entry: &[u8]) -> Hash {
    tlog::record_hash(entry).0
}

impl Tree {
    /// Takes up a log of `size` entries; `hashes` are those that [`frontier`] names, in its order.
    #[must_use]
    pub fn resume(size: u64, hashes: Vec<Hash>) -> Self {
        Self { size, nodes: Nodes(frontier(size).into_iter().zip(hashes).collect()) }
    }

    /// Appends one entry; returns the hashes to store from [`hash_position`] on.
    ///
    /// # Errors
    /// [`MissingHash`] if the tree was resumed with too few hashes.
    pub fn push(&mut self, entry: &[u8]) -> Result<Vec<Hash>, MissingHash> {
        let hashes = tlog::stored_hashes(self.size, entry, &self.nodes)
            .map_err(|_| MissingHash { size: self.size })?;
        let hashes: Vec<Hash> = hashes.into_iter().map(|hash| hash.0).collect();
        self.nodes.0.extend((hash_position(self.size)..).zip(hashes.iter().copied()));
        self.size += 1;
        self.forget_inner_nodes();
        Ok(hashes)
    }

    /// Entries so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over all entries so far.
    ///
    /// # Errors
    /// [`MissingHash`] if the tree was resumed with too few hashes.
    pub fn root(&self) -> Result<Hash, MissingHash> {
        let root = tlog::tree_hash(self.size, &self.nodes);
        root.map(|hash| hash.0).map_err(|_| MissingHash { size: self.size })
    }

    fn forget_inner_nodes(&mut self) {
        if self.nodes.0.len() > NODES_KEPT_MAX {
            let needed = frontier(self.size);
            self.nodes.0.retain(|position, _| needed.contains(position));
        }
    }
}

#[derive(Debug, Default)]
struct Nodes(HashMap<u64, Hash>);

impl HashReader for Nodes {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<tlog::Hash>, Error> {
        let node = |position| self.0.get(position).map(|hash| tlog::Hash(*hash));
        positions.iter().map(node).collect::<Option<_>>().ok_or(Error::IndexesNotInTree)
    }
}

/// The store does not hold the hashes that belong to the log's size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log of {size} entries lacks hashes that were stored with them")]
pub struct MissingHash {
    size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log_of(entries: u64) -> (Tree, Vec<Hash>) {
        let mut tree = Tree::default();
        let mut stored = Vec::new();
        for entry in 0..entries {
            assert_eq!(hash_position(entry), stored.len() as u64);
            stored.extend(tree.push(&entry.to_le_bytes()).unwrap());
        }
        (tree, stored)
    }

    #[test]
    fn the_empty_tree_has_the_root_of_rfc_6962() {
        let root = Tree::default().root().unwrap();
        assert_eq!(root[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    }

    #[test]
    fn inner_nodes_are_forgotten_and_never_missed() {
        let (tree, _) = log_of(3 * NODES_KEPT_MAX as u64);
        assert!(tree.nodes.0.len() <= NODES_KEPT_MAX);
        assert!(tree.root().is_ok());
    }

    #[test]
    fn a_log_without_its_hashes_is_refused() {
        assert_eq!(Tree::resume(3, Vec::new()).root(), Err(MissingHash { size: 3 }));
    }

    proptest! {
        #[test]
        fn a_resumed_log_goes_on_as_if_never_stopped(before in 0_u64..300, after in 0_u64..40) {
            let (whole, stored) = log_of(before + after);
            let needed = frontier(before).into_iter();
            let hashes = needed.map(|at| stored[usize::try_from(at).unwrap()]).collect();
            let mut resumed = Tree::resume(before, hashes);
            for entry in before..before + after {
                resumed.push(&entry.to_le_bytes()).unwrap();
            }
            prop_assert_eq!(resumed.root(), whole.root());
        }
    }
}
