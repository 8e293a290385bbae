//! The forms that a site's stored hashes may have, and which of them one hash has.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    slice,
    str::FromStr as _,
};

use model::{HashFormat, Secret, StoredHash, Unverified};

use crate::{
    CostLimits,
    description::{
        Description, DescriptionError, FormCandidate, ReadForms, ReadingContext, read_as,
    },
    form_id::FormId,
    known::{CERTAIN, GUESSED},
    known_form::KnownForm,
    named::NAMED,
};

/// What a site's stored hashes may be: what its operators say, and every form that tells by itself
/// what it is.
#[derive(Debug)]
pub struct HashForms {
    configured: Vec<KnownForm>,
    certain: Vec<KnownForm>,
    guessed: Vec<KnownForm>,
    keys: Vec<Secret>,
}

/// All that a hash may be.
pub(crate) struct FormCandidates<'f> {
    pub(crate) all: Vec<FormCandidate<'f>>,
    /// What no match means, if it does not mean that no secret is the password: other forms that
    /// could not be tried, or that nobody knows, look the same.
    pub(crate) doubt: Option<Unverified>,
    /// The first form that the hash has the shape of, though it may not be verifiable.
    pub(crate) format: Option<HashFormat>,
}

impl HashForms {
    /// Forms that tell by themselves what they are, and none besides.
    #[must_use]
    pub fn known() -> Self {
        let (certain, guessed) = (forms(CERTAIN, &[]), forms(GUESSED, &[]));
        Self { configured: Vec::new(), certain, guessed, keys: Vec::new() }
    }

