//! Words that exports write where there is nothing: `NULL`, `\N`, `None`.

use std::io::{self, BufRead, Read};

/// A table in which such words are gone, unless they are quoted: then they are somebody's.
pub(super) struct Unsaid<R> {
    table: R,
    delimiter: u8,
    place: FieldPlace,
    /// The beginning of a field, as long as a word may come of it.
    begin: Vec<u8>,
    is_ended: bool,
    /// What can be read, up to the place that it has been read to.
    ready: Vec<u8>,
    taken: usize,
}

/// Where in a field the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldPlace {
    Begin,
    Bare,
    /// Within quotation marks.
    Open,
    /// Behind one that closes, or is the first of two that stand for one.
    Closed,
}

/// Written so by `mysql --batch` and phpMyAdmin, by COPY and INTO OUTFILE, by scripts in Python and
/// Ruby, and by desktop clients.
const WORDS: &[&[u8]] =
    &[b"NULL", b"\\N", b"None", b"nil", b"(NULL)", b"[NULL]", b"<null>", b"(null)"];

impl<R: BufRead> Unsaid<R> {
    pub(super) const fn new(table: R, delimiter: u8) -> Self {
        Self {
            table,
            delimiter,
            place: FieldPlace::Begin,
            begin: Vec::new(),
            is_ended: false,
            ready: Vec::new(),
            taken: 0,
        }
    }

    /// Reads on, until something can be handed out or nothing is left.
    fn fill(&mut self) -> io::Result<()> {
        while self.taken == self.ready.len() && !self.is_ended {
            self.ready.clear();
            self.taken = 0;
            let read = self.table.fill_buf()?.to_owned();
            self.table.consume(read.len());
            self.is_ended = read.is_empty();
            for byte in read {
                self.pass(byte);
            }
            if self.is_ended {
                self.hand_over();
            }
        }
        Ok(())
    }

    fn pass(&mut self, byte: u8) {
        let is_end = byte == self.delimiter || matches!(byte, b'\r' | b'\n');
        if is_end && self.place != FieldPlace::Open {
            self.hand_over();
            self.ready.push(byte);
            self.place = FieldPlace::Begin;
        } else if self.place == FieldPlace::Begin {
            self.begin.push(byte);
            self.place = self.place_behind_begin();
        } else {
            self.ready.push(byte);
            self.place = match (self.place, byte) {
                (FieldPlace::Open, b'"') => FieldPlace::Closed,
                (FieldPlace::Closed, b'"') => FieldPlace::Open,
                (place, _) => place,
            };
        }
    }

    fn place_behind_begin(&mut self) -> FieldPlace {
        if WORDS.iter().any(|word| word.starts_with(&self.begin)) {
            return FieldPlace::Begin;
        }
        let is_quotation = self.begin == b"\"";
        self.ready.append(&mut self.begin);
        if is_quotation { FieldPlace::Open } else { FieldPlace::Bare }
    }

    /// The field ends: what was kept of it is either all of a word, or is its text.
    fn hand_over(&mut self) {
        if WORDS.contains(&self.begin.as_slice()) {
            self.begin.clear();
        }
        self.ready.append(&mut self.begin);
    }
}

impl<R: BufRead> Read for Unsaid<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let mut ready = &self.ready[self.taken..];
        let read = ready.read(out)?;
        self.taken += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn read(table: &str, delimiter: u8, buffer: usize) -> String {
        let table = BufReader::with_capacity(buffer, table.as_bytes());
        io::read_to_string(Unsaid::new(table, delimiter)).unwrap()
    }

    #[test]
    fn words_for_nothing_are_gone_and_quoted_ones_stay() {
        let table =
            "1,NULL,\"NULL\",NULLA,aNULL\r\n\\N,None,nil,(NULL),[NULL]\n\"a\"\"\nNULL,\",<null>,N";
        let expected = "1,,\"NULL\",NULLA,aNULL\r\n,,,,\n\"a\"\"\nNULL,\",,N";
        for buffer in 1..9 {
            assert_eq!(read(table, b',', buffer), expected);
        }
        assert_eq!(read("a\tNULL\n\tnil", b'\t', 3), "a\t\n\t");
        assert_eq!(read("NULL", b',', 3), "");
    }
}
