use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    sync::{Mutex, PoisonError},
};

use model::{HashFormat, Randomness, Secret, StoredHash, Unverified, Verdict};
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::{
    CostLimits, FormId, HashCost, HashForms, MakeHashError,
    description::{AskedFunctions, FormCandidate, ReadingContext, StepValue},
    forms::FormCandidates,
    native::Scratch,
    threads::{ThreadError, Threads},
};

/// Tries secrets on stored hashes, the way one site hashes them.
#[derive(Debug)]
pub struct Verifier {
    limits: CostLimits,
    forms: HashForms,
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

/// What came of trying secrets on one stored hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedHash {
    /// Whether one of them is the password.
    pub verdict: Verdict,
    /// The form that a match has proved, else the first that the hash has the shape of, though it may be
    /// malformed or too expensive.
    pub format: Option<HashFormat>,
    /// Each way to compute it that was tried; of a match, the one that it has proved.
    pub forms: Vec<FormId>,
}

impl Verifier {
    /// `limits` bound what one hash may cost; `forms` are those that the site's hashes may have.
    #[must_use]
    pub const fn new(limits: CostLimits, forms: HashForms) -> Self {
        Self { limits, forms, threads: Threads::AllCores }
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
    pub fn verify(&self, hash: &StoredHash, secrets: &[Secret]) -> TriedHash {
        self.attempt(Attempt { hash, secrets }, &mut Scratch::default())
    }

    /// Tries many accounts, on all cores unless [`on_threads`](Self::on_threads) says otherwise; what
    /// came of it is in the order of the attempts.
    ///
    /// It is the same as [`verify`](Self::verify) gives, whatever else is in the batch.
    #[must_use]
    pub fn verify_many(&self, attempts: &[Attempt<'_>]) -> Vec<TriedHash> {
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

    /// Makes a hash of a secret in the form of another hash: its format, variant and cost, and what
    /// stands in the columns beside it. Where several forms share its shape, `reading` says which of
    /// them it was proved to be ([`Verdict::Match`]).
    ///
    /// # Errors
    /// [`ImitateError`] if that hash cannot be read, or none can be made.
    pub fn imitate(
        &self,
        hash: &StoredHash,
        reading: Option<usize>,
        secret: &Secret,
        randomness: &dyn Randomness,
    ) -> Result<StoredHash, ImitateError> {
        let hash = &*self.forms.without_padding(hash, self.context());
        let candidates = self.candidates(hash).readable()?;
        let chosen = match (reading, &candidates[..]) {
            (Some(reading), all) => all.get(reading),
            (None, [one]) => Some(one),
            // Operators have put the one first that their site writes, and so do lines of one name.
            (None, all) if self.forms.are_configured() || are_one_form(all) => all.first(),
            (None, _) => None,
        };
        let chosen = chosen.ok_or(MakeHashError::Ambiguous)?;
        Ok(chosen.reading.make(hash, &StepValue::text(secret.expose()), randomness)?)
    }

    /// Says what a stored hash is, and whether it can be verified, without hashing anything.
    ///
    /// # Errors
    /// `UnknownFormat` if it is none of the forms, `Malformed` if it begins like one and then breaks,
    /// `TooExpensive` if it asks for more than the limits allow.
    pub fn recognise(&self, hash: &StoredHash) -> Result<HashFormat, Unverified> {
        let candidates = self.candidates(hash);
        match candidates.doubt {
            Some(doubt) => Err(doubt),
            None => candidates.format.ok_or(Unverified::UnknownFormat),
        }
    }

    /// Tells the forms that a site's operators have named from any others that they could have named.
    #[must_use]
    pub fn forms_id(&self) -> FormId {
        self.forms.id()
    }

    /// The forms in which a hash is tried though nobody has named them. Once somebody names another one for
    /// hashes of its kind, these are tried no more, unless they are named beside it.
    #[must_use]
    pub fn unnamed_forms(&self, hash: &StoredHash) -> Vec<HashFormat> {
        self.forms.unnamed(hash, self.context())
    }

    /// The configured forms that a hash may have and that cannot be tried, since it stands without the columns
    /// that they need; by the names that forms have for these.
    #[must_use]
    pub fn lacking_forms(&self, hash: &StoredHash) -> BTreeMap<Vec<String>, BTreeSet<HashFormat>> {
        self.forms.lacking(hash, self.context())
    }

    /// What it costs whoever has a hash to try one password on it; `None` if its form is not known, or cannot
    /// be computed here.
    #[must_use]
    pub fn cost(&self, hash: &StoredHash) -> Option<HashCost> {
        let all = self.candidates(hash).all;
        all.first().map(|candidate| candidate.reading.cost())
    }

    /// The longest password of which every byte counts for such a hash; `None` if there is no limit.
    #[must_use]
    pub fn secret_bytes_max(&self, like: &StoredHash) -> Option<usize> {
        let all = self.candidates(like).all;
        all.iter().filter_map(|candidate| candidate.reading.secret_bytes_max()).min()
    }

    /// What each form that a hash may have makes of a secret, step by step.
    ///
    /// # Errors
    /// As [`Verifier::recognise`].
    pub fn explain(
        &self,
        hash: &StoredHash,
        secret: &Secret,
    ) -> Result<Vec<Explanation>, Unverified> {
        let all = self.candidates(hash).readable()?;
        Ok(all.iter().map(|candidate| explanation(candidate, secret)).collect())
    }

    fn context(&self) -> ReadingContext<'_> {
        self.forms.context(&self.limits)
    }

    fn candidates(&self, hash: &StoredHash) -> FormCandidates<'_> {
        self.forms.candidates(hash, self.context())
    }

    fn attempt(&self, attempt: Attempt<'_>, scratch: &mut Scratch) -> TriedHash {
        let candidates = self.candidates(attempt.hash);
        let verdict = try_in_order(&candidates, attempt.secrets, scratch);
        TriedHash::new(verdict, &candidates)
    }
}

impl TriedHash {
    fn new(verdict: Verdict, candidates: &FormCandidates<'_>) -> Self {
        let all = &candidates.all;
        match verdict {
            Verdict::Match { reading, .. } => {
                let FormCandidate { format, id, .. } = all[reading];
                Self { verdict, format: Some(format), forms: vec![id] }
            }
            Verdict::NoMatch | Verdict::Unverified(_) => {
                let forms = all.iter().map(|candidate| candidate.id).collect();
                Self { verdict, format: candidates.format, forms }
            }
        }
    }
}

fn are_one_form(candidates: &[FormCandidate<'_>]) -> bool {
    candidates.windows(2).all(|two| two[0].format == two[1].format)
}

/// Each secret as each form that the hash may have.
fn try_in_order(
    candidates: &FormCandidates<'_>,
    secrets: &[Secret],
    scratch: &mut Scratch,
) -> Verdict {
    let mut verdict = candidates.doubt.map_or(Verdict::NoMatch, Verdict::Unverified);
    for (secret, value) in secrets.iter().map(|secret| StepValue::text(secret.expose())).enumerate()
    {
        let mut asked = AskedFunctions::default();
        for (reading, candidate) in candidates.all.iter().enumerate() {
            match candidate.reading.matches(&value, &mut asked, scratch) {
                Ok(true) => return Verdict::Match { secret, reading },
                Ok(false) => (),
                Err(reason) => verdict = Verdict::Unverified(reason),
            }
        }
    }
    verdict
}

/// What one form makes of a secret.
pub struct Explanation {
    /// The form's name.
    pub format: HashFormat,
    /// How it is described.
    pub description: String,
    /// Each step, and what it gives; nothing after a step that cannot be done.
    pub steps: Vec<(String, Zeroizing<Vec<u8>>)>,
    /// The steps behind those: the first cannot be done, or is a function that compares by itself.
    pub not_shown: Vec<String>,
    /// How what the last one gives is compared with what is stored.
    pub is_match: Result<bool, Unverified>,
}

fn explanation(candidate: &FormCandidate<'_>, secret: &Secret) -> Explanation {
    let FormCandidate { format, reading, .. } = candidate;
    let mut steps = Vec::new();
    let texts = reading.description().steps_text();
    for (count, text) in (1..).zip(&texts) {
        let Some(value) = reading.after_steps(secret, count) else { break };
        steps.push(((*text).to_owned(), value));
    }
    let not_shown = texts[steps.len()..].iter().map(|text| (*text).to_owned()).collect();
    let value = StepValue::text(secret.expose());
    let is_match = reading.matches(&value, &mut AskedFunctions::default(), &mut Scratch::default());
    let description = reading.description().to_string();
    Explanation { format: *format, description, steps, not_shown, is_match }
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
    use crate::samples::{Counting, PASSWORD, SAMPLES, hash, secret};

    fn verifier() -> Verifier {
        Verifier::new(CostLimits::default(), HashForms::known())
    }

    fn tried(text: &str, secrets: &[&[u8]]) -> Verdict {
        let secrets: Vec<Secret> = secrets.iter().map(|bytes| secret(bytes)).collect();
        verifier().verify(&hash(text), &secrets).verdict
    }

    #[test]
    fn the_first_secret_that_matches_is_named() {
        for (_, text) in SAMPLES {
            let found = tried(text, &[b"", b"Correct hors", PASSWORD, PASSWORD]);
            assert_eq!(found, Verdict::Match { secret: 2, reading: 0 }, "{text}");
        }
    }

    const WORDPRESS: &str = "$wp$2b$04$soiaSgjlXgZ3VzNIPYD/n.ASH3FHpyPbhIu1Kegc3r.dCobpy7Jyy";

    /// WordPress may have hashed with and without blanks and backslashes.
    #[test]
    fn a_slow_function_is_asked_once_for_what_several_forms_give_alike() {
        let (verifier, hash) = (verifier(), hash(WORDPRESS));
        let asked_times = |secret: &[u8]| {
            let candidates = verifier.candidates(&hash);
            let (mut asked, mut scratch) = Default::default();
            for FormCandidate { reading, .. } in &candidates.all {
                let found = reading.matches(&StepValue::text(secret), &mut asked, &mut scratch);
                assert_eq!(found, Ok(false));
            }
            let count: usize = AskedFunctions::count(&asked);
            count
        };
        let times = [&b"correct horse"[..], b"O'Neil", b" horse", b" O'Neil"].map(asked_times);
        assert_eq!(times, [1, 2, 2, 3]);
    }

    #[test]
    fn blanks_that_fill_a_column_up_are_no_part_of_a_hash() {
        for (_, text) in SAMPLES {
            let padded = format!("{text}    ");
            let found = tried(&padded, &[b"wrong", PASSWORD]);
            assert_eq!(found, Verdict::Match { secret: 1, reading: 0 }, "{text}");
            let made =
                verifier().imitate(&hash(&padded), Some(0), &secret(b"new"), &Counting::default());
            assert!(!made.unwrap().text().ends_with(' '), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_no_match() {
        let malformed = Verdict::Unverified(Unverified::Malformed);
        assert_eq!(tried("md5$salt$", &[PASSWORD]), malformed);
        assert_eq!(tried("md5$salt$", &[]), malformed);
        let unknown = Verdict::Unverified(Unverified::UnknownFormat);
        assert_eq!(tried("$66$salt$digest", &[PASSWORD]), unknown);
        assert_eq!(tried(SAMPLES[0].1, &[]), Verdict::NoMatch);
    }

    #[test]
    fn bcrypt_reads_72_bytes() {
        // Of 80 bytes; made by bcrypt 4.
        let long = "$2b$04$mRBboZTn8x044mMpMIZFVu7JTvs.wkxjnFFDqhnuXA/fMs7cez0qq";
        let whole = b"Abcdefghij".repeat(8);
        assert_eq!(tried(long, &[&whole]), Verdict::Match { secret: 0, reading: 0 });
        assert_eq!(tried(long, &[&whole[..72]]), Verdict::Match { secret: 0, reading: 0 });
        assert_eq!(tried(long, &[&whole[..71]]), Verdict::NoMatch);
        let empty = "$2b$04$XoT6xCpOjjDWlKzctajK8uOHQ9Rmx2tmak7qf5eeF25q.MZ128X7q";
        assert_eq!(tried(empty, &[b""]), Verdict::Match { secret: 0, reading: 0 });
        assert_eq!(tried(empty, &[b"a", b"\0a"]), Verdict::NoMatch);
    }

    /// Hashes of all kinds with a right secret at some place, a wrong one only, or none.
    fn mixed_batch() -> Vec<(StoredHash, Vec<Secret>)> {
        let broken = ["md5$salt$", "$66$salt$digest", "$2b$31$"];
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
