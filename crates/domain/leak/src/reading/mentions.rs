//! Where addresses stand in a text, whatever stands around them.

use std::ops::Range;

use memchr::memchr_iter;

use super::labels::is_user_label;

/// A place that may be an account's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) place: Range<usize>,
    /// Whether it is what was written for sure. If not, the local part may begin earlier: an account that it
    /// leads to is a lead.
    pub(crate) is_sure: bool,
}

/// Every place that may be an address: for each `@`, the whole of it first, and then what is left of it
/// behind each sign that may stand before an address as well as in one.
pub(crate) fn addresses(text: &[u8]) -> impl Iterator<Item = Mention> {
    memchr_iter(b'@', text).flat_map(move |at| mentions_at(text, at))
}

fn mentions_at(text: &[u8], at: usize) -> Vec<Mention> {
    let start = text[..at].iter().rposition(|byte| is_end(*byte)).map_or(0, |end| end + 1);
    let domain = text[at + 1..].iter().position(|byte| is_end(*byte) || is_soft(*byte));
    let end = domain.map_or(text.len(), |length| at + 1 + length);
    if start == at || end == at + 1 {
        return Vec::new();
    }
    let whole = Mention { place: start..end, is_sure: true };
    let soft = (start..at - 1).filter(|place| is_soft(text[*place]));
    let cuts = soft
        .map(|place| Mention { place: place + 1..end, is_sure: is_opening(&text[start..=place]) });
    [whole].into_iter().chain(cuts).collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Each mention, with `?` behind those that are not sure.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = addresses(text.as_bytes())
            .map(|mention| {
                let shown = String::from_utf8_lossy(&text.as_bytes()[mention.place]).into_owned();
                shown + if mention.is_sure { "" } else { "?" }
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
