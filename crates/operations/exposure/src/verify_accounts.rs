use std::collections::{HashMap, HashSet};

use leak::other_readings;
use model::{
    Account, AccountId, Credential, HashFormat, Outcome, Secret, Tier, Unverified, Verdict,
};
use password::{Attempt, FormId, HashHead, TriedHash, Verifier};

/// What a leak says of one account: that one of these secrets is its password.
#[derive(Debug)]
pub(crate) struct LeakClaim<R> {
    pub(crate) tier: Tier,
    pub(crate) record: R,
    /// Every plausible reading of the record's secret, the likeliest first.
    pub(crate) secrets: Vec<Secret>,
}

/// What trying an account's claims has given.
#[derive(Debug)]
pub(crate) enum AccountVerdict<R> {
    /// A leaked secret is its password now.
    Exposed(ProvenExposure<R>),
    /// None of them is.
    NotExposed(Credential, Option<HashFormat>, Vec<FormId>),
    /// It has no password.
    NoPassword,
    /// The directory no longer has it.
    Gone,
    /// Its stored hash could not be tried, or its row not be read whole.
    Unverified(UntriedAccount<R>),
}

impl<R> AccountVerdict<R> {
    /// As which it is counted: what came of it, and how its password is stored.
    pub(crate) const fn outcome(&self) -> (Outcome, Option<HashFormat>) {
        match self {
            Self::Exposed(exposure) => (Outcome::Exposed, Some(exposure.format)),
            Self::NotExposed(_, format, _) => (Outcome::NotExposed, *format),
            Self::NoPassword => (Outcome::NoPassword, None),
            Self::Gone => (Outcome::Gone, None),
            Self::Unverified(untried) => (Outcome::Unverified, untried.format),
        }
    }

    /// The password that was tried, as it is stored; `None` if there is none.
    pub(crate) const fn credential(&self) -> Option<&Credential> {
        match self {
            Self::Exposed(exposure) => Some(&exposure.credential),
            Self::NotExposed(credential, ..) => Some(credential),
            Self::Unverified(untried) => untried.credential.as_ref(),
            Self::NoPassword | Self::Gone => None,
        }
    }
}

/// One account's password, found in these records.
#[derive(Debug)]
pub(crate) struct ProvenExposure<R> {
    /// What the secret verified against.
    pub(crate) credential: Credential,
    pub(crate) format: HashFormat,
    /// The form that it has proved.
    pub(crate) form: Option<FormId>,
    pub(crate) tier: Tier,
    pub(crate) secret: Secret,
    pub(crate) records: Vec<R>,
}

/// One account whose hash could not be tried, or of which something else could not be read.
#[derive(Debug)]
pub(crate) struct UntriedAccount<R> {
    pub(crate) credential: Option<Credential>,
    pub(crate) reason: Unverified,
    pub(crate) format: Option<HashFormat>,
    /// All that the leak says of it.
    pub(crate) records: Vec<R>,
}

impl<R> UntriedAccount<R> {
    fn unreadable(
        credential: Option<Credential>,
        format: Option<HashFormat>,
        claims: Vec<LeakClaim<R>>,
    ) -> Self {
        Self { credential, reason: Unverified::UnreadableRow, format, records: records(claims) }
    }

    /// How its hash begins, if it could be read.
    pub(crate) fn head(&self) -> Option<HashHead> {
        self.credential.as_ref().map(|credential| HashHead::of(credential.hash()))
    }
}

fn records<R>(claims: Vec<LeakClaim<R>>) -> Vec<R> {
    claims.into_iter().map(|claim| claim.record).collect()
}

/// An account's claims, by its id.
pub(crate) type AccountClaims<R> = (AccountId, Vec<LeakClaim<R>>);

/// Tries every claim on the account's hash as it is now, on all cores.
///
/// `present` are those of the accounts that the directory has.
pub(crate) fn verify_accounts<R>(
    verifier: &Verifier,
    present: Vec<Account>,
    claims: Vec<AccountClaims<R>>,
) -> Vec<(AccountId, AccountVerdict<R>)> {
    let mut present: HashMap<_, _> = present.into_iter().map(|a| (a.id.clone(), a)).collect();
    let cases: Vec<_> = claims
        .into_iter()
        .map(|(id, claims)| AccountCase::new(&id, claims, &mut present))
        .collect();
    let attempts: Vec<_> = cases.iter().filter_map(AccountCase::attempt).collect();
    let mut tried = verifier.verify_many(&attempts).into_iter();
    cases.into_iter().map(|case| case.close(&mut tried)).collect()
}

struct AccountCase<R> {
    id: AccountId,
    account: Option<Account>,
    claims: Vec<LeakClaim<R>>,
    secrets: Vec<Secret>,
}

impl<R> AccountCase<R> {
    fn new(
        id: &AccountId,
        mut claims: Vec<LeakClaim<R>>,
        present: &mut HashMap<AccountId, Account>,
    ) -> Self {
        let secrets = all_secrets(&mut claims);
        Self { id: id.clone(), account: present.remove(id), claims, secrets }
    }

