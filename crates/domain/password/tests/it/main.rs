//! Stored hashes of the software of real sites: what we make of theirs, and they of ours.

mod cheap;
mod counterparts;
mod fuzzed;
mod sites;
mod vectors;

use std::sync::atomic::{AtomicU64, Ordering};

use model::Randomness;

/// Bytes that differ from call to call, and are the same in every run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Randomness for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let drawn = self.0.fetch_add(1, Ordering::Relaxed);
            *byte = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
    }
}
