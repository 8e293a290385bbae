//! Argon2: PHC strings.
//!
//! Read as their writers write them: parameters in any order (npm's argon2 and Shiro have others than
//! the reference implementation), canonical base64, padded or not. With `keyid` or `data` more goes into the
//! function than the password: what that is, the text does not say, or no software that we know.

use argon2::{Algorithm, Params, Version};
use model::Unverified::{self, Malformed, UnknownFormat, UnsupportedVariant};
use zeroize::Zeroizing;

use super::{
    family::Family,
    parsed::ParsedHash,
    scratch::Scratch,
    text::{decimal, decode, of_fair_length, positive},
};
use crate::{CostLimits, HashCost, MakeHashError, coding::Coding, limits::ARGON2_SALT_BYTES_MIN};

#[derive(Clone)]
pub(crate) struct Argon2 {
    algorithm: Algorithm,
    /// `None` if the text does not say, as before version 19 was made; it then means 16.
    version: Option<Version>,
    /// The names of the three costs, in the order of the text.
    order: [char; 3],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// How salt and digest are written.
    coding: Coding,
    key: Zeroizing<Vec<u8>>,
}

pub(super) fn read(text: &str) -> Result<ParsedHash<Argon2>, Unverified> {
    let ([name, costs, salt, digest], version) = split(text)?;
    let (order, costs) = read_costs(costs)?;
    let cost = |name| order.iter().position(|found| *found == name).map(|place| costs[place]);
    let [memory_kib, passes, lanes] = [cost('m'), cost('t'), cost('p')];
    let method = Argon2 {
        algorithm: Algorithm::new(name).map_err(|_| Malformed)?,
        version,
        order,
        memory_kib: memory_kib.ok_or(Malformed)?,
        passes: passes.ok_or(Malformed)?,
        lanes: lanes.ok_or(Malformed)?,
        coding: coding_of(salt, digest),
        key: Zeroizing::default(),
    };
    method.params().ok_or(Malformed)?;
    let digest = whole(of_fair_length(decode(digest, method.coding)?)?)?;
    let salt = read_salt(salt, method.coding)?;
    Ok(ParsedHash::new(method, salt, digest))
}

/// The length enters the function, so that a digest which lost its end matches nothing. Nobody writes
/// one that is not a multiple of this.
fn whole(digest: Vec<u8>) -> Result<Vec<u8>, Unverified> {
    if digest.len().is_multiple_of(DIGEST_BYTES_STEP) { Ok(digest) } else { Err(Malformed) }
}

const DIGEST_BYTES_STEP: usize = 8;

/// `m=65536,t=3,p=4`: three positive numbers.
fn read_costs(text: &str) -> Result<([char; 3], [u32; 3]), Unverified> {
    let fields: Vec<&str> = text.split(',').collect();
    if fields.iter().any(|field| field.starts_with("keyid=") || field.starts_with("data=")) {
        return Err(UnknownFormat);
    }
    let fields: [&str; 3] = fields.try_into().map_err(|_| Malformed)?;
    let (mut order, mut costs) = ([' '; 3], [0; 3]);
    for (place, field) in fields.into_iter().enumerate() {
        let (name, number) = field.split_once('=').ok_or(Malformed)?;
        order[place] = name.parse().map_err(|_| Malformed)?;
        costs[place] = positive(number)?;
    }
    Ok((order, costs))
}

/// Name, costs, salt and digest, and the version if it is named.
fn split(phc: &str) -> Result<([&str; 4], Option<Version>), Unverified> {
    let fields: Vec<&str> = phc.split('$').collect();
    match fields[..] {
        ["", name, costs, salt, digest] => Ok(([name, costs, salt, digest], None)),
        ["", name, version, costs, salt, digest] => {
            let version = read_version(version)?;
            Ok(([name, costs, salt, digest], Some(version)))
        }
        _ => Err(Malformed),
    }
}

/// Most software pads nothing.
fn coding_of(salt: &str, digest: &str) -> Coding {
    let is_padded = salt.ends_with('=') || digest.ends_with('=');
    if is_padded { Coding::Base64Padded } else { Coding::Base64Bare }
}

fn read_version(text: &str) -> Result<Version, Unverified> {
    let number = decimal(text.strip_prefix("v=").ok_or(Malformed)?)?;
    Version::try_from(number).map_err(|_| Malformed)
}

/// RFC 9106 asks for eight bytes, and so do most libraries; Go's takes fewer.
fn read_salt(text: &str, coding: Coding) -> Result<Vec<u8>, Unverified> {
    let salt = decode(text, coding)?;
    if salt.len() < ARGON2_SALT_BYTES_MIN { Err(UnsupportedVariant) } else { Ok(salt) }
}

impl Argon2 {
    fn params(&self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, None).ok()
    }

    fn context(&self) -> Option<argon2::Argon2<'_>> {
        let (version, params) = (self.version.unwrap_or(Version::V0x10), self.params()?);
        argon2::Argon2::new_with_secret(&self.key, self.algorithm, version, params).ok()
    }

    fn cost(&self, name: char) -> u32 {
        match name {
            'm' => self.memory_kib,
            't' => self.passes,
            _ => self.lanes,
        }
    }

    /// `None` for want of memory, or of an address space in which the secret fits: what the text
    /// says was checked when it was read.
    fn fill(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Option<()> {
        let context = self.context()?;
        let blocks = scratch.blocks(self.params()?.block_count())?;
        let done = context.hash_password_into_with_memory(secret, salt, out, blocks);
        done.ok()
    }
}

impl Family for Argon2 {
    fn cost(&self) -> HashCost {
        let Self { memory_kib, passes, lanes, .. } = self;
        let [memory_kib, passes, lanes] = [memory_kib, passes, lanes].map(|cost| u64::from(*cost));
        HashCost::Argon2 { memory_kib, passes, lanes }
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.memory_kib > limits.argon2_memory_kib_max
            || self.passes > limits.argon2_passes_max
            || self.lanes > limits.argon2_lanes_max
    }

    fn salt_alphabet(&self) -> Option<&'static [u8]> {
        None
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        let done = self.fill(secret, salt, out, scratch);
        done.ok_or(MakeHashError::OutOfMemory)
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        let version = match self.version {
            Some(version) => format!("$v={}", u32::from(version)),
            None => String::new(),
        };
        let costs = self.order.map(|name| format!("{name}={}", self.cost(name))).join(",");
        let (salt, digest) = (self.coding.encode(salt), self.coding.encode(digest));
        format!("${}{version}${costs}${salt}${digest}", self.algorithm)
    }

    fn set_key(&mut self, key: &[u8]) {
        self.key = Zeroizing::new(key.to_owned());
    }
}

/// The key is the site's secret.
impl std::fmt::Debug for Argon2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Argon2({})", self.algorithm)
    }
}
