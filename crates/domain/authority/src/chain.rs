//! The chain of documents that a roster is verified from.

use std::fmt::{self, Write as _};

use model::{Document, InstanceId, OperatorName, Timestamp, canonical::micros, format_version};
use serde::{Deserialize, Serialize};

use crate::{
    OperatorPublic, Roster, RosterDigest, SignaturesError, Signed,
    limits::{OPERATORS_MIN, ROSTER_SIGNERS_MIN},
};

/// A document of a roster's chain with the signatures collected so far.
pub type SignedRoster = Signed<RosterDocument>;

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
        let first = document.document();
        let found = first.digest();
        if found != expected {
            return Err(RosterError::OtherDigest { found, expected });
        }
        let RosterChange::Found { operators } = &first.change else {
            return Err(RosterError::NotTheFirst);
        };
        check_distinct(operators)?;
        let roster = Self {
            instance: first.instance.clone(),
            head: found,
            changes: 0,
            operators: operators.clone(),
        };
        roster.check_instance(instance)?;
        document.verify(&roster)?;
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
        let document = signed.document();
        self.check_instance(&document.instance)?;
        if document.previous != Some(self.head) {
            let found = document.previous;
            return Err(RosterError::OtherPrevious { found, expected: self.head });
        }
        signed.verify(self)?;
        let operators = self.operators_after(&document.change)?;
        check_distinct(&operators)?;
        let changes = self.changes.saturating_add(1);
        Ok(Self { head: document.digest(), changes, operators, instance: self.instance.clone() })
    }

    /// A document that would change this roster, for two operators to sign.
    #[must_use]
    pub fn propose(&self, change: RosterChange, now: Timestamp) -> RosterDocument {
        let (instance, previous) = (self.instance.clone(), Some(self.head));
        RosterDocument { v: RosterFormat::V1, instance, previous, at: now, change }
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
    v: RosterFormat,
    instance: InstanceId,
    previous: Option<RosterDigest>,
    #[serde(with = "micros")]
    at: Timestamp,
    change: RosterChange,
}

format_version! { RosterFormat = "countersign roster 1" }

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

/// A line for each operator that it is about.
impl fmt::Display for RosterChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { operators } => {
                let lines = operators.iter().map(|operator| format!("operator: {operator}"));
                f.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
            Self::Add { operator } => write!(f, "add: {operator}"),
            Self::Remove { name } => write!(f, "remove: {name}"),
        }
    }
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
        Self { v: RosterFormat::V1, instance, previous: None, at: now, change }
    }

    /// SHA-256 over the document.
    #[must_use]
    pub fn digest(&self) -> RosterDigest {
        RosterDigest::from_bytes(self.sha256())
    }

    /// What it does.
    #[must_use]
    pub const fn change(&self) -> &RosterChange {
        &self.change
    }
}

/// Nothing in its text is foreign: names and keys have a narrow alphabet.
impl Document for RosterDocument {
    const FORMAT: &'static str = RosterFormat::FORMAT;
    const NOUN: &'static str = "roster";

    fn instance(&self) -> &InstanceId {
        &self.instance
    }

    fn signers_needed(&self) -> usize {
        match self.change {
            RosterChange::Found { .. } => OPERATORS_MIN,
            RosterChange::Add { .. } | RosterChange::Remove { .. } => ROSTER_SIGNERS_MIN,
        }
    }

    fn write_terms(&self, to: &mut String) -> fmt::Result {
        let Self { v: RosterFormat::V1, instance, previous, at, change } = self;
        let previous = digest_or_none(*previous);
        writeln!(to, "instance: {instance}\nprevious: {previous}\nat: {at}\n{change}")
    }
}

fn digest_or_none(digest: Option<RosterDigest>) -> String {
    digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string())
}

/// Why a roster does not hold.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
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
    #[error("the change follows roster {}, the last one is {expected}", digest_or_none(*found))]
    OtherPrevious {
        /// Named by the change.
        found: Option<RosterDigest>,
        /// The head.
        expected: RosterDigest,
    },
    /// Nobody of that name can be taken out.
    #[error("{name} is not in the roster")]
    Unknown {
        /// Who.
        name: OperatorName,
    },
    /// Its signatures do not hold.
    #[error(transparent)]
    Signatures(#[from] SignaturesError),
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
        Roster::founding(&signed, signed.document().digest(), &instance()).unwrap()
    }

    fn change(roster: &Roster, change: RosterChange, signers: &[&str]) -> SignedRoster {
        let document = roster.propose(change, NOW);
        let sign = |signed: SignedRoster, name: &&str| signed.signed_by(&key(name));
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
        let signed = founding(&["ana", "bob", "cleo"]);
        let expected = signed.document().digest();
        let other = Roster::founding(&signed, RosterDigest::from_bytes([0; 32]), &instance());
        assert!(matches!(other, Err(RosterError::OtherDigest { .. })));
        let signed = signed.without_last_signature();
        let error = Roster::founding(&signed, expected, &instance()).unwrap_err().to_string();
        assert_eq!(error, "2 operators have signed, 3 are needed: missing are any of cleo");
    }

    #[test]
    fn two_people_are_no_roster() {
        let signed = founding(&["ana", "bob"]);
        let few = Roster::founding(&signed, signed.document().digest(), &instance());
        assert!(matches!(few, Err(RosterError::TooSmall { found: 2 })));
    }

    #[test]
    fn a_change_needs_two_existing_operators() {
        let roster = roster();
        check(&change(&roster, add("dan"), &["ana", "bob"]), "4");
        let one = "1 operators have signed, 2 are needed: missing are any of bob, cleo";
        check(&change(&roster, add("dan"), &["ana"]), one);
        check(&change(&roster, add("dan"), &["ana", "ana"]), one);
        check(
            &change(&roster, add("dan"), &["ana", "dan"]),
            "dan has signed and is not in the roster",
        );
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
        let changed = change(&roster(), add("dan"), &["ana", "bob"]);
        let changed = changed.changed(|document| document.change = add("eve"));
        check(&changed, "the signature of ana is not over this document");
    }

    #[test]
    fn a_chain_is_verified_from_its_first_document() {
        let first = founding(&["ana", "bob", "cleo"]);
        let expected = first.document().digest();
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

    #[test]
    fn a_roster_is_one_line_of_json_for_ever() {
        let signed = founding(&["ana", "bob", "cleo"]);
        let digest = signed.document().digest().to_string();
        assert_eq!(digest, "91e84f74dd6b2660f6e498e115b2b61c06a39af63b8f3882c40306590704a26a");
        let text = String::from_utf8(signed.to_bytes()).unwrap();
        assert!(text.starts_with(
            r#"{"document":{"v":"countersign roster 1","instance":"0123456789abcdef","previous":null,"#
        ));
        assert!(text.contains(
            r#"{"operator":"ana","signature":"L9VlUfAw7qdWfc90A+fEHIhBL2A08p8NWV/sjUDKD6dM+DVODIpnHaLMJK9W+yiNDCzvIjuLWaZuzwO3vLQNBg=="}"#
        ));
    }
}