    /// Every line of the tables: a form's name, its description, and whether its text alone tells what it
    /// is.
    pub fn lines() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let told = CERTAIN.iter().map(|(name, text)| (*name, *text, true));
        let named = NAMED.iter().chain(GUESSED).map(|(name, text)| (*name, *text, false));
        told.chain(named)
    }

    /// A site's own: names of forms that Countersign knows, or `NAME: DESCRIPTION`. `keys` are
    /// the secrets that the site mixes in, if it does, the newest first: each hash may have any of them.
    ///
    /// # Errors
    /// [`FormError`] names the entry.
    pub fn of_site<'a>(
        entries: impl IntoIterator<Item = &'a str>,
        keys: impl IntoIterator<Item = Secret>,
    ) -> Result<Self, FormError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut configured = Vec::new();
        for (place, entry) in entries.into_iter().enumerate() {
            let forms = configured_forms(entry, &keys)?.into_iter();
            configured.extend(forms.map(|form| KnownForm { entry: place, ..form }));
        }
        match configured.iter().find(|form| form.description.needs_key()) {
            Some(form) if keys.is_empty() => Err(FormError::NoKey { form: form.name }),
            _ => Ok(Self { configured, keys, ..Self::known() }),
        }
    }

    /// The same where the site keeps what belongs to a hash in these columns, by the names that forms have
    /// for them: what is proved of a form is proved with the columns that it reads, and no others.
    ///
    /// # Errors
    /// [`FormError::NoField`] if a form needs what stands neither in the hash nor in a column: no hash would
    /// be read so, and another form of the same shape would find nobody.
    pub fn in_columns(mut self, columns: &BTreeMap<String, String>) -> Result<Self, FormError> {
        for forms in self.configured.chunk_by(|one, other| one.entry == other.entry) {
            check_given(forms, columns)?;
        }
        let all = [&mut self.configured, &mut self.certain, &mut self.guessed];
        for KnownForm { description, id, .. } in all.into_iter().flatten() {
            let columns = columns.iter().map(|(name, column)| (name.as_str(), column.as_str()));
            *id = id.in_columns(columns.filter(|(name, _)| description.reads(name)));
        }
        Ok(self)
    }

    /// Every form that there is, to find out which a site's hashes have: first its own, as
    /// [`of_site`](Self::of_site) takes them. Those that mix one of the site's secrets in are among them
    /// only if there is one.
    ///
    /// # Errors
    /// As [`of_site`](Self::of_site).
    pub fn every<'a>(
        own: impl IntoIterator<Item = &'a str>,
        keys: Vec<Secret>,
    ) -> Result<Self, FormError> {
        let mut named = forms(NAMED, &keys);
        named.retain(|form| !keys.is_empty() || !form.description.needs_key());
        let mut every = Self::of_site(own, keys)?;
        every.configured.extend(forms(CERTAIN, &[]));
        every.configured.extend(forms(GUESSED, &[]));
        every.configured.extend(named);
        Ok(every)
    }

    /// What hashes are read with.
    pub(crate) fn context<'f>(&'f self, limits: &'f CostLimits) -> ReadingContext<'f> {
        ReadingContext { certain: &self.certain, keys: &self.keys, limits }
    }

    /// Whether a form that operators have named mixes the site's secret in.
    #[must_use]
    pub fn need_key(&self) -> bool {
        self.configured.iter().any(|form| form.description.needs_key())
    }

    /// Whether operators have said what some hashes are.
    pub(crate) fn are_configured(&self) -> bool {
        !self.configured.is_empty()
    }

    /// Each form that a hash has. What operators say comes first, and alone if it fits.
    pub(crate) fn candidates<'f>(
        &'f self,
        hash: &StoredHash,
        context: ReadingContext<'f>,
    ) -> FormCandidates<'f> {
        self.as_it_stands(&self.without_padding(hash, context), context)
    }

    /// Tells what operators have said from whatever else they could have said.
    pub(crate) fn id(&self) -> FormId {
        FormId::of_all(self.configured.iter().map(|form| form.id))
    }

    /// The forms that a hash is read in though nobody has named them.
    pub(crate) fn unnamed(
        &self,
        hash: &StoredHash,
        context: ReadingContext<'_>,
    ) -> Vec<HashFormat> {
        let hash = self.without_padding(hash, context);
        if read_as(&self.configured, &hash, context).format.is_some() {
            return Vec::new();
        }
        let mut names: Vec<_> = Vec::new();
        for FormCandidate { format, .. } in self.as_it_stands(&hash, context).all {
            if !names.contains(&format) {
                names.push(format);
            }
        }
        names
    }

    /// The forms that a hash may have which cannot be tried, since they need columns beside it that are not
    /// there; by the names that forms have for these.
    pub(crate) fn lacking(
        &self,
        hash: &StoredHash,
        context: ReadingContext<'_>,
    ) -> BTreeMap<Vec<String>, BTreeSet<HashFormat>> {
        let mut lacking: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for form in &self.configured {
            let (missing, filled) = filled_up(&form.description, hash);
            let is_of = || !read_as(slice::from_ref(form), &filled, context).all.is_empty();
            if !missing.is_empty() && is_of() {
                lacking.entry(missing).or_default().insert(form.name);
            }
        }
        lacking
    }

    /// A hash without the blanks by which a column of a fixed length was filled up, if it has a form
    /// without them only.
    pub(crate) fn without_padding<'h>(
        &self,
        hash: &'h StoredHash,
        context: ReadingContext<'_>,
    ) -> Cow<'h, StoredHash> {
        let bare = hash.text().trim_end_matches(' ');
        let is_read = |hash: &StoredHash| !self.as_it_stands(hash, context).all.is_empty();
        if bare.is_empty() || bare == hash.text() || is_read(hash) {
            return Cow::Borrowed(hash);
        }
        let bare = hash.with_text(bare);
        if is_read(&bare) { Cow::Owned(bare) } else { Cow::Borrowed(hash) }
    }

    fn as_it_stands<'f>(
        &'f self,
        hash: &StoredHash,
        context: ReadingContext<'f>,
    ) -> FormCandidates<'f> {
        let groups = [(&self.configured, false), (&self.certain, false), (&self.guessed, true)];
        for (forms, is_guess) in groups {
            let ReadForms { all, refused, format } = read_as(forms, hash, context);
            if format.is_some() {
                let is_guess = is_guess && !all.is_empty();
                let doubt = if is_guess { Some(Unverified::UnknownFormat) } else { refused };
                return FormCandidates { all, doubt, format };
            }
        }
        let doubt = Some(Unverified::UnknownFormat);
        FormCandidates { all: Vec::new(), doubt, format: None }
    }
}

impl<'f> FormCandidates<'f> {
    /// Those that can be computed: at least one.
    ///
    /// # Errors
    /// `UnknownFormat` if the hash has no form, or why none of those that it has can be verified.
    pub(crate) fn readable(self) -> Result<Vec<FormCandidate<'f>>, Unverified> {
        match self.doubt {
            _ if !self.all.is_empty() => Ok(self.all),
            Some(doubt) => Err(doubt),
            None => Err(Unverified::UnknownFormat),
        }
    }
}

