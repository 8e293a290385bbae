use crate::{
    delimiters::delimiters_in,
    forms::Forms,
    index::IdentifierIndex,
    limits::SPLITS_MAX,
    reading::{Mention, behind_web_address, is_coded, mentions_at},
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
        let line_text = &text[..line.length];
        !(line.has_rare && is_coded(line_text))
            && line.at_signs_found <= AT_SIGNS_MAX
            && ends.iter().all(|&end| self.ask_plain(&text[..end], index))
            && self.ask_addresses(line, line_text, index)
            && self.ask_web_name(line, line_text, index)
    }

    /// Notes what to ask for one identifier, if it is a common one.
    fn ask_plain(&mut self, identifier: &[u8], index: &dyn IdentifierIndex) -> bool {
        let is_common = self.forms.make_plain(identifier);
        if is_common {
            let at = self.lengths.len();
            self.forms.each(|form, _| self.asked.push((index.hash(form), at)));
        }
        is_common
    }

    /// The same for each address of a line that is not its beginning.
    fn ask_addresses(
        &mut self,
        line: &LineOutline,
        text: &[u8],
        index: &dyn IdentifierIndex,
    ) -> bool {
        let ends = &line.delimiters[..line.delimiters_found];
        line.at_signs[..line.at_signs_found].iter().all(|at| {
            mentions_at(text, *at).all(|Mention { place, .. }| {
                let is_asked = place.start == 0 && ends.contains(&place.end);
                is_asked || self.ask_plain(&text[place], index)
            })
        })
    }

    /// The same for the name behind a web address.
    fn ask_web_name(
        &mut self,
        line: &LineOutline,
        text: &[u8],
        index: &dyn IdentifierIndex,
    ) -> bool {
        let (first, rest) = text.split_at(line.delimiters[0]);
        let may_be_web =
            rest.starts_with(b"://") || first.starts_with(b"www.") || first.contains(&b'/');
        match may_be_web.then(|| behind_web_address(text)).flatten() {
            Some(place) => self.ask_name(&text[place], index),
            None => true,
        }
    }

    /// A name may be any text: a line whose name may have other forms than this one is read with care.
    fn ask_name(&mut self, name: &[u8], index: &dyn IdentifierIndex) -> bool {
        let is_common = self.forms.make_name(name);
        if is_common {
            self.asked.push((index.hash(self.forms.name()), self.lengths.len()));
        }
        is_common
    }
}

/// Where a line ends, and its first delimiters and addresses.
#[derive(Default)]
struct LineOutline {
    /// Its newline not counted.
    length: usize,
    delimiters: [usize; SPLITS_MAX],
    delimiters_found: usize,
    at_signs: [usize; AT_SIGNS_MAX],
    /// One more than there is room for if there are more.
    at_signs_found: usize,
    /// Whether a byte stands in it that may be a part of an address written in another way.
    has_rare: bool,
}

/// A line with more addresses is read with care.
const AT_SIGNS_MAX: usize = 4;

impl LineOutline {
    /// Of the first line of a text; `None` if it has no end.
    fn of(text: &[u8]) -> Option<Self> {
        let mut outline = Self::default();
        for start in (0..text.len()).step_by(WORD_BYTES) {
            let word = word_at(text, start);
            let newline = equal(word, b'\n');
            // Only those before the newline: those behind it are the next line's.
            let before = newline.wrapping_sub(1) & !newline;
            let mut delimiters = delimiters_in(word) & before;
            while delimiters != 0 && outline.delimiters_found < SPLITS_MAX {
                outline.delimiters[outline.delimiters_found] =
                    start + byte_of(delimiters.trailing_zeros());
                outline.delimiters_found += 1;
                delimiters &= delimiters - 1;
            }
            outline.note_at_signs(equal(word, b'@') & before, start);
            outline.has_rare |= rare_in(word) & before != 0;
            if newline != 0 {
                outline.length = start + byte_of(newline.trailing_zeros());
                return Some(outline);
            }
        }
        None
    }

    fn note_at_signs(&mut self, mut found: u64, start: usize) {
        while found != 0 && self.at_signs_found <= AT_SIGNS_MAX {
            if let Some(place) = self.at_signs.get_mut(self.at_signs_found) {
                *place = start + byte_of(found.trailing_zeros());
            }
            self.at_signs_found += 1;
            found &= found - 1;
        }
    }
}

/// The top bit of each byte with which an address may begin that is written in another way.
const fn rare_in(word: u64) -> u64 {
    equal(word, b'%') | equal(word, b'&') | equal(word, b'\\') | equal(word, b'\'')
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
        check("x/y:joe:pw\nh.x/y:joe:pw\nh.x/y:bo:p\n", "s?s");
        check("bo:\nbo:\r\n\nbo\n\"bo\":x\nbö:x\n bo:x\nb :x\n:x\n", "?????????");
        check("bo@x.com:12345678901\nbo@x.com:123456789012\n", "s?");
    }

    #[test]
    fn a_full_look_ends_after_a_word_of_lines() {
        check(&"bo:x\n".repeat(LINES_MAX + 1), &"s".repeat(LINES_MAX));
        check(&"joe:x\n".repeat(LINES_MAX + 1), &"?".repeat(LINES_MAX));
    }
}
