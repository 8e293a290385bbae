//! Where addresses stand in a text, whatever stands around them.

use std::ops::Range;

use memchr::memchr_iter;
use model::Tier;

use crate::{delimiters::delimiters, limits::SPLITS_MAX};

use super::{
    columns::{DELIMITERS, columns, is_delimiter},
    labels::is_user_label,
    web_address::length_at_start,
};

/// A place that may be an account's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) place: Range<usize>,
    /// What an account is that it leads to by a better tier: a lead where a local part may begin earlier, or
    /// a name may be something else.
    pub(crate) best_tier: Tier,
}

impl Mention {
    const fn sure(place: Range<usize>) -> Self {
        Self { place, best_tier: Tier::Exact }
    }

    const fn lead(place: Range<usize>) -> Self {
        Self { place, best_tier: Tier::Lead }
    }

    /// The tier of an account that the identifier leads to by this one.
    pub(crate) fn tier(&self, found: Tier) -> Tier {
        found.max(self.best_tier)
    }
}

/// Whatever in a line may be somebody's identifier, each place once: what stands before its first few
/// delimiters or behind a web address, and every address.
pub(crate) fn mentions(line: &[u8]) -> Vec<Mention> {
    let has_address = addresses(line).next().is_some();
    let mut found: Vec<Mention> = Vec::new();
    let name = behind_web_address(line);
    // `https` is nobody.
    let from = name.as_ref().map_or(0, |place| place.start);
    let name = name.map(|at| if has_address { Mention::lead(at) } else { Mention::sure(at) });
    let prefixes = prefixes(line, has_address).filter(|mention| mention.place.end > from);
    for mention in prefixes.chain(name) {
        if found.iter().all(|known| known.place != mention.place) {
            found.push(mention);
        }
    }
    // A hostile line may hold thousands: they are held against the few others, and not against each other.
    let others = found.len();
    for mention in addresses(line) {
        match found[..others].iter_mut().find(|known| known.place == mention.place) {
            Some(known) => known.best_tier = known.best_tier.min(mention.best_tier),
            None => found.push(mention),
        }
    }
    found
}

/// An identifier may hold delimiters itself. Where a line also holds an address, a name before it may be
/// whatever.
fn prefixes(line: &[u8], has_address: bool) -> impl Iterator<Item = Mention> {
    delimiters(line).take(SPLITS_MAX).map(move |at| {
        let is_lead = has_address && !line[..at].contains(&b'@');
        if is_lead { Mention::lead(0..at) } else { Mention::sure(0..at) }
    })
}

/// Every place that may be an address: for each `@`, the whole of it first, and then what is left of it
/// behind each sign that may stand before an address as well as in one.
pub(crate) fn addresses(text: &[u8]) -> impl Iterator<Item = Mention> {
    let mut read_until = 0;
    // Several of them with nothing between that ends an address are in one.
    let at_signs = memchr_iter(b'@', text).filter(move |at| {
        let is_next = *at >= read_until;
        if is_next {
            read_until = domain_end(text, *at);
        }
        is_next
    });
    at_signs.flat_map(move |at| mentions_at(text, at))
}

/// The same for the `@` that stands at a place.
pub(crate) fn mentions_at(text: &[u8], at: usize) -> impl Iterator<Item = Mention> {
    let from = at.saturating_sub(LOCAL_BYTES_MAX);
    let start = text[from..at].iter().rposition(|byte| is_end(*byte));
    let start = start.map_or(from, |end| from + end + 1);
    let end = domain_end(text, at);
    let whole = (start < at && at + 1 < end).then_some(start..end);
    let cut = if whole.is_some() { start..at - 1 } else { 0..0 };
    let soft = cut.filter(|place| is_soft(text[*place]));
    let cuts = soft.take(CUTS_MAX).map(move |place| {
        let is_sure = is_opening(&text[start..=place]);
        if is_sure { Mention::sure(place + 1..end) } else { Mention::lead(place + 1..end) }
    });
    whole.map(Mention::sure).into_iter().chain(cuts)
}

fn domain_end(text: &[u8], at: usize) -> usize {
    let domain = text[at + 1..].iter().position(|byte| is_end(*byte) || is_soft(*byte));
    domain.map_or(text.len(), |length| at + 1 + length)
}

/// Longer than any local part that mail servers take.
const LOCAL_BYTES_MAX: usize = 256;

/// So many places are tried at which a local part may begin.
const CUTS_MAX: usize = 8;

