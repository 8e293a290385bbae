use std::collections::BTreeSet;

use model::Secret;
use sha2::{Digest as _, Sha256};

use crate::description::Description;

/// Tells one way to compute a stored hash from every other: by its description and, if that mixes it in,
/// the site's own secret. It is for keyed hashes alone: whoever saw it could guess a weak secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormId([u8; 32]);

impl FormId {
    pub(crate) fn of(description: &Description, key: Option<&Secret>) -> Self {
        let mut digest = Sha256::new_with_prefix(description.to_string());
        if let Some(key) = key.filter(|_| description.needs_key()) {
            digest.update([0]);
            digest.update(key.expose());
        }
        Self(digest.finalize().into())
    }

    /// The same where the form reads columns beside the hash: with others it computes something else. Each
    /// is its name in the form, and the site's.
    pub(crate) fn in_columns<'c>(self, columns: impl Iterator<Item = (&'c str, &'c str)>) -> Self {
        columns.fold(self, |Self(id), (name, column)| {
            let mut digest = Sha256::new_with_prefix(id);
            for part in [name, column] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
            Self(digest.finalize().into())
        })
    }

    /// All of these together, whatever their order.
    pub(crate) fn of_all(ids: impl Iterator<Item = Self>) -> Self {
        let ids: BTreeSet<_> = ids.map(|id| id.0).collect();
        let mut digest = Sha256::new_with_prefix("forms");
        for id in &ids {
            digest.update(id);
        }
        Self(digest.finalize().into())
    }

    /// What goes into a keyed hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for FormId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_description_or_another_secret_is_another_form() {
        let id = |text: &str, key: &str| {
            FormId::of(&Description::parse(text).unwrap(), Some(&Secret::from(key.as_bytes())))
        };
        let (plain, keyed) = ("<hash> := bcrypt", "<hash> := concat(_,key)|bcrypt");
        assert_eq!(id(plain, "a"), id(plain, "b"));
        assert_ne!(id(keyed, "a"), id(keyed, "b"));
        assert_ne!(id(keyed, "a"), id(plain, "a"));
    }
}
