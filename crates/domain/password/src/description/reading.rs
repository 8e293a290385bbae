//! One stored hash, read as one description has it.

use std::borrow::Cow;

use model::{HashFormat, Randomness, Secret, StoredHash, Unverified};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    column_text::{BytesAs, column_field, column_text, plain_text},
    described::Description,
    expense::{cost, over},
    fields::{Fields, HASH, HashField},
    layout::LayoutMisfit,
    not_read::NotRead,
    operand_encoding::OperandEncoding,
    part,
    run::{StepValue, Surroundings, output_len, run},
    special,
    step::{End, HashStep, Native, Operand},
};
use crate::{
    CostLimits, HashCost, MakeHashError,
    coding::Coding,
    form_id::FormId,
    known_form::KnownForm,
    limits::{BCRYPT_SECRET_BYTES_MAX, DIGEST_BYTES_MAX, DIGEST_BYTES_MIN, HASH_TEXT_BYTES_MAX},
    native::{Method, ParsedHash, Scratch},
    salt::fresh_like,
};

/// What hashes are read with.
#[derive(Clone, Copy)]
pub(crate) struct ReadingContext<'f> {
    /// What a text within another form may be: whatever tells by itself what it is.
    pub(crate) certain: &'f [KnownForm],
    /// The site's own secrets.
    pub(crate) keys: &'f [Secret],
    pub(crate) limits: &'f CostLimits,
}

impl<'f> ReadingContext<'f> {
    /// What a form mixes in; nothing if the site has no secret.
    fn key_of(self, form: &KnownForm) -> &'f [u8] {
        self.keys.get(form.key).map_or(&[][..], Secret::expose)
    }
}

/// How the texts that go in beside the password are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextsAs {
    /// What a column beside the hash holds that begins with `\x`.
    bytes: BytesAs,
    encoding: OperandEncoding,
}

impl TextsAs {
    /// Each way, the likeliest first.
    const ALL: [Self; 4] = [
        Self { bytes: BytesAs::Digits, encoding: OperandEncoding::Utf8 },
        Self { bytes: BytesAs::Text, encoding: OperandEncoding::Utf8 },
        Self { bytes: BytesAs::Digits, encoding: OperandEncoding::Windows1252 },
        Self { bytes: BytesAs::Text, encoding: OperandEncoding::Windows1252 },
    ];

    /// The ways that differ for this hash.
    fn of(description: &Description, hash: &StoredHash) -> impl Iterator<Item = Self> + use<> {
        let (has_bytes, is_ascii) = (description.reads_bytes(hash), hash.expose().is_ascii());
        Self::ALL.into_iter().filter(move |way| {
            (has_bytes || way.bytes == BytesAs::Digits)
                && (!is_ascii || way.encoding == OperandEncoding::Utf8)
        })
    }
}

/// A hash as one of the forms that it may have.
pub(crate) struct FormCandidate<'f> {
    pub(crate) format: HashFormat,
    pub(crate) id: FormId,
    pub(crate) reading: HashReading<'f>,
}

/// What a hash can be read as by some forms.
#[derive(Default)]
pub(crate) struct ReadForms<'f> {
    pub(crate) all: Vec<FormCandidate<'f>>,
    /// Why it cannot be read as one that it has the shape of.
    pub(crate) refused: Option<Unverified>,
    /// The first form that it has the shape of, though it may not be readable as that.
    pub(crate) format: Option<HashFormat>,
}

