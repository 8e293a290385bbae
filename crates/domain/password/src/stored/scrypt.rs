//! scrypt: PHC strings, crypt strings, and Django's.

use data_encoding::{BASE64, BASE64_NOPAD};
use model::{
    HashFormat,
    Unverified::{self, Malformed, TooExpensive},
};

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{
        CRYPT, CRYPT_ALPHABET, DJANGO_ALPHABET, PASSLIB, decode, decode_padded, django_salt,
        of_fair_length, of_length, parameters, positive,
    },
};
use crate::{
    CostLimits, MakeHashError,
    limits::{DJANGO_SCRYPT_DEFAULT, SCRYPT_CRYPT_DEFAULT, SCRYPT_DEFAULT, SCRYPT_R_TIMES_P_END},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scrypt {
    notation: ScryptNotation,
    log_n: u8,
    r: u32,
    p: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScryptNotation {
    Phc,
    Crypt,
    Django,
}

/// `$scrypt$ln=17,r=8,p=1$salt$digest`, as passlib and the `scrypt` crate write it.
pub(super) fn read_phc(text: &str) -> Result<ParsedHash<Scrypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["", "scrypt", costs, salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    let costs = parameters(costs, ["ln", "r", "p"])?;
    let digest = of_fair_length(decode_padded(digest, &PASSLIB)?)?;
    let salt = decode_padded(salt, &PASSLIB)?;
    let method = Scrypt::new(ScryptNotation::Phc, costs)?;
    Ok(ParsedHash::new(method, salt, digest))
}

/// `$7$` `N` `rrrrr` `ppppp` `salt` `$` `digest`. Unlike the digest, the salt is not decoded:
/// its characters are hashed as they stand. libxcrypt draws them from the digest's alphabet, passlib
/// from another.
pub(super) fn read_crypt(text: &str) -> Result<ParsedHash<Scrypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["", "7", costs_and_salt, digest] = fields[..] else {
        return Err(Malformed);
    };
    let (costs, salt) = costs_and_salt.split_at_checked(CRYPT_COSTS_CHARS).ok_or(Malformed)?;
    if !salt.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Malformed);
    }
    let digest = of_length(decode(digest, &CRYPT)?, SHORT_DIGEST_BYTES)?;
    let method = Scrypt::new(ScryptNotation::Crypt, read_crypt_costs(costs)?)?;
    Ok(ParsedHash::new(method, salt.into(), digest))
}

/// `scrypt$16384$salt$8$5$digest`. Django hashes the text of the salt and compares whole strings,
/// so that only canonical text can ever match.
pub(super) fn read_django(text: &str) -> Result<ParsedHash<Scrypt>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let ["scrypt", n, salt, r, p, digest] = fields[..] else {
        return Err(Malformed);
    };
    let n = positive(n)?;
    if !n.is_power_of_two() {
        return Err(Malformed);
    }
    let method = Scrypt::new(ScryptNotation::Django, [n.ilog2(), positive(r)?, positive(p)?])?;
    let digest = of_length(decode(digest, &BASE64)?, LONG_DIGEST_BYTES)?;
    Ok(ParsedHash::new(method, django_salt(salt)?, digest))
}

const SHORT_DIGEST_BYTES: usize = 32;

const LONG_DIGEST_BYTES: usize = 64;

/// One for log2 of N, five each for r and p.
const CRYPT_COSTS_CHARS: usize = 11;

/// Bits of one character.
const CRYPT_BITS: usize = 6;

fn read_crypt_costs(text: &str) -> Result<[u32; 3], Unverified> {
    let values = text.bytes().map(|byte| crypt_value(byte).ok_or(Malformed));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let [log_n, r_and_p @ ..] = &values[..] else {
        return Err(Malformed);
    };
    let (r, p) = r_and_p.split_at_checked(r_and_p.len() / 2).ok_or(Malformed)?;
    Ok([*log_n, crypt_number(r), crypt_number(p)])
}

fn crypt_value(byte: u8) -> Option<u32> {
    let place = CRYPT_ALPHABET.iter().position(|known| *known == byte)?;
    u32::try_from(place).ok()
}

