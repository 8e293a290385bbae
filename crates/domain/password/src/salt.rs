//! Fresh salts that look like those before them.

use model::Randomness;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const DIGITS: &[u8] = b"0123456789";
const HEX_DIGITS: &[u8] = b"0123456789abcdef";

/// A salt as long as another one: of the same kind of characters if that is text. What is neither a
/// letter nor a digit stays where it is.
pub(crate) fn fresh_like(salt: &[u8], is_text: bool, randomness: &dyn Randomness) -> Vec<u8> {
    let mut fresh = salt.to_owned();
    let is_text = is_text || (!salt.is_empty() && salt.iter().all(u8::is_ascii_alphanumeric));
    if !is_text {
        randomness.fill(&mut fresh);
        return fresh;
    }
    let alphabet = alphabet_of(salt);
    for byte in fresh.iter_mut().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
        *byte = pick(alphabet, randomness);
    }
    fresh
}

/// The smallest that has all of its letters and digits.
fn alphabet_of(salt: &[u8]) -> &'static [u8] {
    let has_all = |alphabet: &[u8]| {
        salt.iter().filter(|byte| byte.is_ascii_alphanumeric()).all(|byte| alphabet.contains(byte))
    };
    [DIGITS, HEX_DIGITS].into_iter().find(|alphabet| has_all(alphabet)).unwrap_or(LETTERS)
}

/// One character; 64 bits of randomness leave no bias that could be noticed.
pub(crate) fn pick(alphabet: &[u8], randomness: &dyn Randomness) -> u8 {
    let draw = u64::from_le_bytes(randomness.array());
    let place = draw % alphabet.len() as u64;
    alphabet[usize::try_from(place).expect("less than a length")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Counting;

    #[test]
    fn a_fresh_salt_looks_like_the_one_before() {
        let fresh = |salt: &[u8]| fresh_like(salt, true, &Counting::default());
        let all = |salt: &[u8], of: fn(&u8) -> bool| salt.iter().all(of);
        assert!(all(&fresh(b"123456"), u8::is_ascii_digit));
        assert!(all(&fresh(b"00ff00ff00ff"), u8::is_ascii_hexdigit));
        assert!(all(&fresh(b"kF3xYz"), u8::is_ascii_alphanumeric));
        let uuid = fresh(b"5a1c-77ee");
        assert!(uuid[4] == b'-' && uuid != b"5a1c-77ee");
        assert_eq!(fresh(b""), b"");
    }

    #[test]
    fn bytes_are_drawn_from_all_there_are() {
        let fresh = fresh_like(&[0; 64], false, &Counting::default());
        assert!(fresh.iter().any(|byte| !byte.is_ascii()) && fresh.len() == 64);
    }
}
