//! The shape of a column's text: what stands in it as it is, and the fields between.
//!
//! `pbkdf2_sha256$<n:int>$<salt>$<hash:b64>`, `{SSHA}<b64(hash:20,salt)>` or
//! `json(value=<hash:b64>,salt=<salt:b64>)`.

use std::ops::Range;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    blob::Blob,
    fields::{Fields, HashField},
};
use crate::coding::Coding;

/// The shape of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One text.
    Text(TextLayout),
    /// A JSON object: where in it a text stands, and its shape.
    Json(Vec<(JsonPath, TextLayout)>),
}

/// Names of objects within objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath(pub(super) Vec<String>);

/// Literal texts and fields, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextLayout(pub(super) Vec<LayoutPart>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LayoutPart {
    Literal(String),
    Field(FieldPart),
    Blob(Coding, Blob),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldPart {
    pub(super) name: String,
    pub(super) kind: FieldCoding,
    /// Bytes that it stands for, if they are always so many.
    pub(super) bytes: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldCoding {
    Text,
    /// Letters and digits alone.
    Word,
    Number,
    HexNumber,
    Coded(Coding),
}

/// Why a text does not have a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayoutMisfit {
    /// It is something else.
    Other,
    /// It begins so, and breaks off or contradicts itself.
    Broken,
}

impl Layout {
    /// Takes a text apart, into more fields.
    pub(crate) fn read(&self, text: &str, fields: &mut Fields) -> Result<(), LayoutMisfit> {
        match self {
            Self::Text(layout) => layout.read(text, fields),
            Self::Json(members) => read_json(members, text, fields),
        }
    }

    /// A text of this shape that differs from another one in its fields alone; `None` if the other has
    /// another shape.
    pub(crate) fn write(&self, like: &str, fields: &Fields) -> Option<String> {
        match self {
            Self::Text(layout) => layout.write(like, fields),
            Self::Json(members) => write_json(members, like, fields),
        }
    }

    /// The texts that it holds fields of.
    pub(super) fn texts(&self) -> Vec<&TextLayout> {
        match self {
            Self::Text(layout) => vec![layout],
            Self::Json(members) => members.iter().map(|(_, layout)| layout).collect(),
        }
    }
}

fn read_json(
    members: &[(JsonPath, TextLayout)],
    text: &str,
    fields: &mut Fields,
) -> Result<(), LayoutMisfit> {
    let json: Value = serde_json::from_str(text).map_err(|_| LayoutMisfit::Other)?;
    let mut is_known = false;
    for (path, layout) in members {
        let broken = if is_known { LayoutMisfit::Broken } else { LayoutMisfit::Other };
        let text = path.find(&json).and_then(text_of).ok_or(broken)?;
        layout.read(&text, fields).map_err(|_| broken)?;
        is_known = true;
    }
    Ok(())
}

fn write_json(members: &[(JsonPath, TextLayout)], like: &str, fields: &Fields) -> Option<String> {
    let mut json: Value = serde_json::from_str(like).ok()?;
    for (path, layout) in members {
        let place = path.find_mut(&mut json)?;
        // Numbers are costs: they stay as they are.
        if let Value::String(text) = place {
            *text = layout.write(text, fields)?;
        }
    }
    Some(json.to_string())
}

fn text_of(json: &Value) -> Option<Zeroizing<String>> {
    match json {
        Value::String(text) => Some(Zeroizing::new(text.clone())),
        Value::Number(number) => Some(Zeroizing::new(number.to_string())),
        _ => None,
    }
}

impl JsonPath {
    fn find<'j>(&self, json: &'j Value) -> Option<&'j Value> {
        self.0.iter().try_fold(json, |json, name| json.get(name).map(one_of))
    }

    fn find_mut<'j>(&self, json: &'j mut Value) -> Option<&'j mut Value> {
        self.0.iter().try_fold(json, |json, name| json.get_mut(name))
    }
}

/// Keycloak keeps each parameter as a list of one.
fn one_of(json: &Value) -> &Value {
    match json.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        _ => json,
    }
}

impl TextLayout {
    fn read(&self, text: &str, fields: &mut Fields) -> Result<(), LayoutMisfit> {
        let ranges = self.ranges(text)?;
        for (part, range) in self.0.iter().zip(ranges) {
            part.read(&text[range], fields).ok_or_else(|| self.broken())?;
        }
        Ok(())
    }

