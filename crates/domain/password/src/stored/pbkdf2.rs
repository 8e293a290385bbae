//! PBKDF2: PHC strings, passlib's, and Django's.

use data_encoding::{BASE64, BASE64_NOPAD};
use model::{
    HashFormat,
    Unverified::{self, Malformed},
};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{
        DJANGO_ALPHABET, PASSLIB_ADAPTED, decode, decode_padded, django_salt, of_fair_length,
        of_length, parameters, positive,
    },
};
use crate::{
    CostLimits, MakeHashError,
    limits::{DJANGO_PBKDF2_DEFAULT, PBKDF2_DEFAULT},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pbkdf2 {
    notation: Pbkdf2Notation,
    hash: PrfHash,
    iterations: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pbkdf2Notation {
    Phc {
        /// Whether `l=` repeats the length of the digest.
        length: bool,
    },
    Passlib,
    Django,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PrfHash {
    Sha1,
    Sha256,
    Sha512,
}

/// `$pbkdf2-sha256$i=600000,l=32$salt$digest`, in canonical base64, as the `pbkdf2` crate reads it.
pub(super) fn read_phc(text: &str) -> Result<ParsedHash<Pbkdf2>, Unverified> {
    let (hash, [costs, salt, digest]) = split_crypt(text)?;
    let (costs, length) = match costs.split_once(",l=") {
        Some((costs, length)) => (costs, Some(positive(length)?)),
        None => (costs, None),
    };
    let [iterations] = parameters(costs, ["i"])?;
    let digest = of_fair_length(decode(digest, &BASE64_NOPAD)?)?;
    if length.is_some_and(|length| usize::try_from(length) != Ok(digest.len())) {
        return Err(Malformed);
    }
    let notation = Pbkdf2Notation::Phc { length: length.is_some() };
    let method = Pbkdf2::method(notation, hash, iterations);
    Ok(ParsedHash::new(method, decode(salt, &BASE64_NOPAD)?, digest))
}

/// `$pbkdf2-sha256$29000$salt$digest`.
pub(super) fn read_passlib(text: &str) -> Result<ParsedHash<Pbkdf2>, Unverified> {
    let (hash, [iterations, salt, digest]) = split_crypt(text)?;
    let digest = of_length(decode_padded(digest, &PASSLIB_ADAPTED)?, hash.bytes())?;
    let salt = decode_padded(salt, &PASSLIB_ADAPTED)?;
    let iterations = positive(iterations)?;
    let method = Pbkdf2::method(Pbkdf2Notation::Passlib, hash, iterations);
    Ok(ParsedHash::new(method, salt, digest))
}

/// `pbkdf2_sha256$1000000$salt$digest`. Django hashes the text of the salt and compares whole
/// strings, so that only canonical text can ever match.
pub(super) fn read_django(text: &str) -> Result<ParsedHash<Pbkdf2>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let [name, iterations, salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    let hash = PrfHash::named(name, PrfHash::django_name)?;
    let digest = of_length(decode(digest, &BASE64)?, hash.bytes())?;
    let iterations = positive(iterations)?;
    let method = Pbkdf2::method(Pbkdf2Notation::Django, hash, iterations);
    Ok(ParsedHash::new(method, django_salt(salt)?, digest))
}

fn split_crypt(text: &str) -> Result<(PrfHash, [&str; 3]), Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["", name, costs, salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    Ok((PrfHash::named(name, PrfHash::crypt_name)?, [costs, salt, digest]))
}

impl PrfHash {
    const ALL: &[Self] = &[Self::Sha1, Self::Sha256, Self::Sha512];

    fn named(name: &str, naming: fn(Self) -> &'static str) -> Result<Self, Unverified> {
        let found = Self::ALL.iter().find(|hash| naming(**hash) == name);
        found.copied().ok_or(Malformed)
    }

    const fn crypt_name(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2",
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    /// Django has no SHA-512; no prefix leads there.
    const fn django_name(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2_sha1",
            Self::Sha256 => "pbkdf2_sha256",
            Self::Sha512 => "pbkdf2_sha512",
        }
    }

    /// Bytes of its output.
    const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Pbkdf2 {
    const fn method(notation: Pbkdf2Notation, hash: PrfHash, iterations: u32) -> Self {
        Self { notation, hash, iterations }
    }

    /// HMAC-SHA256, at the iterations that OWASP or Django names.
    pub(super) const fn default_for(notation: Pbkdf2Notation) -> Self {
        Self {
            notation,
            hash: PrfHash::Sha256,
            iterations: match notation {
                Pbkdf2Notation::Phc { .. } | Pbkdf2Notation::Passlib => PBKDF2_DEFAULT,
                Pbkdf2Notation::Django => DJANGO_PBKDF2_DEFAULT,
            },
        }
    }

    fn encode_phc(&self, length: bool, salt: &[u8], digest: &[u8]) -> String {
        let (name, iterations) = (self.hash.crypt_name(), self.iterations);
        let length = if length { format!(",l={}", digest.len()) } else { String::new() };
        let (salt, digest) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(digest));
        format!("${name}$i={iterations}{length}${salt}${digest}")
    }

    fn encode_passlib(&self, salt: &[u8], digest: &[u8]) -> String {
        let (name, iterations) = (self.hash.crypt_name(), self.iterations);
        let (salt, digest) = (PASSLIB_ADAPTED.encode(salt), PASSLIB_ADAPTED.encode(digest));
        format!("${name}${iterations}${salt}${digest}")
    }

    fn encode_django(&self, salt: &[u8], digest: &[u8]) -> String {
        let (name, iterations) = (self.hash.django_name(), self.iterations);
        let (salt, digest) = (String::from_utf8_lossy(salt), BASE64.encode(digest));
        format!("{name}${iterations}${salt}${digest}")
    }
}

impl Family for Pbkdf2 {
    fn format(&self) -> HashFormat {
        match self.notation {
            Pbkdf2Notation::Phc { .. } => HashFormat::Pbkdf2,
            Pbkdf2Notation::Passlib => HashFormat::Pbkdf2Passlib,
            Pbkdf2Notation::Django => HashFormat::DjangoPbkdf2,
        }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.iterations > limits.pbkdf2_iterations_max
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        match self.notation {
            Pbkdf2Notation::Phc { .. } | Pbkdf2Notation::Passlib => None,
            Pbkdf2Notation::Django => Some(DJANGO_ALPHABET),
        }
    }

    fn digest_len(&self) -> usize {
        self.hash.bytes()
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        match self.hash {
            PrfHash::Sha1 => pbkdf2_hmac::<Sha1>(secret, salt, self.iterations, out),
            PrfHash::Sha256 => pbkdf2_hmac::<Sha256>(secret, salt, self.iterations, out),
            PrfHash::Sha512 => pbkdf2_hmac::<Sha512>(secret, salt, self.iterations, out),
        }
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        match self.notation {
            Pbkdf2Notation::Phc { length } => self.encode_phc(length, salt, digest),
            Pbkdf2Notation::Passlib => self.encode_passlib(salt, digest),
            Pbkdf2Notation::Django => self.encode_django(salt, digest),
        }
    }
}