/// Holds a hash against each of the forms.
pub(crate) fn read_as<'f>(
    forms: &'f [KnownForm],
    hash: &StoredHash,
    context: ReadingContext<'f>,
) -> ReadForms<'f> {
    let mut read = ReadForms::default();
    let telling = telling_columns(forms, hash);
    let forms = forms.iter().filter(|form| form.description.reads_all_of(&telling));
    let readings = forms.flat_map(|form| {
        let bare = form.description.without_blanks(hash);
        let hashes = [Some(Cow::Borrowed(hash)), bare.map(Cow::Owned)].into_iter().flatten();
        let read = move |hash: Cow<'_, StoredHash>| {
            let of = |texts| (form, HashReading::of(form, &hash, context, texts));
            TextsAs::of(&form.description, &hash).map(of).collect::<Vec<_>>()
        };
        hashes.flat_map(read)
    });
    for (form, reading) in readings {
        match reading {
            // Two programs may have the same form under two names.
            Ok(reading) if read.all.iter().any(|known| known.reading.is_same(&reading)) => {}
            Ok(reading) => read.all.push(FormCandidate { format: form.name, id: form.id, reading }),
            Err(NotRead::Other) => continue,
            Err(NotRead::Unverified(reason)) => read.refused = Some(dearest(read.refused, reason)),
        }
        read.format.get_or_insert(form.name);
    }
    // Another form of the same beginning that the text does not have says nothing.
    if !read.all.is_empty() && read.refused == Some(Unverified::Malformed) {
        read.refused = None;
    }
    read
}

/// Columns beside the hash that say something of its form: one of the forms takes them apart. A form that
/// does not may have a hash only where they say nothing.
fn telling_columns<'h>(forms: &[KnownForm], hash: &'h StoredHash) -> Vec<&'h str> {
    let said = hash.columns().filter(|(_, text)| !plain_text(text).trim().is_empty());
    let names = said.map(|(name, _)| name);
    names.filter(|name| forms.iter().any(|form| form.description.takes_apart(name))).collect()
}

/// Of two reasons, the one that tells more.
fn dearest(one: Option<Unverified>, other: Unverified) -> Unverified {
    match one {
        Some(one) if one != Unverified::Malformed => one,
        _ => other,
    }
}

fn inner_readings<'f>(
    hash: &StoredHash,
    context: ReadingContext<'f>,
) -> Result<Vec<HashReading<'f>>, NotRead> {
    let ReadForms { all, refused, .. } = read_as(context.certain, hash, context);
    match refused {
        Some(reason) if all.is_empty() => Err(NotRead::Unverified(reason)),
        _ if all.is_empty() => Err(NotRead::Other),
        _ => Ok(all.into_iter().map(|candidate| candidate.reading).collect()),
    }
}

/// A hash taken apart: what to compute, and what must come out.
pub(crate) struct HashReading<'f> {
    description: &'f Description,
    key: &'f [u8],
    fields: Fields,
    texts: TextsAs,
    target: ReadTarget<'f>,
}

enum ReadTarget<'f> {
    Digest,
    Native(ParsedHash<Method>),
    /// Each form that the text has by itself.
    Stored(Vec<HashReading<'f>>),
}

impl<'f> HashReading<'f> {
    /// Reads a hash as this description has it, and refuses what would cost too much.
    pub(crate) fn of(
        form: &'f KnownForm,
        hash: &StoredHash,
        context: ReadingContext<'f>,
        texts: TextsAs,
    ) -> Result<Self, NotRead> {
        if hash.text().len() > HASH_TEXT_BYTES_MAX {
            return Err(NotRead::Unverified(Unverified::Malformed));
        }
        let (description, key) = (&form.description, context.key_of(form));
        let fields = fields_of(description, hash, texts.bytes)?;
        let is_wide = || description.names().any(|name| texts.encoding.differs(&fields, name));
        if texts.encoding == OperandEncoding::Windows1252 && !is_wide() {
            return Err(NotRead::Other);
        }
        let target = Self::target((description, key), &fields, hash, context)?;
        if !has_all(description, &fields) {
            return Err(NotRead::Other);
        }
        let reading = Self { description, key, fields, texts, target };
        if !reading.has_part() {
            return Err(NotRead::Unverified(Unverified::Malformed));
        }
        reading.checked(context.limits).map_err(NotRead::Unverified)
    }

