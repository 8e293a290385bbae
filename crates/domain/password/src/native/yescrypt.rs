//! yescrypt: crypt strings `$y$`, the default of most Linux systems, and libxcrypt's `$gy$`, which
//! adds the Russian standard's hash function.

use hmac::{Hmac, KeyInit, Mac};
use model::Unverified::{self, Malformed};
use streebog::{Digest, Streebog256};
use yescrypt::{Mode, Params};
use zeroize::Zeroizing;

use super::{
    crypt_text::without_nul,
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{decode, of_length},
};
use crate::{CostLimits, HashCost, MakeHashError, coding::Coding, limits::SCRYPT_R_TIMES_P_END};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Yescrypt {
    notation: YescryptNotation,
    params: Params,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum YescryptNotation {
    Plain,
    Streebog,
}

/// `$y$j9T$salt$digest`.
pub(super) fn read(text: &str) -> Result<ParsedHash<Yescrypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["", name, costs, salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    let method = Yescrypt { notation: YescryptNotation::named(name)?, params: read_costs(costs)? };
    let digest = of_length(decode(digest, Coding::Crypt)?, DIGEST_BYTES)?;
    Ok(ParsedHash::new(method, read_salt(salt)?, digest))
}

const DIGEST_BYTES: usize = 32;

/// What libxcrypt reads.
const SALT_BYTES_MAX: usize = 64;

fn read_salt(text: &str) -> Result<Vec<u8>, Unverified> {
    let salt = decode(text, Coding::Crypt)?;
    if salt.len() > SALT_BYTES_MAX { Err(Malformed) } else { Ok(salt) }
}

/// Only what is written today: the function's own mode, and none of the parameters that would
/// make it slower without taking more memory.
fn read_costs(text: &str) -> Result<Params, Unverified> {
    let found: Params = text.parse().map_err(|_| Malformed)?;
    let (n, r, p) = (found.n(), found.r(), found.p());
    if n < 2 || u64::from(r) * u64::from(p) >= SCRYPT_R_TIMES_P_END {
        return Err(Malformed);
    }
    let params = Params::new(Mode::Rw, n, r, p).map_err(|_| Malformed)?;
    if params.to_string() == text { Ok(params) } else { Err(Malformed) }
}

impl YescryptNotation {
    fn named(name: &str) -> Result<Self, Unverified> {
        let found = [Self::Plain, Self::Streebog].into_iter().find(|known| known.name() == name);
        found.ok_or(Malformed)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "y",
            Self::Streebog => "gy",
        }
    }
}

impl Yescrypt {
    /// What stands before the digest.
    fn settings(&self, salt: &[u8]) -> String {
        format!("${}${}${}", self.notation.name(), self.params, Coding::Crypt.encode(salt))
    }

    /// HMACs of the settings and of what yescrypt gave, keyed with the secret.
    fn russian(&self, secret: &[u8], salt: &[u8], plain: &[u8]) -> [u8; DIGEST_BYTES] {
        let key = Zeroizing::new(<[u8; DIGEST_BYTES]>::from(Streebog256::digest(secret)));
        let key = Zeroizing::new(streebog_hmac(&*key, self.settings(salt).as_bytes()));
        streebog_hmac(&*key, plain)
    }
}

fn streebog_hmac(key: &[u8], message: &[u8]) -> [u8; DIGEST_BYTES] {
    let mac = Hmac::<Streebog256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

impl Family for Yescrypt {
    fn cost(&self) -> HashCost {
        let (log_n, r, p) = (self.params.n().ilog2(), self.params.r(), self.params.p());
        HashCost::Scrypt { log_n, r: r.into(), p: p.into() }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.params.n().ilog2() > limits.scrypt_log_n_max.into()
            || self.params.r() > limits.scrypt_r_max
            || self.params.p() > limits.scrypt_p_max
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        None
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        without_nul(secret)?;
        // What was read is known to be well-formed, so what remains is more memory than an address
        // can name.
        let done = yescrypt::yescrypt(secret, salt, &self.params, out);
        done.map_err(|_| MakeHashError::OutOfMemory)?;
        if self.notation == YescryptNotation::Streebog {
            let russian = self.russian(secret, salt, out);
            out.copy_from_slice(&russian);
        }
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        format!("{}${}", self.settings(salt), Coding::Crypt.encode(digest))
    }
}
