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
use model::Tier;

use crate::{
    limits::DOMAIN_BYTES_MAX,
    words::{WORD_BYTES, byte_of, equal, is_ascii, lowercase, word_at},
};

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

/// All forms of one identifier, in buffers that are used again.
///
/// Nearly all identifiers of a leak are somebody else's, so making their forms must be cheap.
#[derive(Default)]
pub(crate) struct Forms {
    /// The username form, in whole words.
    name: Vec<[u8; WORD_BYTES]>,
    name_bytes: usize,
    /// The username form without a file's quotes, where it has such.
    bare: Option<Box<str>>,
    exact: Exact,
    lead: Vec<u8>,
    has_lead: bool,
}

/// The exact form.
#[derive(Default)]
enum Exact {
    /// This is no address.
    #[default]
    None,
    /// As the name.
    Same,
    Other(Box<str>),
}

impl Forms {
    /// Makes the forms of an identifier; `None` if it is not UTF-8.
    pub(crate) fn make(&mut self, raw: &[u8]) -> Option<&Self> {
        if !self.make_plain(raw) {
            self.make_any(str::from_utf8(raw).ok()?);
        }
        Some(self)
    }

    /// The username form.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name.as_flattened()[..self.name_bytes]
    }

    pub(crate) const fn is_address(&self) -> bool {
        !matches!(self.exact, Exact::None)
    }

    /// Passes on each form that is not empty, with its roles; most often one form has them all.
    pub(crate) fn each(&self, mut look: impl FnMut(&[u8], Roles)) {
        let address = if self.has_lead { Roles::EXACT } else { Roles::ADDRESS };
        let name = self.name();
        match &self.exact {
            Exact::None if name.is_empty() => {}
            Exact::None => look(name, Roles::USERNAME),
            Exact::Same => look(name, Roles::USERNAME.with(address)),
            Exact::Other(exact) => {
                look(name, Roles::USERNAME);
                look(exact.as_bytes(), address);
            }
        }
        if let Some(bare) = &self.bare {
            look(bare.as_bytes(), Roles::USERNAME);
        }
        if self.has_lead {
            look(&self.lead, Roles::LEAD);
        }
    }

    /// Makes the forms where there is nothing to fold but ASCII case, a tag and Gmail's habits:
    /// nearly always. Whether that is so.
    pub(crate) fn make_plain(&mut self, raw: &[u8]) -> bool {
        if !has_plain_ends(raw) {
            return false;
        }
        let (mut all, mut tags, mut at_sign) = (0, 0, None);
        for (at, name) in self.name_words(raw.len()).iter_mut().enumerate() {
            let word = word_at(raw, at * WORD_BYTES);
            all |= word;
            tags |= equal(word, b'+');
            let found = equal(word, b'@');
            if found != 0 {
                at_sign = Some(at * WORD_BYTES + byte_of(found.ilog2()));
            }
            *name = lowercase(word).to_le_bytes();
        }
        // The ends are no `@`, so there is something on both sides of one.
        self.exact = at_sign.map_or(Exact::None, |_| Exact::Same);
        self.bare = None;
        let name = &self.name.as_flattened()[..raw.len()];
        self.has_lead = at_sign.is_some_and(|at| {
            let (local, domain) = (&name[..at], &name[at + 1..]);
            (tags != 0 || is_gmail(domain)) && lead_into(local, domain, &mut self.lead)
        });
        is_ascii(all)
    }

    /// Room for a name. The words behind it are left over from others.
    fn name_words(&mut self, bytes: usize) -> &mut [[u8; WORD_BYTES]] {
        self.name_bytes = bytes;
        let words = bytes.div_ceil(WORD_BYTES);
        if self.name.len() < words {
            self.name.resize(words, [0; WORD_BYTES]);
        }
        &mut self.name[..words]
    }

    fn make_any(&mut self, raw: &str) {
        let name = folded(raw);
        let bare = unquoted(&name);
        let exact = address(bare);
        self.has_lead = false;
        if let Some(lead) = exact.as_deref().and_then(lead) {
            self.lead = lead.into_bytes();
            self.has_lead = true;
        }
        self.exact = exact.map_or(Exact::None, |exact| Exact::Other(exact.into()));
        self.bare = (bare != name && !bare.is_empty()).then(|| bare.into());
        let words = self.name_words(name.len()).as_flattened_mut();
        words[..name.len()].copy_from_slice(name.as_bytes());
    }
}

/// As which of its forms an identifier stands in the index, or is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Roles(u8);

impl Roles {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const EXACT: Self = Self(1);
    pub(crate) const USERNAME: Self = Self(2);
    pub(crate) const LEAD: Self = Self(4);
    pub(crate) const ADDRESS: Self = Self::EXACT.with(Self::LEAD);

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn shared(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The best tier among them.
    pub(crate) const fn tier(self) -> Option<Tier> {
        if self.0 & Self::EXACT.0 != 0 {
            Some(Tier::Exact)
        } else if self.0 & Self::USERNAME.0 != 0 {
            Some(Tier::Username)
        } else if self.0 & Self::LEAD.0 != 0 {
            Some(Tier::Lead)
        } else {
            None
        }
    }
}

/// Whether neither white space nor quotes nor a byte order mark can surround it.
fn has_plain_ends(raw: &[u8]) -> bool {
    let ends = [raw.first(), raw.last()];
    ends.into_iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
}

fn is_gmail(domain: &[u8]) -> bool {
    matches!(domain, b"gmail.com" | b"googlemail.com")
}

fn folded(raw: &str) -> String {
    raw.trim().to_ascii_lowercase()
}

/// An identifier without what a file puts around it: white space, quotes, a byte order mark.
pub(crate) fn unquoted(text: &str) -> &str {
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

/// Writes the lead form over a buffer; whether it differs from the exact form.
fn lead_into(local: &[u8], domain: &[u8], folded: &mut Vec<u8>) -> bool {
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
        fn the_cheap_way_gives_the_same_forms(raw in "[ \"'A-Ca-cßıü\u{feff}@.+-]{0,12}|[a@]{3}.com") {
            let mut forms = Forms::default();
            let mut made = Vec::new();
            forms.make(raw.as_bytes()).unwrap().each(|form, roles| {
                made.push((str::from_utf8(form).unwrap().to_owned(), roles));
            });
            let form = |role: Roles| {
                let found = made.iter().find(|(_, roles)| roles.shared(role) == role);
                found.map(|(form, _)| form.clone())
            };
            prop_assert_eq!(form(Roles::USERNAME), username(&raw));
            prop_assert_eq!(form(Roles::EXACT), exact(&raw));
            prop_assert_eq!(form(Roles::LEAD), exact(&raw).map(|k1| lead(&k1).unwrap_or(k1)));
        }

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