    pub(crate) const fn description(&self) -> &'f Description {
        self.description
    }

    /// What it costs to try one password.
    pub(crate) fn cost(&self) -> HashCost {
        let before = cost(&self.description.steps, &self.fields);
        match &self.target {
            ReadTarget::Digest => before,
            ReadTarget::Native(parsed) => parsed.cost(),
            ReadTarget::Stored(inner) => inner.first().map_or(before, Self::cost),
        }
    }

    /// Whether another one computes and compares the same.
    fn is_same(&self, other: &Self) -> bool {
        self.description.steps == other.description.steps
            && self.texts.encoding == other.texts.encoding
            && self.has_same_end(other)
    }

    /// Whether what the steps give is held against the same, in the same way.
    fn has_same_end(&self, other: &Self) -> bool {
        self.description.end == other.description.end
            && self.fields == other.fields
            && (self.key == other.key || !self.description.needs_key())
    }

    fn target(
        (description, key): (&Description, &[u8]),
        fields: &Fields,
        hash: &StoredHash,
        context: ReadingContext<'f>,
    ) -> Result<ReadTarget<'f>, NotRead> {
        Ok(match &description.end {
            End::Compared => ReadTarget::Digest,
            End::Native(native, begin) => {
                let text = Zeroizing::new(begin.clone() + &native_text(*native, fields));
                let parsed = ParsedHash::read(*native, &text)?;
                let key = if *native == Native::Argon2Keyed { key } else { &[] };
                let parsed = parsed.keyed(key);
                if parsed.exceeds(context.limits) {
                    return Err(NotRead::Unverified(Unverified::TooExpensive));
                }
                ReadTarget::Native(parsed)
            }
            End::Stored => {
                let text = fields.get(HASH).map_or("", |field| field.text.as_str());
                ReadTarget::Stored(inner_readings(&hash.with_text(text), context)?)
            }
        })
    }

    /// Refuses a digest that proves nothing, and costs that nobody can pay.
    fn checked(self, limits: &CostLimits) -> Result<Self, Unverified> {
        let others = self.description.others.iter().map(|(_, steps)| steps);
        let all = others.chain([&self.description.steps]);
        let over = all.map(|steps| over(steps, &self.fields, limits));
        match over.collect::<Option<Vec<_>>>() {
            Some(over) if over.contains(&true) => Err(Unverified::TooExpensive),
            Some(_) if self.has_fair_digest() => Ok(self),
            _ => Err(Unverified::Malformed),
        }
    }

    fn has_fair_digest(&self) -> bool {
        let ReadTarget::Digest = self.target else { return true };
        let found = self.fields.get(HASH).map_or(0, |field| field.bytes.len());
        let is_special = matches!(self.description.steps.last(), Some(HashStep::Special(_)));
        let least = if is_special { 1 } else { DIGEST_BYTES_MIN };
        match output_len(&self.description.steps, &self.fields) {
            Some(len) => found == len && (least..=DIGEST_BYTES_MAX).contains(&len),
            None => found > 0,
        }
    }

    /// Whether every text that is filled in has a place for the password.
    fn has_part(&self) -> bool {
        part::templates(&self.description.steps).into_iter().all(|template| {
            let text = [HashStep::Concat(vec![template.clone()])];
            let empty = StepValue::text(b"");
            let text = self.run(&text, &empty, &self.fields, &mut Scratch::default());
            text.is_ok_and(|text| special::has_place(&text.bytes))
        })
    }

    /// Whether a secret is the password.
    pub(crate) fn matches<'r>(
        &'r self,
        secret: &StepValue,
        asked: &mut AskedFunctions<'r>,
        scratch: &mut Scratch,
    ) -> Result<bool, Unverified> {
        let is_match = self.gives_hash(secret, asked, scratch)?;
        if is_match
            && part::may_drop(&self.description.steps)
            && self.gives_hash(&secret.another(), &mut AskedFunctions::default(), scratch)?
        {
            // Whatever the password, this comes out.
            return Err(Unverified::Malformed);
        }
        Ok(is_match)
    }

    fn gives_hash<'r>(
        &'r self,
        secret: &StepValue,
        asked: &mut AskedFunctions<'r>,
        scratch: &mut Scratch,
    ) -> Result<bool, Unverified> {
        let value = match self.run(&self.description.steps, secret, &self.fields, scratch) {
            Ok(value) => value,
            Err(error) => return error.verdict(),
        };
        if !asked.is_new(self, &value) {
            return Ok(false);
        }
        match &self.target {
            ReadTarget::Digest => {
                let expected = self.fields.get(HASH).map_or(&[][..], |field| &field.bytes);
                // Whatever the password, a function gives as many bytes: this hash was cut off.
                if value.is_derived && value.bytes.len() != expected.len() {
                    return Err(Unverified::Malformed);
                }
                Ok(!expected.is_empty() && value.bytes.ct_eq(expected).into())
            }
            ReadTarget::Native(parsed) => parsed.matches(&value.bytes, scratch),
            ReadTarget::Stored(inner) => any_matches(inner, &value, scratch),
        }
    }

    fn run(
        &self,
        steps: &[HashStep],
        from: &StepValue,
        fields: &Fields,
        scratch: &mut Scratch,
    ) -> Result<StepValue, MakeHashError> {
        let encoding = self.texts.encoding;
        run(steps, from, &Surroundings { fields, key: self.key, encoding }, scratch)
    }

    /// Makes a hash of another secret: of the same form and cost, with a fresh salt, and with what
    /// stands in the columns beside it.
    pub(crate) fn make(
        &self,
        like: &StoredHash,
        secret: &StepValue,
        randomness: &dyn Randomness,
    ) -> Result<StoredHash, MakeHashError> {
        let mut scratch = Scratch::default();
        let mut fields = self.fresh_fields(randomness)?;
        let value = self.run(&self.description.steps, secret, &fields, &mut scratch)?;
        match &self.target {
            ReadTarget::Digest => {
                fields.set(HashField::coded(HASH, "", value.bytes.to_vec()));
            }
            // Some sites' software would stop at it, and take half of the password for the whole.
            ReadTarget::Native(parsed) if parsed.is_bcrypt() && value.has_nul_of_text() => {
                return Err(MakeHashError::Nul);
            }
            ReadTarget::Native(parsed) => {
                let salt = fields.get(BCRYPT_SALT).and_then(|bs| Coding::Bcrypt.decode(&bs.text));
                let made = parsed.make(&value.bytes, salt, randomness, &mut scratch)?;
                set_native_text(&mut fields, self.description.without_begin(&made));
            }
            ReadTarget::Stored(inner) => {
                let [one] = &inner[..] else { return Err(MakeHashError::Ambiguous) };
                let text = self.fields.get(HASH).map_or("", |field| field.text.as_str());
                let made = one.make(&like.with_text(text), &value, randomness)?;
                fields.set(HashField::text(HASH, made.text()));
            }
        }
        for (name, steps) in &self.description.others {
            let value = self.run(steps, secret, &fields, &mut scratch)?;
            fields.set(HashField::coded(name, "", value.bytes.to_vec()));
        }
        self.written(like, &fields).ok_or(MakeHashError::VerifiedOnly)
    }

    /// The columns of a hash that consists of these fields.
    fn written(&self, like: &StoredHash, fields: &Fields) -> Option<StoredHash> {
        let text = self.description.layout.write(like.text(), fields)?;
        let mut made = like.with_text(&text);
        for (column, old) in like.columns() {
            let layout = self.description.columns.iter().find(|(name, _)| name == column);
            let new = match layout {
                Some((_, layout)) => {
                    let plain = plain_text(old);
                    let bare = plain.trim_end_matches(' ');
                    let new = layout.write(&plain, fields).or_else(|| layout.write(bare, fields));
                    column_text(&HashField::text(column, &new?), old, BytesAs::Digits)?
                }
                None if self.description.has_field(column) => old.to_owned(),
                None => column_text(fields.get(column)?, old, self.texts.bytes)?,
            };
            made = made.with_column(column, &new);
        }
        Some(made)
    }

    /// Salts are made anew, all else stays.
    fn fresh_fields(&self, randomness: &dyn Randomness) -> Result<Fields, MakeHashError> {
        let mut fresh = Fields::default();
        for field in self.fields.iter() {
            if field.name.starts_with('_') {
                return Err(MakeHashError::VerifiedOnly);
            }
            let is_salt = field.name.starts_with("salt") || field.name == BCRYPT_SALT;
            fresh.set(if is_salt { self.fresh(field, randomness) } else { field.clone() });
        }
        Ok(fresh)
    }

    fn fresh(&self, field: &HashField, randomness: &dyn Randomness) -> HashField {
        if field.name == BCRYPT_SALT {
            return HashField::text(BCRYPT_SALT, &Coding::Bcrypt.encode(&randomness.array::<16>()));
        }
        let is_text = field.text.as_bytes() == field.bytes.as_slice();
        match decoding_of(&self.description.steps, &field.name) {
            Some(coding) if is_text => {
                let len = coding.decode(&field.text).map_or(0, |bytes| bytes.len());
                let mut bytes = Zeroizing::new(vec![0; len]);
                randomness.fill(&mut bytes);
                HashField::text(&field.name, &coding.encode_like(&bytes, &field.text))
            }
            _ => {
                let bytes = fresh_like(&field.bytes, is_text, randomness);
                let text = if is_text { String::from_utf8_lossy(&bytes) } else { "".into() };
                HashField::coded(&field.name, &text, bytes.clone())
            }
        }
    }

    /// The longest password of which every byte counts; `None` if there is no such limit.
    pub(crate) fn secret_bytes_max(&self) -> Option<usize> {
        if is_derived(&self.description.steps) {
            return None;
        }
        let inner = match &self.target {
            ReadTarget::Digest => None,
            ReadTarget::Native(parsed) => parsed.is_bcrypt().then_some(BCRYPT_SECRET_BYTES_MAX),
            ReadTarget::Stored(inner) => inner.iter().filter_map(Self::secret_bytes_max).min(),
        }?;
        let empty = StepValue::text(b"");
        let added =
            self.run(&self.description.steps, &empty, &self.fields, &mut Scratch::default());
        Some(inner.saturating_sub(added.map_or(0, |value| value.bytes.len())))
    }

    /// What the first steps give of a secret, each after the other: for whoever wants to see them.
    pub(crate) fn after_steps(&self, secret: &Secret, count: usize) -> Option<Zeroizing<Vec<u8>>> {
        let steps = self.description.steps.get(..count)?;
        let value = StepValue::text(secret.expose());
        let value = self.run(steps, &value, &self.fields, &mut Scratch::default());
        value.ok().map(|value| value.bytes)
    }
}

