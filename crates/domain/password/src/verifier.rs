use std::{
    borrow::Cow,
    num::NonZero,
    sync::{Mutex, PoisonError},
};

use model::{Randomness, Secret, StoredHash, Unverified, Verdict};
use rayon::prelude::*;

use crate::{
    CostLimits, MakeHashError, Pepper, Recipe,
    stored::{Method, ParsedHash, Scratch},
    threads::{ThreadError, Threads},
};

/// Tries secrets on stored hashes, the way one site hashes them.
#[derive(Debug)]
pub struct Verifier {
    limits: CostLimits,
    pepper: Option<Pepper>,
    threads: Threads,
}

/// One stored hash, and the secrets to try on it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// As it stands in the site's table.
    pub hash: &'a StoredHash,
    /// In the order in which they are tried.
    pub secrets: &'a [Secret],
}

impl Verifier {
    /// `limits` bound what one hash may cost; `pepper` is the site's own, if it has one.
    #[must_use]
    pub const fn new(limits: CostLimits, pepper: Option<Pepper>) -> Self {
        Self { limits, pepper, threads: Threads::AllCores }
    }

    /// Tries on so many threads from now on, instead of on those that everything in the process
    /// shares: for a host that gives each of its workers some cores and no more.
    ///
    /// # Errors
    /// [`ThreadError`] if the system starts no thread.
    pub fn on_threads(self, count: NonZero<usize>) -> Result<Self, ThreadError> {
        Ok(Self { threads: Threads::of(count)?, ..self })
    }

    /// Tries the secrets in their order, up to the first that is the password.
    ///
    /// A hash that cannot be read is `Unverified` even when there is no secret to try. If a secret
    /// could not be tried and no other matches, the whole is `Unverified`: only a secret that was
    /// tried can be no match.
    #[must_use]
    pub fn verify(&self, hash: &StoredHash, secrets: &[Secret]) -> Verdict {
        self.attempt(Attempt { hash, secrets }, &mut Scratch::default())
    }

    /// Tries many accounts, on all cores unless [`on_threads`](Self::on_threads) says otherwise;
    /// verdicts come in the order of the attempts.
    ///
    /// A verdict is the same as [`verify`](Self::verify) gives, whatever else is in the batch.
    #[must_use]
    pub fn verify_many(&self, attempts: &[Attempt<'_>]) -> Vec<Verdict> {
        let scratches = ScratchPool::default();
        let all = || {
            attempts
                .par_iter()
                // One hash can take seconds, so each is a piece that an idle core can take over.
                .with_max_len(1)
                .map(|attempt| scratches.lend(|scratch| self.attempt(*attempt, scratch)))
                .collect()
        };
        self.threads.run(all)
    }

    /// Makes a hash of a secret that the site itself will accept: the pepper is mixed in first.
    ///
    /// # Errors
    /// As [`Recipe::make`].
    pub fn make(
        &self,
        recipe: &Recipe,
        secret: &Secret,
        randomness: &dyn Randomness,
    ) -> Result<StoredHash, MakeHashError> {
        recipe.make(&self.peppered(secret), randomness)
    }

    /// Makes a hash of a secret in the form of another hash: its format, variant and cost.
    ///
    /// # Errors
    /// [`ImitateError`] if that hash cannot be read, or none can be made.
    pub fn imitate(
        &self,
        hash: &StoredHash,
        secret: &Secret,
        randomness: &dyn Randomness,
    ) -> Result<StoredHash, ImitateError> {
        let recipe = Recipe::like(hash, &self.limits)?;
        Ok(self.make(&recipe, secret, randomness)?)
    }

    /// Bytes that the site puts before or behind every password before it hashes it.
    #[must_use]
    pub fn bytes_added(&self) -> usize {
        self.pepper.as_ref().map_or(0, Pepper::bytes_added)
    }

    fn attempt(&self, attempt: Attempt<'_>, scratch: &mut Scratch) -> Verdict {
        match ParsedHash::parse(attempt.hash, &self.limits) {
            Ok(stored) => self.try_in_order(&stored, attempt.secrets, scratch),
            Err(reason) => Verdict::Unverified(reason),
        }
    }

    fn try_in_order(
        &self,
        stored: &ParsedHash<Method>,
        secrets: &[Secret],
        scratch: &mut Scratch,
    ) -> Verdict {
        let mut verdict = Verdict::NoMatch;
        for (place, secret) in secrets.iter().enumerate() {
            match stored.matches(self.peppered(secret).expose(), scratch) {
                Ok(true) => return Verdict::Match { secret: place },
                Ok(false) => (),
                Err(reason) => verdict = Verdict::Unverified(reason),
            }
        }
        verdict
    }

    fn peppered<'s>(&self, secret: &'s Secret) -> Cow<'s, Secret> {
        match &self.pepper {
            Some(pepper) => Cow::Owned(pepper.mix(secret)),
            None => Cow::Borrowed(secret),
        }
    }
}

