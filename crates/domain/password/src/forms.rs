//! The forms that a site's stored hashes may have, and which of them one hash has.

use std::str::FromStr as _;

use model::{HashFormat, Secret, StoredHash, Unverified};

use crate::{
    CostLimits,
    description::{
        Description, DescriptionError, FormCandidate, HashReading, NotRead, ReadingContext, read_as,
    },
    known::{CERTAIN, GUESSED, NAMED},
    known_form::KnownForm,
};

/// What a site's stored hashes may be: what its operators say, and every form that tells by itself
/// what it is.
#[derive(Debug)]
pub struct HashForms {
    configured: Vec<KnownForm>,
    certain: Vec<KnownForm>,
    guessed: Vec<KnownForm>,
    key: Option<Secret>,
}

/// All that a hash may be.
pub(crate) struct FormCandidates<'f> {
    pub(crate) all: Vec<FormCandidate<'f>>,
    /// What no match means, if it does not mean that no secret is the password: other forms that
    /// could not be tried, or that nobody knows, look the same.
    pub(crate) doubt: Option<Unverified>,
}

impl HashForms {
    /// Forms that tell by themselves what they are, and none besides.
    #[must_use]
    pub fn known() -> Self {
        Self { configured: Vec::new(), certain: forms(CERTAIN), guessed: forms(GUESSED), key: None }
    }

    /// Every line of the tables: a form's name, its description, and whether its text alone tells what it
    /// is.
    pub fn lines() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let told = CERTAIN.iter().map(|(name, text)| (*name, *text, true));
        let named = NAMED.iter().chain(GUESSED).map(|(name, text)| (*name, *text, false));
        told.chain(named)
    }

    /// A site's own: names of forms that Countersign knows, or `NAME: DESCRIPTION`. `key` is the
    /// secret that the site mixes in, if it does.
    ///
    /// # Errors
    /// [`FormError`] names the entry.
    pub fn of_site<'a>(
        entries: impl IntoIterator<Item = &'a str>,
        key: Option<Secret>,
    ) -> Result<Self, FormError> {
        let mut configured = Vec::new();
        for entry in entries {
            configured.extend(configured_forms(entry)?);
        }
        let needs_key = configured.iter().find(|form| form.description.needs_key());
        match needs_key {
            Some(form) if key.is_none() => Err(FormError::NoKey { form: form.name }),
            _ => Ok(Self { configured, key, ..Self::known() }),
        }
    }

    /// What hashes are read with.
    pub(crate) fn context<'f>(&'f self, limits: &'f CostLimits) -> ReadingContext<'f> {
        let key = self.key.as_ref().map_or(&[][..], Secret::expose);
        ReadingContext { certain: &self.certain, key, limits }
    }

    /// Whether operators have said what some hashes are.
    pub(crate) fn are_configured(&self) -> bool {
        !self.configured.is_empty()
    }

    /// Each form that a hash has. What operators say comes first, and alone if it fits.
    ///
    /// # Errors
    /// `UnknownFormat` if it has none, or why none of those that it has can be verified.
    pub(crate) fn candidates<'f>(
        &'f self,
        hash: &StoredHash,
        context: ReadingContext<'f>,
    ) -> Result<FormCandidates<'f>, Unverified> {
        self.as_it_stands(&self.without_padding(hash, context), context)
    }

    /// A hash without the blanks by which a column of a fixed length was filled up, if it has a form
    /// without them only.
    pub(crate) fn without_padding(
        &self,
        hash: &StoredHash,
        context: ReadingContext<'_>,
    ) -> StoredHash {
        let bare = hash.text().trim_end_matches(' ');
        if bare.is_empty() || bare == hash.text() || self.as_it_stands(hash, context).is_ok() {
            return hash.clone();
        }
        let bare = hash.with_text(bare);
        if self.as_it_stands(&bare, context).is_ok() { bare } else { hash.clone() }
    }

    fn as_it_stands<'f>(
        &'f self,
        hash: &StoredHash,
        context: ReadingContext<'f>,
    ) -> Result<FormCandidates<'f>, Unverified> {
        let groups = [(&self.configured, false), (&self.certain, false), (&self.guessed, true)];
        for (forms, is_guess) in groups {
            match read_as(forms, hash, context) {
                (all, refused) if !all.is_empty() => {
                    let doubt = if is_guess { Some(Unverified::UnknownFormat) } else { refused };
                    return Ok(FormCandidates { all, doubt });
                }
                (_, Some(refused)) => return Err(refused),
                (_, None) => {}
            }
        }
        Err(Unverified::UnknownFormat)
    }

    /// The first form that a hash has the shape of, though it cannot be verified.
    pub(crate) fn format_of(
        &self,
        hash: &StoredHash,
        context: ReadingContext<'_>,
    ) -> Option<HashFormat> {
        let has_shape = |form: &&KnownForm| {
            !matches!(HashReading::of(&form.description, hash, context), Err(NotRead::Other))
        };
        let mut groups = [&self.configured, &self.certain, &self.guessed].into_iter();
        groups.find_map(|forms| forms.iter().find(has_shape)).map(|form| form.name)
    }
}

