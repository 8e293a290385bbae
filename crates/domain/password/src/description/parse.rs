//! Reads descriptions: `LAYOUT [& COLUMN LAYOUT]... := STEP|STEP... [; FIELD := STEP|STEP...]...`.

use super::{
    blob::{Blob, BlobPiece, PieceLen},
    described::Description,
    description_error::DescriptionError,
    digest::DigestName,
    fields::HASH,
    layout::{FieldCoding, FieldPart, JsonPath, Layout, LayoutPart, TextLayout},
    step::{Count, End, HashStep, Native, Operand, ScryptCosts, Slow, Special},
    text_step::TextStep,
};
use crate::{
    coding::Coding,
    limits::{DESCRIPTION_BYTES_MAX, DESCRIPTION_DEPTH_MAX},
};

type Parsed<T> = Result<T, DescriptionError>;

/// Reads a description.
pub(super) fn parse(text: &str) -> Parsed<Description> {
    if text.len() > DESCRIPTION_BYTES_MAX {
        return Err(wrong(text, "it is too long"));
    }
    if depth(text) > DESCRIPTION_DEPTH_MAX {
        return Err(wrong(text, "its parentheses stand too deep within each other"));
    }
    let mut clauses = text.split("; ");
    let first = clauses.next().unwrap_or_default();
    let (shapes, run) = first.split_once(":=").ok_or_else(|| wrong(text, "`:=` is missing"))?;
    let mut shapes = shapes.split(" & ");
    let layout = parse_layout(shapes.next().unwrap_or_default().trim())?;
    let columns = shapes.map(|shape| parse_column(shape.trim())).collect::<Parsed<Vec<_>>>()?;
    let (steps, end) = parse_run(run.trim())?;
    let others = clauses.map(parse_other).collect::<Parsed<Vec<_>>>()?;
    Ok(Description { text: text.to_owned(), layout, columns, steps, end, others })
}

/// The deepest that one parenthesis stands within others.
fn depth(text: &str) -> usize {
    let depths = text.bytes().scan(0_usize, |depth, byte| {
        match byte {
            b'(' => *depth += 1,
            b')' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    depths.max().unwrap_or_default()
}

fn parse_column(text: &str) -> Parsed<(String, Layout)> {
    let (name, layout) = text
        .split_once(' ')
        .ok_or_else(|| wrong(text, "write a column's name, then its layout"))?;
    Ok((parse_name(name)?, parse_layout(layout.trim())?))
}

/// Another field that a password gives.
fn parse_other(text: &str) -> Parsed<(String, Vec<HashStep>)> {
    let (name, run) = text.split_once(":=").ok_or_else(|| wrong(text, "`:=` is missing"))?;
    match parse_run(run.trim())? {
        (steps, End::Compared) => Ok((parse_name(name.trim())?, steps)),
        _ => Err(wrong(text, "only the field `hash` can be left to another function")),
    }
}

/// Reads a layout.
pub(super) fn parse_layout(text: &str) -> Parsed<Layout> {
    match text.strip_prefix("json(").and_then(|rest| rest.strip_suffix(')')) {
        Some(members) => {
            let members = split_outside(members, ',').into_iter().map(parse_member);
            Ok(Layout::Json(members.collect::<Parsed<_>>()?))
        }
        None => Ok(Layout::Text(parse_text_layout(text)?)),
    }
}

fn parse_member(text: &str) -> Parsed<(JsonPath, TextLayout)> {
    let (path, layout) = text
        .split_once('=')
        .ok_or_else(|| wrong(text, "write a member's name, `=`, its layout"))?;
    let path = path.split('.').map(str::to_owned).collect();
    Ok((JsonPath(path), parse_text_layout(layout)?))
}

fn parse_text_layout(mut rest: &str) -> Parsed<TextLayout> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, after) = match rest.strip_prefix('<') {
            None => {
                let end = rest.find('<').unwrap_or(rest.len());
                (LayoutPart::Literal(rest[..end].to_owned()), &rest[end..])
            }
            Some(field) => {
                let (field, after) =
                    field.split_once('>').ok_or_else(|| wrong(rest, "`>` is missing"))?;
                (parse_field(field)?, after)
            }
        };
        if is_without_end(parts.last()) && !matches!(part, LayoutPart::Literal(_)) {
            return Err(wrong(rest, "nothing says where the field before it ends"));
        }
        parts.push(part);
        rest = after;
    }
    Ok(TextLayout(parts))
}

