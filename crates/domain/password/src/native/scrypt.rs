//! scrypt as crypt(3) writes it: `$7$`.

use model::Unverified::{self, Malformed, TooExpensive};

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{decode, of_length},
};
use crate::{
    CostLimits, HashCost, MakeHashError,
    coding::{CRYPT_ALPHABET, Coding},
    limits::SCRYPT_R_TIMES_P_END,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scrypt {
    log_n: u8,
    r: u32,
    p: u32,
}

/// `$7$` `N` `rrrrr` `ppppp` `salt` `$` `digest`. Unlike the digest, the salt is not decoded:
/// its characters are hashed as they stand. libxcrypt draws them from the digest's alphabet, passlib
/// from another.
pub(super) fn read(text: &str) -> Result<ParsedHash<Scrypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["", "7", costs_and_salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    let (costs, salt) = costs_and_salt.split_at_checked(CRYPT_COSTS_CHARS).ok_or(Malformed)?;
    if !salt.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Malformed);
    }
    let digest = of_length(decode(digest, Coding::Crypt)?, DIGEST_BYTES)?;
    Ok(ParsedHash::new(Scrypt::new(read_crypt_costs(costs)?)?, salt.into(), digest))
}

const DIGEST_BYTES: usize = 32;

/// One for log2 of N, five each for r and p.
const CRYPT_COSTS_CHARS: usize = 11;

/// Bits of one character.
const CRYPT_BITS: usize = 6;

fn read_crypt_costs(text: &str) -> Result<[u32; 3], Unverified> {
    let values = text.bytes().map(|byte| crypt_value(byte).ok_or(Malformed));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let [log_n, r_and_p @ ..] = &values[..] else {
        return Err(Malformed);
    };
    let (r, p) = r_and_p.split_at_checked(r_and_p.len() / 2).ok_or(Malformed)?;
    Ok([*log_n, crypt_number(r), crypt_number(p)])
}

pub(super) fn crypt_value(byte: u8) -> Option<u32> {
    let place = CRYPT_ALPHABET.iter().position(|known| *known == byte)?;
    u32::try_from(place).ok()
}

/// Lowest digit first.
pub(super) fn crypt_number(values: &[u32]) -> u32 {
    let higher = |number, value: &u32| (number << CRYPT_BITS) | value;
    values.iter().rev().fold(0, higher)
}

pub(super) fn crypt_text(number: u32, digits: usize) -> String {
    let digit = |place| CRYPT_ALPHABET[(number >> (CRYPT_BITS * place)) as usize & 63];
    (0..digits).map(|place| char::from(digit(place))).collect()
}

impl Scrypt {
    /// Checks log2 of N, r and p against what the function is defined for.
    fn new([log_n, r, p]: [u32; 3]) -> Result<Self, Unverified> {
        let r_times_p = u64::from(r) * u64::from(p);
        if log_n == 0 || r_times_p == 0 || r_times_p >= SCRYPT_R_TIMES_P_END {
            return Err(Malformed);
        }
        let log_n = u8::try_from(log_n).map_err(|_| TooExpensive)?;
        Ok(Self { log_n, r, p })
    }
}

impl Family for Scrypt {
    fn cost(&self) -> HashCost {
        HashCost::Scrypt { log_n: self.log_n.into(), r: self.r.into(), p: self.p.into() }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.log_n > limits.scrypt_log_n_max
            || self.r > limits.scrypt_r_max
            || self.p > limits.scrypt_p_max
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        // What was read is known to be well-formed, so what remains is more memory than an
        // address can name. Caps set far above any machine could let that through.
        let params = scrypt::Params::new(self.log_n, self.r, self.p);
        let params = params.map_err(|_| MakeHashError::OutOfMemory)?;
        scrypt::scrypt(secret, salt, &params, out).map_err(|_| MakeHashError::OutOfMemory)
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let log_n = crypt_text(self.log_n.into(), 1);
        let (r, p) = (crypt_text(self.r, 5), crypt_text(self.p, 5));
        let (salt, digest) = (String::from_utf8_lossy(salt), Coding::Crypt.encode(digest));
        format!("$7${log_n}{r}{p}{salt}${digest}")
    }
}