    fn write(&self, like: &str, fields: &Fields) -> Option<String> {
        let ranges = self.ranges(like).ok()?;
        let parts = self.0.iter().zip(ranges);
        parts.map(|(part, range)| part.write(&like[range], fields)).collect()
    }

    /// Where each part stands.
    fn ranges(&self, text: &str) -> Result<Vec<Range<usize>>, LayoutMisfit> {
        let mut from = 0;
        let mut ranges = Vec::with_capacity(self.0.len());
        for place in 0..self.0.len() {
            let misfit = if place == 0 { LayoutMisfit::Other } else { self.broken() };
            let to = self.end_of(place, text, from).ok_or(misfit)?;
            ranges.push(from..to);
            from = to;
        }
        if from == text.len() { Ok(ranges) } else { Err(self.broken()) }
    }

    /// Where a part ends that begins here.
    fn end_of(&self, place: usize, text: &str, from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        let len = match &self.0[place] {
            LayoutPart::Literal(literal) => is_literal(literal, rest).then_some(literal.len())?,
            LayoutPart::Field(_) | LayoutPart::Blob(..) => match &self.0[place + 1..] {
                [] => rest.len(),
                // A field that may hold the literal as well goes up to its last one.
                [LayoutPart::Literal(end)] => rest.strip_suffix(end.as_str())?.len(),
                [LayoutPart::Literal(next), ..] => rest.find(next.as_str())?,
                _ => self.0[place].text_len()?,
            },
        };
        text.is_char_boundary(from + len).then_some(from + len)
    }

    /// What it means if a text begins as this does, and then does not go on so.
    fn broken(&self) -> LayoutMisfit {
        match self.0.first() {
            Some(LayoutPart::Literal(literal)) if literal.len() > 1 => LayoutMisfit::Broken,
            _ => LayoutMisfit::Other,
        }
    }
}

/// RFC 2307's names, capitals in braces, are read in whatever case: so do the programs that write
/// them. Spring's are not.
fn is_literal(literal: &str, text: &str) -> bool {
    let Some(found) = text.get(..literal.len()) else { return false };
    let is_rfc2307 =
        literal.starts_with('{') && !literal.contains(|c: char| c.is_ascii_lowercase());
    if is_rfc2307 { found.eq_ignore_ascii_case(literal) } else { found == literal }
}

impl LayoutPart {
    /// Characters that it has in any text; `None` if that differs.
    fn text_len(&self) -> Option<usize> {
        match self {
            Self::Literal(literal) => Some(literal.len()),
            Self::Field(part) => Some(part.kind.text_len(part.bytes?)),
            Self::Blob(..) => None,
        }
    }

    fn read(&self, text: &str, fields: &mut Fields) -> Option<()> {
        match self {
            Self::Literal(_) => {}
            Self::Field(part) => fields.set(part.read(text)?),
            Self::Blob(coding, blob) => blob.cut(&coding.decode(text)?, fields)?,
        }
        Some(())
    }

    fn write(&self, like: &str, fields: &Fields) -> Option<String> {
        Some(match self {
            Self::Literal(_) => like.to_owned(),
            Self::Field(FieldPart { name, kind: FieldCoding::Coded(coding), .. }) => {
                coding.encode_like(&fields.get(name)?.bytes, like)
            }
            Self::Field(part) => fields.get(&part.name)?.as_text()?.to_owned(),
            Self::Blob(coding, blob) => coding.encode_like(&blob.joined(fields)?, like),
        })
    }
}

impl FieldPart {
    fn read(&self, text: &str) -> Option<HashField> {
        let name = &self.name;
        Some(match self.kind {
            FieldCoding::Text | FieldCoding::Word => {
                let fits = self.bytes.is_none_or(|expected| expected == text.len())
                    && (self.kind == FieldCoding::Text || is_word(text));
                fits.then(|| HashField::text(name, text))?
            }
            FieldCoding::Number => HashField::number(name, text, digits(text, 10)?),
            FieldCoding::HexNumber => HashField::number(name, text, digits(text, 16)?),
            FieldCoding::Coded(coding) => {
                let bytes = coding.decode(text)?;
                let fits = self.bytes.is_none_or(|expected| expected == bytes.len());
                fits.then(|| HashField::coded(name, text, bytes))?
            }
        })
    }
}

