use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::limits::{CODE_DATA_SYMBOLS, CODE_TYPED_CHARS_MAX};

/// Crockford's base32: no I, L, O or U, so that nothing is misread and nothing is rude.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// All symbols of a code, the check included.
const SYMBOLS: usize = CODE_DATA_SYMBOLS + 1;

/// Symbols that are read in one go.
const GROUP: usize = 4;

/// What each use of the key is for, so that no output of one use is an output of another.
const CODE_PURPOSE: &[u8] = b"notice code for an address\0";
const UNBOUND_CODE_PURPOSE: &[u8] = b"notice code\0";
const LOOKUP_PURPOSE: &[u8] = b"notice code look-up\0";
const TOKEN_PURPOSE: &[u8] = b"notice token\0";

/// What a recipient types on the site, with the address it came to, to see that a notice is ours.
///
/// 75 bits and a check symbol, written as `7KQ4-M2XD-93TP-0V5A`. The check notices any one wrong
/// symbol and any two that changed places.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoticeCode([u8; SYMBOLS]);

impl NoticeCode {
    /// The code of one notice to one address, by the address's keyed hash: the same for ever, so that
    /// a retry or a correction can print it.
    #[must_use]
    pub fn derive(key: &[u8; 32], notice_id: i64, address_key: &[u8; 32]) -> Self {
        let bound = [&notice_id.to_be_bytes()[..], address_key].concat();
        Self::of_digest(&keyed(key, CODE_PURPOSE, &bound))
    }

    /// As versions before made it: its notice alone makes it, whatever the address.
    #[must_use]
    pub fn derive_unbound(key: &[u8; 32], notice_id: i64) -> Self {
        Self::of_digest(&keyed(key, UNBOUND_CODE_PURPOSE, &notice_id.to_be_bytes()))
    }

    fn of_digest(digest: &[u8; 32]) -> Self {
        let mut symbols = [0; SYMBOLS];
        for (at, symbol) in symbols[..CODE_DATA_SYMBOLS].iter_mut().enumerate() {
            *symbol = five_bits(digest, at);
        }
        // The last place has weight 1, so the check is what the others sum up to.
        symbols[CODE_DATA_SYMBOLS] = weighted_sum(&symbols);
        Self(symbols)
    }

    /// What the store keeps instead of the code: it tells a thief of the database nothing.
    #[must_use]
    pub fn lookup(&self, key: &[u8; 32]) -> [u8; 32] {
        keyed(key, LOOKUP_PURPOSE, &self.0)
    }
}

impl fmt::Display for NoticeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, symbol) in self.0.iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(ALPHABET[usize::from(*symbol)]))?;
        }
        Ok(())
    }
}

/// A code is worth as much as a secret until it is mailed, so logs do not get it.
impl fmt::Debug for NoticeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoticeCode(..)")
    }
}

impl FromStr for NoticeCode {
    type Err = CodeError;

    /// Takes what people type: any case, spaces and dashes anywhere, O for 0, I or L for 1.
    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        if typed.chars().count() > CODE_TYPED_CHARS_MAX {
            return Err(CodeError::Length { expected: SYMBOLS });
        }
        let symbols = typed.chars().filter(|c| !is_separator(*c)).map(symbol);
        let symbols = symbols.collect::<Result<Vec<u8>, _>>()?;
        let symbols = <[u8; SYMBOLS]>::try_from(symbols);
        let symbols = symbols.map_err(|_| CodeError::Length { expected: SYMBOLS })?;
        if weighted_sum(&symbols) != 0 {
            return Err(CodeError::Check);
        }
        Ok(Self(symbols))
    }
}

/// Why a text is no notice code. None of these says whether such a notice exists.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too few or too many symbols.
    #[error("a notice code has {expected} letters and digits")]
    Length {
        /// How many there should be.
        expected: usize,
    },
    /// A character that no code holds.
    #[error("a notice code holds no `{}`", found.escape_debug())]
    Symbol {
        /// The character found.
        found: char,
    },
    /// Some symbol is wrong.
    #[error("the notice code was not typed as it was printed")]
    Check,
}

/// What stands for a notice where machines read: in its Message-ID and in its bounce address.
///
/// It is independent of the code, since mail servers log both of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoticeToken([u8; SYMBOLS]);

impl NoticeToken {
    /// The token of one notice, the same for ever.
    #[must_use]
    pub fn derive(key: &[u8; 32], notice_id: i64) -> Self {
        let digest = keyed(key, TOKEN_PURPOSE, &notice_id.to_be_bytes());
        Self(std::array::from_fn(|at| five_bits(&digest, at)))
    }
}

