use model::HashFormat;

use super::scratch::Scratch;
use crate::{CostLimits, MakeHashError};

/// What differs between the families of functions.
pub(crate) trait Family {
    fn format(&self) -> HashFormat;

    /// Whether it asks for more than the caps allow.
    fn exceeds(&self, limits: &CostLimits) -> bool;

    /// The characters of salts that are text; `None` if a salt is bytes.
    fn salt_alphabet(&self) -> Option<&'static [u8]>;

    /// Bytes of a digest, unless an existing hash is imitated.
    fn digest_len(&self) -> usize;

    /// Computes as many bytes as `out` holds.
    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), MakeHashError>;

    /// The text of a hash: what the family's reader makes the same salt and digest of.
    fn encode(&self, salt: &[u8], digest: &[u8]) -> String;
}