/// What readings of one hash have handed to functions that take their time. None of these has said yes yet,
/// nor would it of the same again: most passwords are the same with and without what some sites escape.
#[derive(Default)]
pub(crate) struct AskedFunctions<'r>(Vec<(&'r HashReading<'r>, StepValue)>);

impl<'r> AskedFunctions<'r> {
    #[cfg(test)]
    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    fn is_new(&mut self, reading: &'r HashReading<'r>, value: &StepValue) -> bool {
        if matches!(reading.target, ReadTarget::Digest) {
            return true;
        }
        let is_same = |(other, asked): &(&HashReading<'_>, StepValue)| {
            other.has_same_end(reading) && asked.bytes == value.bytes
        };
        let is_new = !self.0.iter().any(is_same);
        if is_new {
            self.0.push((reading, value.clone()));
        }
        is_new
    }
}

/// Whether one of them says yes. A no counts only if each could be tried.
pub(crate) fn any_matches(
    readings: &[HashReading<'_>],
    value: &StepValue,
    scratch: &mut Scratch,
) -> Result<bool, Unverified> {
    let mut found = Ok(false);
    for reading in readings {
        match reading.matches(value, &mut AskedFunctions::default(), scratch) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(reason) => found = Err(reason),
        }
    }
    found
}

/// The fields of the hash, and the columns beside it.
fn fields_of(
    description: &Description,
    hash: &StoredHash,
    bytes: BytesAs,
) -> Result<Fields, LayoutMisfit> {
    let mut fields = Fields::default();
    description.layout.read(hash.text(), &mut fields)?;
    for (column, text) in hash.columns() {
        match description.columns.iter().find(|(name, _)| name == column) {
            // It says that the hash has another form: nobody knows which.
            Some((_, layout)) => {
                layout.read(&plain_text(text), &mut fields).map_err(|_| LayoutMisfit::Other)?;
            }
            // Of the same name as a part of the hash, it is not that part.
            None if description.has_field(column) => {}
            None if bytes == BytesAs::Text => fields.set(HashField::text(column, text)),
            None => fields.set(column_field(column, text)),
        }
    }
    let is_whole = description.columns.iter().all(|(name, _)| hash.column(name).is_some());
    if is_whole { Ok(fields) } else { Err(LayoutMisfit::Other) }
}

