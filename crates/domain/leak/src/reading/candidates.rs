//! What may be the password of an identifier that stands in a line, whichever form the line has.

use std::ops::Range;

use encoding_rs::WINDOWS_1252;
use model::Secret;

use super::{
    column_look::ColumnLook,
    columns::{columns, is_delimiter, quoted, unquoted},
    json, php, query,
    web_address::user_and_password,
};
use crate::{
    hex,
    limits::{READINGS_MAX, SECRETS_OF_LINE_MAX},
};

/// Everything in a line that may be a password.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Each once, the likeliest first, at most [`SECRETS_OF_LINE_MAX`].
    pub(crate) secrets: Vec<Secret>,
    /// Whether there were more.
    pub(crate) is_cut: bool,
    /// Whether nothing among them looks like a password: digests, addresses, dates.
    pub(crate) is_unlikely: bool,
}

/// Reads a line around the identifier that stands at `place`.
pub(crate) fn candidates(line: &[u8], place: &Range<usize>) -> Candidates {
    let around = Around::of(line, place);
    let mut readings = Readings::default();
    if let Some(password) = in_web_address(line, place) {
        readings.add(password);
    }
    for beside in STRUCTURES {
        for value in beside(line, &line[place.clone()]) {
            readings.push(value.expose());
        }
    }
    if let Some((delimiter, rest)) = around.behind {
        add_behind(&mut readings, rest, delimiter, &around);
    }
    add_before(&mut readings, &around);
    readings.finish()
}

/// What each form with names or lengths of its own says of an identifier: nothing if the line is not of it.
const STRUCTURES: [Beside; 3] = [json::beside, query::beside, php::beside];

/// Of a line and an identifier in it.
pub(super) type Beside = fn(&[u8], &[u8]) -> Vec<Secret>;

/// What stands around an identifier.
struct Around<'l> {
    /// Without the delimiter between the two.
    before: &'l [u8],
    /// The delimiter, or a blank where there is none, and everything that follows one of it.
    behind: Option<(u8, &'l [u8])>,
    /// What parts the columns before it.
    delimiter_before: u8,
    /// Whether a quote stands before it that is closed further on, as in `"a@example.org:pw"`.
    is_opened: bool,
}

impl<'l> Around<'l> {
    fn of(line: &'l [u8], place: &Range<usize>) -> Self {
        let place = unwrapped(line, place.clone());
        let before = line[..place.start].trim_ascii_end();
        let opened = before.strip_suffix(b"\"");
        let is_opened = opened.is_some() || line[place.clone()].starts_with(b"\"");
        let before = opened.unwrap_or(before).trim_ascii_end();
        let (before, delimiter_before) = match before.split_last() {
            Some((last, rest)) if is_delimiter(*last) => (rest, *last),
            _ => (before, b' '),
        };
        Self { before, behind: behind(&line[place.end..]), delimiter_before, is_opened }
    }

    /// What stands before it, parted as what stands behind it is.
    fn columns_before(&self) -> Vec<Range<usize>> {
        let delimiter = match self.behind {
            Some((delimiter, _)) if delimiter != b' ' => delimiter,
            _ => self.delimiter_before,
        };
        columns(self.before, delimiter)
    }
}

/// The password of `https://a%40example.org:pw@h/`, if the identifier is the name that it signs in.
fn in_web_address<'l>(line: &'l [u8], place: &Range<usize>) -> Option<&'l [u8]> {
    let start = line[..place.start].iter().rposition(|byte| *byte <= b' ').map_or(0, |at| at + 1);
    let (user, password) = user_and_password(&line[start..])?;
    (user == &line[place.clone()]).then_some(password)
}

/// An identifier with the quotes or brackets around it.
fn unwrapped(line: &[u8], mut place: Range<usize>) -> Range<usize> {
    let is_pair = |pair: (u8, u8)| {
        matches!(
            pair,
            (b'"', b'"')
                | (b'\'', b'\'')
                | (b'`', b'`')
                | (b'<', b'>')
                | (b'(', b')')
                | (b'[', b']')
        )
    };
    while let (Some(before), Some(behind)) =
        (place.start.checked_sub(1).map(|at| line[at]), line.get(place.end))
        && is_pair((before, *behind))
    {
        place = place.start - 1..place.end + 1;
    }
    place
}

/// The delimiter behind an identifier, blanks around it aside, and what follows it. What else may follow is a
/// part of something: the next delimiter ends it.
fn behind(rest: &[u8]) -> Option<(u8, &[u8])> {
    let blanks = rest.iter().take_while(|byte| **byte <= b' ' && **byte != b'\t').count();
    let bare = &rest[blanks..];
    let has_blanks = bare.len() < rest.len();
    let arrow = ARROWS.iter().find(|arrow| bare.starts_with(arrow));
    match (bare.split_first()?, arrow) {
        ((delimiter, rest), _) if is_delimiter(*delimiter) => Some((*delimiter, rest)),
        (_, Some(arrow)) if has_blanks => Some((b' ', &bare[arrow.len()..])),
        _ if has_blanks => Some((b' ', bare)),
        _ => match rest.iter().position(|byte| is_delimiter(*byte)) {
            Some(at) => Some((rest[at], &rest[at + 1..])),
            None => Some((b' ', rest)),
        },
    }
}

