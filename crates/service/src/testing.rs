//! Replayable stand-ins for the clock and the source of randomness.

use std::sync::atomic::{AtomicU64, Ordering};

use model::Randomness;
use sha2::{Digest, Sha256};

/// Counts instead of drawing: every run draws the same, and never the same twice.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Randomness for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let drawn = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&Sha256::digest(drawn)[..chunk.len()]);
        }
    }
}
