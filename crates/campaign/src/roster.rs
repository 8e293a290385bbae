use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId, OperatorKey, OperatorName, OperatorPublic, Signature,
    canonical::{self, CanonicalError, digest_type, micros},
    limits::{OPERATORS_MIN, ROSTER_SIGNERS_MIN},
};

digest_type! {
    /// SHA-256 over a roster document. That of the first one stands in the configuration.
    RosterDigest
}

/// Who may sign for an instance: three founders, and the changes that two of them signed each.
///
/// Whoever holds a roster holds one whose whole chain was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    instance: InstanceId,
    head: RosterDigest,
    changes: u32,
    operators: Vec<OperatorPublic>,
}

impl Roster {
    /// The first roster: signed by at least three operators, all of them listed in it.
    ///
    /// # Errors
    /// [`RosterError`] names whose signature is missing, or both digests.
    pub fn founding(
        document: &SignedRoster,
        expected: RosterDigest,
        instance: &InstanceId,
    ) -> Result<Self, RosterError> {
        let found = document.document.digest();
        if found != expected {
            return Err(RosterError::OtherDigest { found, expected });
        }
        let RosterChange::Found { operators } = &document.document.change else {
            return Err(RosterError::NotTheFirst);
        };
        check_distinct(operators)?;
        let roster = Self {
            instance: document.document.instance.clone(),
            head: found,
            changes: 0,
            operators: operators.clone(),
        };
        roster.check_instance(instance)?;
        roster.check_signatures(document, OPERATORS_MIN)?;
        Ok(roster)
    }

    /// The roster of today: the first one, then every change in its order.
    ///
    /// # Errors
    /// [`RosterError`] of the first document that does not hold.
    pub fn verify_chain(
        founding: &SignedRoster,
        changes: &[SignedRoster],
        expected: RosterDigest,
        instance: &InstanceId,
    ) -> Result<Self, RosterError> {
        let first = Self::founding(founding, expected, instance)?;
        changes.iter().try_fold(first, |roster, change| roster.changed(change))
    }

    /// The roster after one more change, signed by two of its operators.
    ///
    /// # Errors
    /// [`RosterError`] says why the change is not taken.
    pub fn changed(&self, signed: &SignedRoster) -> Result<Self, RosterError> {
        let document = &signed.document;
        self.check_instance(&document.instance)?;
        if document.previous != Some(self.head) {
            let found = document.previous;
            return Err(RosterError::OtherPrevious { found, expected: self.head });
        }
        self.check_signatures(signed, ROSTER_SIGNERS_MIN)?;
        let operators = self.operators_after(&document.change)?;
        check_distinct(&operators)?;
        let changes = self.changes.saturating_add(1);
        Ok(Self { head: document.digest(), changes, operators, instance: self.instance.clone() })
    }

    /// A document that would change this roster, for two operators to sign.
    #[must_use]
    pub fn propose(&self, change: RosterChange, now: Timestamp) -> RosterDocument {
        let (instance, previous) = (self.instance.clone(), Some(self.head));
        RosterDocument { v: Version::V1, instance, previous, at: now, change }
    }

    /// Which installation.
    #[must_use]
    pub const fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// The digest of the last document: what the next change must name.
    #[must_use]
    pub const fn head(&self) -> RosterDigest {
        self.head
    }

    /// Everybody in it.
    #[must_use]
    pub fn operators(&self) -> &[OperatorPublic] {
        &self.operators
    }

    /// Somebody by name.
    #[must_use]
    pub fn operator(&self, name: &OperatorName) -> Option<&OperatorPublic> {
        self.operators.iter().find(|operator| operator.name() == name)
    }

    fn operators_after(&self, change: &RosterChange) -> Result<Vec<OperatorPublic>, RosterError> {
        let mut operators = self.operators.clone();
        match change {
            RosterChange::Found { .. } => return Err(RosterError::FoundedTwice),
            RosterChange::Add { operator } => operators.push(operator.clone()),
            RosterChange::Remove { name } => {
                if self.operator(name).is_none() {
                    return Err(RosterError::Unknown { name: name.clone() });
                }
                operators.retain(|operator| operator.name() != name);
            }
        }
        Ok(operators)
    }

