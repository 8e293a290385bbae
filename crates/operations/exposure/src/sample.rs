use std::collections::BTreeMap;

use directory::{Directory, ReadError};
use futures_util::{StreamExt as _, future::BoxFuture};
use model::{HashFormat, StoredHash, Unverified};
use password::{HashShape, Verifier};

use crate::{ProvedForms, limits::HASHES_SAMPLED_MAX};

/// Which forms a site's stored hashes have, as far as was looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HashSample {
    /// Those that can be verified, by their form.
    pub verifiable: BTreeMap<HashFormat, u64>,
    /// Those that cannot, by the reason and how they begin.
    pub unverified: BTreeMap<(Unverified, HashShape), u64>,
    /// Of those that can be verified, those of whose form nobody has proof, by how they begin.
    pub without_proof: BTreeMap<HashShape, u64>,
}

/// Looks at some stored hashes, spread over all accounts, and at what an instance keeps as proof of their
/// forms, if there is one.
///
/// # Errors
/// [`ReadError`] if the directory fails.
pub fn sample_hashes<'a>(
    directory: &'a dyn Directory,
    verifier: &'a Verifier,
    proved: Option<&'a ProvedForms<'a>>,
) -> BoxFuture<'a, Result<HashSample, ReadError>> {
    Box::pin(async move {
        let step = directory.count().await?.div_ceil(HASHES_SAMPLED_MAX).max(1);
        let (mut sample, mut number) = (HashSample::default(), 0_u64);
        let mut accounts = directory.scan();
        while let Some(account) = accounts.next().await {
            let account = match account {
                Err(error) if error.is_of_row() => continue,
                account => account?,
            };
            let Some(credential) = &account.credential else { continue };
            if number.is_multiple_of(step) {
                sample.take(credential.hash(), verifier, proved);
            }
            number += 1;
        }
        Ok(sample)
    })
}

impl HashSample {
    fn take(&mut self, hash: &StoredHash, verifier: &Verifier, proved: Option<&ProvedForms<'_>>) {
        match verifier.recognise(hash) {
            Ok(format) => {
                *self.verifiable.entry(format).or_default() += 1;
                let shape = HashShape::of(hash);
                // Without a secret nothing is computed.
                let is_unproved = |proved: &ProvedForms<'_>| {
                    !proved.has_any(&shape, &verifier.verify(hash, &[]).forms)
                };
                if proved.is_some_and(is_unproved) {
                    *self.without_proof.entry(shape).or_default() += 1;
                }
            }
            Err(reason) => {
                let kind = (reason, HashShape::of(hash));
                *self.unverified.entry(kind).or_default() += 1;
            }
        }
    }

    /// How many were looked at.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.verifiable.values().sum::<u64>() + self.cannot_be_verified()
    }

    /// How many of them nobody can verify.
    #[must_use]
    pub fn cannot_be_verified(&self) -> u64 {
        self.unverified.values().sum()
    }
}
