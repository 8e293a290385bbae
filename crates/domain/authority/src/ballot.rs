use model::{Document, Endorsed, InstanceId, OperatorName};

use crate::{OperatorPublic, Roster, Signature};

/// Counts the signatures under a document, of whatever kind: each of another operator who is in
/// the roster today. Its author's is none of them, and may be needed besides.
pub(crate) struct Ballot<'a, D> {
    document: &'a D,
    roster: &'a Roster,
    text: String,
    signers: Vec<OperatorName>,
    is_signed_by_author: bool,
}

impl<'a, D: Document + Clone> Ballot<'a, D> {
    /// Begins to count.
    ///
    /// # Errors
    /// [`SignaturesError::OtherInstance`] if the roster is another installation's.
    pub(crate) fn open(document: &'a D, roster: &'a Roster) -> Result<Self, SignaturesError> {
        let (found, expected) = (document.instance(), roster.instance());
        if found == expected {
            let (text, signers) = (document.signing_text(), Vec::new());
            return Ok(Self { document, roster, text, signers, is_signed_by_author: false });
        }
        let (found, expected) = (found.clone(), expected.clone());
        Err(SignaturesError::OtherInstance { what: D::NOUN, found, expected })
    }

    /// Counts one signature, over the document's text and what its operator added below. `false`
    /// if the same operator was counted before.
    ///
    /// # Errors
    /// [`SignaturesError`] says why it does not count.
    pub(crate) fn count(
        &mut self,
        operator: &OperatorName,
        added: &str,
        signature: &Signature,
    ) -> Result<bool, SignaturesError> {
        let capacity = capacity_of(self.document, operator)?;
        let unknown = || SignaturesError::Unknown { name: operator.clone() };
        let known = self.roster.operator(operator).ok_or_else(unknown)?;
        let text = format!("{}{added}", self.text);
        if !known.verifies(text.as_bytes(), signature) {
            return Err(SignaturesError::Signature { name: operator.clone() });
        }
        Ok(self.note(operator, capacity))
    }

    fn note(&mut self, operator: &OperatorName, capacity: Capacity) -> bool {
        if capacity == Capacity::Author {
            return !std::mem::replace(&mut self.is_signed_by_author, true);
        }
        let first = !self.signers.contains(operator);
        if first {
            self.signers.push(operator.clone());
        }
        first
    }

    /// The proof that enough operators have signed.
    ///
    /// # Errors
    /// [`SignaturesError::TooFew`] names who could still sign, [`SignaturesError::NoAuthor`] the
    /// author.
    #[expect(clippy::disallowed_methods, reason = "this is where signatures are counted")]
    pub(crate) fn close(self) -> Result<Endorsed<D>, SignaturesError> {
        let (found, needed) = (self.signers.len(), self.document.signers_needed());
        if found < needed {
            return Err(SignaturesError::TooFew { found, needed, missing: self.missing() });
        }
        self.check_author()?;
        Ok(Endorsed::attest(self.document.clone(), self.signers))
    }

    fn check_author(&self) -> Result<(), SignaturesError> {
        match self.document.author() {
            Some(author) if self.document.author_signs() && !self.is_signed_by_author => {
                Err(SignaturesError::NoAuthor { what: D::NOUN, name: author.clone() })
            }
            _ => Ok(()),
        }
    }

    fn missing(&self) -> String {
        let names = self.roster.operators().iter().map(OperatorPublic::name);
        let may = |name: &&OperatorName| self.document.author() != Some(*name);
        let missing = names.filter(|name| may(name) && !self.signers.contains(name));
        missing.map(OperatorName::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// As what somebody signs a document: nobody signs as both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capacity {
    /// Who wrote it.
    Author,
    /// Somebody else.
    Approver,
}

/// As what this operator signs this document.
///
/// # Errors
/// [`SignaturesError::Barred`] if they wrote it, and it is not signed by who wrote it.
pub(crate) fn capacity_of<D: Document>(
    document: &D,
    operator: &OperatorName,
) -> Result<Capacity, SignaturesError> {
    if document.author() != Some(operator) {
        return Ok(Capacity::Approver);
    }
    if document.author_signs() {
        return Ok(Capacity::Author);
    }
    Err(SignaturesError::Barred { what: D::NOUN, name: operator.clone() })
}

/// Why the signatures under a document do not hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignaturesError {
    /// Of another installation.
    #[error("the {what} is of instance {found}, this is instance {expected}")]
    OtherInstance {
        /// What kind of document.
        what: &'static str,
        /// Named by the document.
        found: InstanceId,
        /// Ours.
        expected: InstanceId,
    },
    /// Nobody approves what they wrote.
    #[error("{name} is the {what}'s author and cannot approve it")]
    Barred {
        /// What kind of document.
        what: &'static str,
        /// Who.
        name: OperatorName,
    },
    /// Somebody else may have written it in this name.
    #[error("{name} is the {what}'s author and has not signed it")]
    NoAuthor {
        /// What kind of document.
        what: &'static str,
        /// Who.
        name: OperatorName,
    },
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
