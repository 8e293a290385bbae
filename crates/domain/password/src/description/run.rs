//! Goes through the steps.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::{
    fields::{Fields, HASH},
    operand_encoding::{OperandEncoding, steps_on_text},
    special,
    step::{Count, HashStep, Operand, ScryptCosts, Slow, Special},
};
use crate::{
    MakeHashError,
    coding::Coding,
    limits::{ARGON2_SALT_BYTES_MIN, STEP_WORK_BYTES, VALUE_BYTES_MAX, WORK_BYTES_MAX},
    native::{Scratch, bcrypt, md5_crypt},
};

/// What the steps work with, besides the password.
pub(crate) struct Surroundings<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) key: &'a [u8],
    pub(crate) encoding: OperandEncoding,
}

/// The running value.
#[derive(Clone)]
pub(crate) struct StepValue {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Whether something was digested. Then a NUL byte in it is no end of a text.
    pub(crate) is_derived: bool,
}

impl StepValue {
    pub(crate) fn text(bytes: &[u8]) -> Self {
        Self { bytes: Zeroizing::new(bytes.to_owned()), is_derived: false }
    }

    /// Whether a NUL byte stands in it that may be the end of a text.
    pub(super) fn has_nul_of_text(&self) -> bool {
        !self.is_derived && self.bytes.contains(&0)
    }

    /// One that differs from this in every byte, and in capitals as well.
    pub(super) fn another(&self) -> Self {
        let bytes = self.bytes.iter().map(|byte| byte ^ 0x15).chain(*b"another").collect();
        Self { bytes: Zeroizing::new(bytes), is_derived: self.is_derived }
    }

    fn derived(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { bytes, is_derived: true }
    }

    fn with(&self, bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { bytes, is_derived: self.is_derived }
    }
}

/// What is left of the steps on text, `pw`, and then all others.
pub(crate) fn run(
    steps: &[HashStep],
    from: &StepValue,
    around: &Surroundings<'_>,
    scratch: &mut Scratch,
) -> Result<StepValue, MakeHashError> {
    let on_text = steps.iter().take_while(|step| step.is_on_text()).count();
    let (on_text, others) = steps.split_at(on_text);
    let mut password = from.clone();
    for step in on_text {
        if let HashStep::Text(step) = step {
            password = password.with(step.apply(&password.bytes));
        }
    }
    let mut run = Run { around, password: &password.bytes, scratch, work_bytes: 0 };
    run.all(others, password.clone())
}

struct Run<'r> {
    around: &'r Surroundings<'r>,
    password: &'r [u8],
    scratch: &'r mut Scratch,
    /// What all steps have worked on until now.
    work_bytes: u64,
}

