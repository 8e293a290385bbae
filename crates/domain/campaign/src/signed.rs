use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    OperatorKey, OperatorName, OperatorPublic, Roster, Signature,
    canonical::{self, CanonicalError},
};

/// What operators sign by hand: it has a text to be read, and one form in bytes.
pub trait Document: Serialize + DeserializeOwned {
    /// What an operator reads and signs. Its first line names the kind of document, so that no
    /// signature can be moved to a document of another kind.
    fn signing_text(&self) -> String;
}

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

    /// Who has signed: at least `needed` operators of the roster, and nobody else.
    ///
    /// # Errors
    /// [`SignaturesError`] names the signature that does not count, or who could still sign.
    pub(crate) fn signers(
        &self,
        roster: &Roster,
        needed: usize,
    ) -> Result<Vec<OperatorName>, SignaturesError> {
        let text = self.document.signing_text();
        let mut signers = Vec::new();
        for DocumentSignature { operator, signature } in &self.signatures {
            let unknown = || SignaturesError::Unknown { name: operator.clone() };
            let known = roster.operator(operator).ok_or_else(unknown)?;
            if !known.verifies(text.as_bytes(), signature) {
                return Err(SignaturesError::Signature { name: operator.clone() });
            }
            if !signers.contains(operator) {
                signers.push(operator.clone());
            }
        }
        if signers.len() >= needed {
            return Ok(signers);
        }
        let (found, missing) = (signers.len(), others(roster, &signers));
        Err(SignaturesError::TooFew { found, needed, missing })
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

fn others(roster: &Roster, signers: &[OperatorName]) -> String {
    let names = roster.operators().iter().map(OperatorPublic::name);
    let missing = names.filter(|name| !signers.contains(name)).map(OperatorName::as_str);
    missing.collect::<Vec<_>>().join(", ")
}

/// Why the signatures under a document do not hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignaturesError {
    /// Not in the roster at that moment.
    #[error("{name} has signed and is not in the roster")]
    Unknown {
        /// Who.
        name: OperatorName,
    },
    /// Does not verify.
    #[error("the signature of {name} is not over this document")]
    Signature {
        /// Whose.
        name: OperatorName,
    },
    /// Not signed by enough operators.
    #[error("{found} operators have signed, {needed} are needed: missing are any of {missing}")]
    TooFew {
        /// Who have signed.
        found: usize,
        /// Who have to.
        needed: usize,
        /// Who could.
        missing: String,
    },
}
