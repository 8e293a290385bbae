//! What a stored hash was taken apart into.

use zeroize::Zeroizing;

/// The field that is compared with what a password gives.
pub(crate) const HASH: &str = "hash";

/// The parts of one stored hash, by name. They hold it, so they have no `Debug`.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Fields(Vec<HashField>);

/// One part: as it stands in the text, and what that means.
#[derive(Clone, PartialEq)]
pub(crate) struct HashField {
    pub(crate) name: String,
    pub(crate) text: Zeroizing<String>,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) number: Option<u64>,
}

impl HashField {
    /// A text that stands for itself.
    pub(crate) fn text(name: &str, text: &str) -> Self {
        Self::coded(name, text, text.as_bytes().to_owned())
    }

    /// A text that stands for other bytes.
    pub(crate) fn coded(name: &str, text: &str, bytes: Vec<u8>) -> Self {
        let (name, text) = (name.to_owned(), Zeroizing::new(text.to_owned()));
        Self { name, text, bytes: Zeroizing::new(bytes), number: None }
    }

    /// A number; where its bytes are asked for, they are its digits.
    pub(crate) fn number(name: &str, text: &str, number: u64) -> Self {
        Self { number: Some(number), ..Self::text(name, text) }
    }

    /// What stands for it in a text; `None` for bytes that are none.
    pub(crate) fn as_text(&self) -> Option<&str> {
        str::from_utf8(&self.bytes).ok()
    }
}

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&HashField> {
        self.0.iter().find(|field| field.name == name)
    }

    /// Adds a field, or puts it in the place of the one of its name.
    pub(crate) fn set(&mut self, field: HashField) {
        match self.0.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => self.0.push(field),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &HashField> {
        self.0.iter()
    }
}
