//! MD5-crypt: crypt strings `$1$`, of FreeBSD in 1994, and `$apr1$`, which Apache made of them.

use md5::{Digest, Md5, digest::Output};
use model::Unverified::{self, Malformed};

use super::{
    crypt_text::{salt, shuffled, unshuffled, without_nul},
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
};
use crate::{CostLimits, HashCost, MakeHashError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Md5Crypt {
    /// One of [`MAGICS`]: the beginning of the text, which is hashed as well.
    magic: &'static str,
}

/// `$1$salt$digest`, the salt possibly empty.
pub(super) fn read(text: &str) -> Result<ParsedHash<Md5Crypt>, Unverified> {
    let known = MAGICS.iter().find_map(|magic| Some((magic, text.strip_prefix(magic)?)));
    let (magic, rest) = known.ok_or(Malformed)?;
    let (found, digest) = rest.split_once('$').ok_or(Malformed)?;
    let digest = unshuffled(digest, &ORDER, DIGEST_BYTES)?;
    Ok(ParsedHash::new(Md5Crypt { magic }, salt(found, SALT_CHARS_MAX)?, digest))
}

const MAGICS: &[&str] = &["$1$", "$apr1$"];

const SALT_CHARS_MAX: usize = 8;

const DIGEST_BYTES: usize = 16;

/// In which order the bytes of a digest are written.
pub(super) const ORDER: [usize; DIGEST_BYTES] =
    [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

pub(crate) const ROUNDS: u32 = 1000;

/// The digest itself, of a salt taken whole.
pub(crate) fn raw(secret: &[u8], salt: &[u8], magic: &str) -> [u8; DIGEST_BYTES] {
    repeated::<Md5>(begun(secret, salt, magic), secret, salt, ROUNDS).into()
}

fn begun(secret: &[u8], salt: &[u8], magic: &str) -> Output<Md5> {
    let wrapped = Md5::new().chain_update(secret).chain_update(salt).chain_update(secret);
    let wrapped = wrapped.finalize();
    let mut hasher = Md5::new().chain_update(secret).chain_update(magic).chain_update(salt);
    for piece in secret.chunks(DIGEST_BYTES) {
        hasher.update(&wrapped[..piece.len()]);
    }
    for bit in bits(secret.len()) {
        // The function was to add bytes of `wrapped` here, had that not been wiped before.
        hasher.update(if bit { &[0] } else { &secret[..1] });
    }
    hasher.finalize()
}

/// The bits of a length, lowest first, up to the highest that is set.
pub(super) fn bits(length: usize) -> impl Iterator<Item = bool> {
    let rest = |rest: &usize| Some(rest >> 1);
    let rests = std::iter::successors(Some(length), rest).take_while(|rest| *rest > 0);
    rests.map(|rest| rest & 1 == 1)
}

/// What MD5-crypt spends its time on, and SHA-crypt after it.
pub(super) fn repeated<D: Digest>(
    begun: Output<D>,
    secret: &[u8],
    salt: &[u8],
    rounds: u32,
) -> Output<D> {
    let mut digest = begun;
    for round in 0..rounds {
        let (mut hasher, odd) = (D::new(), round % 2 == 1);
        hasher.update(if odd { secret } else { &digest });
        if round % 3 != 0 {
            hasher.update(salt);
        }
        if round % 7 != 0 {
            hasher.update(secret);
        }
        hasher.update(if odd { &digest } else { secret });
        digest = hasher.finalize();
    }
    digest
}

impl Family for Md5Crypt {
    fn cost(&self) -> HashCost {
        HashCost::Rounds(ROUNDS.into())
    }

    fn exceeds(&self, _: &CostLimits) -> bool {
        false
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        without_nul(secret)?;
        out.copy_from_slice(&raw(secret, salt, self.magic));
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let (magic, salt) = (self.magic, String::from_utf8_lossy(salt));
        format!("{magic}{salt}${}", shuffled(digest, &ORDER))
    }
}
