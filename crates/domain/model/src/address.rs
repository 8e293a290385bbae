//! What makes two identifiers the same account's.
//!
//! Three forms, from strict to loose:
//! - **exact** (K1) of an address: white space around it, quotes and byte order marks removed,
//!   ASCII letters in lower case, the domain as A-labels (UTS-46).
//! - **username**: white space around it removed, ASCII letters in lower case. Nothing else.
//! - **lead** (K2) of an address: `+tag` cut off, and Gmail's dots and second domain folded. Other
//!   hosts may give the folded address to somebody else (RFC 5321 leaves the local part to the
//!   receiving host alone), so a lead counts only once the secret verifies.
//!
//! No form folds Unicode case, normalises (NFKC) or deletes characters: `mıke@` must never become
//! `mike@`, nor `o'brien@` become `brien@`.

use std::borrow::Cow;

use idna::AsciiDenyList;

use crate::limits::DOMAIN_BYTES_MAX;

/// The exact form (K1) of an address, or `None` where this is no address: a local part, `@` and a
/// domain.
#[must_use]
pub fn exact(raw: &str) -> Option<String> {
    address(unquoted(&folded(raw))).map(Cow::into_owned)
}

/// The lead form (K2) of an address in its exact form, or `None` where folding changes nothing.
#[must_use]
pub fn lead(exact: &str) -> Option<String> {
    let (local, domain) = exact.rsplit_once('@')?;
    let mut folded = Vec::new();
    let differs = lead_into(local.as_bytes(), domain.as_bytes(), &mut folded);
    String::from_utf8(folded).ok().filter(|_| differs)
}

/// The one form of a username, or `None` for nothing but white space.
///
/// Quotes belong to the name: a record's own quoting is taken off where the record is read.
#[must_use]
pub fn username(raw: &str) -> Option<String> {
    Some(folded(raw)).filter(|name| !name.is_empty())
}

/// An identifier without what a file puts around it: white space, quotes, a byte order mark.
#[must_use]
pub fn unquoted(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = unwrapped_once(text) {
        text = inner.trim();
    }
    text
}

fn unwrapped_once(text: &str) -> Option<&str> {
    text.strip_prefix('\u{feff}')
        .or_else(|| without_pair(text, '"'))
        .or_else(|| without_pair(text, '\''))
        .or_else(|| without_lone_quote(text))
}

fn without_pair(text: &str, quote: char) -> Option<&str> {
    text.strip_prefix(quote)?.strip_suffix(quote)
}

/// One double quote at one end is half of a quoted line, as in `"a@x.com:secret"`. Where there are
/// two, they may be a quoted local part. A lone `'` is a letter like any other.
fn without_lone_quote(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"').or_else(|| text.strip_suffix('"'))?;
    (!inner.contains('"')).then_some(inner)
}

/// The exact form of what [`folded`] and [`unquoted`] have left.
fn address(bare: &str) -> Option<Cow<'_, str>> {
    let (local, domain) = bare.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() {
        return None;
    }
    match a_labels(domain) {
        Some(ascii) => Some(Cow::Owned(format!("{local}@{ascii}"))),
        None => Some(Cow::Borrowed(bare)),
    }
}

/// `None` for what is ASCII already, and for what can be no domain: it is compared as it stands.
fn a_labels(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() || domain.len() > DOMAIN_BYTES_MAX {
        return None;
    }
    let bytes = Cow::Borrowed(domain.as_bytes());
    let ascii = idna::domain_to_ascii_from_cow(bytes, AsciiDenyList::STD3);
    ascii.ok().filter(|ascii| !ascii.is_empty())
}

/// Writes the lead form of an exact one over a buffer; whether it differs from the exact form. Where
/// it does not, what the buffer holds means nothing.
///
/// This is [`lead`] for whoever makes so many that each must not cost an allocation.
pub fn lead_into(local: &[u8], domain: &[u8], folded: &mut Vec<u8>) -> bool {
    let base = untagged(local);
    let gmail = is_gmail(domain);
    let changes =
        base.len() < local.len() || domain == b"googlemail.com" || (gmail && base.contains(&b'.'));
    if !changes {
        return false;
    }
    folded.clear();
    folded.extend(base.iter().filter(|&&byte| !(gmail && byte == b'.')));
    if folded.is_empty() {
        return false;
    }
    folded.push(b'@');
    folded.extend_from_slice(if gmail { b"gmail.com" } else { domain });
    true
}

