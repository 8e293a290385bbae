//! Whether "not exposed" was said in a form that a known password has proved.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::future::BoxFuture;
use instance::{Instance, KeyRing};
use model::{Secret, StoredHash};
use password::{FormId, HashShape};
use store::{ShapeCount, StoreError, Tx};

use crate::verify_accounts::AccountVerdict;

/// What verification has shown of the forms that it tried.
#[derive(Debug, Default)]
pub(crate) struct ProofTally {
    proved: BTreeSet<(HashShape, FormId)>,
    not_exposed: BTreeMap<(HashShape, Vec<FormId>), u64>,
}

impl ProofTally {
    pub(crate) fn count<R>(&mut self, verdict: &AccountVerdict<R>) {
        let shape = verdict.credential().map(|tried| HashShape::of(tried.hash()));
        match (verdict, shape) {
            (AccountVerdict::Exposed(found), Some(shape)) => {
                let form = found.form.filter(|_| !may_be_digest(&found.secret));
                self.proved.extend(form.map(|form| (shape, form)));
            }
            (AccountVerdict::NotExposed(_, _, forms), Some(shape)) => {
                *self.not_exposed.entry((shape, forms.clone())).or_default() += 1;
            }
            _ => {}
        }
    }

    /// The proofs, to be kept.
    pub(crate) fn proofs(&self, keys: &KeyRing) -> Vec<[u8; 32]> {
        self.proved.iter().map(|(shape, form)| proof(keys, shape, *form)).collect()
    }

    /// What is counted of those that are not exposed, to be kept: in which forms they were tried, and which
    /// ones operators had named (`named`) when that was done.
    pub(crate) fn shapes(&self, keys: &KeyRing, named: FormId) -> Vec<ShapeCount> {
        let counts = self.not_exposed.iter().map(|((shape, forms), accounts)| ShapeCount {
            shape: shape.as_str().to_owned(),
            forms: claims(keys, shape, forms.iter().chain([&named])),
            accounts: *accounts,
        });
        counts.collect()
    }

    /// Accounts that are not exposed in any form that was proved, by the shape of their hash.
    pub(crate) fn without_proof(
        &self,
        known: Option<&ProvedForms<'_>>,
    ) -> BTreeMap<HashShape, u64> {
        let mut without = BTreeMap::new();
        for ((shape, forms), accounts) in &self.not_exposed {
            if self.lacks_proof(known, shape, forms) {
                *without.entry(shape.clone()).or_default() += accounts;
            }
        }
        without
    }

    /// Whether none of these forms was proved on such hashes.
    pub(crate) fn lacks_proof(
        &self,
        known: Option<&ProvedForms<'_>>,
        shape: &HashShape,
        forms: &[FormId],
    ) -> bool {
        let is_proved = |form: &FormId| {
            self.proved.contains(&(shape.clone(), *form))
                || known.is_some_and(|known| known.holds(&claim(known.keys, shape, *form)))
        };
        !forms.iter().any(is_proved)
    }
}

/// Whether a site may have made this of a password before it took the slow hash of it. Cracked lists hold
/// such digests: one fits as it stands, and says nothing of how passwords are read.
fn may_be_digest(secret: &Secret) -> bool {
    let text = secret.expose();
    let is_hex = matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && text.iter().all(u8::is_ascii_hexdigit);
    is_hex || matches!(text.len(), 24 | 28 | 44 | 64 | 88) && text.ends_with(b"=")
}

/// The claims in which an account is not exposed; none of any other.
pub(crate) fn claims_of<R>(verdict: &AccountVerdict<R>, keys: &KeyRing) -> Vec<[u8; 32]> {
    let AccountVerdict::NotExposed(credential, _, forms) = verdict else { return Vec::new() };
    claims(keys, &HashShape::of(credential.hash()), forms)
}

fn claims<'f>(
    keys: &KeyRing,
    shape: &HashShape,
    forms: impl IntoIterator<Item = &'f FormId>,
) -> Vec<[u8; 32]> {
    forms.into_iter().map(|form| claim(keys, shape, *form)).collect()
}

fn claim(keys: &KeyRing, shape: &HashShape, form: FormId) -> [u8; 32] {
    keys.form_claim(shape.as_str(), form.as_bytes())
}

fn proof(keys: &KeyRing, shape: &HashShape, form: FormId) -> [u8; 32] {
    keys.form_proof(&claim(keys, shape, form))
}

/// The forms that an instance keeps proof of.
pub struct ProvedForms<'a> {
    keys: &'a KeyRing,
    fingerprints: HashSet<[u8; 32]>,
}

impl<'a> ProvedForms<'a> {
    pub(crate) async fn read(keys: &'a KeyRing, tx: &mut Tx) -> Result<Self, StoreError> {
        let fingerprints = tx.form_proofs().await?.into_iter().collect();
        Ok(Self { keys, fingerprints })
    }

    /// Whether a known password has proved one of the forms that these claim.
    pub(crate) fn holds_any(&self, claims: &[[u8; 32]]) -> bool {
        claims.iter().any(|claim| self.holds(claim))
    }