/// Stands in no address, or hardly ever.
const fn is_end(byte: u8) -> bool {
    byte <= b' '
        || matches!(
            byte,
            b':' | b';' | b',' | b'|' | b'"' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'\\'
        )
}

/// May stand in a local part, and before one; ends a domain.
const fn is_soft(byte: u8) -> bool {
    matches!(byte, b'\'' | b'/' | b'=' | b'&' | b'?' | b'#' | b'{' | b'}' | b'*' | b'`')
}

/// Whether an address surely begins behind this: a quote, or a name that stands for users and `=`.
fn is_opening(before: &[u8]) -> bool {
    match before {
        [b'\'' | b'`'] => true,
        [label @ .., b'='] => {
            let start = label.iter().rposition(|byte| is_soft(*byte)).map_or(0, |at| at + 1);
            is_user_label(&label[start..])
        }
        _ => false,
    }
}

/// The column behind a web address, in which whoever signs in there is named.
pub(crate) fn behind_web_address(line: &[u8]) -> Option<Range<usize>> {
    let lengths = DELIMITERS.map(|delimiter| length_at_start(line, delimiter));
    let end = lengths.into_iter().min().filter(|length| *length > 0)?;
    let delimiter = *line.get(end).filter(|byte| is_delimiter(**byte))?;
    let start = end + 1;
    let column = columns(&line[start..], delimiter).into_iter().next()?;
    Some(start + column.start..start + column.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(tier: Tier) -> &'static str {
        if tier == Tier::Lead { "?" } else { "" }
    }

    /// Each mention, with `?` behind those that are not sure.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = addresses(text.as_bytes())
            .map(|mention| {
                let shown = String::from_utf8_lossy(&text.as_bytes()[mention.place]).into_owned();
                shown + sign(mention.best_tier)
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn an_address_is_found_wherever_it_stands() {
        check("a@example.org:pw", &["a@example.org"]);
        check("pa:ss:a@example.org", &["a@example.org"]);
        check("https://h.example:8443/p:a@example.org:pw", &["a@example.org"]);
        check("\"7\",\"Ann <a@example.org>\",(b@x.org)", &["a@example.org", "b@x.org"]);
        check("a@example.org,b@example.org:pw", &["a@example.org", "b@example.org"]);
        check("a@example.org/path?b", &["a@example.org"]);
        check("joe:p@", &[]);
        check("joe:@x", &[]);
    }

    #[test]
    fn a_name_stands_behind_a_web_address() {
        let shown = |line: &'static str| behind_web_address(line.as_bytes()).map(|at| &line[at]);
        assert_eq!(shown("https://h.example:8443/p:joe:pw"), Some("joe"));
        assert_eq!(shown("https://h.example/|\"joe\"|pw"), Some("\"joe\""));
        assert_eq!(shown("h.example/x\tjoe\tpw"), Some("joe"));
        assert_eq!(shown("www.h.example:joe:pw"), Some("joe"));
        assert_eq!(shown("joe:pw"), None);
        assert_eq!(shown("https://h.example/"), None);
    }

    #[test]
    fn each_place_is_named_once_and_by_its_best_tier() {
        let line = "https://h.example/:a@x.org:pw";
        let found = mentions(line.as_bytes());
        let of_it = found.iter().filter(|mention| &line[mention.place.clone()] == "a@x.org");
        assert_eq!(of_it.map(|mention| mention.best_tier).collect::<Vec<_>>(), [Tier::Exact]);
    }

    #[test]
    fn a_hostile_line_names_few() {
        assert!(addresses(&b"@".repeat(60_000)).count() < 2);
        assert!(addresses(&b"a@/".repeat(20_000)).count() < 20_000 * (CUTS_MAX + 1));
        assert_eq!(addresses(&b"'a@b".repeat(1000)).next().unwrap().place.start, 0);
    }

    #[test]
    fn a_part_of_an_address_is_a_lead_unless_something_opens_it() {
        check("o'brien@x.org:pw", &["o'brien@x.org", "brien@x.org?"]);
        check("'o'brien@x.org'", &["'o'brien@x.org", "o'brien@x.org", "brien@x.org?"]);
        check(
            "id=7&email=a@x.org&p=1",
            &["id=7&email=a@x.org", "7&email=a@x.org?", "email=a@x.org?", "a@x.org"],
        );
        check("ref=a@x.org", &["ref=a@x.org", "a@x.org?"]);
        check(
            "bounce+a=example.org@l.example",
            &["bounce+a=example.org@l.example", "example.org@l.example?"],
        );
        check("joanna@x.org", &["joanna@x.org"]);
    }
}
