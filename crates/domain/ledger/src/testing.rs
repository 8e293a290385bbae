//! Logs for tests.

use std::collections::BTreeMap;

use crate::{Hash, Tree};

/// Every stored hash of a log of so many entries, and its root; `with` tells one log from another.
pub(crate) fn log_of(entries: u64, with: u8) -> (BTreeMap<u64, Hash>, Hash) {
    let (mut tree, mut stored) = (Tree::default(), Vec::new());
    for entry in 0..entries {
        stored.extend(tree.push(&[&entry.to_le_bytes()[..], &[with]].concat()).unwrap());
    }
    ((0..).zip(stored).collect(), tree.root().unwrap())
}
