//! phpass: `$P$` of WordPress and many others, `$H$` of phpBB, and `$S$` of Drupal 7.

use md5::Md5;
use model::Unverified::{self, Malformed};
use sha2::{Digest, Sha512};

use super::{
    crypt_text::{of_bearable_length, plain_salt},
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    scrypt::{crypt_text, crypt_value},
    text::decode,
};
use crate::{CostLimits, HashCost, MakeHashError, coding::Coding};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phpass {
    notation: PhpassNotation,
    /// log2 of the rounds.
    log_rounds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PhpassNotation {
    Portable,
    PhpBb,
    Drupal,
}

/// `$P$`, one character of cost, eight of salt, and the digest without anything between.
pub(super) fn read(text: &str) -> Result<ParsedHash<Phpass>, Unverified> {
    let (notation, rest) = PhpassNotation::split_off(text)?;
    let (cost, rest) = rest.split_at_checked(1).ok_or(Malformed)?;
    let (salt, digest) = rest.split_at_checked(SALT_CHARS).ok_or(Malformed)?;
    let method = Phpass { notation, log_rounds: read_cost(cost)? };
    Ok(ParsedHash::new(method, plain_salt(salt)?, notation.read_digest(digest)?))
}

const SALT_CHARS: usize = 8;

fn read_cost(text: &str) -> Result<u32, Unverified> {
    let cost = text.bytes().find_map(crypt_value).ok_or(Malformed)?;
    if LOG_ROUNDS_KNOWN.contains(&cost) { Ok(cost) } else { Err(Malformed) }
}

/// What phpass and Drupal take.
const LOG_ROUNDS_KNOWN: std::ops::RangeInclusive<u32> = 7..=30;

impl PhpassNotation {
    const ALL: &[Self] = &[Self::Portable, Self::PhpBb, Self::Drupal];

    fn split_off(text: &str) -> Result<(Self, &str), Unverified> {
        let split = |notation: &Self| Some((*notation, text.strip_prefix(notation.prefix())?));
        Self::ALL.iter().find_map(split).ok_or(Malformed)
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Portable => "$P$",
            Self::PhpBb => "$H$",
            Self::Drupal => "$S$",
        }
    }

    /// Drupal cuts the text at 55 characters, and so keeps 32 bytes of the digest and two bits.
    const fn digest_bytes(self) -> usize {
        match self {
            Self::Portable | Self::PhpBb => 16,
            Self::Drupal => 33,
        }
    }

    fn read_digest(self, text: &str) -> Result<Vec<u8>, Unverified> {
        let digest = match self {
            Self::Portable | Self::PhpBb => decode(text, Coding::Crypt)?,
            Self::Drupal => decode(&format!("{text}{NO_BITS}"), Coding::Crypt)?,
        };
        let long = digest.len() == self.digest_bytes();
        if long && self.write_digest(&digest) == text { Ok(digest) } else { Err(Malformed) }
    }

    fn write_digest(self, digest: &[u8]) -> String {
        let mut text = Coding::Crypt.encode(digest);
        if self == Self::Drupal {
            text.truncate(DRUPAL_DIGEST_CHARS);
        }
        text
    }
}

/// The character that stands for nothing but zeros.
const NO_BITS: char = '.';

const DRUPAL_DIGEST_CHARS: usize = 43;

/// The bits of Drupal's last byte that stand in the text.
const DRUPAL_LAST_BITS: u8 = 0b11;

impl Phpass {
    const fn rounds(&self) -> u32 {
        1 << self.log_rounds
    }

    fn fill<D: Digest>(&self, secret: &[u8], salt: &[u8], out: &mut [u8]) {
        let hashed = |first: &[u8]| D::new().chain_update(first).chain_update(secret).finalize();
        let digest = (0..self.rounds()).fold(hashed(salt), |digest, _| hashed(&digest));
        out.copy_from_slice(&digest[..out.len()]);
    }
}

impl Family for Phpass {
    fn cost(&self) -> HashCost {
        HashCost::Rounds(self.rounds().into())
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.rounds() > limits.digest_rounds_max
    }

    /// No function of C stands behind it, so a NUL byte is a byte like any other.
    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        of_bearable_length(secret)?;
        match self.notation {
            PhpassNotation::Portable | PhpassNotation::PhpBb => {
                self.fill::<Md5>(secret, salt, out);
            }
            PhpassNotation::Drupal => {
                self.fill::<Sha512>(secret, salt, out);
                out[self.notation.digest_bytes() - 1] &= DRUPAL_LAST_BITS;
            }
        }
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let (prefix, cost) = (self.notation.prefix(), crypt_text(self.log_rounds, 1));
        let (salt, digest) = (String::from_utf8_lossy(salt), self.notation.write_digest(digest));
        format!("{prefix}{cost}{salt}{digest}")
    }
}