/// Why a hash cannot be imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImitateError {
    /// It cannot be read.
    #[error("its form cannot be copied: {0}")]
    Unreadable(Unverified),
    /// None can be made.
    #[error(transparent)]
    Make(#[from] MakeHashError),
}

impl From<Unverified> for ImitateError {
    fn from(reason: Unverified) -> Self {
        Self::Unreadable(reason)
    }
}

/// Working memory that threads take turns with, since touching fresh memory costs Argon2 as much
/// time as the hashing itself. It is wiped when the batch ends.
#[derive(Default)]
struct ScratchPool(Mutex<Vec<Scratch>>);

impl ScratchPool {
    fn lend<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let idle = self.idle().pop();
        let mut scratch = idle.unwrap_or_default();
        let result = work(&mut scratch);
        self.idle().push(scratch);
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        // What a panicking thread leaves behind is a list of buffers, whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::{PASSWORD, SAMPLES, hash, secret};

    fn verifier() -> Verifier {
        Verifier::new(CostLimits::default(), None)
    }

    fn tried(text: &str, secrets: &[&[u8]]) -> Verdict {
        let secrets: Vec<Secret> = secrets.iter().map(|bytes| secret(bytes)).collect();
        verifier().verify(&hash(text), &secrets)
    }

    #[test]
    fn the_first_secret_that_matches_is_named() {
        for (_, text) in SAMPLES {
            let found = tried(text, &[b"", b"Correct hors", PASSWORD, PASSWORD]);
            assert_eq!(found, Verdict::Match { secret: 2 }, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_no_match() {
        let malformed = Verdict::Unverified(Unverified::Malformed);
        assert_eq!(tried("md5$salt$", &[PASSWORD]), malformed);
        assert_eq!(tried("md5$salt$", &[]), malformed);
        let unknown = Verdict::Unverified(Unverified::UnknownFormat);
        assert_eq!(tried("$6$salt$digest", &[PASSWORD]), unknown);
        assert_eq!(tried(SAMPLES[0].1, &[]), Verdict::NoMatch);
    }

    #[test]
    fn bcrypt_reads_72_bytes_and_no_nul() {
        // Of 80 bytes; made by bcrypt 4.
        let long = "$2b$04$mRBboZTn8x044mMpMIZFVu7JTvs.wkxjnFFDqhnuXA/fMs7cez0qq";
        let whole = b"Abcdefghij".repeat(8);
        assert_eq!(tried(long, &[&whole]), Verdict::Match { secret: 0 });
        assert_eq!(tried(long, &[&whole[..72]]), Verdict::Match { secret: 0 });
        assert_eq!(tried(long, &[&whole[..71]]), Verdict::NoMatch);
        let empty = "$2b$04$XoT6xCpOjjDWlKzctajK8uOHQ9Rmx2tmak7qf5eeF25q.MZ128X7q";
        assert_eq!(tried(empty, &[b""]), Verdict::Match { secret: 0 });
        assert_eq!(tried(empty, &[b"\0", b"\0\0"]), Verdict::NoMatch);
    }

    /// Hashes of all kinds with a right secret at some place, a wrong one only, or none.
    fn mixed_batch() -> Vec<(StoredHash, Vec<Secret>)> {
        let broken = ["md5$salt$", "$6$salt$digest", "$2b$31$"];
        let texts = SAMPLES.iter().map(|(_, text)| *text).chain(broken);
        let secrets: [&[&[u8]]; 4] = [&[PASSWORD], &[b"wrong", PASSWORD], &[b"wrong"], &[]];
        let secrets =
            secrets.map(|list| list.iter().map(|bytes| secret(bytes)).collect::<Vec<_>>());
        texts.flat_map(|text| secrets.clone().map(|list| (hash(text), list))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_batch_gives_what_one_by_one_gives(
            batch in Just(mixed_batch()).prop_shuffle(),
            size in any::<prop::sample::Index>(),
            threads in (1_usize..5).prop_map(|count| NonZero::new(count).unwrap()),
        ) {
            let batch = &batch[..size.index(batch.len() + 1)];
            let attempts = batch.iter().map(|(hash, secrets)| Attempt { hash, secrets });
            let attempts: Vec<_> = attempts.collect();
            let one_by_one = batch.iter().map(|(hash, secrets)| verifier().verify(hash, secrets));
            let many = verifier().on_threads(threads).unwrap().verify_many(&attempts);
            prop_assert_eq!(many, one_by_one.collect::<Vec<_>>());
        }
    }
}