impl Run<'_> {
    fn all(
        &mut self,
        steps: &[HashStep],
        mut value: StepValue,
    ) -> Result<StepValue, MakeHashError> {
        for step in steps {
            self.bear(value.bytes.len())?;
            value = self.step(step, &value)?;
        }
        Ok(value)
    }

    /// A description may have steps done over and over, on values that grow: this bounds both.
    fn bear(&mut self, len: usize) -> Result<(), MakeHashError> {
        self.work_bytes += len as u64 + STEP_WORK_BYTES;
        let is_bearable = len <= VALUE_BYTES_MAX && self.work_bytes <= WORK_BYTES_MAX;
        if is_bearable { Ok(()) } else { Err(MakeHashError::TooLong) }
    }

    fn step(&mut self, step: &HashStep, value: &StepValue) -> Result<StepValue, MakeHashError> {
        let bytes = value.bytes.as_slice();
        Ok(match step {
            HashStep::Text(step) => value.with(step.apply(bytes)),
            HashStep::First(len) => {
                value.with(Zeroizing::new(bytes[..bytes.len().min(*len)].into()))
            }
            HashStep::Nul => value.with(Zeroizing::new([bytes, &[0]].concat())),
            HashStep::Concat(operands) => value.with(self.joined(operands, bytes)?),
            HashStep::Before(operand) => {
                let end = self.operand(operand, bytes)?;
                value.with(parted(bytes, &end).0)
            }
            HashStep::After(operand) => {
                let end = self.operand(operand, bytes)?;
                value.with(parted(bytes, &end).1)
            }
            HashStep::Template(operand) => {
                let template = self.operand(operand, bytes)?;
                value.with(special::filled(&template, &self.named("salt"), bytes))
            }
            HashStep::Digest(digest) => StepValue::derived(digest.digest(bytes)),
            HashStep::Hmac(digest, key) => {
                StepValue::derived(digest.hmac(&self.operand(key, bytes)?, bytes))
            }
            HashStep::Keyed(digest, message) => {
                StepValue::derived(digest.hmac(bytes, &self.operand(message, bytes)?))
            }
            HashStep::Encode(coding) => {
                value.with(Zeroizing::new(coding.encode(bytes).into_bytes()))
            }
            HashStep::Bare => value.with(Zeroizing::new(without_padding(bytes).into())),
            HashStep::Decode(coding) => {
                let text = String::from_utf8_lossy(bytes);
                let decoded = coding.decode(&text).ok_or(MakeHashError::Undecodable)?;
                value.with(Zeroizing::new(decoded))
            }
            HashStep::Times(count, steps) => {
                let mut value = value.clone();
                for _ in 0..number(count, self.around.fields).unwrap_or(0) {
                    value = self.all(steps, value)?;
                }
                value
            }
            HashStep::Slow(slow) => StepValue::derived(self.slow(slow, value)?),
            HashStep::Special(special) => StepValue::derived(self.special(special, bytes)?),
        })
    }

    fn joined(
        &mut self,
        operands: &[Operand],
        running: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
        let mut joined = Zeroizing::new(Vec::new());
        for operand in operands {
            joined.extend_from_slice(&self.operand(operand, running)?);
            self.bear(joined.len())?;
        }
        Ok(joined)
    }

    fn operand<'o>(
        &mut self,
        operand: &'o Operand,
        running: &'o [u8],
    ) -> Result<Cow<'o, [u8]>, MakeHashError> {
        Ok(match operand {
            Operand::Running => Cow::Borrowed(running),
            Operand::Password => Cow::Owned(self.password.to_owned()),
            Operand::Named(name) => Cow::Owned(self.named(name).into_owned()),
            Operand::Key => Cow::Owned(self.around.key.to_owned()),
            Operand::Literal(bytes) => Cow::Borrowed(bytes),
            Operand::Piped(operand, steps) => {
                Cow::Owned(self.piped(operand, steps, running)?.bytes.to_vec())
            }
        })
    }

    /// A field is a text until its steps are done that work on such.
    fn piped(
        &mut self,
        operand: &Operand,
        steps: &[HashStep],
        running: &[u8],
    ) -> Result<StepValue, MakeHashError> {
        let (Operand::Named(name), Some(on_text)) = (operand, steps_on_text(steps)) else {
            let from = StepValue::text(&self.unencoded(operand, running)?);
            return self.all(steps, from);
        };
        let (on_text, others) = steps.split_at(on_text);
        let text = self.all(on_text, StepValue::text(self.field(name)))?;
        let encoded = StepValue::text(&self.around.encoding.encoded(&text.bytes));
        self.all(others, encoded)
    }

    /// A field as UTF-8, for steps of which one says how it is encoded.
    fn unencoded<'o>(
        &mut self,
        operand: &'o Operand,
        running: &'o [u8],
    ) -> Result<Cow<'o, [u8]>, MakeHashError> {
        match operand {
            Operand::Named(name) => Ok(Cow::Owned(self.field(name).to_owned())),
            operand => self.operand(operand, running),
        }
    }

    /// A field as the site hashes it.
    fn named(&self, name: &str) -> Cow<'_, [u8]> {
        self.around.encoding.encoded(self.field(name))
    }

    fn field(&self, name: &str) -> &[u8] {
        self.around.fields.get(name).map_or(&[], |field| &field.bytes)
    }

    fn slow(
        &mut self,
        slow: &Slow,
        value: &StepValue,
    ) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
        let fields = self.around.fields;
        let cost = |count: &Count| count_of(count, fields);
        match slow {
            Slow::Pbkdf2 { digest, salt, iterations, len } => {
                let salt = self.operand(salt, &value.bytes)?;
                Ok(digest.pbkdf2(&value.bytes, &salt, cost(iterations), cost(len) as usize))
            }
            Slow::Scrypt { salt, costs, len } => {
                let (salt, len) = (self.operand(salt, &value.bytes)?, cost(len) as usize);
                scrypt(&value.bytes, &salt, scrypt_costs(costs, fields), len)
            }
            Slow::Argon2 { algorithm, version, salt, costs, len } => {
                let salt = self.operand(salt, &value.bytes)?.into_owned();
                let costs = [&costs[0], &costs[1], &costs[2]].map(cost);
                self.argon2((*algorithm, *version), &value.bytes, &salt, costs, cost(len) as usize)
            }
            Slow::Bcrypt { cost: count, salt } => {
                let salt = self.operand(salt, &value.bytes)?;
                bcrypt::digest(&value.bytes, cost(count), &salt)
            }
        }
    }

    fn argon2(
        &mut self,
        (algorithm, version): (argon2::Algorithm, argon2::Version),
        secret: &[u8],
        salt: &[u8],
        [memory_kib, passes, lanes]: [u32; 3],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
        if salt.len() < ARGON2_SALT_BYTES_MIN {
            return Err(MakeHashError::UnsupportedVariant);
        }
        let params = argon2::Params::new(memory_kib, passes, lanes, None);
        let params = params.map_err(|_| MakeHashError::OutOfMemory)?;
        let blocks = self.scratch.blocks(params.block_count());
        let blocks = blocks.ok_or(MakeHashError::OutOfMemory)?;
        let context = argon2::Argon2::new(algorithm, version, params);
        let mut out = Zeroizing::new(vec![0; len]);
        let done = context.hash_password_into_with_memory(secret, salt, &mut out, blocks);
        done.map_err(|_| MakeHashError::OutOfMemory).map(|()| out)
    }

    fn special(
        &mut self,
        special: &Special,
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
        Ok(match special {
            Special::Mysql323 => special::mysql323(bytes),
            Special::CramMd5 => special::cram_md5(bytes),
            Special::Ed25519 => special::ed25519(bytes),
            Special::Aes256Ctr(message) => {
                let message = self.operand(message, bytes)?;
                special::aes256_ctr(bytes, &message).ok_or(MakeHashError::Undecodable)?
            }
            Special::Md5Crypt { salt, magic } => {
                let (salt, magic) = (self.operand(salt, bytes)?, self.operand(magic, bytes)?);
                let magic = String::from_utf8_lossy(&magic);
                Zeroizing::new(md5_crypt::raw(bytes, &salt, &magic).to_vec())
            }
        })
    }
}