fn is_without_end(part: Option<&LayoutPart>) -> bool {
    matches!(part, Some(LayoutPart::Blob(..) | LayoutPart::Field(FieldPart { bytes: None, .. })))
}

fn parse_field(text: &str) -> Parsed<LayoutPart> {
    if let Some((coding, pieces)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let coding =
            Coding::named(coding).ok_or_else(|| wrong(text, "it is no coding of bytes"))?;
        let blob = Blob(pieces.split(',').map(parse_piece).collect::<Parsed<_>>()?);
        // Without its last character a text would be another salt, and no match for anybody.
        let coding = if blob.is_open() { coding.padded() } else { coding };
        return Ok(LayoutPart::Blob(coding, blob));
    }
    let mut words = text.split(':');
    let name = parse_name(words.next().unwrap_or_default())?;
    let kind = match words.next() {
        None | Some("text") => FieldCoding::Text,
        Some("word") => FieldCoding::Word,
        Some("int") => FieldCoding::Number,
        Some("hexint") => FieldCoding::HexNumber,
        Some(coding) => FieldCoding::Coded(
            Coding::named(coding).ok_or_else(|| wrong(text, "it is no coding of bytes"))?,
        ),
    };
    let bytes = words.next().map(parse_number).transpose()?;
    Ok(LayoutPart::Field(FieldPart { name, kind, bytes }))
}

fn parse_piece(text: &str) -> Parsed<BlobPiece> {
    if let Some(digits) = text.strip_prefix("0x") {
        return Ok(BlobPiece::Literal(parse_hex(digits)?));
    }
    let (name, len) = text.split_once(':').unwrap_or((text, ""));
    let name = parse_name(name)?;
    Ok(match len {
        "" => BlobPiece::Field(name, PieceLen::Rest),
        "u32" => BlobPiece::Number(name),
        len if len.starts_with(|c: char| c.is_ascii_digit()) => {
            BlobPiece::Field(name, PieceLen::Bytes(parse_number(len)?))
        }
        len => BlobPiece::Field(name, PieceLen::Counted(parse_name(len)?)),
    })
}

/// Reads the steps, and how what they give is compared.
fn parse_run(text: &str) -> Parsed<(Vec<HashStep>, End)> {
    let mut words = split_outside(text, '|');
    let end = words.last().and_then(|last| parse_end(last)).unwrap_or(End::Compared);
    if end != End::Compared {
        words.pop();
    }
    Ok((words.into_iter().map(parse_step).collect::<Parsed<_>>()?, end))
}

fn parse_end(text: &str) -> Option<End> {
    let native = match text {
        "stored" => return Some(End::Stored),
        "argon2" => Native::Argon2,
        "argon2(key)" | "argon2(pepper)" => Native::Argon2Keyed,
        "bcrypt" | "bcryptparts" => Native::Bcrypt,
        "crypt" => Native::Crypt,
        "phpass" => Native::Phpass,
        "drupal7" => Native::Drupal7,
        _ => {
            let begin = text.strip_prefix("crypt(\"")?.strip_suffix("\")")?;
            return Some(End::Native(Native::Crypt, begin.to_owned()));
        }
    };
    Some(End::Native(native, String::new()))
}

fn parse_steps(text: &str) -> Parsed<Vec<HashStep>> {
    split_outside(text, '|').into_iter().map(parse_step).collect()
}

fn parse_step(text: &str) -> Parsed<HashStep> {
    let (name, arguments) = match text.split_once('(') {
        None => (text, Vec::new()),
        Some((name, rest)) => {
            let rest = rest.strip_suffix(')').ok_or_else(|| wrong(text, "`)` is missing"))?;
            (name, split_outside(rest, ','))
        }
    };
    named_step(name, &arguments)?.ok_or_else(|| wrong(text, "no step is called so"))
}