/// What stands between blanks instead of a delimiter.
const ARROWS: [&[u8]; 4] = [b"=> ", b"-> ", b"- ", b"= "];

/// Whatever may follow: the password alone, or other columns before and behind it.
fn add_behind(readings: &mut Readings, rest: &[u8], delimiter: u8, around: &Around<'_>) {
    if let Some(field) = quoted(rest.trim_ascii_start()) {
        readings.add(field.value.expose());
    }
    readings.add(rest);
    if let Some(closed) =
        rest.strip_suffix(b"\"").filter(|_| around.is_opened && !rest.starts_with(b"\""))
    {
        readings.add(closed);
    }
    let without_more = rest.iter().take_while(|byte| **byte == delimiter).count();
    readings.add(&rest[without_more..]);
    let found = columns(rest, delimiter);
    let first = &rest[found[0].clone()];
    readings.add(first);
    if let Some(nearest) = around.columns_before().pop() {
        readings.add(&around.before[nearest]);
    }
    readings.add(&rest[found[found.len() - 1].clone()]);
    if found.len() <= COLUMNS_JOINED_MAX {
        found[1..].iter().for_each(|column| readings.add(&rest[column.start..]));
        found[1..].iter().for_each(|column| readings.add(&rest[..column.start - 1]));
    }
    found[1..].iter().for_each(|column| readings.add(&rest[column.clone()]));
    add_cut(readings, first);
    add_cut(readings, rest);
}

/// So many columns may be one password that holds delimiters.
const COLUMNS_JOINED_MAX: usize = 6;

/// What stands before and behind other delimiters than the line's own.
fn add_cut(readings: &mut Readings, field: &[u8]) {
    let ends = |byte: &u8| is_delimiter(*byte);
    if let Some(first) = field.iter().position(ends) {
        readings.add(&field[..first]);
        readings.add(&field[first + 1..]);
    }
    if let Some(last) = field.iter().rposition(ends) {
        readings.add(&field[last + 1..]);
    }
    let blank = field.trim_ascii_start().iter().position(|byte| *byte == b' ');
    if let Some(blank) = blank {
        readings.add(&field.trim_ascii_start()[..blank]);
    }
}

/// The password may stand before: all of it where nothing stands behind.
fn add_before(readings: &mut Readings, around: &Around<'_>) {
    let before = around.before;
    if before.is_empty() {
        return;
    }
    let found = around.columns_before();
    if around.behind.is_none_or(|(_, rest)| rest.is_empty()) {
        readings.add(before);
        if let Some(nearest) = found.last() {
            readings.add(&before[nearest.clone()]);
        }
        // `user:pa:ss:address`: without the first column.
        if let Some(second) = found.get(1) {
            readings.add(&before[second.start..]);
        }
    }
    found.into_iter().rev().for_each(|column| readings.add(&before[column]));
}

/// Distinct readings in order of likelihood.
#[derive(Default)]
struct Readings(Vec<Secret>);

impl Readings {
    /// Adds a field as it stands, without blanks around it, and without its quotes.
    fn add(&mut self, field: &[u8]) {
        let trimmed = field.trim_ascii();
        self.push(field);
        self.push(trimmed);
        self.push(unquoted(trimmed));
    }

    fn push(&mut self, reading: &[u8]) {
        let is_known = |known: &Secret| known.expose() == reading;
        if !reading.is_empty() && !self.0.iter().any(is_known) {
            self.0.push(reading.into());
        }
    }

    /// What looks like something else than a password goes last, and the rest is cut.
    fn finish(self) -> Candidates {
        let Self(mut readings) = self;
        readings.sort_by_key(|reading| !ColumnLook::of(reading.expose()).is_likely_secret());
        let is_cut = readings.len() > READINGS_MAX;
        let likeliest = readings.first().map(|reading| ColumnLook::of(reading.expose()));
        let is_unlikely = likeliest.is_some_and(|kind| !kind.is_likely_secret());
        readings.truncate(READINGS_MAX);
        Candidates { secrets: expanded(readings), is_cut, is_unlikely }
    }
}

/// Each reading with what software may have made it from: `$HEX[..]` is how crackers write what would break
/// a line, some of them twice over, and older ones also wrote passwords that begin so as they are.
fn expanded(readings: Vec<Secret>) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for reading in readings {
        let once = decoded_hex(reading.expose());
        let twice = once.as_deref().and_then(decoded_hex);
        for decoded in [twice, once].into_iter().flatten() {
            add_encodings(&mut secrets, Secret::new(decoded));
        }
        add_encodings(&mut secrets, reading);
    }
    secrets.truncate(SECRETS_OF_LINE_MAX);
    secrets
}

fn decoded_hex(field: &[u8]) -> Option<Vec<u8>> {
    hex::bytes_of(field.strip_prefix(b"$HEX[")?.strip_suffix(b"]")?)
}

