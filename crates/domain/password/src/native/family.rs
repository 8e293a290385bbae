use std::fmt;

use super::scratch::Scratch;
use crate::{CostLimits, HashCost, MakeHashError, coding::CRYPT_ALPHABET};

/// What differs between the families of functions.
pub(crate) trait Family: fmt::Debug + Send + Sync {
    /// Whether it asks for more than the caps allow.
    fn exceeds(&self, limits: &CostLimits) -> bool;

    /// What it costs to try one password.
    fn cost(&self) -> HashCost;

    /// The characters of salts that are text, as those of crypt(3) are; `None` if a salt is bytes.
    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        Some(CRYPT_ALPHABET)
    }

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

    /// A secret of the site's that goes into the function, beside the password.
    fn set_key(&mut self, _key: &[u8]) {}

    /// Whether all but the first 72 bytes are dropped.
    fn is_bcrypt(&self) -> bool {
        false
    }
}