fn forms(table: &[(&str, &str)]) -> Vec<KnownForm> {
    let form = |(name, text): &(&str, &str)| {
        let name = HashFormat::from_str(name).expect("a test reads every line of the tables");
        let description = Description::parse(text).expect("a test reads every line of the tables");
        KnownForm { name, description }
    };
    table.iter().map(form).collect()
}

/// A form by its name, which may have several descriptions, or one that is written out.
fn configured_forms(entry: &str) -> Result<Vec<KnownForm>, FormError> {
    let Some((name, text)) = entry.split_once(": ").filter(|(_, text)| text.contains(":=")) else {
        let tables = || NAMED.iter().chain(CERTAIN).chain(GUESSED).copied();
        let mut lines: Vec<_> = tables().filter(|(name, _)| *name == entry).collect();
        if lines.is_empty() {
            lines.extend(tables().filter(|(name, _)| is_in_group(name, entry)));
        }
        if lines.is_empty() {
            return Err(FormError::Unknown { found: entry.escape_debug().to_string() });
        }
        return Ok(forms(&lines));
    };
    let name = name.trim().parse().map_err(|_| FormError::Name { found: name.to_owned() })?;
    let description = Description::parse(text.trim());
    let description =
        description.map_err(|source| FormError::Description { form: name, source })?;
    Ok(vec![KnownForm { name, description }])
}

/// `django` stands for `django_md5` and all others of Django.
fn is_in_group(name: &str, group: &str) -> bool {
    name.strip_prefix(group).is_some_and(|rest| rest.starts_with('_'))
}

/// Why an entry of a site's configuration names no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Neither a name nor a description.
    #[error(
        "`{found}` is the name of no form: `countersign verify forms` lists them; or write \
         `NAME: LAYOUT := STEPS`"
    )]
    Unknown {
        /// The entry.
        found: String,
    },
    /// It could not be told in reports.
    #[error("`{found}` cannot be a form's name: write a to z, 0 to 9 and `_`, at most 31 of them")]
    Name {
        /// The name.
        found: String,
    },
    /// It describes nothing.
    #[error("the form `{form}` cannot be read: {source}")]
    Description {
        /// The form's name.
        form: HashFormat,
        /// What is wrong, and where.
        source: DescriptionError,
    },
    /// It would find nobody.
    #[error("the form `{form}` mixes the site's secret in: set `directory.hash.pepper_file`")]
    NoKey {
        /// The form's name.
        form: HashFormat,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_can_be_read() {
        for (name, text) in CERTAIN.iter().chain(GUESSED).chain(NAMED) {
            assert!(name.parse::<HashFormat>().is_ok(), "{name}");
            let description = Description::parse(text);
            assert!(description.is_ok(), "{name}: {}", description.unwrap_err());
        }
        let known = HashForms::known();
        let needs_key = |form: &&KnownForm| form.description.needs_key();
        assert!(!known.certain.iter().chain(&known.guessed).any(|form| needs_key(&form)));
    }

    #[test]
    fn what_names_no_form_is_refused() {
        let refused = |entry: &str| HashForms::of_site([entry], None).unwrap_err().to_string();
        assert!(refused("no_such_form").starts_with("`no_such_form` is the name of no form"));
        assert!(refused("My KnownForm: <hash> := bcrypt").starts_with("`My KnownForm` cannot be"));
        assert!(refused("mine: <hash> := becrypt").contains("no step is called so"));
        assert!(refused("mine: <hash> := concat(_,key)|bcrypt").contains("pepper_file"));
        assert!(
            HashForms::of_site(["wordpress", "mine: <hash> := sha256|hex|bcrypt"], None).is_ok()
        );
    }
}
