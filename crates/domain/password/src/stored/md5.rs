//! Django's salted MD5, which sites still hold from before 2011 and test suites from today.

use data_encoding::HEXLOWER;
use md5::Digest;
use model::{
    HashFormat,
    Unverified::{self, Malformed},
};

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{DJANGO_ALPHABET, decode, of_length},
};
use crate::{CostLimits, MakeHashError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Md5;

/// `md5$salt$digest`. The salt may be empty, as `unsalted_md5` of Django before 5.1 wrote it.
pub(super) fn read(text: &str) -> Result<ParsedHash<Md5>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["md5", salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    let digest = of_length(decode(digest, &HEXLOWER)?, DIGEST_BYTES)?;
    Ok(ParsedHash::new(Md5, salt.into(), digest))
}

const DIGEST_BYTES: usize = 16;

impl Family for Md5 {
    fn format(&self) -> HashFormat {
        HashFormat::DjangoMd5
    }

    fn exceeds(&self, _: &CostLimits) -> bool {
        false
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        Some(DJANGO_ALPHABET)
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
        let hasher = md5::Md5::new().chain_update(salt).chain_update(secret);
        out.copy_from_slice(&hasher.finalize());
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let salt = String::from_utf8_lossy(salt);
        format!("md5${salt}${}", HEXLOWER.encode(digest))
    }
}