impl FieldCoding {
    fn text_len(self, bytes: usize) -> usize {
        match self {
            Self::Coded(coding) => coding.text_len(bytes),
            Self::Text | Self::Word | Self::Number | Self::HexNumber => bytes,
        }
    }
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Digits alone, and no more than any cost needs.
fn digits(text: &str, radix: u32) -> Option<u64> {
    let is_number = text.bytes().all(|byte| char::from(byte).is_digit(radix));
    (is_number && text.len() <= DIGITS_MAX).then(|| u64::from_str_radix(text, radix).ok())?
}

/// More than any cost has.
const DIGITS_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::parse::parse_layout;

    fn read(layout: &str, text: &str) -> Result<Fields, LayoutMisfit> {
        let mut fields = Fields::default();
        parse_layout(layout).unwrap().read(text, &mut fields)?;
        Ok(fields)
    }

    #[track_caller]
    fn assert_field(fields: &Fields, name: &str, bytes: &[u8]) {
        assert_eq!(fields.get(name).unwrap().bytes.as_slice(), bytes);
    }

    #[test]
    fn a_text_is_taken_apart() {
        let fields = read("pbkdf2$<n:int>$<salt>$<hash:b64>", "pbkdf2$10$na$cl$AAE=");
        assert_eq!(fields.err(), Some(LayoutMisfit::Broken), "the salt ends at the first literal");
        let fields = read("pbkdf2$<n:int>$<salt>$<hash:b64>", "pbkdf2$10$nacl$AAE=").unwrap();
        assert_eq!(fields.get("n").unwrap().number, Some(10));
        assert_field(&fields, "salt", b"nacl");
        assert_field(&fields, "hash", &[0, 1]);
    }

    #[test]
    fn a_text_of_another_shape_is_told_from_a_broken_one() {
        let misfit = |text| read("md5$<salt>$<hash:lowhex>", text).err();
        assert_eq!(misfit("sha1$a$00"), Some(LayoutMisfit::Other));
        assert_eq!(misfit("md5$a"), Some(LayoutMisfit::Broken));
        assert_eq!(misfit("md5$a$0"), Some(LayoutMisfit::Broken));
        assert_eq!(misfit("md5$a$0A"), Some(LayoutMisfit::Broken));
        assert_eq!(read("<hash:hex>:<salt>", "zz:a").err(), Some(LayoutMisfit::Other));
        assert_eq!(read("<hash:hex>:<salt:word>", "00:a:b").err(), Some(LayoutMisfit::Other));
        assert!(read("<hash:hex>:<salt:word>", "00:a7").is_ok());
    }

    #[test]
    fn names_in_braces_are_read_in_any_case_and_written_as_they_stood() {
        let layout = parse_layout("{SSHA}<b64(hash:2,salt)>").unwrap();
        let mut fields = Fields::default();
        layout.read("{ssha}AAECAw==", &mut fields).unwrap();
        assert_field(&fields, "hash", &[0, 1]);
        assert_field(&fields, "salt", &[2, 3]);
        fields.set(HashField::coded("salt", "", vec![9, 9]));
        assert_eq!(layout.write("{ssha}AAECAw==", &fields).unwrap(), "{ssha}AAEJCQ==");
        assert_eq!(read("{argon2}<hash>", "{ARGON2}$a").err(), Some(LayoutMisfit::Other));
    }

    #[test]
    fn fields_of_known_length_need_nothing_between_them() {
        let fields = read("$2b$<n:int>$<salt:bc64:3><hash:bc64:3>", "$2b$04$....///.").unwrap();
        assert_field(&fields, "salt", &[0, 0, 0]);
        assert_eq!(fields.get("n").unwrap().text.as_str(), "04");
    }

    #[test]
    fn json_is_read_and_written_in_its_place() {
        let layout = parse_layout("json(value=<hash:b64>,more.n=<n:int>,by=me)").unwrap();
        let text = r#"{"by":"me","more":{"n":7,"other":[1]},"value":"AAE="}"#;
        let mut fields = Fields::default();
        layout.read(text, &mut fields).unwrap();
        assert_eq!(fields.get("n").unwrap().number, Some(7));
        fields.set(HashField::coded("hash", "", vec![1, 0]));
        let written = layout.write(text, &fields).unwrap();
        assert_eq!(written, r#"{"by":"me","more":{"n":7,"other":[1]},"value":"AQA="}"#);
        let read = |text: &str| layout.read(text, &mut Fields::default());
        assert_eq!(read("[]"), Err(LayoutMisfit::Other));
        assert_eq!(
            read(r#"{"value":"AAE=","more":{"n":7},"by":"you"}"#),
            Err(LayoutMisfit::Broken)
        );
    }
}
