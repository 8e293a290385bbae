//! Where the delimiters of a line stand, found eight bytes at a time.

use crate::words::{WORD_BYTES, byte_of, each, equal, word_at};

/// What stands before a line's first delimiter, and behind it.
pub(crate) fn first_split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    delimiters(line).next().map(|at| (&line[..at], &line[at + 1..]))
}

/// Where the delimiters of a line stand.
pub(crate) fn delimiters(line: &[u8]) -> impl Iterator<Item = usize> {
    Delimiters::of(line)
}

/// Where `:` `;` `,` `|` and tabs stand in a line, found eight bytes at a time.
struct Delimiters<'a> {
    line: &'a [u8],
    /// Where the word stands that is being looked at.
    at: usize,
    /// The top bit of each of its bytes that is a delimiter not yet passed on.
    found: u64,
}

impl<'a> Delimiters<'a> {
    fn of(line: &'a [u8]) -> Self {
        let found = delimiters_in(word_at(line, 0));
        Self { line, at: 0, found }
    }
}

impl Iterator for Delimiters<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            self.at += WORD_BYTES;
            if self.at >= self.line.len() {
                return None;
            }
            self.found = delimiters_in(word_at(self.line, self.at));
        }
        let byte = byte_of(self.found.trailing_zeros());
        self.found &= self.found - 1;
        Some(self.at + byte)
    }
}

/// The top bit of each byte that is a delimiter.
pub(crate) const fn delimiters_in(word: u64) -> u64 {
    // `:` and `;` differ in their lowest bit only.
    let colons = equal(word & each(0xfe), b':');
    colons | equal(word, b',') | equal(word, b'|') | equal(word, b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_delimiter_is_found_and_nothing_else() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut line = [b'x'; 20];
                line[at] = byte;
                let found: Vec<_> = delimiters(&line).collect();
                let expected = if b":;,|\t".contains(&byte) { vec![at] } else { vec![] };
                assert_eq!(found, expected, "{byte}");
            }
        }
        assert_eq!(delimiters(&[b':'; 20]).count(), 20);
        assert_eq!(delimiters(b"").count(), 0);
    }
}
