//! The lines of a leak's file, and the bytes that hold them.

use std::io::{self, Write as _};

use data_encoding::HEXLOWER;
use flate2::{Compression, write::GzEncoder};

use crate::{
    form::{Form, Notation, Packing},
    people::Person,
    record::InventedRecord,
    truth::{Fate, Match, Reject, Sighting, WrittenRecords},
};

/// A line of a file.
pub(crate) enum Line {
    Record(InventedRecord),
    /// What holds no record, or none that concerns anybody.
    Other(Vec<u8>, Fate),
}

impl Form {
    /// The text of a file, and what it says of the site's people.
    pub(crate) fn compose(&self, lines: &[Line], people: &[Person]) -> (Vec<u8>, WrittenRecords) {
        let (mut text, mut written) = (Vec::new(), WrittenRecords::default());
        let head = self.head.map(|(head, fate)| Line::Other(head.into(), fate));
        for line in head.iter().chain(lines) {
            let (bytes, fate) = match line {
                Line::Record(record) => (self.record(record), self.fate(record)),
                Line::Other(bytes, fate) => (bytes.clone(), *fate),
            };
            written.tally.count(fate);
            if let (Line::Record(record), Fate::Hit) = (line, fate) {
                let place = (written.tally.lines, text.len() as u64);
                written.sightings.extend(self.sightings(record, people, place));
            }
            text.extend(bytes);
            text.extend(self.newline.as_bytes());
        }
        (text, written)
    }

    /// The bytes of a file that holds a text.
    pub(crate) fn pack(&self, text: Vec<u8>) -> io::Result<Vec<u8>> {
        match self.packing {
            Packing::None => Ok(text),
            Packing::Gzip => {
                let (one, two) = text.split_at(text.len() / 2);
                Ok([gzip(one)?, gzip(two)?].concat())
            }
            Packing::Zstd => zstd::encode_all(&*text, 0),
        }
    }

    fn fate(&self, record: &InventedRecord) -> Fate {
        let is_latin1 = self.notation == Notation::Latin1Table;
        match &*record.people {
            // One such letter among others is no UTF-8: who is meant cannot be told for sure.
            _ if is_latin1 && !record.identifier.is_ascii() => Fate::Reject(Reject::Encoding),
            [] => Fate::Miss,
            _ => Fate::Hit,
        }
    }

    fn record(&self, record: &InventedRecord) -> Vec<u8> {
        let (identifier, delimiter, secret) =
            (&record.identifier, self.delimiter, record.secret.expose());
        match self.notation {
            Notation::Hex if !secret.is_ascii() || secret.contains(delimiter) => {
                let hex = HEXLOWER.encode(secret.as_bytes());
                format!("{identifier}{delimiter}$HEX[{hex}]").into_bytes()
            }
            Notation::Plain | Notation::Hex => {
                format!("{identifier}{delimiter}{secret}").into_bytes()
            }
            Notation::Latin1Table => {
                let quote = if secret.contains(delimiter) { "\"" } else { "" };
                let columns = [identifier, &format!("{quote}{secret}{quote}"), "member"];
                latin1(&columns.join(&delimiter.to_string()))
            }
        }
    }

    fn sightings(
        &self,
        record: &InventedRecord,
        people: &[Person],
        (line, offset): (u64, u64),
    ) -> impl Iterator<Item = Sighting> {
        record.people.iter().map(move |&at| {
            let (person, file) = (&people[at], self.path.to_owned());
            let is_password = person.password.as_ref() == Some(&record.secret);
            let (account, tier) = (person.id.clone(), record.tier);
            let found = is_password.then_some(Match { account, tier, file, line, offset });
            Sighting { person: at, found }
        })
    }
}

fn latin1(text: &str) -> Vec<u8> {
    let byte = |letter| u8::try_from(letter).expect("no leak in Latin-1 names more than that has");
    text.chars().map(byte).collect()
}

/// Without a time in its header.
fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text)?;
    encoder.finish()
}
