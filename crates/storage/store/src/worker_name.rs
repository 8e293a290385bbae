use std::fmt;

/// The name of one start of one worker.
///
/// It is made from random bytes and nothing else, so that a worker that starts again cannot keep
/// alive the leases of its dead predecessor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkerName(pub(crate) String);

impl WorkerName {
    /// From 16 fresh random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }
}

impl fmt::Display for WorkerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
