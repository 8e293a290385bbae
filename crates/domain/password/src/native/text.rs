//! What the texts of stored hashes are made of: base64 in its dialects, numbers, parameters.

use std::sync::LazyLock;

use data_encoding::{BitOrder, Encoding, Specification};
use model::Unverified::{self, Malformed, TooExpensive};

use crate::limits::{DIGEST_BYTES_MAX, DIGEST_BYTES_MIN};

/// The characters of crypt(3), in the order of their values.
pub(super) const CRYPT_ALPHABET: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

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

pub(super) fn dialect(symbols: &str, adapt: impl FnOnce(&mut Specification)) -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str(symbols);
    adapt(&mut specification);
    let encoding = specification.encoding();
    encoding.expect("64 distinct characters, and translations of others")
}

pub(super) fn decode(text: &str, dialect: &Encoding) -> Result<Vec<u8>, Unverified> {
    dialect.decode(text.as_bytes()).map_err(|_| Malformed)
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
