//! Eight bytes at a time in one integer, since to look at each byte of a leak costs too much.

/// Bytes in a word.
pub(crate) const WORD_BYTES: usize = 8;

/// The word that starts at a place within the text, filled up with NUL behind the text's end.
pub(crate) fn word_at(text: &[u8], at: usize) -> u64 {
    let rest = &text[at..];
    match (rest.first_chunk(), text.last_chunk()) {
        (Some(bytes), _) => u64::from_le_bytes(*bytes),
        // Cheaper than to copy a few bytes: the text's last eight, without those before `at`.
        (None, Some(bytes)) if !rest.is_empty() => {
            u64::from_le_bytes(*bytes) >> (8 * (WORD_BYTES - rest.len()))
        }
        _ => rest.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte)),
    }
}

/// The top bit of each byte that equals `byte`.
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    let low = each(0x7f);
    let differing = word ^ each(byte);
    // No byte carries into the next.
    !(((differing & low) + low) | differing | low)
}

/// ASCII capitals in lower case, all other bytes as they are.
pub(crate) const fn lowercase(word: u64) -> u64 {
    let low = word & each(0x7f);
    let from_a = low + each(0x80 - b'A');
    let above_z = low + each(0x7f - b'Z');
    let capitals = from_a & !above_z & !word & each(0x80);
    word | (capitals >> 2)
}

/// Whether all bytes are ASCII.
pub(crate) const fn is_ascii(word: u64) -> bool {
    word & each(0x80) == 0
}

/// A word of one byte.
pub(crate) const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD_BYTES])
}

/// Which byte of the word a lowest or highest bit found belongs to.
pub(crate) const fn byte_of(bit: u32) -> usize {
    (bit / u8::BITS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_wherever_it_stands() {
        let text: Vec<u8> = (1..=20).collect();
        for end in 1..=text.len() {
            for at in 0..=end {
                let mut expected = [0; WORD_BYTES];
                let length = (end - at).min(WORD_BYTES);
                expected[..length].copy_from_slice(&text[at..at + length]);
                assert_eq!(word_at(&text[..end], at).to_le_bytes(), expected);
            }
        }
    }

    #[test]
    fn each_byte_is_treated_alone() {
        for byte in 0..=u8::MAX {
            for neighbour in [0, 0x7f, 0x80, 0xff, b'A', b'Z', b'@'] {
                let bytes = [neighbour, byte, neighbour, byte, byte, neighbour, neighbour, byte];
                let word = u64::from_le_bytes(bytes);
                assert_eq!(lowercase(word).to_le_bytes(), bytes.map(|b| b.to_ascii_lowercase()));
                let equal = equal(word, byte).to_le_bytes();
                assert_eq!(equal, bytes.map(|other| if other == byte { 0x80 } else { 0 }));
                assert_eq!(is_ascii(word), bytes.is_ascii());
            }
        }
    }
}