/// What a description needs beside a hash and is not there; and the hash as if it were.
fn filled_up(description: &Description, hash: &StoredHash) -> (Vec<String>, StoredHash) {
    let named = |(name, _): (&str, _)| (name.to_owned(), String::new());
    let (mut columns, mut missing): (BTreeMap<_, _>, _) =
        (hash.columns().map(named).collect(), Vec::new());
    while let Some(name) = description.missing_in(&columns).map(str::to_owned) {
        columns.insert(name.clone(), String::new());
        missing.push(name);
    }
    let added = missing.iter().map(|name| (name.as_str(), ANYTHING));
    let beside: Vec<_> = hash.columns().chain(added).collect();
    let filled = StoredHash::from_columns(Some(hash.text().to_owned()), &beside);
    (missing, filled.unwrap_or_else(|| hash.clone()))
}

/// A number, and digits of a salt.
const ANYTHING: &str = "11";

/// Whether one of what an entry stands for at least can be read: a name may stand for other columns as well.
fn check_given(forms: &[KnownForm], columns: &BTreeMap<String, String>) -> Result<(), FormError> {
    let missing = forms.iter().map(|form| (form.name, form.description.missing_in(columns)));
    let missing: Option<Vec<_>> = missing.map(|(name, field)| Some((name, field?))).collect();
    match missing.as_deref() {
        Some([(form, field), ..]) => {
            Err(FormError::NoField { form: *form, field: (*field).to_owned() })
        }
        _ => Ok(()),
    }
}

fn forms(table: &[(&str, &str)], keys: &[Secret]) -> Vec<KnownForm> {
    let of_line = |(name, text): &(&str, &str)| {
        let name = HashFormat::from_str(name).expect("a test reads every line of the tables");
        let description = Description::parse(text).expect("a test reads every line of the tables");
        keyed(name, &description, keys)
    };
    table.iter().flat_map(of_line).collect()
}

/// A form, and the same once more with each further secret of the site's that it may mix in.
fn keyed(name: HashFormat, description: &Description, keys: &[Secret]) -> Vec<KnownForm> {
    let count = if description.needs_key() { keys.len().max(1) } else { 1 };
    let with = |key: usize| {
        let id = FormId::of(description, keys.get(key));
        KnownForm { name, description: description.clone(), id, key, entry: 0 }
    };
    (0..count).map(with).collect()
}

/// A form by its name, which may have several descriptions, or one that is written out.
fn configured_forms(entry: &str, keys: &[Secret]) -> Result<Vec<KnownForm>, FormError> {
    let Some((name, text)) = entry.split_once(": ").filter(|(_, text)| text.contains(":=")) else {
        let tables = || NAMED.iter().chain(CERTAIN).chain(GUESSED).copied();
        let mut lines: Vec<_> = tables().filter(|(name, _)| *name == entry).collect();
        if lines.is_empty() {
            lines.extend(tables().filter(|(name, _)| is_in_group(name, entry)));
        }
        if lines.is_empty() {
            return Err(FormError::Unknown { found: beginning(entry) });
        }
        return Ok(forms(&lines, keys));
    };
    let name = name.trim().parse().map_err(|_| FormError::Name { found: beginning(name) })?;
    let description = Description::parse(text.trim());
    let description =
        description.map_err(|source| FormError::Description { form: name, source })?;
    Ok(keyed(name, &description, keys))
}

