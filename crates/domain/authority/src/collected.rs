use model::{
    Document, Endorsed, OperatorName,
    canonical::{self, CanonicalError},
};
use serde::{Deserialize, Serialize};

use crate::{OperatorKey, Roster, Signature, SignaturesError, ballot::Ballot};

/// A document with the signatures collected so far: the file that goes from hand to hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(serialize = "D: Document", deserialize = "D: Document"))]
pub struct Signed<D> {
    document: D,
    signatures: Vec<DocumentSignature>,
}

/// One operator's signature over a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentSignature {
    operator: OperatorName,
    signature: Signature,
}

impl<D: Document> Signed<D> {
    /// Starts to collect signatures.
    #[must_use]
    pub const fn new(document: D) -> Self {
        Self { document, signatures: Vec::new() }
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &D {
        &self.document
    }

    /// Who has signed, by what the file says. Nothing is verified here.
    pub fn names(&self) -> impl Iterator<Item = &OperatorName> {
        self.signatures.iter().map(|signature| &signature.operator)
    }

    /// Adds an operator's signature, in place of an earlier one of the same operator.
    #[must_use]
    pub fn signed_by(mut self, key: &OperatorKey) -> Self {
        let signature = key.sign(self.document.signing_text().as_bytes());
        self.signatures.retain(|earlier| earlier.operator != *key.name());
        self.signatures.push(DocumentSignature { operator: key.name().clone(), signature });
        self
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`CanonicalError`] if it is no such document, or spelt in another way.
    pub fn parse(bytes: &[u8]) -> Result<Self, CanonicalError> {
        canonical::parse(bytes)
    }

    /// The file: JSON on one line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// Checks every signature: as many as the document needs, all of operators of the roster.
    ///
    /// Whoever acts on a document does it again each time: an operator who has left the roster
    /// since no longer counts.
    ///
    /// # Errors
    /// [`SignaturesError`] names the signature that does not count, or who could still sign.
    pub fn verify(&self, roster: &Roster) -> Result<Endorsed<D>, SignaturesError>
    where
        D: Clone,
    {
        let mut ballot = Ballot::open(&self.document, roster)?;
        for DocumentSignature { operator, signature } in &self.signatures {
            ballot.count(operator, "", signature)?;
        }
        ballot.close()
    }

    #[cfg(test)]
    pub(crate) fn changed(mut self, change: impl FnOnce(&mut D)) -> Self {
        change(&mut self.document);
        self
    }

    #[cfg(test)]
    pub(crate) fn without_last_signature(mut self) -> Self {
        self.signatures.pop();
        self
    }
}
