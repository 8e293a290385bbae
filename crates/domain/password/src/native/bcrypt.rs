//! bcrypt: crypt strings.

use model::Unverified::{self, Malformed, UnsupportedVariant};
use zeroize::Zeroizing;

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{decode, of_length},
};
use crate::{
    CostLimits, HashCost, MakeHashError,
    coding::Coding,
    limits::{BCRYPT_COSTS, BCRYPT_SECRET_BYTES_MAX},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bcrypt {
    /// One of [`VARIANTS`]: kept for the text, without a part in the computation.
    variant: &'static str,
    cost: u32,
}

pub(super) fn read(text: &str) -> Result<ParsedHash<Bcrypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["", variant, cost, salt_and_digest] = fields[..] else {
        return Err(Malformed);
    };
    if variant == WITHOUT_NUL {
        return Err(UnsupportedVariant);
    }
    let (salt, digest) = salt_and_digest.split_at_checked(SALT_CHARS).ok_or(Malformed)?;
    let method = Bcrypt {
        variant: VARIANTS.iter().find(|known| **known == variant).ok_or(Malformed)?,
        cost: read_cost(cost)?,
    };
    let salt = of_length(decode(salt, Coding::Bcrypt)?, SALT_BYTES)?;
    let digest = of_length(decode(digest, Coding::Bcrypt)?, DIGEST_BYTES)?;
    Ok(ParsedHash::new(method, salt, digest))
}

/// The last is that of a faulty program: right for ASCII alone.
const VARIANTS: &[&str] = &["2a", "2b", "2y", FAULTY];
const FAULTY: &str = "2x";

/// The first of all, which did not hash the NUL at the end. Nobody has it any more.
const WITHOUT_NUL: &str = "2";

const SALT_BYTES: usize = 16;

/// The salt in base64.
const SALT_CHARS: usize = 22;

/// The function gives 24 bytes; the first implementation dropped one, and so does every other.
pub(crate) const DIGEST_BYTES: usize = 23;

/// Two digits, the first of them 0 for costs below 10.
fn read_cost(text: &str) -> Result<u32, Unverified> {
    let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let cost = text.parse().map_err(|_| Malformed)?;
    if two_digits && BCRYPT_COSTS.contains(&cost) { Ok(cost) } else { Err(Malformed) }
}

/// The function itself.
pub(crate) fn digest(
    secret: &[u8],
    cost: u32,
    salt: &[u8],
) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
    let key = closed(secret);
    let salt = salt.try_into().map_err(|_| MakeHashError::VerifiedOnly)?;
    let digest = Zeroizing::new(bcrypt::bcrypt(cost, salt, &key));
    Ok(Zeroizing::new(digest[..DIGEST_BYTES].to_vec()))
}

/// Ends a secret with the NUL of C's strings, unless it reaches the last byte that is read. One within it
/// is hashed as jBCrypt and bcryptjs do; what software hashes that stops there is another secret.
fn closed(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let read = &secret[..secret.len().min(BCRYPT_SECRET_BYTES_MAX)];
    let mut key = Zeroizing::new([read, &[0]].concat());
    key.truncate(BCRYPT_SECRET_BYTES_MAX);
    key
}

impl Family for Bcrypt {
    fn cost(&self) -> HashCost {
        HashCost::Bcrypt { cost: self.cost }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.cost > limits.bcrypt_cost_max
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        None
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        if self.variant == FAULTY && !secret.is_ascii() {
            return Err(MakeHashError::UnsupportedVariant);
        }
        out.copy_from_slice(&digest(secret, self.cost, salt)?);
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let (salt, digest) = (Coding::Bcrypt.encode(salt), Coding::Bcrypt.encode(digest));
        format!("${}${:02}${salt}{digest}", self.variant, self.cost)
    }

    fn is_bcrypt(&self) -> bool {
        true
    }
}