    fn check_instance(&self, expected: &InstanceId) -> Result<(), RosterError> {
        if self.instance == *expected {
            return Ok(());
        }
        let (found, expected) = (self.instance.clone(), expected.clone());
        Err(RosterError::OtherInstance { found, expected })
    }

    fn check_signatures(&self, signed: &SignedRoster, needed: usize) -> Result<(), RosterError> {
        let text = signed.document.signing_text();
        let mut signers: Vec<&OperatorName> = Vec::new();
        for RosterSignature { operator, signature } in &signed.signatures {
            let unknown = || RosterError::Unknown { name: operator.clone() };
            let known = self.operator(operator).ok_or_else(unknown)?;
            if !known.verifies(text.as_bytes(), signature) {
                return Err(RosterError::Signature { name: operator.clone() });
            }
            if !signers.contains(&operator) {
                signers.push(operator);
            }
        }
        if signers.len() >= needed {
            return Ok(());
        }
        Err(RosterError::TooFew { found: signers.len(), needed, missing: self.others(&signers) })
    }

    fn others(&self, signers: &[&OperatorName]) -> String {
        let names = self.operators.iter().map(OperatorPublic::name);
        let missing = names.filter(|name| !signers.contains(name)).map(OperatorName::as_str);
        missing.collect::<Vec<_>>().join(", ")
    }
}

fn check_distinct(operators: &[OperatorPublic]) -> Result<(), RosterError> {
    for (at, operator) in operators.iter().enumerate() {
        let earlier = &operators[..at];
        let same = |other: &&OperatorPublic| other.name() == operator.name();
        if earlier.iter().any(|other| same(&other)) {
            return Err(RosterError::NameTaken { name: operator.name().clone() });
        }
        if let Some(other) = earlier.iter().find(|other| other.has_key_of(operator)) {
            let (name, other) = (operator.name().clone(), other.name().clone());
            return Err(RosterError::KeyTaken { name, other });
        }
    }
    if operators.len() < OPERATORS_MIN {
        return Err(RosterError::TooSmall { found: operators.len() });
    }
    Ok(())
}

/// One document of a roster's chain, not signed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterDocument {
    v: Version,
    instance: InstanceId,
    previous: Option<RosterDigest>,
    #[serde(with = "micros")]
    at: Timestamp,
    change: RosterChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    #[serde(rename = "countersign roster 1")]
    V1,
}

/// What a roster document does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RosterChange {
    /// Names the first operators.
    Found {
        /// At least three.
        operators: Vec<OperatorPublic>,
    },
    /// Lets one more person sign.
    Add {
        /// Who, and with which key.
        operator: OperatorPublic,
    },
    /// Lets somebody sign no more. What they signed before no longer counts either.
    Remove {
        /// Who.
        name: OperatorName,
    },
}

impl RosterDocument {
    /// The first document of an instance.
    #[must_use]
    pub const fn founding(
        instance: InstanceId,
        operators: Vec<OperatorPublic>,
        now: Timestamp,
    ) -> Self {
        let change = RosterChange::Found { operators };
        Self { v: Version::V1, instance, previous: None, at: now, change }
    }

    /// SHA-256 over the document.
    #[must_use]
    pub fn digest(&self) -> RosterDigest {
        let digest = canonical::digest("countersign roster 1", &canonical::to_bytes(self));
        RosterDigest::from_bytes(digest)
    }

    /// What it does.
    #[must_use]
    pub const fn change(&self) -> &RosterChange {
        &self.change
    }

