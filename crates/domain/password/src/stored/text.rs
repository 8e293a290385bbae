//! What the texts of stored hashes are made of: base64 in its dialects, numbers, parameters.

use std::sync::LazyLock;

use data_encoding::{BASE64_NOPAD, BitOrder, Encoding, Specification};
use model::Unverified::{self, Malformed, TooExpensive};

use crate::limits::{DIGEST_BYTES_MAX, DIGEST_BYTES_MIN};

/// The characters of crypt(3), in the order of their values.
pub(super) const CRYPT_ALPHABET: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The characters of Django's salts.
pub(super) const DJANGO_ALPHABET: &[u8; 62] =
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// bcrypt's base64. Software that writes or checks these hashes compares whole strings or refuses
/// odd trailing bits, so only the canonical text is taken.
pub(super) static BCRYPT: LazyLock<Encoding> = LazyLock::new(|| {
    dialect("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", |_| ())
});

/// libxcrypt's base64 of `$7$`: its own order of characters, lowest bits first.
pub(super) static CRYPT: LazyLock<Encoding> = LazyLock::new(|| {
    let symbols = String::from_utf8_lossy(CRYPT_ALPHABET);
    dialect(&symbols, |specification| {
        specification.bit_order = BitOrder::LeastSignificantFirst;
    })
});

/// passlib's base64 without padding, as its scrypt writes it. passlib ignores trailing bits.
pub(super) static PASSLIB: LazyLock<Encoding> = LazyLock::new(|| {
    let symbols = BASE64_NOPAD.specification().symbols;
    dialect(&symbols, |specification| {
        specification.check_trailing_bits = false;
    })
});

/// The same with `.` for `+`, as passlib's PBKDF2 writes it. passlib reads `+` as well.
pub(super) static PASSLIB_ADAPTED: LazyLock<Encoding> = LazyLock::new(|| {
    let symbols = BASE64_NOPAD.specification().symbols.replace('+', ".");
    dialect(&symbols, |specification| {
        specification.check_trailing_bits = false;
        specification.translate.from.push('+');
        specification.translate.to.push('.');
    })
});

fn dialect(symbols: &str, adapt: impl FnOnce(&mut Specification)) -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str(symbols);
    adapt(&mut specification);
    let encoding = specification.encoding();
    encoding.expect("64 distinct characters, and translations of others")
}

pub(super) fn decode(text: &str, dialect: &Encoding) -> Result<Vec<u8>, Unverified> {
    dialect.decode(text.as_bytes()).map_err(|_| Malformed)
}

/// As [`decode`], for text that passlib also reads when somebody has padded it.
pub(super) fn decode_padded(text: &str, dialect: &Encoding) -> Result<Vec<u8>, Unverified> {
    decode(text.trim_end_matches('='), dialect)
}

/// Django hashes the text of a salt as it stands, and refuses an empty one.
pub(super) fn django_salt(text: &str) -> Result<Vec<u8>, Unverified> {
    if text.is_empty() { Err(Malformed) } else { Ok(text.into()) }
}

/// A digest of the only length that the format has.
pub(super) fn of_length(bytes: Vec<u8>, length: usize) -> Result<Vec<u8>, Unverified> {
    if bytes.len() == length { Ok(bytes) } else { Err(Malformed) }
}

/// A digest long enough to prove something, and no longer than it is worth computing.
pub(super) fn of_fair_length(bytes: Vec<u8>) -> Result<Vec<u8>, Unverified> {
    match bytes.len() {
        ..DIGEST_BYTES_MIN => Err(Malformed),
        DIGEST_BYTES_MIN..=DIGEST_BYTES_MAX => Ok(bytes),
        _ => Err(TooExpensive),
    }
}

/// A number as every writer writes it: digits only, no leading zero.
pub(super) fn decimal(text: &str) -> Result<u32, Unverified> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(Malformed);
    }
    // All that can be wrong with digits is that they are too many.
    text.parse().map_err(|_| TooExpensive)
}

/// A cost of which nothing can come when it is 0.
pub(super) fn positive(text: &str) -> Result<u32, Unverified> {
    match decimal(text)? {
        0 => Err(Malformed),
        number => Ok(number),
    }
}

/// `m=65536,t=3,p=4`: positive numbers under exactly these names, in this order.
pub(super) fn parameters<const N: usize>(
    text: &str,
    names: [&str; N],
) -> Result<[u32; N], Unverified> {
    let fields: Vec<&str> = text.split(',').collect();
    let fields: [&str; N] = fields.try_into().map_err(|_| Malformed)?;
    let mut values = [0; N];
    for ((value, field), name) in values.iter_mut().zip(fields).zip(names) {
        let (found, number) = field.split_once('=').ok_or(Malformed)?;
        *value = if found == name {
            positive(number)?
        } else {
            return Err(Malformed);
        };
    }
    Ok(values)
}