/// A tag stands behind a name: a local part that begins with `+` is none.
fn untagged(local: &[u8]) -> &[u8] {
    match local.iter().position(|&byte| byte == b'+') {
        Some(at) if at > 0 => &local[..at],
        _ => local,
    }
}

/// Whether a domain, in lower case, is one of which all addresses have a lead form of their own.
#[must_use]
pub fn is_gmail(domain: &[u8]) -> bool {
    matches!(domain, b"gmail.com" | b"googlemail.com")
}

fn folded(raw: &str) -> String {
    raw.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: Option<&str>) {
        assert_eq!(exact(raw).as_deref(), expected, "{raw:?}");
    }

    #[test]
    fn case_space_quotes_and_marks_do_not_matter() {
        for raw in [
            "Anna@Example.COM",
            " anna@example.com\u{a0}",
            "\"anna@example.com\"",
            "'Anna@example.com'",
            "\u{feff}\"anna@example.com\"",
            "\"anna@example.com",
        ] {
            check(raw, Some("anna@example.com"));
        }
    }

    #[test]
    fn no_character_of_an_address_is_deleted_or_folded() {
        for raw in [
            "o'brien@x.com",
            "'brien@x.com",
            "jo!e@x.com",
            "mıke@x.com",
            "\u{212a}im@x.com",
            "stra\u{df}e@x.com",
            "\"john smith\"@x.com",
            "a@b@x.com",
            "a@x.com.",
            "x@y.com.evil",
        ] {
            check(raw, Some(raw));
        }
        assert_ne!(exact("mike@x.com"), exact("mıke@x.com"));
        assert_ne!(exact("strasse@x.com"), exact("straße@x.com"));
    }

    #[test]
    fn a_domain_has_one_form() {
        let a_label = Some("info@xn--mller-kva.de");
        check("info@müller.de", a_label);
        check("info@MÜLLER.de", a_label);
        check("info@XN--MLLER-KVA.de", a_label);
        check("info@straße.de", Some("info@xn--strae-oqa.de"));
        check("info@ｅxample.com", Some("info@example.com"));
        check("a@ü b", Some("a@ü b"));
        check("a@\u{ad}", Some("a@\u{ad}"));
    }

    #[test]
    fn a_name_is_no_address() {
        for raw in ["", " ", "anna", "@x.com", "anna@", "\"\"", "@"] {
            check(raw, None);
        }
    }

    #[test]
    fn a_lead_folds_tags_and_gmail_only() {
        #[track_caller]
        fn check(exact: &str, expected: Option<&str>) {
            assert_eq!(lead(exact).as_deref(), expected, "{exact}");
        }
        check("anna+shop@x.com", Some("anna@x.com"));
        check("a.n.n.a+shop@googlemail.com", Some("anna@gmail.com"));
        check("an.na@gmail.com", Some("anna@gmail.com"));
        check("anna@googlemail.com", Some("anna@gmail.com"));
        check("an.na@x.com", None);
        check("anna@gmail.com", None);
        check("+49123@x.com", None);
        check("...@gmail.com", None);
        check("anna", None);
    }

    #[test]
    fn a_username_keeps_all_but_case_and_space() {
        assert_eq!(username(" 'Joe\"+x ").as_deref(), Some("'joe\"+x"));
        assert_eq!(username(" \t"), None);
    }

    proptest! {
        #[test]
        fn forms_are_final(raw in "[ \"'A-Ca-cßıü\u{feff}\u{ff02}@.+-]{0,12}") {
            if let Some(k1) = exact(&raw) {
                prop_assert_eq!(exact(&k1), Some(k1.clone()));
                if let Some(k2) = lead(&k1) {
                    prop_assert_eq!(lead(&k2), None);
                }
            }
        }
    }
}
