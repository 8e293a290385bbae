//! The oldest crypt strings: 13 characters of Unix, and `_` with 19 of BSDi.

use model::Unverified::{self, Malformed};
use zeroize::Zeroizing;

use super::{
    crypt_text::{plain_salt, without_nul},
    des::DesKeys,
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    scrypt::{crypt_number, crypt_text, crypt_value},
    text::{decode, of_length},
};
use crate::{CostLimits, HashCost, MakeHashError, coding::Coding};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DesCrypt {
    /// Reads 8 bytes of a secret, 7 bits of each.
    Unix,
    /// Reads all of it, 7 bits of each byte.
    Bsdi {
        /// How often a block is encrypted.
        rounds: u32,
    },
}

/// Two characters of salt, eleven of the digest.
pub(super) fn read_unix(text: &str) -> Result<ParsedHash<DesCrypt>, Unverified> {
    split(DesCrypt::Unix, text, 2)
}

/// `_`, four characters of cost, four of salt, eleven of the digest.
pub(super) fn read_bsdi(text: &str) -> Result<ParsedHash<DesCrypt>, Unverified> {
    let rest = text.strip_prefix(BSDI).ok_or(Malformed)?;
    let (cost, rest) = rest.split_at_checked(COST_CHARS).ok_or(Malformed)?;
    split(DesCrypt::Bsdi { rounds: read_cost(cost)? }, rest, 4)
}

fn split(
    method: DesCrypt,
    text: &str,
    salt_chars: usize,
) -> Result<ParsedHash<DesCrypt>, Unverified> {
    let (salt, digest) = text.split_at_checked(salt_chars).ok_or(Malformed)?;
    let digest = of_length(decode(digest, Coding::CryptHighestFirst)?, DIGEST_BYTES)?;
    Ok(ParsedHash::new(method, plain_salt(salt)?, digest))
}

const BSDI: &str = "_";

const COST_CHARS: usize = 4;

const DIGEST_BYTES: usize = 8;

const UNIX_ROUNDS: u32 = 25;

fn read_cost(text: &str) -> Result<u32, Unverified> {
    match number(text.as_bytes()) {
        None | Some(0) => Err(Malformed),
        Some(cost) => Ok(cost),
    }
}

fn number(text: &[u8]) -> Option<u32> {
    let values: Option<Vec<u32>> = text.iter().map(|byte| crypt_value(*byte)).collect();
    Some(crypt_number(&values?))
}

impl DesCrypt {
    fn keys(&self, secret: &[u8]) -> DesKeys {
        let mut pieces = secret.chunks(KEY_BYTES);
        let mut key = key(pieces.next().unwrap_or_default());
        if matches!(self, Self::Bsdi { .. }) {
            for piece in pieces {
                key = DesKeys::of(key).encrypt(key, 0, 1) ^ self::key(piece);
            }
        }
        DesKeys::of(key)
    }

    const fn rounds(&self) -> u32 {
        match self {
            Self::Unix => UNIX_ROUNDS,
            Self::Bsdi { rounds } => *rounds,
        }
    }
}

const KEY_BYTES: usize = 8;

/// Seven bits a byte, and zeros for those that are missing.
fn key(piece: &[u8]) -> u64 {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (key, byte) in key.iter_mut().zip(piece) {
        *key = byte << 1;
    }
    u64::from_be_bytes(*key)
}

impl Family for DesCrypt {
    fn cost(&self) -> HashCost {
        HashCost::Rounds(self.rounds().into())
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.rounds() > limits.digest_rounds_max
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        without_nul(secret)?;
        let salt = number(salt).expect("a salt read or made is of this alphabet");
        out.copy_from_slice(&self.keys(secret).encrypt(0, salt, self.rounds()).to_be_bytes());
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let cost = match self {
            Self::Unix => String::new(),
            Self::Bsdi { rounds } => format!("{BSDI}{}", crypt_text(*rounds, COST_CHARS)),
        };
        format!(
            "{cost}{}{}",
            String::from_utf8_lossy(salt),
            Coding::CryptHighestFirst.encode(digest)
        )
    }
}