fn named_step(name: &str, arguments: &[&str]) -> Parsed<Option<HashStep>> {
    if let Some(step) = plain_step(name).filter(|_| arguments.is_empty()) {
        return Ok(Some(step));
    }
    let operand = |place: usize| {
        let text = arguments.get(place).ok_or_else(|| wrong(name, "it needs more arguments"))?;
        parse_operand(name, text)
    };
    let count = |place: usize| {
        let text = arguments.get(place).ok_or_else(|| wrong(name, "it needs more arguments"))?;
        parse_count(text)
    };
    let counts = || Ok([count(1)?, count(2)?, count(3)?]);
    let (first, digest) = name.split_once('-').unwrap_or((name, ""));
    let digest = DigestName::named(digest);
    Ok(Some(match (name, first, digest) {
        ("first", ..) => {
            HashStep::First(parse_number(arguments.first().copied().unwrap_or_default())?)
        }
        ("concat", ..) => {
            let operands = arguments.iter().map(|text| parse_operand(name, text));
            HashStep::Concat(operands.collect::<Parsed<_>>()?)
        }
        ("before", ..) => HashStep::Before(operand(0)?),
        ("after", ..) => HashStep::After(operand(0)?),
        ("template", ..) => HashStep::Template(operand(0)?),
        ("times", ..) => HashStep::Times(count(0)?, parse_loop(arguments.get(1).copied())?),
        ("aes256ctr", ..) => HashStep::Special(Special::Aes256Ctr(operand(0)?)),
        ("md5crypt", ..) => {
            HashStep::Special(Special::Md5Crypt { salt: operand(0)?, magic: operand(1)? })
        }
        (_, "hmac", Some(digest)) => HashStep::Hmac(digest, operand(0)?),
        (_, "keyed", Some(digest)) => HashStep::Keyed(digest, operand(0)?),
        (_, "pbkdf2", Some(digest)) => HashStep::Slow(Slow::Pbkdf2 {
            digest,
            salt: operand(0)?,
            iterations: count(1)?,
            len: count(2)?,
        }),
        ("scrypt", ..) => scrypt(operand(0)?, ScryptCosts::Plain(counts()?), count(4)?),
        ("scrypt-ln", ..) => scrypt(operand(0)?, ScryptCosts::LogN(counts()?), count(4)?),
        ("scrypt-packed", ..) => scrypt(operand(0)?, ScryptCosts::Packed(count(1)?), count(2)?),
        ("bcrypt", ..) => HashStep::Slow(Slow::Bcrypt { cost: count(0)?, salt: operand(1)? }),
        ("argon2id" | "argon2i" | "argon2d", ..) => HashStep::Slow(Slow::Argon2 {
            algorithm: argon2::Algorithm::new(name)
                .map_err(|_| wrong(name, "it is no kind of argon2"))?,
            version: parse_version(arguments.get(5).copied())?,
            salt: operand(0)?,
            costs: counts()?,
            len: count(4)?,
        }),
        _ => return Ok(None),
    }))
}

/// Argon2's, 19 where nothing says that it is the one before.
fn parse_version(text: Option<&str>) -> Parsed<argon2::Version> {
    match text {
        None | Some("19") => Ok(argon2::Version::V0x13),
        Some("16") => Ok(argon2::Version::V0x10),
        Some(_) => Err(wrong("argon2", "write 16 or 19, the versions of argon2")),
    }
}

const fn scrypt(salt: Operand, costs: ScryptCosts, len: Count) -> HashStep {
    HashStep::Slow(Slow::Scrypt { salt, costs, len })
}

/// Steps without arguments.
fn plain_step(name: &str) -> Option<HashStep> {
    if let Some(step) = TextStep::named(name) {
        return Some(HashStep::Text(step));
    }
    if let Some(digest) = DigestName::named(name) {
        return Some(HashStep::Digest(digest));
    }
    Some(match name {
        "nul" => HashStep::Nul,
        "hex" => HashStep::Encode(Coding::LowerHex),
        "HEX" => HashStep::Encode(Coding::UpperHex),
        "base64" => HashStep::Encode(Coding::Base64Padded),
        "base64url" => HashStep::Encode(Coding::Base64Url),
        "crypt64" => HashStep::Encode(Coding::Crypt),
        "bcrypt64" => HashStep::Encode(Coding::Bcrypt),
        "nopad" => HashStep::Bare,
        "unhex" => HashStep::Decode(Coding::Hex),
        "unbase64" => HashStep::Decode(Coding::Base64),
        "mysql323" => HashStep::Special(Special::Mysql323),
        "crammd5" => HashStep::Special(Special::CramMd5),
        "ed25519" => HashStep::Special(Special::Ed25519),
        _ => return None,
    })
}

