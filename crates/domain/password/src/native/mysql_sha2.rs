//! MySQL's `caching_sha2_password`: SHA-crypt over a salt of 20 bytes of any kind.

use model::Unverified::{self, Malformed};

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    sha_crypt::{body256, raw256, read_body256},
};
use crate::{CostLimits, HashCost, MakeHashError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MysqlSha2 {
    /// In thousands, as three hexadecimal digits.
    rounds: u32,
}

/// `$A$005$`, 20 characters of salt, 43 of digest.
pub(super) fn read(text: &str) -> Result<ParsedHash<MysqlSha2>, Unverified> {
    let rest = text.strip_prefix("$A$").ok_or(Malformed)?;
    let (rounds, body) = rest.split_once('$').ok_or(Malformed)?;
    let rounds = u32::from_str_radix(rounds, 16).ok().filter(|_| rounds.len() == 3);
    let digest_from = body.len().checked_sub(DIGEST_CHARS).ok_or(Malformed)?;
    let (salt, digest) = body.split_at_checked(digest_from).ok_or(Malformed)?;
    let salt = salt_bytes(salt).ok_or(Malformed)?;
    let method = MysqlSha2 { rounds: rounds.filter(|rounds| *rounds > 0).ok_or(Malformed)? };
    Ok(ParsedHash::new(method, salt, read_body256(digest)?))
}

const DIGEST_CHARS: usize = 43;
const SALT_BYTES: usize = 20;

/// As the bytes that they are, or as the characters that a client makes of them.
fn salt_bytes(text: &str) -> Option<Vec<u8>> {
    if text.len() == SALT_BYTES {
        return Some(text.into());
    }
    let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
    bytes.collect::<Option<Vec<u8>>>().filter(|bytes| bytes.len() == SALT_BYTES)
}

impl Family for MysqlSha2 {
    fn cost(&self) -> HashCost {
        HashCost::Rounds(u64::from(self.rounds) * 1000)
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.rounds.saturating_mul(1000) > limits.digest_rounds_max
    }

    /// New ones are text, so that any column can hold them.
    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        out.copy_from_slice(&raw256(secret, salt, self.rounds * 1000));
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let digest = digest.try_into().map(body256).unwrap_or_default();
        format!("$A${:03X}${}{digest}", self.rounds, String::from_utf8_lossy(salt))
    }
}
