//! Stored hashes, as the software of real sites writes them.

use argon2::{Algorithm, Argon2, Params, Version};
use bcrypt::hash_with_salt;
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};
use pbkdf2::pbkdf2_hmac;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    limits::{
        ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, BCRYPT_COST, PBKDF2_ITERATIONS,
        SCRYPT_LOG_N, SCRYPT_P, SCRYPT_R,
    },
    password::Password,
    random::Random,
};

/// How the site stores a password. Sites that have lived long hold many kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Django's `argon2$argon2id$`.
    DjangoArgon2,
    /// Django's `bcrypt_sha256$$2b$`.
    DjangoBcryptSha256,
    /// Django's `pbkdf2_sha256$100$`.
    DjangoPbkdf2,
    /// Django's `scrypt$64$`.
    DjangoScrypt,
    /// PHC string `$argon2id$`.
    Argon2,
    /// crypt string `$2b$`.
    Bcrypt,
    /// passlib's `$pbkdf2-sha256$100$`.
    Pbkdf2Passlib,
}

impl Format {
    pub(crate) const ALL: &[Self] = &[
        Self::DjangoArgon2,
        Self::DjangoBcryptSha256,
        Self::DjangoPbkdf2,
        Self::DjangoScrypt,
        Self::Argon2,
        Self::Bcrypt,
        Self::Pbkdf2Passlib,
    ];

    pub(crate) fn hash(self, password: &Password, salt: &Salt) -> String {
        let secret = password.expose().as_bytes();
        match self {
            Self::DjangoArgon2 => format!("argon2{}", argon2id(secret, salt.text.as_bytes())),
            Self::DjangoBcryptSha256 => {
                let digest = HEXLOWER.encode(&Sha256::digest(secret));
                format!("bcrypt_sha256${}", bcrypt_2b(digest.as_bytes(), salt))
            }
            Self::DjangoPbkdf2 => django_pbkdf2(secret, &salt.text),
            Self::DjangoScrypt => django_scrypt(secret, &salt.text),
            Self::Argon2 => argon2id(secret, &salt.bytes),
            Self::Bcrypt => bcrypt_2b(secret, salt),
            Self::Pbkdf2Passlib => passlib_pbkdf2(secret, &salt.bytes),
        }
    }
}

/// Bytes, or text where a format has the salt in text.
pub(crate) struct Salt {
    bytes: [u8; 16],
    text: String,
}

impl Salt {
    /// As long as Django draws a text.
    const CHARS: usize = 22;

    pub(crate) fn draw(random: &mut Random) -> Self {
        Self { bytes: random.bytes(), text: random.text(Self::CHARS) }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn argon2id(secret: &[u8], salt: &[u8]) -> String {
    let (memory, passes, lanes) = (ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES);
    let params = Params::new(memory, passes, lanes, None).expect("the costs are fit for Argon2");
    let context = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut digest = [0; Params::DEFAULT_OUTPUT_LEN];
    let done = context.hash_password_into(secret, salt, &mut digest);
    done.expect("the salt has 8 bytes or more, and the secret less than 4 GiB");
    let (salt, digest) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(&digest));
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${digest}")
}

fn bcrypt_2b(secret: &[u8], salt: &Salt) -> String {
    let parts = hash_with_salt(secret, BCRYPT_COST, salt.bytes);
    parts.expect("the cost is fit for bcrypt").to_string()
}

fn django_pbkdf2(secret: &[u8], salt: &str) -> String {
    let digest = BASE64.encode(&pbkdf2_sha256(secret, salt.as_bytes()));
    format!("pbkdf2_sha256${PBKDF2_ITERATIONS}${salt}${digest}")
}

fn passlib_pbkdf2(secret: &[u8], salt: &[u8]) -> String {
    // Base64 with a point for the plus.
    let encode = |bytes: &[u8]| BASE64_NOPAD.encode(bytes).replace('+', ".");
    let digest = encode(&pbkdf2_sha256(secret, salt));
    format!("$pbkdf2-sha256${PBKDF2_ITERATIONS}${}${digest}", encode(salt))
}

fn pbkdf2_sha256(secret: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    pbkdf2_hmac::<Sha256>(secret, salt, PBKDF2_ITERATIONS, &mut digest);
    digest
}

fn django_scrypt(secret: &[u8], salt: &str) -> String {
    let params = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P);
    let params = params.expect("the costs are fit for scrypt");
    let mut digest = [0; 64];
    let done = scrypt::scrypt(secret, salt.as_bytes(), &params, &mut digest);
    done.expect("64 bytes are a length that scrypt gives");
    let (n, digest) = (1_u32 << SCRYPT_LOG_N, BASE64.encode(&digest));
    format!("scrypt${n}${salt}${SCRYPT_R}${SCRYPT_P}${digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Django 5.2, argon2-cffi 25, bcrypt 4 and passlib 1.7, each for the password and the
    /// salt below.
    const VECTORS: &[(Format, &str)] = &[
        (
            Format::DjangoArgon2,
            "argon2$argon2id$v=19$m=64,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$HjlYaNnoyfue9MFJuqNn+wlBhLCwPIZJiFwa5U5aa8w",
        ),
        (
            Format::DjangoBcryptSha256,
            "bcrypt_sha256$$2b$04$..CA.uOD/eaGAOmJB.yMBu7FDlpfBIUplg8Js8IOy16E4JxVDuknq",
        ),
        (
            Format::DjangoPbkdf2,
            "pbkdf2_sha256$100$abcdefghijklmnopqrstuv$lLNV9BEU29NtmXCpc7aoQLXy6JsDXUIa296t+OIQnGI=",
        ),
        (
            Format::DjangoScrypt,
            "scrypt$64$abcdefghijklmnopqrstuv$8$1$p2t94rw/36Cu3LgAc4dIyWo+DIqBLDE1YTOioEOREoM4NtVl61yIp5DTPzjQHrvbYgDzsxl0nmCUsql97gOPNw==",
        ),
        (
            Format::Argon2,
            "$argon2id$v=19$m=64,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$Rh2eAsofi5hkDVG99lmGvdCQm70AYyV+t7IraTN1d8o",
        ),
        (Format::Bcrypt, "$2b$04$..CA.uOD/eaGAOmJB.yMBu26mTf5ZNghUmKwWrr20.c3zWczMbmsW"),
        (
            Format::Pbkdf2Passlib,
            "$pbkdf2-sha256$100$AAECAwQFBgcICQoLDA0ODw$G78NaN.LVm38whbTbTARGCeK8iGfCg8LAAZmi8MTOeA",
        ),
    ];

    #[test]
    fn hashes_are_those_that_the_software_of_real_sites_makes() {
        assert_eq!(VECTORS.len(), Format::ALL.len());
        let password = Password::new("Größe: drei 7");
        let bytes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let salt = Salt { bytes, text: ('a'..='v').collect() };
        for (format, expected) in VECTORS {
            assert_eq!(format.hash(&password, &salt), *expected);
        }
    }
}
