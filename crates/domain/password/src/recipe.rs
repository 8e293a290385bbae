use model::{HashFormat, Randomness, Secret, StoredHash, Unverified};
use zeroize::Zeroizing;

use crate::{
    CostLimits, MakeHashError,
    limits::{SALT_BYTES, SALT_CHARS},
    stored::{Method, ParsedHash, Scratch},
};

/// Format and cost of a hash to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    method: Method,
    salt_len: usize,
    digest_len: usize,
}

impl Recipe {
    /// The recipe of an existing hash: its format, variant and cost, and the lengths of its salt
    /// and digest.
    ///
    /// # Errors
    /// As [`recognise`](crate::recognise): a hash that cannot be verified cannot be imitated.
    pub fn like(hash: &StoredHash, limits: &CostLimits) -> Result<Self, Unverified> {
        let stored = ParsedHash::parse(hash, limits)?;
        Ok(Self {
            salt_len: stored.salt.len(),
            digest_len: stored.digest.len(),
            method: stored.method,
        })
    }

    /// What the software that owns the format does by default, or what OWASP recommends today.
    #[must_use]
    pub fn with_default_cost(format: HashFormat) -> Self {
        let method = Method::with_default_cost(format);
        let text_salt = method.family().salt_alphabet().is_some();
        Self {
            salt_len: if text_salt { SALT_CHARS } else { SALT_BYTES },
            digest_len: method.family().digest_len(),
            method,
        }
    }

    /// The format of what it makes.
    #[must_use]
    pub fn format(&self) -> HashFormat {
        self.method.family().format()
    }

    /// Makes a hash of a secret, with a fresh salt. A site that peppers its passwords needs
    /// [`Verifier::make`](crate::Verifier::make) instead.
    ///
    /// # Errors
    /// [`MakeHashError::Nul`] for bcrypt, so give random secrets as text, and
    /// [`MakeHashError::OutOfMemory`].
    ///
    /// # Panics
    /// Never: no format begins like an unusable password.
    pub fn make(
        &self,
        secret: &Secret,
        randomness: &dyn Randomness,
    ) -> Result<StoredHash, MakeHashError> {
        let family = self.method.family();
        let salt = self.fresh_salt(randomness);
        let mut digest = Zeroizing::new(vec![0; self.digest_len]);
        family.derive(secret.expose(), &salt, &mut digest, &mut Scratch::default())?;
        let text = family.encode(&salt, &digest);
        Ok(StoredHash::from_column(Some(text)).expect("no format begins with `!` or `*`"))
    }

    fn fresh_salt(&self, randomness: &dyn Randomness) -> Vec<u8> {
        let mut salt = vec![0; self.salt_len];
        match self.method.family().salt_alphabet() {
            Some(alphabet) => salt.fill_with(|| pick(alphabet, randomness)),
            None => randomness.fill(&mut salt),
        }
        salt
    }
}

/// One character; 64 bits of randomness leave no bias that could be noticed.
fn pick(alphabet: &[u8], randomness: &dyn Randomness) -> u8 {
    let draw = u64::from_le_bytes(randomness.array());
    let place = draw % alphabet.len() as u64;
    alphabet[usize::try_from(place).expect("less than a length")]
}

#[cfg(test)]
mod tests {
    use model::Verdict;

    use super::*;
    use crate::{
        Pepper, PepperMode, Verifier,
        samples::{Counting, PASSWORD, SAMPLES, hash, secret},
    };

    fn verdict(made: &StoredHash, password: &[u8]) -> Verdict {
        Verifier::new(CostLimits::default(), None).verify(made, &[secret(password)])
    }

    #[test]
    fn what_every_format_makes_at_default_cost_verifies() {
        for format in HashFormat::ALL {
            let recipe = Recipe::with_default_cost(*format);
            let made = recipe.make(&secret(PASSWORD), &Counting::default()).unwrap();
            assert_eq!(recipe.format(), *format);
            assert_eq!(crate::recognise(&made, &CostLimits::default()), Ok(*format));
            assert_eq!(verdict(&made, PASSWORD), Verdict::Match { secret: 0 }, "{format}");
            assert_eq!(verdict(&made, b"correct horse"), Verdict::NoMatch, "{format}");
            assert_eq!(Recipe::like(&made, &CostLimits::default()), Ok(recipe));
        }
    }

    #[test]
    fn an_imitation_differs_only_in_salt_and_digest() {
        for (_, text) in SAMPLES {
            let recipe = Recipe::like(&hash(text), &CostLimits::default()).unwrap();
            let randomness = Counting::default();
            let made = recipe.make(&secret(b"new"), &randomness).unwrap();
            let again = recipe.make(&secret(b"new"), &randomness).unwrap();
            assert_eq!(made.expose().len(), text.len());
            assert_eq!(Recipe::like(&made, &CostLimits::default()), Ok(recipe));
            assert_eq!(verdict(&made, b"new"), Verdict::Match { secret: 0 }, "{text}");
            let salted = !text.contains("$10$$");
            assert_eq!(made.expose() != again.expose(), salted, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_verified_cannot_be_imitated() {
        let like = |text| Recipe::like(&hash(text), &CostLimits::default());
        assert_eq!(like("$6$salt$digest"), Err(Unverified::UnknownFormat));
        assert_eq!(like("md5$salt"), Err(Unverified::Malformed));
    }

    #[test]
    fn bcrypt_makes_nothing_of_a_secret_with_a_nul_byte() {
        let recipe = Recipe::with_default_cost(HashFormat::Bcrypt);
        let made = recipe.make(&secret(b"a\0b"), &Counting::default());
        assert_eq!(made.err(), Some(MakeHashError::Nul));
        // The digest that stands for it has none.
        let (_, text) = SAMPLES.iter().find(|(_, text)| text.starts_with("bcrypt_sha256")).unwrap();
        let recipe = Recipe::like(&hash(text), &CostLimits::default()).unwrap();
        let made = recipe.make(&secret(b"a\0b"), &Counting::default()).unwrap();
        assert_eq!(verdict(&made, b"a\0b"), Verdict::Match { secret: 0 });
    }

    #[test]
    fn a_peppered_hash_verifies_only_with_the_pepper() {
        for mode in [PepperMode::Append, PepperMode::Prepend, PepperMode::HmacSha256] {
            let pepper = Pepper::new(mode, secret(b"pepper"));
            let site = Verifier::new(CostLimits::default(), Some(pepper));
            let recipe = Recipe::with_default_cost(HashFormat::DjangoMd5);
            let made = site.make(&recipe, &secret(PASSWORD), &Counting::default()).unwrap();
            let found = site.verify(&made, &[secret(b"other"), secret(PASSWORD)]);
            assert_eq!(found, Verdict::Match { secret: 1 });
            assert_eq!(verdict(&made, PASSWORD), Verdict::NoMatch);
        }
    }
}