    /// What an operator reads and signs.
    ///
    /// Nothing in it is foreign text: names and keys have a narrow alphabet.
    #[must_use]
    pub fn signing_text(&self) -> String {
        let previous = self.previous.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
        let (instance, at, digest) = (&self.instance, self.at, self.digest());
        let change = match &self.change {
            RosterChange::Found { operators } => {
                let lines = operators.iter().map(|operator| format!("operator: {operator}"));
                lines.collect::<Vec<_>>().join("\n")
            }
            RosterChange::Add { operator } => format!("add: {operator}"),
            RosterChange::Remove { name } => format!("remove: {name}"),
        };
        format!(
            "countersign roster 1\ninstance: {instance}\nprevious: {previous}\nat: {at}\n\
             {change}\ndigest: {digest}\n"
        )
    }

    /// One operator's signature over the document.
    #[must_use]
    pub fn sign(&self, key: &OperatorKey) -> RosterSignature {
        let signature = key.sign(self.signing_text().as_bytes());
        RosterSignature { operator: key.name().clone(), signature }
    }
}

/// One operator's signature over a roster document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterSignature {
    operator: OperatorName,
    signature: Signature,
}

/// A roster document with the signatures collected so far: the file that goes from hand to hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRoster {
    document: RosterDocument,
    signatures: Vec<RosterSignature>,
}