    /// Whether one of these forms was proved on such hashes.
    pub(crate) fn has_any(&self, shape: &HashShape, forms: &[FormId]) -> bool {
        self.holds_any(&claims(self.keys, shape, forms))
    }

    fn holds(&self, claim: &[u8; 32]) -> bool {
        self.fingerprints.contains(&self.keys.form_proof(claim))
    }

    /// Of the accounts that are counted so, those that were tried when operators named other forms.
    pub(crate) fn in_other_forms(&self, shapes: &[ShapeCount], named: FormId) -> u64 {
        let is_other = |count: &&ShapeCount| {
            let shape = HashShape::kept(count.shape.clone());
            !count.forms.contains(&claim(self.keys, &shape, named))
        };
        shapes.iter().filter(is_other).map(|count| count.accounts).sum()
    }

    /// Of the shapes that are kept of a leak, those without proof.
    pub(crate) fn without(&self, shapes: Vec<ShapeCount>) -> BTreeMap<HashShape, u64> {
        let mut without = BTreeMap::new();
        for ShapeCount { shape, forms, accounts } in shapes {
            if !self.holds_any(&forms) {
                *without.entry(HashShape::kept(shape)).or_default() += accounts;
            }
        }
        without
    }
}

/// Reads what an instance keeps proof of.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn proved_forms(instance: &Instance) -> BoxFuture<'_, Result<ProvedForms<'_>, StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        ProvedForms::read(instance.keys(), &mut tx).await
    })
}

/// Keeps that a known password was verified on this hash in this form.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn keep_proof<'a>(
    instance: &'a Instance,
    hash: &'a StoredHash,
    form: FormId,
) -> BoxFuture<'a, Result<HashShape, StoreError>> {
    Box::pin(async move {
        let shape = HashShape::of(hash);
        let mut tx = instance.store().begin().await?;
        tx.add_form_proofs(vec![proof(instance.keys(), &shape, form)]).await?;
        tx.commit().await?;
        Ok(shape)
    })
}

#[cfg(test)]
mod tests {
    use instance::InstanceKey;
    use password::{CostLimits, HashForms, Verifier};

    use super::*;

    fn forms_id(entries: &[&str]) -> FormId {
        let forms = HashForms::of_site(entries.iter().copied(), None).unwrap();
        Verifier::new(CostLimits::default(), forms).forms_id()
    }

    fn form_of(hash: &StoredHash) -> FormId {
        let verifier = Verifier::new(CostLimits::default(), HashForms::known());
        verifier.verify(hash, &[]).forms[0]
    }

    fn hash(text: &str) -> StoredHash {
        StoredHash::from_column(Some(text.to_owned())).unwrap()
    }

    fn verdict(text: &str) -> AccountVerdict<()> {
        let hash = hash(text);
        let forms = vec![form_of(&hash)];
        AccountVerdict::NotExposed(hash.into(), None, forms)
    }

    #[test]
    fn a_proof_is_of_one_shape_and_one_form() {
        let bcrypt = "$2b$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6";
        let other = bcrypt.replace("$2b$", "$2y$");
        let mut tally = ProofTally::default();
        tally.count(&verdict(bcrypt));
        tally.count(&verdict(&other));
        let keys = KeyRing::new(InstanceKey::parse(&"07".repeat(32)).unwrap());
        let mut known = ProvedForms { keys: &keys, fingerprints: HashSet::new() };
        let without = |known: &ProvedForms<'_>| {
            let without = tally.without_proof(Some(known)).into_keys();
            without.map(|shape| shape.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(without(&known), ["$2b$*$", "$2y$*$"]);
        let (shape, form) = (HashShape::of(&hash(bcrypt)), form_of(&hash(bcrypt)));
        // What stands in the store already is no proof.
        known.fingerprints.insert(claim(&keys, &shape, form));
        assert_eq!(without(&known).len(), 2);
        let proof = proof(&keys, &shape, form);
        known.fingerprints.insert(proof);
        assert_eq!(without(&known), ["$2y$*$"]);
        let kept = ProvedForms { keys: &keys, fingerprints: [proof].into() };
        let kept = kept.without(tally.shapes(&keys, forms_id(&[])));
        assert_eq!(kept.into_values().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn whoever_was_tried_when_other_forms_were_named_is_counted() {
        let mut tally = ProofTally::default();
        tally.count(&verdict("$2b$04$FnTFtrDgRpaMMaDYnZOIwe7Rln5DGEfnHG3TVpjj2X9LjJA7RBlz6"));
        let keys = KeyRing::new(InstanceKey::parse(&"07".repeat(32)).unwrap());
        let known = ProvedForms { keys: &keys, fingerprints: HashSet::new() };
        let kept = tally.shapes(&keys, forms_id(&["meteor", "bcrypt"]));
        let in_other_forms = |entries: &[&str]| known.in_other_forms(&kept, forms_id(entries));
        assert_eq!(in_other_forms(&["bcrypt", "meteor"]), 0);
        assert_eq!((in_other_forms(&["meteor"]), in_other_forms(&[])), (1, 1));
    }
}