/// Lowest digit first.
fn crypt_number(values: &[u32]) -> u32 {
    let higher = |number, value: &u32| (number << CRYPT_BITS) | value;
    values.iter().rev().fold(0, higher)
}

fn crypt_text(number: u32, digits: usize) -> String {
    let digit = |place| CRYPT_ALPHABET[(number >> (CRYPT_BITS * place)) as usize & 63];
    (0..digits).map(|place| char::from(digit(place))).collect()
}

impl Scrypt {
    /// Checks log2 of N, r and p against what the function is defined for.
    fn new(notation: ScryptNotation, [log_n, r, p]: [u32; 3]) -> Result<Self, Unverified> {
        let r_times_p = u64::from(r) * u64::from(p);
        if log_n == 0 || r_times_p == 0 || r_times_p >= SCRYPT_R_TIMES_P_END {
            return Err(Malformed);
        }
        let log_n = u8::try_from(log_n).map_err(|_| TooExpensive)?;
        Ok(Self { notation, log_n, r, p })
    }

    /// Today's cost, or the default of the software that owns the notation.
    pub(super) const fn default_for(notation: ScryptNotation) -> Self {
        let (log_n, r, p) = match notation {
            ScryptNotation::Phc => SCRYPT_DEFAULT,
            ScryptNotation::Crypt => SCRYPT_CRYPT_DEFAULT,
            ScryptNotation::Django => DJANGO_SCRYPT_DEFAULT,
        };
        Self { notation, log_n, r, p }
    }

    fn encode_phc(&self, salt: &[u8], digest: &[u8]) -> String {
        let (salt, digest) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(digest));
        let Self { log_n, r, p, .. } = self;
        format!("$scrypt$ln={log_n},r={r},p={p}${salt}${digest}")
    }

    fn encode_crypt(&self, salt: &[u8], digest: &[u8]) -> String {
        let log_n = crypt_text(self.log_n.into(), 1);
        let (r, p) = (crypt_text(self.r, 5), crypt_text(self.p, 5));
        let (salt, digest) = (String::from_utf8_lossy(salt), CRYPT.encode(digest));
        format!("$7${log_n}{r}{p}{salt}${digest}")
    }

    fn encode_django(&self, salt: &[u8], digest: &[u8]) -> String {
        let Self { log_n, r, p, .. } = self;
        let (salt, digest) = (String::from_utf8_lossy(salt), BASE64.encode(digest));
        format!("scrypt${}${salt}${r}${p}${digest}", 1_u64 << log_n)
    }
}

impl Family for Scrypt {
    fn format(&self) -> HashFormat {
        match self.notation {
            ScryptNotation::Phc => HashFormat::Scrypt,
            ScryptNotation::Crypt => HashFormat::ScryptCrypt,
            ScryptNotation::Django => HashFormat::DjangoScrypt,
        }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.log_n > limits.scrypt_log_n_max
            || self.r > limits.scrypt_r_max
            || self.p > limits.scrypt_p_max
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        match self.notation {
            ScryptNotation::Phc => None,
            ScryptNotation::Crypt => Some(CRYPT_ALPHABET),
            ScryptNotation::Django => Some(DJANGO_ALPHABET),
        }
    }

    fn digest_len(&self) -> usize {
        match self.notation {
            ScryptNotation::Phc | ScryptNotation::Crypt => SHORT_DIGEST_BYTES,
            ScryptNotation::Django => LONG_DIGEST_BYTES,
        }
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        // What was read is known to be well-formed, so what remains is more memory than an
        // address can name. Caps set far above any machine could let that through.
        let params = scrypt::Params::new(self.log_n, self.r, self.p);
        let params = params.map_err(|_| MakeHashError::OutOfMemory)?;
        scrypt::scrypt(secret, salt, &params, out).map_err(|_| MakeHashError::OutOfMemory)
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        match self.notation {
            ScryptNotation::Phc => self.encode_phc(salt, digest),
            ScryptNotation::Crypt => self.encode_crypt(salt, digest),
            ScryptNotation::Django => self.encode_django(salt, digest),
        }
    }
}
