use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A password hash as it stands in the site's own table: the text of one column, and of those beside it
/// that belong to it, such as its salt.
///
/// It is a secret: whoever holds it can guess at leisure. `Debug` and `Display` never show it.
#[derive(Clone)]
pub struct StoredHash(SecretString);

impl StoredHash {
    /// Reads what a directory's hash column holds.
    ///
    /// `None` for no password: an absent or empty value, and what Django, `shadow` and crypt(3) write
    /// where there is none.
    #[must_use]
    pub fn from_column(text: Option<String>) -> Option<Self> {
        let text = text.filter(|text| !is_none(text))?;
        // A text that begins as we begin ours is set apart from those.
        let text = if text.starts_with(BESIDE) { joined(&text, &[]) } else { text };
        Some(Self(SecretString::from(text)))
    }

    /// The same, with columns beside it: names, and what they hold.
    #[must_use]
    pub fn from_columns(text: Option<String>, beside: &[(&str, &str)]) -> Option<Self> {
        let text = text.filter(|text| !is_none(text))?;
        Some(if beside.is_empty() {
            Self::from_column(Some(text))?
        } else {
            Self(SecretString::from(joined(&text, beside)))
        })
    }

    /// All of it as one text, for keeping it and for telling it from others.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What [`StoredHash::expose`] has given.
    #[must_use]
    pub fn kept(text: String) -> Option<Self> {
        (!text.is_empty()).then(|| Self(SecretString::from(text)))
    }

    /// What the hash column holds.
    #[must_use]
    pub fn text(&self) -> &str {
        match self.parts().next() {
            Some((_, text)) => text,
            None => self.expose(),
        }
    }

    /// What the columns beside it hold, by name.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts().skip(1)
    }

    /// What one column beside it holds.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&str> {
        self.columns().find(|(known, _)| *known == name).map(|(_, text)| text)
    }

    /// The same with another text in the hash column.
    #[must_use]
    pub fn with_text(&self, text: &str) -> Self {
        let beside: Vec<_> = self.columns().collect();
        let is_plain = beside.is_empty() && !text.starts_with(BESIDE);
        Self(SecretString::from(if is_plain { text.to_owned() } else { joined(text, &beside) }))
    }

    /// The same with another text in one of the columns beside it.
    #[must_use]
    pub fn with_column(&self, name: &str, text: &str) -> Self {
        let replaced = |(known, old)| (known, if known == name { text } else { old });
        let beside: Vec<_> = self.columns().map(replaced).collect();
        Self(SecretString::from(joined(self.text(), &beside)))
    }

    fn parts(&self) -> Parts<'_> {
        Parts(self.expose().strip_prefix(BESIDE).unwrap_or_default())
    }
}

/// Begins a text that is put together of several columns. No form of stored hash begins so.
const BESIDE: char = '\u{1f}';

/// Each part as its name, its length in bytes, and its text: `salt:4:f00d`. The first is the hash.
fn joined(text: &str, beside: &[(&str, &str)]) -> String {
    let parts = [("", text)].into_iter().chain(beside.iter().copied());
    let parts = parts.map(|(name, text)| format!("{name}:{}:{text}", text.len()));
    parts.fold(BESIDE.to_string(), |joined, part| joined + &part)
}

struct Parts<'h>(&'h str);

impl<'h> Iterator for Parts<'h> {
    type Item = (&'h str, &'h str);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.0.split_once(':')?;
        let (len, rest) = rest.split_once(':')?;
        let (text, rest) = rest.split_at_checked(len.parse().ok()?)?;
        self.0 = rest;
        Some((name, text))
    }
}

/// Whether a value says that there is no password.
fn is_none(text: &str) -> bool {
    NONE.contains(&text) || is_unusable_in_django(text)
}

/// Empty; a locked entry of `shadow`; what crypt(3) gives when it fails.
const NONE: &[&str] = &["", "!", "!!", "*", "!*", "*LK*", "*0", "*1"];

/// Django writes 40 letters and digits behind the mark.
fn is_unusable_in_django(text: &str) -> bool {
    text.strip_prefix('!').is_some_and(|rest| {
        rest.len() == 40 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_password(text: &str) -> bool {
        StoredHash::from_column(Some(text.to_owned())).is_some()
    }

    #[test]
    fn unusable_values_are_no_password() {
        for none in ["", "!", "!!", "*", "*0", &format!("!{}", "gW9kq0ZQ1x".repeat(4))] {
            assert!(!has_password(none), "{none}");
        }
        assert!(StoredHash::from_column(None).is_none());
        let mysql = "*A4B6157319038724E3560894F7F932C8886EBFCF";
        for some in [mysql, "!bcrypt!12!tHVJ.c1q", "!sha512!salt!hash", "!gW9kq0ZQ1x"] {
            assert!(has_password(some), "{some}");
        }
    }

    #[test]
    fn columns_beside_a_hash_belong_to_it() {
        let hash = StoredHash::from_columns(Some("ab:c".to_owned()), &[("salt", "1:2"), ("n", "")]);
        let hash = hash.unwrap();
        assert_eq!(
            (hash.text(), hash.column("salt"), hash.column("n")),
            ("ab:c", Some("1:2"), Some(""))
        );
        assert_eq!(hash.column("other"), None);
        let changed = hash.with_text("d").with_column("salt", "e");
        assert_eq!(changed.columns().collect::<Vec<_>>(), [("salt", "e"), ("n", "")]);
        assert_eq!(changed.text(), "d");
        assert_ne!(changed.expose(), hash.expose());
        let kept = StoredHash::kept(hash.expose().to_owned()).unwrap();
        assert_eq!((kept.text(), kept.column("salt")), ("ab:c", Some("1:2")));
    }

    #[test]
    fn a_column_cannot_pass_for_several() {
        let forged = StoredHash::from_columns(Some("a".to_owned()), &[("salt", "b")]).unwrap();
        let plain = StoredHash::from_column(Some(forged.expose().to_owned())).unwrap();
        assert_eq!((plain.text(), plain.column("salt")), (forged.expose(), None));
    }

    #[test]
    fn a_stored_hash_never_shows_itself() {
        let hash = StoredHash::from_column(Some("$2b$10$secret".to_owned())).unwrap();
        assert_eq!(format!("{hash:?}"), "StoredHash(..)");
    }
}