/// As much of an entry as may be a name: behind that, a site's secret may stand.
fn beginning(entry: &str) -> String {
    let in_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '-');
    let begin: String = entry.chars().take_while(in_name).collect();
    if begin.len() < entry.len() { format!("{begin}..") } else { begin }
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
    /// It would fit no hash.
    #[error(
        "the form `{form}` needs `{field}`, and nothing gives it: its layout has no field `<{field}>`, and \
         `directory.hash.columns` no line `{field} = \"COLUMN\"`; write the one or the other"
    )]
    NoField {
        /// The form's name.
        form: HashFormat,
        /// The name that its description has for it.
        field: String,
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

    /// A proof of it, whose column has another place now, says nothing.
    #[test]
    fn a_form_that_reads_another_column_is_another_form() {
        let forms = |column: &str| {
            let entries = ["mine: <hash:hex> := concat(salt,_)|md5", "redmine", "devise"];
            let forms = HashForms::of_site(entries, Some(Secret::from(&b"key"[..]))).unwrap();
            let columns = [("salt", column), ("user", "name")];
            let own = columns.map(|(name, column)| (name.to_owned(), column.to_owned()));
            let forms = forms.in_columns(&own.into()).unwrap();
            let of = |forms: &[KnownForm]| forms.iter().map(|form| form.id).collect::<Vec<_>>();
            (of(&forms.configured), of(&forms.certain))
        };
        let ((one, certain), (other, same)) = (forms("salt"), forms("salt2"));
        assert_eq!(one, forms("salt").0);
        assert!(one[0] != other[0] && one[1] != other[1] && one[2] == other[2]);
        assert_eq!(certain, same, "their salts stand in the hash");
    }

    /// Read as plain bcrypt instead, it would find nobody.
    #[test]
    fn a_form_is_refused_whose_fields_nothing_gives() {
        let in_columns = |entries: &[&str], columns: &[&str]| {
            let columns = columns.iter().map(|name| ((*name).to_owned(), "its_column".to_owned()));
            let forms = HashForms::of_site(entries.iter().copied(), Some(Secret::from(&b"k"[..])));
            forms.unwrap().in_columns(&columns.collect()).map(|_| ())
        };
        let missing = |entries: &[&str], columns: &[&str]| match in_columns(entries, columns) {
            Err(FormError::NoField { form, field }) => format!("{form} {field}"),
            found => panic!("{entries:?} in {columns:?}: {found:?}"),
        };
        let salted = "mine: <hash> := concat(salt,_)|bcrypt";
        assert_eq!(missing(&[salted], &[]), "mine salt");
        assert_eq!(missing(&["mine: <hash> := bcrypt", salted], &["sal"]), "mine salt");
        assert_eq!(in_columns(&[salted], &["salt"]), Ok(()));
        assert_eq!(in_columns(&["mine: <salt>:<hash> := concat(salt,_)|bcrypt"], &[]), Ok(()));
        let rounds = "mine: <hash:hex> := times(n,(concat(_,(salt|unhex))|sha1))";
        assert_eq!(missing(&[rounds], &["n"]), "mine salt");
        assert_eq!(missing(&[rounds], &["salt"]), "mine n");
        let apart =
            "mine: <hash:hex> & how sha1:<n:int> := times(n,(sha1)); more := concat(_,x)|md5";
        assert_eq!(missing(&[apart], &["x"]), "mine how");
        assert_eq!(missing(&[apart], &["how"]), "mine x");
        assert_eq!(in_columns(&[apart], &["how", "x"]), Ok(()));
        assert_eq!(missing(&["smf"], &[]), "smf user");
        assert_eq!(in_columns(&["discourse", "meteor", "devise"], &["salt"]), Ok(()));
    }

    #[test]
    fn what_names_no_form_is_refused() {
        let refused = |entry: &str| HashForms::of_site([entry], None).unwrap_err().to_string();
        assert!(refused("no_such_form").starts_with("`no_such_form` is the name of no form"));
        assert!(refused("My KnownForm: <hash> := bcrypt").starts_with("`My KnownForm` cannot be"));
        assert!(refused("ours: <hash> = concat(_,\"s3cret\")").starts_with("`ours..` is the name"));
        assert!(refused("mine: <hash> := becrypt").contains("no step is called so"));
        assert!(refused("mine: <hash> := concat(_,key)|bcrypt").contains("pepper_file"));
        for steps in [
            "concat(\"a\")|md5",
            "concat(salt,(salt|md5))|sha1",
            "sha1|first(0)|md5",
            "times(2,(concat(salt)|md5))",
            "concat((key|hmac-md5(salt)))|hex|bcrypt",
        ] {
            let error = refused(&format!("mine: <hash> := {steps}"));
            assert!(error.contains("at `<hash>`: the password has no part in it"), "{error}");
        }
        for steps in
            ["concat(pw,key)|md5", "concat(salt)|hmac-md5(pw)", "concat((pw|md5),salt)|md5"]
        {
            let entry = format!("mine: <hash:hex> := {steps}");
            assert!(HashForms::of_site([entry.as_str()], Some(Secret::from(&b"k"[..]))).is_ok());
        }
        assert!(
            HashForms::of_site(["wordpress", "mine: <hash> := sha256|hex|bcrypt"], None).is_ok()
        );
    }
}
