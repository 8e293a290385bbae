//! Solaris's crypt strings `$md5$` and `$md5,rounds=`: MD5 again and again, a soliloquy of Hamlet's
//! thrown in about every other time.

use std::fmt::{self, Write};

use md5::{Digest, Md5};
use model::Unverified::{self, Malformed, TooExpensive};

use super::{
    crypt_text::{plain_salt, shuffled, unshuffled, without_nul},
    family::Family,
    md5_crypt::ORDER,
    parsed::ParsedHash,
    scratch::Scratch,
    text::positive,
};
use crate::{CostLimits, HashCost, MakeHashError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SunMd5 {
    /// Beyond those that are always done; `None` if the text does not say.
    rounds: Option<u32>,
    /// Whether the dollar sign behind the salt is doubled, the first being hashed with the salt.
    doubled: bool,
}

/// `$md5$salt$$digest`, or with one `$` as an error of Solaris had it, and with `,rounds=5000`.
pub(super) fn read(text: &str) -> Result<ParsedHash<SunMd5>, Unverified> {
    let fields: Vec<&str> = text.split('$').collect();
    let (name, salt, doubled, digest) = match fields[..] {
        ["", name, salt, digest] => (name, salt, false, digest),
        ["", name, salt, "", digest] => (name, salt, true, digest),
        _ => return Err(Malformed),
    };
    let digest = unshuffled(digest, &ORDER, DIGEST_BYTES)?;
    let method = SunMd5 { rounds: read_rounds(name)?, doubled };
    Ok(ParsedHash::new(method, plain_salt(salt)?, digest))
}

const NAME: &str = "md5";

const ROUNDS: &str = ",rounds=";

const ROUNDS_ALWAYS: u32 = 4096;

const DIGEST_BYTES: usize = 16;

fn read_rounds(name: &str) -> Result<Option<u32>, Unverified> {
    match name.strip_prefix(NAME).ok_or(Malformed)? {
        "" => Ok(None),
        rounds => {
            let rounds = positive(rounds.strip_prefix(ROUNDS).ok_or(Malformed)?)?;
            let all = ROUNDS_ALWAYS.checked_add(rounds).ok_or(TooExpensive)?;
            Ok(Some(all - ROUNDS_ALWAYS))
        }
    }
}

impl SunMd5 {
    fn all_rounds(&self) -> u32 {
        ROUNDS_ALWAYS + self.rounds.unwrap_or_default()
    }

    /// All that stands before the digest but the last dollar sign, which is hashed.
    fn settings(&self, salt: &[u8]) -> String {
        let rounds = self.rounds.map_or_else(String::new, |rounds| format!("{ROUNDS}{rounds}"));
        let end = if self.doubled { "$" } else { "" };
        format!("${NAME}{rounds}${}{end}", String::from_utf8_lossy(salt))
    }

    fn raw(&self, secret: &[u8], salt: &[u8]) -> [u8; DIGEST_BYTES] {
        let settings = self.settings(salt);
        let mut digest = Md5::new().chain_update(secret).chain_update(settings).finalize().into();
        for round in 0..self.all_rounds() {
            let mut hasher = Md5::new().chain_update(digest);
            if Bits(&digest).coin(round) {
                hasher.update(HAMLET);
                hasher.update([0]);
            }
            write!(Digits(&mut hasher), "{round}").expect("a hasher takes everything");
            digest = hasher.finalize().into();
        }
        digest
    }
}

/// Act 3, scene 1, as Project Gutenberg has it in its text number 2265. The NUL byte that ends a
/// string in C is hashed with it.
const HAMLET: &[u8] = include_bytes!("hamlet.txt");

/// A digest as 128 bits that choose among themselves.
struct Bits<'d>(&'d [u8; DIGEST_BYTES]);

impl Bits<'_> {
    /// Whether the soliloquy is recited in this round.
    fn coin(&self, round: u32) -> bool {
        let [heads, tails] = [(0, round), (8, round + 64)].map(|(first, place)| {
            let chosen = self.seven(first, self.at(place));
            self.at(chosen)
        });
        heads != tails
    }

    fn at(&self, place: u32) -> bool {
        let place = place as usize % 128;
        self.0[place / 8] >> (place % 8) & 1 == 1
    }

    /// A place that seven steps find, a bit each: from this byte on, or from the next.
    fn seven(&self, first: usize, next: bool) -> u32 {
        let first = first + usize::from(next);
        (0..7).fold(0, |place, step| place | u32::from(self.step(step, first)) << step)
    }

    fn step(&self, step: usize, first: usize) -> bool {
        let byte = |place: usize| self.0[place % DIGEST_BYTES];
        let (a, b) = (byte(first + step), byte(first + step + 3));
        let chosen = byte(usize::from(a >> (b % 5))) >> (b >> (a & 7) & 1);
        self.at(chosen.into())
    }
}

/// Takes the digits of a number in without putting them together first.
struct Digits<'h>(&'h mut Md5);

impl Write for Digits<'_> {
    fn write_str(&mut self, digits: &str) -> fmt::Result {
        self.0.update(digits);
        Ok(())
    }
}

impl Family for SunMd5 {
    fn cost(&self) -> HashCost {
        HashCost::Rounds(self.all_rounds().into())
    }

    fn exceeds(&self, limits: &CostLimits) -> bool {
        self.all_rounds() > limits.digest_rounds_max
    }

    fn derive(
        &self,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
        _: &mut Scratch,
    ) -> Result<(), MakeHashError> {
        without_nul(secret)?;
        out.copy_from_slice(&self.raw(secret, salt));
        Ok(())
    }

    fn encode(&self, salt: &[u8], digest: &[u8]) -> String {
        format!("{}${}", self.settings(salt), shuffled(digest, &ORDER))
    }
}
