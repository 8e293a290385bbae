use model::{AccountId, CredentialVersion, FindingId, FoundIn, Secret, StoredHash, Verdict};
use password::{Attempt, Verifier};
use store::Finding;

use instance::{DecryptError, Instance};

use crate::contexts::{FINDING, early_finding_context, finding_context};

/// That a leaked password is an account's password at this moment.
///
/// It is made by [`reverify`] and nowhere else, it is never stored, and sealing takes it.
#[derive(Debug)]
pub struct Evidence {
    account: AccountId,
    hash: StoredHash,
    reading: usize,
    findings: Vec<FindingId>,
    found_in: Vec<FoundIn>,
    found_as: CredentialVersion,
}

impl Evidence {
    /// Whose password it is.
    #[must_use]
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// The hash that the secret verified against: the one to be replaced, and no other.
    #[must_use]
    pub const fn hash(&self) -> &StoredHash {
        &self.hash
    }

    /// Which of the forms that share the hash's shape it has: the secret has proved it.
    #[must_use]
    pub const fn reading(&self) -> usize {
        self.reading
    }

    /// The findings whose secret it is, in ascending order. Never none.
    #[must_use]
    pub fn findings(&self) -> &[FindingId] {
        &self.findings
    }

    /// Where it was found: a leak for each of the findings.
    #[must_use]
    pub fn found_in(&self) -> &[FoundIn] {
        &self.found_in
    }

    /// The password as it was stored when it was found first: a rehash inherits it.
    #[must_use]
    pub const fn found_as(&self) -> CredentialVersion {
        self.found_as
    }
}

/// An account as the site has it now, and what is claimed of it.
#[derive(Debug)]
pub struct Suspicion {
    account: AccountId,
    hash: StoredHash,
    findings: Vec<Finding>,
    secrets: Vec<Secret>,
}

impl Suspicion {
    /// Decrypts the secrets of the findings against an account.
    ///
    /// # Errors
    /// [`DecryptError`] if a finding's secret is another instance's, or damaged.
    pub fn new(
        instance: &Instance,
        account: AccountId,
        hash: StoredHash,
        findings: Vec<Finding>,
    ) -> Result<Self, DecryptError> {
        let mut secrets = Vec::new();
        let mut with_secret = Vec::new();
        for finding in findings {
            if let Some(secret) = secret_of(instance, &account, &finding)? {
                secrets.push(secret);
                with_secret.push(finding);
            }
        }
        Ok(Self { account, hash, findings: with_secret, secrets })
    }

    /// The hash that the account has.
    #[must_use]
    pub const fn hash(&self) -> &StoredHash {
        &self.hash
    }
}

/// The secret of a finding against an account; `None` once it is destroyed.
///
/// # Errors
/// [`DecryptError`] if it is another account's or instance's, or damaged.
pub fn secret_of(
    instance: &Instance,
    account: &AccountId,
    finding: &Finding,
) -> Result<Option<Secret>, DecryptError> {
    let (Some(key), Some(sealed)) = (&finding.wrapped_key, &finding.sealed_secret) else {
        return Ok(None);
    };
    let key = instance.keys().data_key(FINDING, key)?;
    let context = finding_context(&found_in(finding), account, finding.version);
    let early = || early_finding_context(finding.leak, account, finding.version);
    let secret = key.decrypt(&context, sealed).or_else(|_| key.decrypt(&early(), sealed))?;
    Ok(Some(Secret::from(secret.as_slice())))
}

/// What trying again has given.
#[derive(Debug)]
pub enum Reverified {
    /// It is the password still.
    Exposed(Evidence),
    /// It is not, or could not be tried.
    Not(Verdict),
}

/// Tries every suspicion against the hash as it is now, on all cores.
#[must_use]
pub fn reverify(verifier: &Verifier, suspicions: Vec<Suspicion>) -> Vec<Reverified> {
    let attempts: Vec<_> = suspicions
        .iter()
        .map(|suspicion| Attempt { hash: &suspicion.hash, secrets: &suspicion.secrets })
        .collect();
    let tried = verifier.verify_many(&attempts);
    suspicions
        .into_iter()
        .zip(tried)
        .map(|(suspicion, tried)| conclude(suspicion, tried.verdict))
        .collect()
}

fn conclude(suspicion: Suspicion, verdict: Verdict) -> Reverified {
    let Verdict::Match { secret, reading } = verdict else {
        return Reverified::Not(verdict);
    };
    let Suspicion { account, hash, findings, secrets } = suspicion;
    let proven = |(_, found): &(&Finding, &Secret)| **found == secrets[secret];
    let proven: Vec<_> = findings.iter().zip(&secrets).filter(proven).map(|(f, _)| f).collect();
    let found_as = proven.first().map_or(findings[secret].version, |finding| finding.version);
    let found_in = proven.iter().map(|finding| found_in(finding)).collect();
    let findings = proven.iter().map(|finding| finding.id).collect();
    Reverified::Exposed(Evidence { account, hash, reading, findings, found_in, found_as })
}

const fn found_in(finding: &Finding) -> FoundIn {
    FoundIn { leak: finding.leak, tier: finding.tier, verified_at: finding.verified_at }
}
