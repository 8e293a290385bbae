//! In which encoding a site has the texts that it hashes with a password, such as a name or a salt.

use std::borrow::Cow;

use super::{fields::Fields, step::HashStep, text_step::windows_1252};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperandEncoding {
    Utf8,
    /// That of a database which the site has never converted.
    Windows1252,
}

impl OperandEncoding {
    /// The bytes that the site hashes for a text; bytes that are no text stay as they are.
    pub(super) fn encoded(self, text: &[u8]) -> Cow<'_, [u8]> {
        let encoded = match self {
            Self::Utf8 => None,
            Self::Windows1252 => str::from_utf8(text).ok().and_then(windows_1252),
        };
        encoded.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Whether a field has other bytes in it than in UTF-8.
    pub(super) fn differs(self, fields: &Fields, name: &str) -> bool {
        let text = fields.get(name).filter(|field| field.text.as_bytes() == field.bytes.as_slice());
        text.is_some_and(|field| *self.encoded(&field.bytes) != **field.bytes)
    }
}

/// How many of an operand's steps are done on text, before it has an encoding; `None` if one of them gives
/// it another.
pub(super) fn steps_on_text(steps: &[HashStep]) -> Option<usize> {
    let is_on_text = |step: &&HashStep| matches!(step, HashStep::Text(step) if !step.encodes());
    let count = steps.iter().take_while(is_on_text).count();
    let encodes = matches!(steps.get(count), Some(HashStep::Text(step)) if step.encodes());
    (!encodes).then_some(count)
}