/// Lower case, since mail servers may change the case of an address.
impl fmt::Display for NoticeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbols = self.0.iter().map(|symbol| ALPHABET[usize::from(*symbol)]);
        symbols.into_iter().try_for_each(|symbol| {
            let symbol = char::from(symbol.to_ascii_lowercase());
            write!(f, "{symbol}")
        })
    }
}

fn keyed(key: &[u8; 32], purpose: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key);
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(purpose);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The `at`-th group of five bits.
fn five_bits(digest: &[u8; 32], at: usize) -> u8 {
    let bits = (at * 5)..(at * 5 + 5);
    bits.fold(0, |symbol, bit| symbol << 1 | (digest[bit / 8] >> (7 - bit % 8) & 1))
}

/// The sum of all symbols over GF(32), each weighted with another power of a generator.
///
/// The weights differ, so no single change and no swap leaves the sum as it was.
fn weighted_sum(symbols: &[u8; SYMBOLS]) -> u8 {
    // By Horner's rule: the first place has the highest power.
    symbols.iter().fold(0, |sum, symbol| times_generator(sum) ^ symbol)
}

/// Multiplies by `x` modulo `x^5 + x^2 + 1`, which is primitive.
const fn times_generator(element: u8) -> u8 {
    let shifted = element << 1;
    if shifted & 32 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

fn symbol(typed: char) -> Result<u8, CodeError> {
    let meant = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = ALPHABET.iter().position(|symbol| char::from(*symbol) == meant);
    let at = at.ok_or(CodeError::Symbol { found: typed })?;
    u8::try_from(at).map_err(|_| CodeError::Symbol { found: typed })
}

/// Word processors and phones make other dashes of a hyphen.
const fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const ADDRESS: [u8; 32] = [9; 32];

    #[test]
    fn a_code_never_changes() {
        let code = NoticeCode::derive(&KEY, 1, &ADDRESS);
        assert_eq!(code.to_string(), "TKRW-DCZ9-WFR3-Q2WN");
        let unbound = NoticeCode::derive_unbound(&KEY, 1);
        assert_eq!(unbound.to_string(), "783F-RXY0-JVRP-Z08M");
        assert_eq!(NoticeToken::derive(&KEY, 1).to_string(), "7absmxegjeq72e2w");
        assert_ne!(code.lookup(&KEY), code.lookup(&[8; 32]));
    }

    #[test]
    fn a_wrong_code_is_told_from_a_short_one() {
        let parsed = |typed: &str| typed.parse::<NoticeCode>().unwrap_err().to_string();
        assert_eq!(parsed("7KQ4"), "a notice code has 16 letters and digits");
        assert_eq!(parsed("7KQ4-M2XD-93TP-U!\u{1b}["), "a notice code holds no `U`");
        assert_eq!(parsed(&"-".repeat(1000)), "a notice code has 16 letters and digits");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(key: [u8; 32], id: i64) {
            let code = NoticeCode::derive(&key, id, &ADDRESS);
            prop_assert_eq!(code.to_string().parse(), Ok(code));
            let typed = code.to_string().to_lowercase().replace('-', " \u{2013} ");
            let typed = typed.replace('0', "o").replace('1', "l");
            prop_assert_eq!(typed.parse(), Ok(code));
        }

        #[test]
        fn a_slip_of_the_finger_is_noticed(id: i64, at: Index, slip in 1u8..32) {
            let mut wrong = NoticeCode::derive(&KEY, id, &ADDRESS);
            wrong.0[at.index(SYMBOLS)] ^= slip;
            prop_assert_eq!(wrong.to_string().parse::<NoticeCode>(), Err(CodeError::Check));
        }

        #[test]
        fn swapped_symbols_are_noticed(id: i64, one: Index, other: Index) {
            let right = NoticeCode::derive(&KEY, id, &ADDRESS);
            let mut swapped = right;
            swapped.0.swap(one.index(SYMBOLS), other.index(SYMBOLS));
            let expected = if swapped == right { Ok(right) } else { Err(CodeError::Check) };
            prop_assert_eq!(swapped.to_string().parse::<NoticeCode>(), expected);
        }

        #[test]
        fn nothing_typed_is_a_fault(typed: String) {
            let _ = typed.parse::<NoticeCode>();
        }
    }
}