    fn attempt(&self) -> Option<Attempt<'_>> {
        let hash = self.account.as_ref()?.credential.as_ref()?.hash();
        Some(Attempt { hash, secrets: &self.secrets })
    }

    /// Takes what came of its attempt, the next one, if there was an attempt.
    fn close(
        mut self,
        tried: &mut impl Iterator<Item = TriedHash>,
    ) -> (AccountId, AccountVerdict<R>) {
        let Some(account) = self.account.take() else { return (self.id, AccountVerdict::Gone) };
        let is_doubted = account.unreadable.is_some();
        let found = match account.credential {
            None if is_doubted => {
                AccountVerdict::Unverified(UntriedAccount::unreadable(None, None, self.claims))
            }
            None => AccountVerdict::NoPassword,
            Some(credential) => {
                let tried = tried.next().expect("verify_many answers every attempt");
                Self::conclude((credential, is_doubted), tried, self.claims, self.secrets)
            }
        };
        (self.id, found)
    }

    /// Of an account that could not be read whole, only what is proved stands.
    fn conclude(
        (credential, is_doubted): (Credential, bool),
        TriedHash { verdict, format, forms }: TriedHash,
        claims: Vec<LeakClaim<R>>,
        mut secrets: Vec<Secret>,
    ) -> AccountVerdict<R> {
        match (verdict, format) {
            (Verdict::Match { secret, .. }, Some(format)) => {
                let secret = secrets.swap_remove(secret);
                let found = exposure(credential, format, secret, claims);
                AccountVerdict::Exposed(ProvenExposure { form: forms.first().copied(), ..found })
            }
            (Verdict::NoMatch, format) if is_doubted => {
                let untried = UntriedAccount::unreadable(Some(credential), format, claims);
                AccountVerdict::Unverified(untried)
            }
            (Verdict::NoMatch, format) => AccountVerdict::NotExposed(credential, format, forms),
            (Verdict::Unverified(reason), format) => {
                let credential = Some(credential);
                AccountVerdict::Unverified(UntriedAccount {
                    credential,
                    reason,
                    format,
                    records: records(claims),
                })
            }
            (Verdict::Match { .. }, None) => {
                unreachable!("a hash that verifies has a format")
            }
        }
    }
}

fn exposure<R>(
    credential: Credential,
    format: HashFormat,
    secret: Secret,
    claims: Vec<LeakClaim<R>>,
) -> ProvenExposure<R> {
    let proven: Vec<_> = claims.into_iter().filter(|c| c.secrets.contains(&secret)).collect();
    let tier = proven.iter().map(|claim| claim.tier).min().unwrap_or(Tier::Lead);
    let records = proven.into_iter().map(|claim| claim.record).collect();
    ProvenExposure { credential, format, form: None, tier, secret, records }
}

/// How many secrets are tried on these accounts' hashes at most, and how many other readings of them.
pub(crate) fn count_secrets<R>(claims: &[AccountClaims<R>]) -> (u64, u64) {
    let (mut secrets, mut others) = (0, 0);
    for (_, claims) in claims {
        let distinct = distinct_secrets(claims);
        others += distinct.iter().map(|secret| other_readings(secret).len() as u64).sum::<u64>();
        secrets += distinct.len() as u64;
    }
    (secrets, others)
}

/// Each secret once, and after all of them what each may have been before somebody changed its characters.
/// A claim is proved by these as well.
fn all_secrets<R>(claims: &mut [LeakClaim<R>]) -> Vec<Secret> {
    let mut secrets = distinct_secrets(claims);
    for claim in claims.iter_mut() {
        let others: Vec<_> = claim.secrets.iter().flat_map(other_readings).collect();
        claim.secrets.extend(others);
    }
    let known: HashSet<_> = secrets.iter().cloned().collect();
    let others = distinct_secrets(claims).into_iter().filter(|secret| !known.contains(secret));
    secrets.extend(others);
    secrets
}

/// Each secret once: the likeliest reading of every record before the second of any.
fn distinct_secrets<R>(claims: &[LeakClaim<R>]) -> Vec<Secret> {
    let readings = claims.iter().map(|claim| claim.secrets.len()).max().unwrap_or(0);
    let in_order = (0..readings)
        .flat_map(|reading| claims.iter().filter_map(move |claim| claim.secrets.get(reading)));
    let mut seen = HashSet::new();
    in_order.filter(|secret| seen.insert(*secret)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use model::StoredHash;

    use super::*;

    fn claim(record: u32, tier: Tier, secrets: &[&str]) -> LeakClaim<u32> {
        let secrets = secrets.iter().map(|text| Secret::from(text.as_bytes())).collect();
        LeakClaim { tier, record, secrets }
    }

    #[test]
    fn each_secret_is_tried_once_and_the_likeliest_first() {
        let claims = [
            claim(1, Tier::Exact, &["pa:ss", "pa"]),
            claim(2, Tier::Exact, &["pa:ss"]),
            claim(3, Tier::Lead, &["other", "o"]),
        ];
        let secrets = distinct_secrets(&claims);
        let order: Vec<_> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(order, [&b"pa:ss"[..], b"other", b"pa", b"o"]);
    }

    #[test]
    fn other_readings_are_tried_last_and_prove_their_claim() {
        let mut claims =
            [claim(1, Tier::Exact, &["a&amp;b", "x"]), claim(2, Tier::Lead, &["c", "d", "e"])];
        let secrets = all_secrets(&mut claims);
        let order: Vec<_> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(order, [&b"a&amp;b"[..], b"c", b"x", b"d", b"e", b"a&b"]);
        assert!(claims[0].secrets.contains(&Secret::from(&b"a&b"[..])));
    }

    #[test]
    fn an_exposure_holds_every_record_of_the_secret_and_the_surest_tier() {
        let claims = vec![
            claim(1, Tier::Lead, &["pw"]),
            claim(2, Tier::Exact, &["x", "pw"]),
            claim(3, Tier::Exact, &["no"]),
        ];
        let hash = StoredHash::from_column(Some("$2b$".to_owned())).unwrap();
        let found =
            exposure(hash.into(), "bcrypt".parse().unwrap(), Secret::from(&b"pw"[..]), claims);
        assert_eq!((found.records, found.tier), (vec![1, 2], Tier::Exact));
    }
}