impl SignedRoster {
    /// Starts to collect signatures.
    #[must_use]
    pub const fn new(document: RosterDocument) -> Self {
        Self { document, signatures: Vec::new() }
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &RosterDocument {
        &self.document
    }

    /// Adds a signature, in place of an earlier one of the same operator.
    #[must_use]
    pub fn with(mut self, signature: RosterSignature) -> Self {
        self.signatures.retain(|earlier| earlier.operator != signature.operator);
        self.signatures.push(signature);
        self
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`RosterError::Form`] if it is no roster document, or spelt in another way.
    pub fn parse(bytes: &[u8]) -> Result<Self, RosterError> {
        Ok(canonical::parse(bytes)?)
    }

    /// The file: JSON on one line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }
}

/// Why a roster does not hold.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The bytes are no roster document.
    #[error("this is no roster of Countersign: {0}")]
    Form(#[from] CanonicalError),
    /// Not the one that the configuration names.
    #[error("the first roster's digest is {found}, the configuration says {expected}")]
    OtherDigest {
        /// Of the document.
        found: RosterDigest,
        /// Of the configuration.
        expected: RosterDigest,
    },
    /// A change where the first roster should be.
    #[error("the first document of the roster changes a roster instead of founding one")]
    NotTheFirst,
    /// A second first roster.
    #[error("the roster is founded a second time")]
    FoundedTwice,
    /// Of another installation.
    #[error("the roster is of instance {found}, this is instance {expected}")]
    OtherInstance {
        /// Named by the document.
        found: InstanceId,
        /// Ours.
        expected: InstanceId,
    },
    /// Does not follow.
    #[error("the change follows roster {found:?}, the last one is {expected}")]
    OtherPrevious {
        /// Named by the change.
        found: Option<RosterDigest>,
        /// The head.
        expected: RosterDigest,
    },
    /// Not in the roster at that moment.
    #[error("{name} is not in the roster")]
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
    /// Not enough people for an author and two approvers.
    #[error("the roster would have {found} operators, it needs at least {OPERATORS_MIN}")]
    TooSmall {
        /// Operators listed.
        found: usize,
    },
    /// Two people of one name.
    #[error("{name} is listed twice")]
    NameTaken {
        /// Which name.
        name: OperatorName,
    },
    /// One person under two names.
    #[error("{name} has the same key as {other}")]
    KeyTaken {
        /// One name.
        name: OperatorName,
        /// The other.
        other: OperatorName,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{founding, instance, key, public};

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn roster() -> Roster {
        let signed = founding(&["ana", "bob", "cleo"]);
        Roster::founding(&signed, signed.document.digest(), &instance()).unwrap()
    }

    fn change(roster: &Roster, change: RosterChange, signers: &[&str]) -> SignedRoster {
        let document = roster.propose(change, NOW);
        let sign = |signed: SignedRoster, name: &&str| {
            let signature = signed.document.sign(&key(name));
            signed.with(signature)
        };
        signers.iter().fold(SignedRoster::new(document), sign)
    }

    fn add(name: &str) -> RosterChange {
        RosterChange::Add { operator: public(name) }
    }

    #[track_caller]
    fn check(change: &SignedRoster, expected: &str) {
        let answer = roster().changed(change).map(|roster| roster.operators.len());
        let answer = answer.map_or_else(|error| error.to_string(), |count| format!("{count}"));
        assert_eq!(answer, expected);
    }

    #[test]
    fn the_first_roster_needs_three_of_its_own_and_the_configured_digest() {
        let mut signed = founding(&["ana", "bob", "cleo"]);
        let expected = signed.document.digest();
        let other = Roster::founding(&signed, RosterDigest::from_bytes([0; 32]), &instance());
        assert!(matches!(other, Err(RosterError::OtherDigest { .. })));
        signed.signatures.pop();
        let error = Roster::founding(&signed, expected, &instance()).unwrap_err().to_string();
        assert_eq!(error, "2 operators have signed, 3 are needed: missing are any of cleo");
    }

    #[test]
    fn two_people_are_no_roster() {
        let signed = founding(&["ana", "bob"]);
        let few = Roster::founding(&signed, signed.document.digest(), &instance());
        assert!(matches!(few, Err(RosterError::TooSmall { found: 2 })));
    }

    #[test]
    fn a_change_needs_two_existing_operators() {
        let roster = roster();
        check(&change(&roster, add("dan"), &["ana", "bob"]), "4");
        let one = "1 operators have signed, 2 are needed: missing are any of bob, cleo";
        check(&change(&roster, add("dan"), &["ana"]), one);
        check(&change(&roster, add("dan"), &["ana", "ana"]), one);
        check(&change(&roster, add("dan"), &["ana", "dan"]), "dan is not in the roster");
    }

    #[test]
    fn nobody_gets_a_second_self() {
        let roster = roster();
        check(&change(&roster, add("ana"), &["ana", "bob"]), "ana is listed twice");
        let second = public("ana").to_string().replace(" ana ", " zoe ").parse().unwrap();
        let second = change(&roster, RosterChange::Add { operator: second }, &["ana", "bob"]);
        check(&second, "zoe has the same key as ana");
    }

    #[test]
    fn three_always_remain() {
        let removal = RosterChange::Remove { name: "cleo".parse().unwrap() };
        let expected = "the roster would have 2 operators, it needs at least 3";
        check(&change(&roster(), removal, &["ana", "bob"]), expected);
    }

    #[test]
    fn a_changed_document_carries_no_signature() {
        let mut changed = change(&roster(), add("dan"), &["ana", "bob"]);
        changed.document.change = add("eve");
        check(&changed, "the signature of ana is not over this document");
    }

    #[test]
    fn a_chain_is_verified_from_its_first_document() {
        let first = founding(&["ana", "bob", "cleo"]);
        let expected = first.document.digest();
        let one = change(&roster(), add("dan"), &["ana", "bob"]);
        let after = roster().changed(&one).unwrap();
        let removal = RosterChange::Remove { name: "ana".parse().unwrap() };
        let two = change(&after, removal, &["dan", "cleo"]);
        let chain = [one, two];
        let verify =
            |chain: &[SignedRoster]| Roster::verify_chain(&first, chain, expected, &instance());
        let today = verify(&chain).unwrap();
        assert_eq!(today.operators.len(), 3);
        assert!(today.operator(&"ana".parse().unwrap()).is_none());
        assert!(matches!(verify(&chain[1..]), Err(RosterError::OtherPrevious { .. })));
    }

    #[test]
    fn a_file_survives_the_journey() {
        let signed = founding(&["ana", "bob", "cleo"]);
        assert_eq!(SignedRoster::parse(&signed.to_bytes()).unwrap(), signed);
    }
}
