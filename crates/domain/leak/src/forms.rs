use model::address::{exact, is_gmail, lead, lead_into, unquoted, username};

use crate::{
    roles::Roles,
    words::{WORD_BYTES, byte_of, equal, is_ascii, lowercase, word_at},
};

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
    exact: ExactForm,
    lead: Vec<u8>,
    has_lead: bool,
}

/// The exact form.
#[derive(Default)]
enum ExactForm {
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
        !matches!(self.exact, ExactForm::None)
    }

    /// Passes on each form that is not empty, with its roles; most often one form has them all.
    pub(crate) fn each(&self, mut look: impl FnMut(&[u8], Roles)) {
        let address = if self.has_lead { Roles::EXACT } else { Roles::ADDRESS };
        let name = self.name();
        match &self.exact {
            ExactForm::None if name.is_empty() => {}
            ExactForm::None => look(name, Roles::USERNAME),
            ExactForm::Same => look(name, Roles::USERNAME.with(address)),
            ExactForm::Other(exact) => {
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
        self.exact = at_sign.map_or(ExactForm::None, |_| ExactForm::Same);
        self.bare = None;
        let name = &self.name.as_flattened()[..raw.len()];
        self.has_lead = at_sign.is_some_and(|at| {
            let (local, domain) = (&name[..at], &name[at + 1..]);
            (tags != 0 || is_gmail(domain)) && lead_into(local, domain, &mut self.lead)
        });
        is_ascii(all)
    }

    /// Makes the form of a name that may be any text, where ASCII case and white space are all that is to be
    /// folded: nearly always. Whether that is so.
    pub(crate) fn make_name(&mut self, raw: &[u8]) -> bool {
        let raw = raw.trim_ascii();
        let is_odd = |end: &u8| *end <= b' ' || matches!(end, b'"' | b'\'');
        if [raw.first(), raw.last()].into_iter().flatten().any(is_odd) {
            return false;
        }
        let mut all = 0;
        for (at, name) in self.name_words(raw.len()).iter_mut().enumerate() {
            let word = word_at(raw, at * WORD_BYTES);
            all |= word;
            *name = lowercase(word).to_le_bytes();
        }
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
        let name = username(raw).unwrap_or_default();
        let bare = unquoted(&name);
        let exact = exact(raw);
        self.has_lead = false;
        if let Some(lead) = exact.as_deref().and_then(lead) {
            self.lead = lead.into_bytes();
            self.has_lead = true;
        }
        self.exact = exact.map_or(ExactForm::None, |exact| ExactForm::Other(exact.into()));
        self.bare = (bare != name && !bare.is_empty()).then(|| bare.into());
        let words = self.name_words(name.len()).as_flattened_mut();
        words[..name.len()].copy_from_slice(name.as_bytes());
    }
}

/// Whether neither white space nor quotes nor a byte order mark can surround it.
fn has_plain_ends(raw: &[u8]) -> bool {
    let ends = [raw.first(), raw.last()];
    ends.into_iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
    }
}
