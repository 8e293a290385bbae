//! Lines that hold no record.

use crate::{
    limits::{BROKEN_PER_MILLE, OVERLONG_BYTES},
    lines::Line,
    people::{Person, Standing},
    truth::{
        Fate::{self, Blank},
        Reject::{Encoding, NoDelimiter, NoIdentifier, NoSecret, Nul, Overlong},
    },
};

/// Broken lines of every kind for a file of so many records. Where it hurts most, they hold an
/// address of the site's.
pub(crate) fn lines(delimiter: char, people: &[Person], records: usize) -> Vec<Line> {
    let unleaked = people.iter().filter(|person| person.role.standing == Standing::Unleaked);
    let addresses = unleaked.filter_map(|person| person.email.as_deref()).cycle();
    let times = (records * BROKEN_PER_MILLE / 1000).max(1);
    let numbered = addresses.take(times).enumerate();
    let several = numbered.flat_map(|(number, address)| of_each_kind(number, delimiter, address));
    let overlong = format!("nobody@example.com{delimiter}{}", "A".repeat(OVERLONG_BYTES));
    let overlong = (overlong.into_bytes(), Fate::Reject(Overlong));
    several.chain([overlong]).map(|(bytes, fate)| Line::Other(bytes, fate)).collect()
}

fn of_each_kind(number: usize, delimiter: char, address: &str) -> Vec<(Vec<u8>, Fate)> {
    let texts = [
        (String::new(), Blank),
        (" \t ".to_owned(), Blank),
        (format!("just-a-word-{number}"), Fate::Reject(NoDelimiter)),
        (address.to_owned(), Fate::Reject(NoSecret)),
        (format!("words in a row {number}"), Fate::Reject(NoDelimiter)),
        (format!("{delimiter}hunter{number}"), Fate::Reject(NoIdentifier)),
        (format!("\"\"{delimiter}hunter{number}"), Fate::Reject(NoIdentifier)),
        (format!("{address}{delimiter}"), Fate::Reject(NoSecret)),
        (format!("nobody@example.com{delimiter}"), Fate::Reject(NoSecret)),
        (format!("{address}{delimiter}bin\0ary{number}"), Fate::Reject(Nul)),
        (format!("\0\u{1}\u{2}{delimiter}junk"), Fate::Reject(Nul)),
        // What a converter leaves of a letter that it could not read.
        (format!("j\u{fffd}rgen{number}{delimiter}secret"), Fate::Reject(Encoding)),
    ];
    let cut = format!("rgen{number}@example.org{delimiter}secret");
    let cut = [b"j\xc3", cut.as_bytes()].concat();
    let texts = texts.map(|(text, fate)| (text.into_bytes(), fate));
    texts.into_iter().chain([(cut, Fate::Reject(Encoding))]).collect()
}
