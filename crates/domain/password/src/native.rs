//! Functions whose texts say everything themselves: crypt(3)'s, argon2's and phpass's. One module for
//! each family.

mod argon2;
pub(crate) mod bcrypt;
#[cfg(test)]
mod crypt_tests;
mod crypt_text;
mod des;
mod des_crypt;
mod family;
pub(crate) mod md5_crypt;
mod mysql_sha2;
mod parsed;
mod phpass;
mod scratch;
mod scrypt;
mod sha1_crypt;
mod sha_crypt;
mod sun_md5;
mod text;
mod yescrypt;

use model::{Randomness, Unverified};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    CostLimits, HashCost, MakeHashError,
    description::{Native, NotRead},
    salt::{fresh_like, pick},
};

pub(crate) use family::Family;
pub(crate) use parsed::ParsedHash;
pub(crate) use scratch::Scratch;

/// Any family.
pub(crate) type Method = Box<dyn Family>;

type NativeReader = fn(&str) -> Result<ParsedHash<Method>, Unverified>;

/// How texts begin, and who reads them.
struct Beginning {
    of: Native,
    prefix: &'static str,
    read: NativeReader,
}

/// The first that fits decides.
const BEGINNINGS: &[Beginning] = &[
    Beginning {
        of: Native::Argon2,
        prefix: "$argon2",
        read: |text| Ok(argon2::read(text)?.boxed()),
    },
    Beginning { of: Native::Bcrypt, prefix: "$2", read: |text| Ok(bcrypt::read(text)?.boxed()) },
    Beginning { of: Native::Crypt, prefix: "$1$", read: |text| Ok(md5_crypt::read(text)?.boxed()) },
    Beginning {
        of: Native::Crypt,
        prefix: "$apr1$",
        read: |text| Ok(md5_crypt::read(text)?.boxed()),
    },
    Beginning { of: Native::Crypt, prefix: "$5$", read: |text| Ok(sha_crypt::read(text)?.boxed()) },
    Beginning { of: Native::Crypt, prefix: "$6$", read: |text| Ok(sha_crypt::read(text)?.boxed()) },
    Beginning { of: Native::Crypt, prefix: "$7$", read: |text| Ok(scrypt::read(text)?.boxed()) },
    Beginning {
        of: Native::Crypt,
        prefix: "$sha1$",
        read: |text| Ok(sha1_crypt::read(text)?.boxed()),
    },
    Beginning { of: Native::Crypt, prefix: "$md5", read: |text| Ok(sun_md5::read(text)?.boxed()) },
    Beginning { of: Native::Crypt, prefix: "$y$", read: |text| Ok(yescrypt::read(text)?.boxed()) },
    Beginning { of: Native::Crypt, prefix: "$gy$", read: |text| Ok(yescrypt::read(text)?.boxed()) },
    Beginning {
        of: Native::Crypt,
        prefix: "$A$",
        read: |text| Ok(mysql_sha2::read(text)?.boxed()),
    },
    Beginning { of: Native::Phpass, prefix: "$P$", read: |text| Ok(phpass::read(text)?.boxed()) },
    Beginning { of: Native::Phpass, prefix: "$H$", read: |text| Ok(phpass::read(text)?.boxed()) },
    Beginning { of: Native::Drupal7, prefix: "$S$", read: |text| Ok(phpass::read(text)?.boxed()) },
];

impl ParsedHash<Method> {
    /// Reads a text of one of these functions.
    pub(crate) fn read(native: Native, text: &str) -> Result<Self, NotRead> {
        let of = if native == Native::Argon2Keyed { Native::Argon2 } else { native };
        let mut beginnings = BEGINNINGS.iter().filter(|beginning| beginning.of == of);
        match beginnings.find(|beginning| text.starts_with(beginning.prefix)) {
            Some(beginning) => (beginning.read)(text).map_err(NotRead::Unverified),
            // DES has no mark of its own, only lengths and an alphabet.
            None if native == Native::Crypt => read_des(text).map_err(|_| NotRead::Other),
            None => Err(NotRead::Other),
        }
    }

    pub(crate) fn exceeds(&self, limits: &CostLimits) -> bool {
        self.method.exceeds(limits)
    }

    /// What it costs to try one password.
    pub(crate) fn cost(&self) -> HashCost {
        self.method.cost()
    }

    /// The site's own secret goes into the function.
    pub(crate) fn keyed(mut self, key: &[u8]) -> Self {
        self.method.set_key(key);
        self
    }

    /// Whether all but the first 72 bytes are dropped.
    pub(crate) fn is_bcrypt(&self) -> bool {
        self.method.is_bcrypt()
    }

    /// Whether this is what was hashed.
    pub(crate) fn matches(&self, secret: &[u8], scratch: &mut Scratch) -> Result<bool, Unverified> {
        let mut derived = Zeroizing::new(vec![0; self.digest.len()]);
        match self.method.derive(secret, &self.salt, &mut derived, scratch) {
            Ok(()) => Ok(derived.ct_eq(&self.digest).into()),
            Err(error) => error.verdict(),
        }
    }

    /// The text of another secret's hash, with this salt or a fresh one.
    pub(crate) fn make(
        &self,
        secret: &[u8],
        salt: Option<Vec<u8>>,
        randomness: &dyn Randomness,
        scratch: &mut Scratch,
    ) -> Result<Zeroizing<String>, MakeHashError> {
        let salt = salt.unwrap_or_else(|| self.fresh_salt(randomness));
        let mut digest = Zeroizing::new(vec![0; self.digest.len()]);
        self.method.derive(secret, &salt, &mut digest, scratch)?;
        Ok(Zeroizing::new(self.method.encode(&salt, &digest)))
    }

    fn fresh_salt(&self, randomness: &dyn Randomness) -> Vec<u8> {
        match self.method.salt_alphabet() {
            Some(alphabet) => self.salt.iter().map(|_| pick(alphabet, randomness)).collect(),
            None => fresh_like(&self.salt, false, randomness),
        }
    }
}

fn read_des(text: &str) -> Result<ParsedHash<Method>, Unverified> {
    if text.starts_with('_') {
        return Ok(des_crypt::read_bsdi(text)?.boxed());
    }
    Ok(des_crypt::read_unix(text)?.boxed())
}
