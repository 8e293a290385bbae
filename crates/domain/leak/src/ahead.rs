use crate::{
    forms::Forms,
    index::IdentifierIndex,
    limits::SPLITS_MAX,
    record::delimiters_in,
    words::{WORD_BYTES, byte_of, equal, word_at},
};

/// Looks ahead at lines that are already in memory, to pass over those that are surely a record of
/// somebody else: nearly all.
///
/// Three things make this cheap. A line is looked at once, in words. What is uncommon in any way
/// is left to be read with care. And the index is asked for many lines in a row, so that the
/// processor waits for its memory once and not for each.
#[derive(Default)]
pub(crate) struct Ahead {
    /// Bytes of each line, its newline counted.
    lengths: Vec<usize>,
    /// A bit for each line that is not surely somebody else's.
    suspects: u64,
    /// The first line that is not yet passed on.
    next: usize,
    /// What the index is to be asked: a hash, and for which line.
    asked: Vec<(u64, usize)>,
    forms: Forms,
}

/// As many as `suspects` has bits.
const LINES_MAX: usize = 64;

impl Ahead {
    /// Takes in the whole lines at the start of `text`, which holds no NUL. Lines longer than
    /// `line_bytes_max` are suspect.
    pub(crate) fn look(&mut self, text: &[u8], line_bytes_max: usize, index: &dyn IdentifierIndex) {
        (self.next, self.suspects) = (0, 0);
        self.lengths.clear();
        self.asked.clear();
        let mut rest = text;
        while self.lengths.len() < LINES_MAX
            && let Some(line) = LineOutline::of(rest)
        {
            let common = line.length <= line_bytes_max && self.ask(&line, rest, index);
            self.suspects |= u64::from(!common) << self.lengths.len();
            self.lengths.push(line.length + 1);
            rest = &rest[line.length + 1..];
        }
        for &(hash, line) in &self.asked {
            self.suspects |= u64::from(index.may_hold(hash)) << line;
        }
    }

    /// Whether all lines taken in are passed on.
    pub(crate) fn is_empty(&self) -> bool {
        self.next == self.lengths.len()
    }

    /// Passes on the lines before the next suspect: how many, and their bytes.
    pub(crate) fn strangers(&mut self) -> (usize, usize) {
        let left = &self.lengths[self.next..];
        let until_suspect = (self.suspects >> self.next).trailing_zeros() as usize;
        let strangers = &left[..until_suspect.min(left.len())];
        self.next += strangers.len();
        (strangers.len(), strangers.iter().sum())
    }

    /// Passes on one line, to be read with care; `false` if there is none.
    pub(crate) fn suspect(&mut self) -> bool {
        let is_left = !self.is_empty();
        self.next += usize::from(is_left);
        is_left
    }

    /// Notes what to ask the index for a line. Whether the line is a common one: a record, and if
    /// its identifiers are nobody's, then surely a readable one.
    fn ask(&mut self, line: &LineOutline, text: &[u8], index: &dyn IdentifierIndex) -> bool {
        let ends = &line.delimiters[..line.delimiters_found];
        let Some(first) = ends.first() else {
            return false;
        };
        let secret = &text[first + 1..line.length];
        if secret.is_empty() || secret == b"\r" {
            return false;
        }
        let at = self.lengths.len();
        ends.iter().all(|&end| {
            let common = self.forms.make_plain(&text[..end]);
            if common {
                self.forms.each(|form, _| self.asked.push((index.hash(form), at)));
            }
            common
        })
    }
}

/// Where a line ends, and its first delimiters.
struct LineOutline {
    /// Its newline not counted.
    length: usize,
    delimiters: [usize; SPLITS_MAX],
    delimiters_found: usize,
}

impl LineOutline {
    /// Of the first line of a text; `None` if it has no end.
    fn of(text: &[u8]) -> Option<Self> {
        let mut outline = Self { length: 0, delimiters: [0; SPLITS_MAX], delimiters_found: 0 };
        for start in (0..text.len()).step_by(WORD_BYTES) {
            let word = word_at(text, start);
            let newline = equal(word, b'\n');
            // Only those before the newline: those behind it are the next line's.
            let mut delimiters = delimiters_in(word) & newline.wrapping_sub(1) & !newline;
            while delimiters != 0 && outline.delimiters_found < SPLITS_MAX {
                outline.delimiters[outline.delimiters_found] =
                    start + byte_of(delimiters.trailing_zeros());
                outline.delimiters_found += 1;
                delimiters &= delimiters - 1;
            }
            if newline != 0 {
                outline.length = start + byte_of(newline.trailing_zeros());
                return Some(outline);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use model::AccountId;

    use super::*;
    use crate::IndexBuilder;

    /// One letter a line: `s` for surely a stranger, `?` for a suspect.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut builder = IndexBuilder::default();
        builder.add(&AccountId::new("1").unwrap(), Some("anna@x.com"), Some("joe"));
        let index = builder.build();
        let mut ahead = Ahead::default();
        ahead.look(text.as_bytes(), 20, &index);
        let mut shown = String::new();
        while !ahead.is_empty() {
            shown.push_str(&"s".repeat(ahead.strangers().0));
            shown.push_str(if ahead.suspect() { "?" } else { "" });
        }
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn only_common_records_of_others_are_passed_over() {
        check("", "");
        check("bo@x.com:pw", "");
        check("bo@x.com:pw\n", "s");
        check("bo@x.com:pw\nANNA@x.com:pw\nbo;p\r\njoe:pw\n", "s?s?");
        check("anna+t@x.com:pw\nbo:joe:x\njoe|bo:x\njoe:\n", "?s??");
        check("bo:\nbo:\r\n\nbo\n\"bo\":x\nbö:x\n bo:x\nb :x\n:x\n", "?????????");
        check("bo@x.com:12345678901\nbo@x.com:123456789012\n", "s?");
    }

    #[test]
    fn a_full_look_ends_after_a_word_of_lines() {
        check(&"bo:x\n".repeat(LINES_MAX + 1), &"s".repeat(LINES_MAX));
        check(&"joe:x\n".repeat(LINES_MAX + 1), &"?".repeat(LINES_MAX));
    }
}
