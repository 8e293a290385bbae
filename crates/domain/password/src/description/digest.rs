//! Digests by name, and what is built of them.

use hmac::{Hmac, KeyInit as _, Mac as _, SimpleHmac};
use md4::Md4;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use zeroize::Zeroizing;

/// The name of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigestName {
    Md4,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

const NAMES: &[(&str, DigestName, usize)] = &[
    ("md4", DigestName::Md4, 16),
    ("md5", DigestName::Md5, 16),
    ("sha1", DigestName::Sha1, 20),
    ("sha224", DigestName::Sha224, 28),
    ("sha256", DigestName::Sha256, 32),
    ("sha384", DigestName::Sha384, 48),
    ("sha512", DigestName::Sha512, 64),
    ("sha3-224", DigestName::Sha3_224, 28),
    ("sha3-256", DigestName::Sha3_256, 32),
    ("sha3-384", DigestName::Sha3_384, 48),
    ("sha3-512", DigestName::Sha3_512, 64),
];

/// Calls a macro for the types that a name stands for: the digest, and its HMAC.
macro_rules! of_name {
    ($name:expr, $call:ident!($($argument:expr),*)) => {
        match $name {
            DigestName::Md4 => $call!(Md4, SimpleHmac<Md4>, $($argument),*),
            DigestName::Md5 => $call!(Md5, Hmac<Md5>, $($argument),*),
            DigestName::Sha1 => $call!(Sha1, Hmac<Sha1>, $($argument),*),
            DigestName::Sha224 => $call!(Sha224, Hmac<Sha224>, $($argument),*),
            DigestName::Sha256 => $call!(Sha256, Hmac<Sha256>, $($argument),*),
            DigestName::Sha384 => $call!(Sha384, Hmac<Sha384>, $($argument),*),
            DigestName::Sha512 => $call!(Sha512, Hmac<Sha512>, $($argument),*),
            DigestName::Sha3_224 => $call!(Sha3_224, SimpleHmac<Sha3_224>, $($argument),*),
            DigestName::Sha3_256 => $call!(Sha3_256, SimpleHmac<Sha3_256>, $($argument),*),
            DigestName::Sha3_384 => $call!(Sha3_384, SimpleHmac<Sha3_384>, $($argument),*),
            DigestName::Sha3_512 => $call!(Sha3_512, SimpleHmac<Sha3_512>, $($argument),*),
        }
    };
}

macro_rules! digest {
    ($digest:ty, $hmac:ty, $bytes:expr) => {
        Zeroizing::new(<$digest>::digest($bytes).to_vec())
    };
}

macro_rules! hmac {
    ($digest:ty, $hmac:ty, $key:expr, $message:expr) => {{
        let mac = <$hmac>::new_from_slice($key).expect("HMAC takes keys of any length");
        Zeroizing::new(mac.chain_update($message).finalize().into_bytes().to_vec())
    }};
}

macro_rules! pbkdf2 {
    ($digest:ty, $hmac:ty, $secret:expr, $salt:expr, $iterations:expr, $out:expr) => {
        pbkdf2::pbkdf2::<$hmac>($secret, $salt, $iterations, $out)
            .expect("HMAC takes keys of any length")
    };
}

impl DigestName {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, ..)| *known == name).map(|(_, digest, _)| *digest)
    }

    /// Bytes of what it gives.
    pub(super) fn len(self) -> usize {
        NAMES.iter().find(|(_, known, _)| *known == self).map_or(0, |(.., len)| *len)
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        of_name!(self, digest!(bytes))
    }

    pub(super) fn hmac(self, key: &[u8], message: &[u8]) -> Zeroizing<Vec<u8>> {
        of_name!(self, hmac!(key, message))
    }

    pub(super) fn pbkdf2(
        self,
        secret: &[u8],
        salt: &[u8],
        iterations: u32,
        len: usize,
    ) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(vec![0; len]);
        of_name!(self, pbkdf2!(secret, salt, iterations, &mut out));
        out
    }
}
