//! What a site does with a password, step by step.

use super::{digest::DigestName, text_step::TextStep};
use crate::coding::Coding;

/// One step: it takes the running value, and leaves another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HashStep {
    Text(TextStep),
    /// No more than so many bytes.
    First(usize),
    /// A NUL byte at the end.
    Nul,
    Concat(Vec<Operand>),
    /// What stands before, or behind, the first of these bytes.
    Before(Operand),
    After(Operand),
    /// The operand's text, `{SALT}` and `{PASSWORD}` filled in.
    Template(Operand),
    Digest(DigestName),
    /// Of the running value, under a key.
    Hmac(DigestName, Operand),
    /// Of a message: the running value is the key.
    Keyed(DigestName, Operand),
    Encode(Coding),
    /// Without the padding of base64.
    Bare,
    Decode(Coding),
    Times(Count, Vec<Self>),
    Slow(Slow),
    Special(Special),
}

/// What takes its time on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slow {
    Pbkdf2 {
        digest: DigestName,
        salt: Operand,
        iterations: Count,
        len: Count,
    },
    Scrypt {
        salt: Operand,
        costs: ScryptCosts,
        len: Count,
    },
    Argon2 {
        algorithm: argon2::Algorithm,
        version: argon2::Version,
        salt: Operand,
        costs: [Count; 3],
        len: Count,
    },
    Bcrypt {
        cost: Count,
        salt: Operand,
    },
}

/// How software writes down N, r and p.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScryptCosts {
    Plain([Count; 3]),
    /// The binary logarithm of N, or N itself where that is too large for one, and the others.
    LogN([Count; 3]),
    /// Spring's one number: the logarithm, then a byte for each of the others.
    Packed(Count),
}

/// Functions of one program each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Special {
    /// MySQL before 4.1.
    Mysql323,
    /// The states of HMAC-MD5 after its two pads.
    CramMd5,
    /// The public key whose secret key is the value's SHA-512.
    Ed25519,
    /// The running value is the key; AES-256 in counter mode from 0.
    Aes256Ctr(Operand),
    /// The bytes of `$1$` or `$apr1$`, whichever magic text.
    Md5Crypt { salt: Operand, magic: Operand },
}

/// What a step works with, besides the running value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    /// `_`: the running value.
    Running,
    /// `pw`: the password after the steps on text.
    Password,
    /// A field of the hash, or a column beside it.
    Named(String),
    /// The site's own secret.
    Key,
    Literal(Vec<u8>),
    /// Another one, after steps of its own.
    Piped(Box<Self>, Vec<HashStep>),
}

/// A number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Count {
    Fixed(u64),
    Named(String),
    /// `hashlen`: as many bytes as the hash has.
    HashLen,
}

/// How what was computed is compared with what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It is the field `hash`.
    Compared,
    /// The field `hash` is a text that these functions write, or one without its beginning.
    Native(Native, String),
    /// The field `hash` is a text of any form that is known by itself.
    Stored,
}

/// Functions whose texts say everything themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Native {
    Argon2,
    /// The site's secret enters the function beside the password.
    Argon2Keyed,
    Bcrypt,
    Crypt,
    Phpass,
    Drupal7,
}

impl HashStep {
    /// Whether it is done before there is anything to digest: `pw` is what comes of these.
    pub(super) const fn is_on_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// What it works with.
    pub(super) fn operands(&self) -> Vec<&Operand> {
        match self {
            Self::Concat(operands) => operands.iter().collect(),
            Self::Before(operand)
            | Self::After(operand)
            | Self::Template(operand)
            | Self::Hmac(_, operand)
            | Self::Keyed(_, operand)
            | Self::Special(Special::Aes256Ctr(operand)) => vec![operand],
            Self::Special(Special::Md5Crypt { salt, magic }) => vec![salt, magic],
            Self::Slow(
                Slow::Pbkdf2 { salt, .. }
                | Slow::Scrypt { salt, .. }
                | Slow::Argon2 { salt, .. }
                | Slow::Bcrypt { salt, .. },
            ) => vec![salt],
            Self::Times(_, steps) => steps.iter().flat_map(Self::operands).collect(),
            _ => Vec::new(),
        }
    }

    /// The numbers that it reads.
    pub(super) fn counts(&self) -> Vec<&Count> {
        match self {
            Self::Times(count, steps) => {
                steps.iter().flat_map(Self::counts).chain([count]).collect()
            }
            Self::Slow(slow) => slow.counts(),
            _ => Vec::new(),
        }
    }
}

impl Slow {
    fn counts(&self) -> Vec<&Count> {
        match self {
            Self::Pbkdf2 { iterations, len, .. } => vec![iterations, len],
            Self::Scrypt { costs, len, .. } => costs.counts().into_iter().chain([len]).collect(),
            Self::Argon2 { costs, len, .. } => costs.iter().chain([len]).collect(),
            Self::Bcrypt { cost, .. } => vec![cost],
        }
    }
}

impl ScryptCosts {
    fn counts(&self) -> Vec<&Count> {
        match self {
            Self::Plain(costs) | Self::LogN(costs) => costs.iter().collect(),
            Self::Packed(cost) => vec![cost],
        }
    }
}

impl Operand {
    /// The fields and columns that it needs.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Named(name) => vec![name],
            Self::Piped(operand, steps) => {
                let more = steps.iter().flat_map(|step| names_in(step));
                operand.names().into_iter().chain(more).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn needs_key(&self) -> bool {
        match self {
            Self::Key => true,
            Self::Piped(operand, steps) => {
                operand.needs_key()
                    || steps.iter().flat_map(HashStep::operands).any(Self::needs_key)
            }
            _ => false,
        }
    }
}

/// The fields and columns that a step needs.
pub(super) fn names_in(step: &HashStep) -> Vec<&str> {
    let counts = step.counts().into_iter().filter_map(|count| match count {
        Count::Named(name) => Some(name.as_str()),
        Count::Fixed(_) | Count::HashLen => None,
    });
    step.operands().into_iter().flat_map(Operand::names).chain(counts).collect()
}
