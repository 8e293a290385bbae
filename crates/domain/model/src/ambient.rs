use crate::Timestamp;

/// What time it is. Only the binary owns a real one, so that every decision can be replayed.
pub trait Clock: Send + Sync {
    /// The present moment, UTC.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes. Only the binary owns a real source; tests pass a seeded one.
pub trait Randomness: Send + Sync {
    /// Overwrites the whole buffer.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Randomness + '_ {
    /// A fresh array, for keys, salts and nonces.
    #[must_use]
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
