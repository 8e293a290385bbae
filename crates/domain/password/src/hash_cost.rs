use std::fmt;

/// What stands between a stored hash and whoever guesses its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashCost {
    /// Nothing: it is the password, or a coding of it.
    Plain,
    /// One digest, or a few.
    Digest,
    /// A fast function, again and again.
    Rounds(u64),
    /// PBKDF2 over a digest of so many bytes.
    Pbkdf2 {
        /// The bytes of its digest: 20 are SHA-1's.
        digest_bytes: usize,
        /// How often.
        iterations: u64,
    },
    /// 2 to the power of `cost` rounds.
    Bcrypt {
        /// The logarithm.
        cost: u32,
    },
    /// scrypt, or yescrypt, which is built on it.
    Scrypt {
        /// The logarithm of N.
        log_n: u32,
        /// The size of a block.
        r: u64,
        /// How often.
        p: u64,
    },
    /// Argon2 of any kind.
    Argon2 {
        /// Memory.
        memory_kib: u64,
        /// Passes over it.
        passes: u64,
        /// Lanes.
        lanes: u64,
    },
}

impl HashCost {
    /// What is thought of it today.
    #[must_use]
    pub fn strength(self) -> HashStrength {
        let is_enough = match self {
            Self::Plain | Self::Digest => return HashStrength::Unfit,
            Self::Rounds(_) => false,
            Self::Pbkdf2 { digest_bytes, iterations } => iterations >= pbkdf2_min(digest_bytes),
            Self::Bcrypt { cost } => cost >= BCRYPT_COST_MIN,
            Self::Scrypt { log_n, r, p } => {
                SCRYPT_MIN.iter().any(|min| log_n >= min.0 && r >= 8 && p >= min.1)
            }
            Self::Argon2 { memory_kib, passes, .. } => {
                ARGON2_MIN.iter().any(|min| memory_kib >= min.0 && passes >= min.1)
            }
        };
        if is_enough { HashStrength::AsAdvised } else { HashStrength::Weak }
    }

    /// What OWASP's Password Storage Cheat Sheet advises instead.
    #[must_use]
    pub fn advice(self) -> String {
        match self {
            Self::Plain | Self::Digest | Self::Rounds(_) => {
                "OWASP advises argon2id, scrypt, bcrypt or PBKDF2".to_owned()
            }
            Self::Pbkdf2 { digest_bytes, .. } => {
                format!("OWASP advises at least {} iterations", pbkdf2_min(digest_bytes))
            }
            Self::Bcrypt { .. } => {
                format!("OWASP advises a cost of at least {BCRYPT_COST_MIN}")
            }
            Self::Scrypt { .. } => "OWASP advises at least N=2^17, r=8, p=1".to_owned(),
            Self::Argon2 { .. } => "OWASP advises at least 19 MiB and 2 passes".to_owned(),
        }
    }
}

/// What is thought of a cost, by what OWASP's Password Storage Cheat Sheet advised in 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashStrength {
    /// At least as dear as that.
    AsAdvised,
    /// Made for passwords, or made slow, and cheaper than that.
    Weak,
    /// Not made for passwords at all: whoever has it tries billions of them a second.
    Unfit,
}

const BCRYPT_COST_MIN: u32 = 10;

/// KiB and passes.
const ARGON2_MIN: [(u64, u64); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

/// The logarithm of N, and p.
const SCRYPT_MIN: [(u32, u64); 5] = [(17, 1), (16, 2), (15, 3), (14, 5), (13, 10)];

const fn pbkdf2_min(digest_bytes: usize) -> u64 {
    match digest_bytes {
        64.. => 210_000,
        32.. => 600_000,
        _ => 1_300_000,
    }
}

impl fmt::Display for HashCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("none: it is the password itself"),
            Self::Digest => f.write_str("one digest, or a few"),
            Self::Rounds(rounds) => write!(f, "{rounds} rounds of a fast function"),
            Self::Pbkdf2 { iterations, .. } => write!(f, "PBKDF2, {iterations} iterations"),
            Self::Bcrypt { cost } => write!(f, "bcrypt, cost {cost}"),
            Self::Scrypt { log_n, r, p } => write!(f, "scrypt, N=2^{log_n}, r={r}, p={p}"),
            Self::Argon2 { memory_kib, passes, lanes } => {
                write!(f, "argon2, {memory_kib} KiB, {passes} passes, {lanes} lanes")
            }
        }
    }
}

impl fmt::Display for HashStrength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AsAdvised => "as advised",
            Self::Weak => "weak",
            Self::Unfit => "not fit for passwords",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CostLimits, HashForms, Verifier, samples::hash};

    fn told(text: &str) -> (String, HashStrength) {
        let verifier = Verifier::new(CostLimits::default(), HashForms::known());
        let cost = verifier.cost(&hash(text)).unwrap();
        (cost.to_string(), cost.strength())
    }

    #[test]
    fn costs_are_told_and_held_against_what_is_advised() {
        use HashStrength::{AsAdvised, Unfit, Weak};
        let salt = "tHVJ.c1qLoiqCzqFPxuAu.ny6.MoFlMyGljeNBYmKmdybQrQe6OUy";
        for (text, cost, strength) in [
            (format!("$2b$04${salt}"), "bcrypt, cost 4", Weak),
            (format!("$2b$12${salt}"), "bcrypt, cost 12", AsAdvised),
            ("5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), "one digest, or a few", Unfit),
            (
                format!("pbkdf2_sha256$260000$salt${}=", "A".repeat(43)),
                "PBKDF2, 260000 iterations",
                Weak,
            ),
            (
                format!("pbkdf2_sha256$1000000$salt${}=", "A".repeat(43)),
                "PBKDF2, 1000000 iterations",
                AsAdvised,
            ),
            (
                format!("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ${}", "A".repeat(43)),
                "argon2, 65536 KiB, 3 passes, 4 lanes",
                AsAdvised,
            ),
            (
                format!("$6$rounds=1000$abc${}", ".".repeat(86)),
                "1000 rounds of a fast function",
                Weak,
            ),
            (
                format!("scrypt:32768:8:1$salt${}", "ab".repeat(64)),
                "scrypt, N=2^15, r=8, p=1",
                Weak,
            ),
        ] {
            assert_eq!(told(&text), (cost.to_owned(), strength), "{text}");
        }
    }
}