fn parse_loop(text: Option<&str>) -> Parsed<Vec<HashStep>> {
    let text = text.and_then(|text| text.strip_prefix('(')?.strip_suffix(')'));
    parse_steps(text.ok_or_else(|| wrong("times", "write times(n,(step|step))"))?)
}

fn parse_operand(step: &str, text: &str) -> Parsed<Operand> {
    if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        let words = split_outside(inner, '|');
        let (first, steps) = words.split_first().ok_or_else(|| wrong(text, "it is empty"))?;
        let steps = steps.iter().map(|step| parse_step(step)).collect::<Parsed<_>>()?;
        return Ok(Operand::Piped(Box::new(parse_operand(step, first)?), steps));
    }
    if let Some(literal) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return Ok(Operand::Literal(literal.as_bytes().to_owned()));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return Ok(Operand::Literal(parse_hex(digits)?));
    }
    Ok(match text {
        "_" => Operand::Running,
        "pw" => Operand::Password,
        "key" | "pepper" => Operand::Key,
        // It may be meant for a literal: it is not shown.
        name => Operand::Named(parse_name(name).map_err(|_| wrong(step, NO_OPERAND))?),
    })
}

const NO_OPERAND: &str =
    "an operand is no field's name, and no text in quotation marks that open and close";

fn parse_count(text: &str) -> Parsed<Count> {
    if text == "hashlen" {
        return Ok(Count::HashLen);
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return parse_number(text).map(|number: usize| Count::Fixed(number as u64));
    }
    Ok(Count::Named(parse_name(text)?))
}

fn parse_number(text: &str) -> Parsed<usize> {
    let number = text.parse::<u32>().ok().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| wrong(text, "it is no number"))
}

fn parse_hex(digits: &str) -> Parsed<Vec<u8>> {
    Coding::Hex.decode(digits).ok_or_else(|| wrong("0x", "these are no hexadecimal digits"))
}

fn parse_name(text: &str) -> Parsed<String> {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { Ok(text.to_owned()) } else { Err(wrong(text, "it is no name of a field")) }
}

/// Splits at a character that stands in no parenthesis, bracket or quotation.
pub(super) fn split_outside(text: &str, at: char) -> Vec<&str> {
    let (mut depth, mut is_quoted, mut from) = (0_usize, false, 0);
    let mut words = Vec::new();
    for (place, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '(' | '<' if !is_quoted => depth += 1,
            ')' | '>' if !is_quoted => depth = depth.saturating_sub(1),
            _ if c == at && depth == 0 && !is_quoted => {
                words.push(text[from..place].trim());
                from = place + c.len_utf8();
            }
            _ => {}
        }
    }
    words.push(text[from..].trim());
    words
}

fn wrong(at: &str, reason: &'static str) -> DescriptionError {
    DescriptionError::new(at, reason)
}

/// Whether a layout has the field that everything is about.
pub(super) fn has_hash(layout: &Layout) -> bool {
    // bcrypt's digest may stand apart from its salt.
    has_field(layout, HASH) || has_field(layout, "bd")
}

/// Whether a layout has a field of this name.
pub(super) fn has_field(layout: &Layout, name: &str) -> bool {
    layout.texts().into_iter().any(|text| text.0.iter().any(|part| part.has_field(name)))
}

impl LayoutPart {
    fn has_field(&self, name: &str) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Field(FieldPart { name: own, .. }) => own == name,
            Self::Blob(_, Blob(pieces)) => pieces.iter().any(|piece| piece.is_named(name)),
        }
    }
}

impl BlobPiece {
    fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Number(own) | Self::Field(own, _) => own == name,
        }
    }
}