fn scrypt(
    secret: &[u8],
    salt: &[u8],
    costs: Option<[u64; 3]>,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, MakeHashError> {
    let [log_n, r, p] = costs.ok_or(MakeHashError::OutOfMemory)?;
    let [Ok(r), Ok(p)] = [r, p].map(u32::try_from) else { return Err(MakeHashError::OutOfMemory) };
    let log_n = u8::try_from(log_n).map_err(|_| MakeHashError::OutOfMemory)?;
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| MakeHashError::OutOfMemory)?;
    let mut out = Zeroizing::new(vec![0; len]);
    let done = scrypt::scrypt(secret, salt, &params, &mut out);
    done.map_err(|_| MakeHashError::OutOfMemory).map(|()| out)
}

/// The binary logarithm of N, r and p; `None` if N is no power of two.
pub(super) fn scrypt_costs(costs: &ScryptCosts, fields: &Fields) -> Option<[u64; 3]> {
    let number = |count: &Count| number(count, fields);
    match costs {
        ScryptCosts::Plain([n, r, p]) => {
            let n = number(n)?;
            n.is_power_of_two().then_some([n.trailing_zeros().into(), number(r)?, number(p)?])
        }
        ScryptCosts::LogN([log_n, r, p]) => {
            let log_n = match number(log_n)? {
                n if n <= LOG_N_MAX => n,
                n => n.is_power_of_two().then_some(n.trailing_zeros().into())?,
            };
            Some([log_n, number(r)?, number(p)?])
        }
        ScryptCosts::Packed(packed) => {
            let packed = number(packed)?;
            Some([packed >> 16, (packed >> 8) & 255, packed & 255])
        }
    }
}

/// No logarithm is larger: what is, is N itself.
const LOG_N_MAX: u64 = 63;

/// What a count stands for; `None` if its field is missing, or no number.
pub(super) fn number(count: &Count, fields: &Fields) -> Option<u64> {
    match count {
        Count::Fixed(number) => Some(*number),
        Count::HashLen => Some(fields.get(HASH)?.bytes.len() as u64),
        Count::Named(name) => {
            let field = fields.get(name)?;
            // A column beside the hash is text.
            field.number.or_else(|| field.text.trim().parse().ok())
        }
    }
}

/// A count that was checked when the hash was read.
fn count_of(count: &Count, fields: &Fields) -> u32 {
    number(count, fields).and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

fn parted(bytes: &[u8], at: &[u8]) -> (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>) {
    let place = bytes.windows(at.len().max(1)).position(|window| window == at);
    let (before, after) = match place {
        Some(place) => (&bytes[..place], &bytes[place + at.len()..]),
        None => (bytes, &[][..]),
    };
    (Zeroizing::new(before.to_owned()), Zeroizing::new(after.to_owned()))
}

fn without_padding(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|byte| *byte != b'=').map_or(0, |place| place + 1);
    &bytes[..len]
}

/// What the steps give has so many bytes, whatever the password; `None` if that depends on it.
pub(super) fn output_len(steps: &[HashStep], fields: &Fields) -> Option<usize> {
    steps.iter().fold(None, |len, step| match step {
        HashStep::Digest(digest) | HashStep::Hmac(digest, _) | HashStep::Keyed(digest, _) => {
            Some(digest.len())
        }
        HashStep::First(first) => len.map(|len: usize| len.min(*first)),
        HashStep::Encode(coding) => len.map(|len| coding.text_len(len)),
        HashStep::Decode(Coding::Hex) => len.map(|len| len / 2),
        HashStep::Times(_, steps) => output_len(steps, fields),
        HashStep::Slow(Slow::Bcrypt { .. }) => Some(bcrypt::DIGEST_BYTES),
        HashStep::Slow(
            Slow::Pbkdf2 { len, .. } | Slow::Scrypt { len, .. } | Slow::Argon2 { len, .. },
        ) => usize::try_from(number(len, fields)?).ok(),
        HashStep::Special(special) => special.output_len(),
        _ => None,
    })
}

impl Special {
    const fn output_len(&self) -> Option<usize> {
        match self {
            Self::Mysql323 => Some(8),
            Self::CramMd5 | Self::Ed25519 => Some(32),
            Self::Md5Crypt { .. } => Some(16),
            Self::Aes256Ctr(_) => None,
        }
    }
}