/// Whether everything is there that the steps need, and readable as they read it.
fn has_all(description: &Description, fields: &Fields) -> bool {
    description.names().all(|name| {
        let decoding = decoding_of(&description.steps, name);
        fields
            .get(name)
            .is_some_and(|field| decoding.is_none_or(|coding| coding.decode(&field.text).is_some()))
    })
}

/// bcrypt's may be kept without its head, or in two pieces.
fn native_text(native: Native, fields: &Fields) -> Zeroizing<String> {
    let text = |name| fields.get(name).map_or("", |field| field.text.as_str());
    let parts = [text(HASH), text(BCRYPT_SALT), text(BCRYPT_DIGEST)].concat();
    Zeroizing::new(match fields.get("n").and_then(|n| n.number) {
        Some(cost) if native == Native::Bcrypt && !parts.starts_with('$') => {
            format!("$2b${cost:02}${parts}")
        }
        _ => parts,
    })
}

/// bcrypt's two pieces, where they stand apart.
const BCRYPT_SALT: &str = "bs";
const BCRYPT_DIGEST: &str = "bd";
const BCRYPT_HEAD_CHARS: usize = "$2b$10$".len();
const BCRYPT_SALT_CHARS: usize = 22;

fn set_native_text(fields: &mut Fields, made: &str) {
    let whole = fields.get(HASH).map(|field| field.text.starts_with('$'));
    let body = made.get(BCRYPT_HEAD_CHARS..).unwrap_or_default();
    let is_bcrypt_in_parts = fields.get("n").is_some();
    match whole {
        Some(false) if is_bcrypt_in_parts => fields.set(HashField::text(HASH, body)),
        Some(_) => fields.set(HashField::text(HASH, made)),
        None => {
            let (salt, digest) = body.split_at_checked(BCRYPT_SALT_CHARS).unwrap_or_default();
            fields.set(HashField::text(BCRYPT_SALT, salt));
            fields.set(HashField::text(BCRYPT_DIGEST, digest));
        }
    }
}

/// Whether what they give is no longer the password with something added.
fn is_derived(steps: &[HashStep]) -> bool {
    steps.iter().any(|step| match step {
        HashStep::Digest(_)
        | HashStep::Hmac(..)
        | HashStep::Keyed(..)
        | HashStep::Slow(_)
        | HashStep::Special(_) => true,
        HashStep::Times(_, steps) => is_derived(steps),
        _ => false,
    })
}

/// How a salt that is kept as text is read, if it stands for other bytes.
fn decoding_of(steps: &[HashStep], name: &str) -> Option<Coding> {
    steps.iter().flat_map(HashStep::operands).find_map(|operand| match operand {
        Operand::Piped(inner, steps) => match (&**inner, steps.first()) {
            (Operand::Named(named), Some(HashStep::Decode(coding))) if named == name => {
                Some(*coding)
            }
            _ => None,
        },
        _ => None,
    })
}
