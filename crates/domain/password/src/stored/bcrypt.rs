//! bcrypt: crypt strings, and Django's two prefixes before them.

use data_encoding::HEXLOWER;
use model::{
    HashFormat,
    Unverified::{self, Malformed},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{BCRYPT, decode, of_length},
};
use crate::{
    CostLimits, MakeHashError,
    limits::{BCRYPT_COSTS, BCRYPT_DEFAULT, BCRYPT_SECRET_BYTES_MAX},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bcrypt {
    notation: BcryptNotation,
    /// One of [`VARIANTS`]: kept for the text, without a part in the computation.
    variant: &'static str,
    cost: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BcryptNotation {
    Crypt,
    Django,
    DjangoSha256,
}

pub(super) fn read(text: &str) -> Result<ParsedHash<Bcrypt>, Unverified> {
    let (notation, crypt) = BcryptNotation::split_off(text);
    let fields: Vec<&str> = crypt.split('$').collect();
    let ["", variant, cost, salt_and_digest] = fields[..] else {
        return Err(Malformed);
    };
    let (salt, digest) = salt_and_digest.split_at_checked(SALT_CHARS).ok_or(Malformed)?;
    let method = Bcrypt {
        notation,
        variant: VARIANTS.iter().find(|known| **known == variant).ok_or(Malformed)?,
        cost: read_cost(cost)?,
    };
    let salt = of_length(decode(salt, &BCRYPT)?, SALT_BYTES)?;
    let digest = of_length(decode(digest, &BCRYPT)?, DIGEST_BYTES)?;
    Ok(ParsedHash::new(method, salt, digest))
}

const VARIANTS: &[&str] = &["2a", "2b", "2y"];

const SALT_BYTES: usize = 16;

/// The salt in base64.
const SALT_CHARS: usize = 22;

/// The function gives 24 bytes; the first implementation dropped one, and so does every other.
const DIGEST_BYTES: usize = 23;

/// Two digits, the first of them 0 for costs below 10.
fn read_cost(text: &str) -> Result<u32, Unverified> {
    let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let cost = text.parse().map_err(|_| Malformed)?;
    if two_digits && BCRYPT_COSTS.contains(&cost) { Ok(cost) } else { Err(Malformed) }
}

impl BcryptNotation {
    const ALL: &[Self] = &[Self::Django, Self::DjangoSha256, Self::Crypt];

    fn split_off(text: &str) -> (Self, &str) {
        let split = |notation: &Self| Some((*notation, text.strip_prefix(notation.prefix())?));
        Self::ALL.iter().find_map(split).unwrap_or((Self::Crypt, text))
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Crypt => "",
            Self::Django => "bcrypt$",
            Self::DjangoSha256 => "bcrypt_sha256$",
        }
    }
}

impl Bcrypt {
    /// Today's variant at today's cost.
    pub(super) const fn default_for(notation: BcryptNotation) -> Self {
        Self { notation, variant: "2b", cost: BCRYPT_DEFAULT }
    }

    /// The 1 to 72 bytes that the function reads.
    fn key(&self, secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
        match self.notation {
            BcryptNotation::Crypt | BcryptNotation::Django => closed(secret),
            BcryptNotation::DjangoSha256 => {
                let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret)));
                closed(Zeroizing::new(HEXLOWER.encode(&*digest)).as_bytes())
            }
        }
    }
}

/// Ends a secret with the NUL of C's strings, unless it reaches the last byte that is read.
fn closed(secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
    if secret.contains(&0) {
        return Err(MakeHashError::Nul);
    }
    let read = &secret[..secret.len().min(BCRYPT_SECRET_BYTES_MAX)];
    let mut key = Zeroizing::new([read, &[0]].concat());
    key.truncate(BCRYPT_SECRET_BYTES_MAX);
    Ok(key)
}

impl Family for Bcrypt {
    fn format(&self) -> HashFormat {
        match self.notation {
            BcryptNotation::Crypt => HashFormat::Bcrypt,
            BcryptNotation::Django => HashFormat::DjangoBcrypt,
            BcryptNotation::DjangoSha256 => HashFormat::DjangoBcryptSha256,
        }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.cost > limits.bcrypt_cost_max
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        None
    }

    fn digest_len(&self) -> usize {
        DIGEST_BYTES
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        let key = self.key(secret)?;
        let salt = salt.try_into().expect("every salt read or made has 16 bytes");
        let digest = Zeroizing::new(bcrypt::bcrypt(self.cost, salt, &key));
        out.copy_from_slice(&digest[..DIGEST_BYTES]);
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let (prefix, variant) = (self.notation.prefix(), self.variant);
        let (salt, digest) = (BCRYPT.encode(salt), BCRYPT.encode(digest));
        format!("{prefix}${variant}${:02}${salt}{digest}", self.cost)
    }
}
