use zeroize::Zeroizing;

use super::family::Family;

/// A stored hash taken apart: what to compute, and what must come out. Like the hash itself it is a
/// secret, so only tests can show it.
#[cfg_attr(test, derive(Debug))]
pub(crate) struct ParsedHash<M> {
    pub(crate) method: M,
    pub(crate) salt: Vec<u8>,
    pub(crate) digest: Zeroizing<Vec<u8>>,
}

impl<M> ParsedHash<M> {
    pub(super) fn new(method: M, salt: Vec<u8>, digest: Vec<u8>) -> Self {
        Self { method, salt, digest: Zeroizing::new(digest) }
    }

    /// The same hash, its method as one of many.
    pub(super) fn boxed(self) -> ParsedHash<Box<dyn Family>>
    where
        M: Family + 'static,
    {
        ParsedHash { method: Box::new(self.method), salt: self.salt, digest: self.digest }
    }
}