/// What is not UTF-8 is most likely windows-1252, and the site most likely got it as UTF-8.
fn add_encodings(secrets: &mut Vec<Secret>, secret: Secret) {
    let is_text = str::from_utf8(secret.expose()).is_ok();
    let converted = (!is_text).then(|| {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(secret.expose());
        Secret::new(text.into_owned().into_bytes())
    });
    for secret in [Some(secret), converted].into_iter().flatten() {
        if !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::mentions::addresses;

    fn read(line: &[u8]) -> Candidates {
        let mention =
            addresses(line).find(|mention| line[mention.place.clone()].starts_with(b"a@"));
        candidates(line, &mention.expect("an address").place)
    }

    fn shown(line: &str) -> Vec<String> {
        let secrets = read(line.as_bytes()).secrets;
        secrets.iter().map(|secret| String::from_utf8_lossy(secret.expose()).into_owned()).collect()
    }

    /// The password is among the first few.
    #[track_caller]
    fn check(line: &str, password: &str) {
        let found = shown(line);
        let rank = found.iter().position(|secret| secret == password);
        assert!(rank.is_some_and(|rank| rank < 4), "{line}: {found:?}");
    }

    #[test]
    fn the_password_is_among_the_first_readings_whatever_the_form() {
        for (line, password) in [
            ("a@example.org:pa:ss", "pa:ss"),
            ("a@example.org:pa:ss", "pa"),
            ("a@example.org::pw", "pw"),
            ("a@example.org::pw", ":pw"),
            ("a@example.org : pw", "pw"),
            ("a@example.org => pw", "pw"),
            ("a@example.org - pw", "pw"),
            ("a@example.org pw", "pw"),
            ("a@example.org:p w", "p w"),
            ("pa:ss:a@example.org", "pa:ss"),
            ("joe;pa;ss;a@example.org", "pa;ss"),
            ("https://h.example:8443/p:a@example.org:pw:1", "pw:1"),
            ("https://h.example/ a@example.org pw", "pw"),
            ("h.example/x|a@example.org|pw", "pw"),
            ("https://h.example/a@example.org/home:pw", "pw"),
            ("a@example.org\rpw", "pw"),
            ("a@example.org:pw:https://h.example/", "pw"),
            ("a@example.org:https://h.example:8443/:pw", "pw"),
            ("https://a@example.org:pw@h.example/", "pw"),
            ("a@example.org:5f4dcc3b5aa765d61d8327deb882cf99:x1:ri:ver", "x1:ri:ver"),
            ("a@example.org:ann:pw", "pw"),
            ("otter7:Rain8:a@example.org:1987-03-11:FR", "Rain8"),
            ("a@example.org:pw:192.0.2.7", "pw"),
            ("a@example.org;pw;DE", "pw"),
            ("a@example.org:pw | Plan = Gold", "pw | Plan = Gold"),
            ("a@example.org:pw # note", "pw # note"),
            ("\"a@example.org:pw\"", "pw"),
            ("\"7\",\"ann\",\"a@example.org\",\"p,w\"\"1\"", "p,w\"1"),
            ("7;ann;<a@example.org>;pw", "pw"),
            (r"INSERT INTO u VALUES (1,'a@example.org','it\'s'),(2,'b@x.org','c');", "it's"),
            (r#"{"email":"a@example.org","password":"p\"w"}"#, "p\"w"),
            ("a@example.org,b@example.org:pw", "b@example.org:pw"),
            ("a@example.org:b@example.org", "b@example.org"),
            ("a@example.org:$HEX[244845585b373037375d]", "pw"),
            ("a@example.org:$HEX[7077]", "$HEX[7077]"),
        ] {
            check(line, password);
        }
    }

    #[test]
    fn every_suffix_behind_a_hash_is_read() {
        let found = shown("a@example.org:5f4dcc3b5aa765d61d8327deb882cf99:x1:ri:ver");
        for expected in ["ver", "ri:ver", "x1:ri:ver"] {
            assert!(found.contains(&expected.to_owned()), "{found:?}");
        }
        assert!(shown("a@example.org:pw | Plan = Gold").contains(&"pw".to_owned()));
    }

    #[test]
    fn what_looks_like_no_password_comes_last_and_is_said() {
        let found = read(b"a@example.org:5f4dcc3b5aa765d61d8327deb882cf99");
        assert!(found.is_unlikely && !found.secrets.is_empty());
        assert!(!read(b"a@example.org:pw").is_unlikely);
        assert!(read(b"a@example.org").secrets.is_empty());
        assert!(read(b"a@example.org:").secrets.is_empty());
    }

    #[test]
    fn readings_are_bounded_and_a_cut_is_said() {
        let columns = (0..30).flat_map(|at| [&b":\xe9 x,$HEX[e9]"[..], &[b'0' + at]].concat());
        let line: Vec<_> = b"a@example.org".iter().copied().chain(columns).collect();
        let found = read(&line);
        assert!(found.is_cut && found.secrets.len() <= SECRETS_OF_LINE_MAX);
        assert!(!read(b"a@example.org:pw").is_cut);
    }
}
