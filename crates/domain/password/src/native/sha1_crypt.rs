//! NetBSD's crypt strings `$sha1$`: HMAC-SHA1 of itself, many times over.

use hmac::{Hmac, KeyInit, Mac};
use model::Unverified::{self, Malformed};
use sha1::Sha1;

use super::{
    crypt_text::{plain_salt, shuffled, unshuffled, without_nul},
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::positive,
};
use crate::{CostLimits, HashCost, MakeHashError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sha1Crypt {
    rounds: u32,
}

/// `$sha1$24680$salt$digest`.
pub(super) fn read(text: &str) -> Result<ParsedHash<Sha1Crypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["", "sha1", rounds, salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    let digest = unshuffled(digest, &ORDER, DIGEST_BYTES)?;
    let method = Sha1Crypt { rounds: positive(rounds)? };
    Ok(ParsedHash::new(method, plain_salt(salt)?, digest))
}

const DIGEST_BYTES: usize = 20;

/// In which order the bytes of a digest are written: the first of them fills the last group up.
const ORDER: [usize; DIGEST_BYTES + 1] =
    [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 17, 16, 15, 0, 19, 18];

impl Sha1Crypt {
    fn raw(&self, secret: &[u8], salt: &[u8]) -> [u8; DIGEST_BYTES] {
        let keyed = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
        let costs = format!("$sha1${}", self.rounds);
        let first = keyed.clone().chain_update(salt).chain_update(costs);
        let again = |digest, _| keyed.clone().chain_update(digest).finalize().into_bytes();
        (1..self.rounds).fold(first.finalize().into_bytes(), again).into()
    }
}

impl Family for Sha1Crypt {
    fn cost(&self) -> HashCost {
        HashCost::Rounds(self.rounds.into())
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.rounds > limits.digest_rounds_max
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        without_nul(secret)?;
        out.copy_from_slice(&self.raw(secret, salt));
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let (rounds, salt) = (self.rounds, String::from_utf8_lossy(salt));
        format!("$sha1${rounds}${salt}${}", shuffled(digest, &ORDER))
    }
}
