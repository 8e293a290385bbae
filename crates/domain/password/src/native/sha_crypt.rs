//! SHA-crypt: crypt strings `$5$` (SHA-256) and `$6$` (SHA-512), and what MySQL makes of the first.

use model::Unverified::{self, Malformed};
use sha2::{Digest, Sha256, Sha512, digest::Output};
use zeroize::Zeroizing;

use super::{
    crypt_text::{of_bearable_length, salt, shuffled, unshuffled, without_nul},
    family::Family,
    md5_crypt::{bits, repeated},
    parsed::ParsedHash,
    scratch::Scratch,
    text::decimal,
};
use crate::{CostLimits, HashCost, MakeHashError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShaCrypt {
    hash: ShaHash,
    /// `None` if the text does not say.
    rounds: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShaHash {
    Sha256,
    Sha512,
}

/// `$6$salt$digest` or `$6$rounds=656000$salt$digest`, the salt possibly empty.
pub(super) fn read(text: &str) -> Result<ParsedHash<ShaCrypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let (name, rounds, found, digest) = match fields[..] {
        ["", name, salt, digest] if !salt.starts_with(ROUNDS) => (name, None, salt, digest),
        ["", name, rounds, salt, digest] => (name, Some(read_rounds(rounds)?), salt, digest),
        _ => return Err(Malformed),
    };
    let hash = ShaHash::named(name)?;
    let digest = unshuffled(digest, hash.order(), hash.order().len())?;
    Ok(ParsedHash::new(ShaCrypt { hash, rounds }, salt(found, SALT_CHARS_MAX)?, digest))
}

const ROUNDS: &str = "rounds=";

const ROUNDS_UNSAID: u32 = 5000;

/// Of a number outside, glibc takes the nearest inside and writes that in its place, and libxcrypt
/// refuses it: neither ever accepts the text.
const ROUNDS_KNOWN: std::ops::RangeInclusive<u32> = 1000..=999_999_999;

const SALT_CHARS_MAX: usize = 16;

fn read_rounds(text: &str) -> Result<u32, Unverified> {
    let rounds = decimal(text.strip_prefix(ROUNDS).ok_or(Malformed)?)?;
    if ROUNDS_KNOWN.contains(&rounds) { Ok(rounds) } else { Err(Malformed) }
}

/// SHA-256-crypt of a salt that is bytes and taken whole, as MySQL has it.
pub(crate) fn raw256(secret: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    raw::<Sha256>(secret, salt, rounds).into()
}

/// The text of such a digest: 43 characters.
pub(crate) fn body256(digest: &[u8; 32]) -> String {
    shuffled(digest, &ORDER_256)
}

/// The digest of such a text.
pub(crate) fn read_body256(text: &str) -> Result<Vec<u8>, Unverified> {
    unshuffled(text, &ORDER_256, ORDER_256.len())
}

fn raw<D: Digest>(secret: &[u8], salt: &[u8], rounds: u32) -> Output<D> {
    let begun = begun::<D>(secret, salt);
    // The function makes secret and salt anew, as long as they were, out of digests of them.
    let salts = 16 + usize::from(begun[0]);
    let secret = stretched::<D>(secret, secret.len());
    let salt = stretched::<D>(salt, salts);
    repeated::<D>(begun, &secret, &salt, rounds)
}

fn begun<D: Digest>(secret: &[u8], salt: &[u8]) -> Output<D> {
    let wrapped = D::new().chain_update(secret).chain_update(salt).chain_update(secret);
    let wrapped = wrapped.finalize();
    let mut hasher = D::new().chain_update(secret).chain_update(salt);
    for piece in secret.chunks(wrapped.len()) {
        hasher.update(&wrapped[..piece.len()]);
    }
    for bit in bits(secret.len()) {
        hasher.update(if bit { &wrapped } else { secret });
    }
    hasher.finalize()
}

/// As many bytes as there were, from the digest of so many times the bytes.
fn stretched<D: Digest>(bytes: &[u8], times: usize) -> Zeroizing<Vec<u8>> {
    let mut hasher = D::new();
    for _ in 0..times {
        hasher.update(bytes);
    }
    let digest = hasher.finalize();
    Zeroizing::new(digest.iter().copied().cycle().take(bytes.len()).collect())
}

impl ShaHash {
    fn named(name: &str) -> Result<Self, Unverified> {
        let found = [Self::Sha256, Self::Sha512].into_iter().find(|hash| hash.name() == name);
        found.ok_or(Malformed)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "5",
            Self::Sha512 => "6",
        }
    }

    /// In which order the bytes of a digest are written.
    const fn order(self) -> &'static [usize] {
        match self {
            Self::Sha256 => &ORDER_256,
            Self::Sha512 => &ORDER_512,
        }
    }
}

const ORDER_256: [usize; 32] = [
    20, 10, 0, 11, 1, 21, 2, 22, 12, 23, 13, 3, 14, 4, 24, 5, 25, 15, 26, 16, 6, 17, 7, 27, 8, 28,
    18, 29, 19, 9, 30, 31,
];

const ORDER_512: [usize; 64] = [
    42, 21, 0, 1, 43, 22, 23, 2, 44, 45, 24, 3, 4, 46, 25, 26, 5, 47, 48, 27, 6, 7, 49, 28, 29, 8,
    50, 51, 30, 9, 10, 52, 31, 32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15, 16, 58,
    37, 38, 17, 59, 60, 39, 18, 19, 61, 40, 41, 20, 62, 63,
];

impl ShaCrypt {
    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(ROUNDS_UNSAID)
    }
}

impl Family for ShaCrypt {
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
        of_bearable_length(secret)?;
        match self.hash {
            ShaHash::Sha256 => out.copy_from_slice(&raw::<Sha256>(secret, salt, self.rounds())),
            ShaHash::Sha512 => out.copy_from_slice(&raw::<Sha512>(secret, salt, self.rounds())),
        }
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let rounds = self.rounds.map_or_else(String::new, |rounds| format!("{ROUNDS}{rounds}$"));
        let (name, salt) = (self.hash.name(), String::from_utf8_lossy(salt));
        format!("${name}${rounds}{salt}${}", shuffled(digest, self.hash.order()))
    }
}
