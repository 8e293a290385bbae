//! Argon2: PHC strings, and Django's prefix before them.
//!
//! Read as the reference implementation reads them, which is what PHP, argon2-cffi and so Django
//! and passlib call: parameters in one order, canonical base64, and no `keyid` or `data`, which it
//! gave up in 2017 and refuses since.

use argon2::{Algorithm, Params, Version};
use data_encoding::BASE64_NOPAD;
use model::{
    HashFormat,
    Unverified::{self, Malformed},
};

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{DJANGO_ALPHABET, decimal, decode, of_fair_length, parameters},
};
use crate::{
    CostLimits, MakeHashError,
    limits::{ARGON2_DEFAULT, ARGON2_SALT_BYTES_MIN, DJANGO_ARGON2_DEFAULT},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Argon2 {
    notation: Argon2Notation,
    algorithm: Algorithm,
    /// `None` if the text does not say, as before version 19 was made; it then means 16.
    version: Option<Version>,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argon2Notation {
    Phc,
    Django,
}

pub(super) fn read(text: &str) -> Result<ParsedHash<Argon2>, Unverified> {
    let (notation, phc) = match text.strip_prefix(DJANGO) {
        Some(phc) => (Argon2Notation::Django, phc),
        None => (Argon2Notation::Phc, text),
    };
    let ([name, costs, salt, digest], version) = split(phc)?;
    let [memory_kib, passes, lanes] = parameters(costs, ["m", "t", "p"])?;
    let method = Argon2 {
        notation,
        algorithm: Algorithm::new(name).map_err(|_| Malformed)?,
        version,
        memory_kib,
        passes,
        lanes,
    };
    method.params().ok_or(Malformed)?;
    let digest = of_fair_length(decode(digest, &BASE64_NOPAD)?)?;
    Ok(ParsedHash::new(method, read_salt(salt)?, digest))
}

/// Name, costs, salt and digest, and the version if it is named.
fn split(phc: &str) -> Result<([&str; 4], Option<Version>), Unverified> {
    let fields: Vec<&str> = phc.split('$').collect();
    match fields[..] {
        ["", name, costs, salt, digest] => Ok(([name, costs, salt, digest], None)),
        ["", name, version, costs, salt, digest] => {
            let version = read_version(version)?;
            Ok(([name, costs, salt, digest], Some(version)))
        }
        _ => Err(Malformed),
    }
}

/// What Django writes before a PHC string.
const DJANGO: &str = "argon2";

fn read_version(text: &str) -> Result<Version, Unverified> {
    let number = decimal(text.strip_prefix("v=").ok_or(Malformed)?)?;
    Version::try_from(number).map_err(|_| Malformed)
}

fn read_salt(text: &str) -> Result<Vec<u8>, Unverified> {
    let salt = decode(text, &BASE64_NOPAD)?;
    if salt.len() < ARGON2_SALT_BYTES_MIN { Err(Malformed) } else { Ok(salt) }
}

impl Argon2 {
    /// Argon2id of today's version, at the cost that OWASP or Django names.
    pub(super) const fn default_for(notation: Argon2Notation) -> Self {
        let [memory_kib, passes, lanes] = match notation {
            Argon2Notation::Phc => ARGON2_DEFAULT,
            Argon2Notation::Django => DJANGO_ARGON2_DEFAULT,
        };
        Self {
            notation,
            algorithm: Algorithm::Argon2id,
            version: Some(Version::V0x13),
            memory_kib,
            passes,
            lanes,
        }
    }

    fn params(&self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, None).ok()
    }

    fn context(&self) -> Option<argon2::Argon2<'static>> {
        let version = self.version.unwrap_or(Version::V0x10);
        Some(argon2::Argon2::new(self.algorithm, version, self.params()?))
    }

    /// `None` for want of memory, or of an address space in which the secret fits: what the text
    /// says was checked when it was read.
    fn fill(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Option<()> {
        let context = self.context()?;
        let blocks = scratch.blocks(self.params()?.block_count())?;
        let done = context.hash_password_into_with_memory(secret, salt, out, blocks);
        done.ok()
    }
}

impl Family for Argon2 {
    fn format(&self) -> HashFormat {
        match self.notation {
            Argon2Notation::Phc => HashFormat::Argon2,
            Argon2Notation::Django => HashFormat::DjangoArgon2,
        }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.memory_kib > limits.argon2_memory_kib_max
            || self.passes > limits.argon2_passes_max
            || self.lanes > limits.argon2_lanes_max
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        match self.notation {
            Argon2Notation::Phc => None,
            Argon2Notation::Django => Some(DJANGO_ALPHABET),
        }
    }

    fn digest_len(&self) -> usize {
        Params::DEFAULT_OUTPUT_LEN
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        let done = self.fill(secret, salt, out, scratch);
        done.ok_or(MakeHashError::OutOfMemory)
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let prefix = match self.notation {
            Argon2Notation::Phc => "",
            Argon2Notation::Django => DJANGO,
        };
        let version = match self.version {
            Some(version) => format!("$v={}", u32::from(version)),
            None => String::new(),
        };
        format!(
            "{prefix}${}{version}$m={},t={},p={}${}${}",
            self.algorithm,
            self.memory_kib,
            self.passes,
            self.lanes,
            BASE64_NOPAD.encode(salt),
            BASE64_NOPAD.encode(digest),
        )
    }
}
