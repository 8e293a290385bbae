use model::{
    Approvable, Endorsed, InstanceId, OperatorName, Timestamp,
    canonical::{self, CanonicalError, micros},
    digest_type, format_version,
};
use serde::{Deserialize, Serialize};

use crate::{
    OperatorKey, Roster, Signature, SignaturesError,
    ballot::{Ballot, Capacity, capacity_of},
    limits::CLOCK_SKEW_MAX,
};

/// Checks every approval of a document, and that there are enough. Whoever acts on the document
/// does it again each time: an operator who has left the roster since no longer counts.
///
/// # Errors
/// [`ApprovalError`] says which approval does not count, or how many are missing.
pub fn verify_approvals<D: Approvable + Clone>(
    document: &D,
    approvals: &[Approval],
    roster: &Roster,
    now: Timestamp,
) -> Result<Endorsed<D>, ApprovalError> {
    let mut ballot = Ballot::open(document, roster).map_err(ApprovalError::of::<D>)?;
    for approval in approvals {
        if !approval.cast(document, &mut ballot, now)? {
            return Err(ApprovalError::Twice { operator: approval.operator.clone() });
        }
    }
    ballot.close().map_err(ApprovalError::of::<D>)
}

digest_type! {
    /// SHA-256 over a document that operators approve, of whatever kind.
    DocumentDigest
}

/// One operator's signature over the text of a document, with the moment of signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    v: ApprovalFormat,
    operator: OperatorName,
    /// The first documents to be approved were plans, and files keep the name.
    #[serde(rename = "plan")]
    document: DocumentDigest,
    round: u32,
    #[serde(with = "micros")]
    at: Timestamp,
    signature: Signature,
}

format_version! { ApprovalFormat = "countersign approval 1" }

impl Approval {
    /// Signs a document, on whatever host the operator trusts. `count` is what the operator typed.
    ///
    /// # Errors
    /// [`ApprovalError`] if the count is not the document's, if the operator is its author, or if
    /// the time for signing is over.
    pub fn sign<D: Approvable>(
        document: &D,
        count: u64,
        key: &OperatorKey,
        now: Timestamp,
    ) -> Result<Self, ApprovalError> {
        check_count(document, count)?;
        let operator = key.name().clone();
        let capacity = capacity_of(document, &operator).map_err(ApprovalError::of::<D>)?;
        check_time(document, &operator, now)?;
        let text = document.signing_text() + &added_text(capacity, &operator, now);
        let signature = key.sign(text.as_bytes());
        let (round, document) = (document.round(), digest_of(document));
        Ok(Self { v: ApprovalFormat::V1, operator, document, round, at: now, signature })
    }

    /// Whether this approval counts for this document.
    ///
    /// # Errors
    /// [`ApprovalError`] says why it does not.
    pub fn check<D: Approvable + Clone>(
        &self,
        document: &D,
        roster: &Roster,
        now: Timestamp,
    ) -> Result<(), ApprovalError> {
        let mut ballot = Ballot::open(document, roster).map_err(ApprovalError::of::<D>)?;
        self.cast(document, &mut ballot, now).map(|_| ())
    }

    /// `false` if the same operator was counted before.
    fn cast<D: Approvable + Clone>(
        &self,
        document: &D,
        ballot: &mut Ballot<'_, D>,
        now: Timestamp,
    ) -> Result<bool, ApprovalError> {
        let (operator, at) = (&self.operator, self.at);
        self.check_document(document)?;
        let capacity = capacity_of(document, operator).map_err(ApprovalError::of::<D>)?;
        check_time(document, operator, at)?;
        if at > now.after(CLOCK_SKEW_MAX) {
            return Err(ApprovalError::Early { operator: operator.clone(), at, now });
        }
        let counted = ballot.count(operator, &added_text(capacity, operator, at), &self.signature);
        counted.map_err(ApprovalError::of::<D>)
    }

    fn check_document<D: Approvable>(&self, document: &D) -> Result<(), ApprovalError> {
        let (what, signed, found) = (D::NOUN, self.round, document.round());
        if signed != found {
            return Err(ApprovalError::OtherRound { what, signed, found });
        }
        let (signed, found) = (self.document, digest_of(document));
        if signed != found {
            return Err(ApprovalError::OtherDocument { what, signed, found });
        }
        Ok(())
    }

    /// Who signed.
    #[must_use]
    pub const fn operator(&self) -> &OperatorName {
        &self.operator
    }

    /// The document that was signed.
    #[must_use]
    pub const fn document(&self) -> DocumentDigest {
        self.document
    }

    /// The round that it was signed in.
    #[must_use]
    pub const fn round(&self) -> u32 {
        self.round
    }

    /// When it was signed, by the clock of the host where it was.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Reads the file that came back from the operator.
    ///
    /// # Errors
    /// [`ApprovalError::Form`] if it is no approval, or spelt in another way.
    pub fn parse(bytes: &[u8]) -> Result<Self, ApprovalError> {
        Ok(canonical::parse(bytes)?)
    }

    /// The file: JSON on one line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }
}

/// Whether an operator who typed this number means the document.
///
/// # Errors
/// [`ApprovalError::OtherCount`].
pub fn check_count<D: Approvable>(document: &D, typed: u64) -> Result<(), ApprovalError> {
    let (what, effect, accounts) = (D::NOUN, D::EFFECT, document.accounts());
    if typed == accounts {
        return Ok(());
    }
    Err(ApprovalError::OtherCount { what, effect, typed, accounts })
}

fn digest_of<D: Approvable>(document: &D) -> DocumentDigest {
    DocumentDigest::from_bytes(document.sha256())
}

/// What the operator signs below the document's own text.
fn added_text(capacity: Capacity, operator: &OperatorName, at: Timestamp) -> String {
    match capacity {
        Capacity::Author => format!("written by: {operator}\nsigned at: {at}\n"),
        Capacity::Approver => format!("approved by: {operator}\napproved at: {at}\n"),
    }
}

fn check_time<D: Approvable>(
    document: &D,
    operator: &OperatorName,
    at: Timestamp,
) -> Result<(), ApprovalError> {
    let (what, operator, sign_by) = (D::NOUN, operator.clone(), document.sign_by());
    if at > sign_by {
        return Err(ApprovalError::Expired { what, operator, at, sign_by });
    }
    let frozen_at = document.opened_at();
    if at.after(CLOCK_SKEW_MAX) < frozen_at {
        return Err(ApprovalError::BeforeFreezing { what, operator, at, frozen_at });
    }
    Ok(())
}

impl ApprovalError {
    /// Says of an approval what the ballot found wrong with its signature.
    fn of<D: Approvable>(error: SignaturesError) -> Self {
        let what = D::NOUN;
        match error {
            SignaturesError::OtherInstance { found, expected, .. } => {
                Self::OtherInstance { what, found, roster: expected }
            }
            SignaturesError::Barred { name, .. } => Self::Author { what, operator: name },
            SignaturesError::NoAuthor { name, .. } => Self::NoAuthor { what, operator: name },
            SignaturesError::Unknown { name } => Self::Unknown { operator: name },
            SignaturesError::Signature { name } => Self::Signature { what, operator: name },
            SignaturesError::TooFew { found, needed, .. } => Self::TooFew { found, needed },
        }
    }
}

/// Why a signature does not count, or too few do.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The bytes are no approval.
    #[error("this is no approval of Countersign: {0}")]
    Form(#[from] CanonicalError),
    /// The operator meant another number of people.
    #[error("{typed} was typed, but the {what} {effect} {accounts} accounts")]
    OtherCount {
        /// What kind of document.
        what: &'static str,
        /// What it does to accounts.
        effect: &'static str,
        /// What was typed.
        typed: u64,
        /// What the document says.
        accounts: u64,
    },
    /// Nobody approves what they wrote.
    #[error("{operator} is the {what}'s author and cannot approve it")]
    Author {
        /// What kind of document.
        what: &'static str,
        /// Who.
        operator: OperatorName,
    },
    /// Somebody else may have written it in this name.
    #[error("{operator} is the {what}'s author and has not signed it yet")]
    NoAuthor {
        /// What kind of document.
        what: &'static str,
        /// Who.
        operator: OperatorName,
    },
    /// One person is one approver.
    #[error("{operator} has signed twice: that counts once")]
    Twice {
        /// Who.
        operator: OperatorName,
    },
    /// Not an operator of this instance, or no longer.
    #[error("{operator} is not in the roster")]
    Unknown {
        /// Who.
        operator: OperatorName,
    },
    /// A document of another installation.
    #[error("the {what} is of instance {found}, the roster of instance {roster}")]
    OtherInstance {
        /// What kind of document.
        what: &'static str,
        /// Named by the document.
        found: InstanceId,
        /// Named by the roster.
        roster: InstanceId,
    },
    /// Given before a halt or another freezing.
    #[error("the signature is of round {signed}, the {what} of round {found}")]
    OtherRound {
        /// What kind of document.
        what: &'static str,
        /// Signed.
        signed: u32,
        /// Of the document.
        found: u32,
    },
    /// Of another list, policy or text.
    #[error("the signature is over {what} {signed}, this is {what} {found}")]
    OtherDocument {
        /// What kind of document.
        what: &'static str,
        /// Signed.
        signed: DocumentDigest,
        /// This one.
        found: DocumentDigest,
    },
    /// Too late.
    #[error("{operator} signed at {at}, the {what} had to be signed before {sign_by}")]
    Expired {
        /// What kind of document.
        what: &'static str,
        /// Who.
        operator: OperatorName,
        /// When.
        at: Timestamp,
        /// The end of the time for signing.
        sign_by: Timestamp,
    },
    /// A clock is wrong.
    #[error(
        "{operator} signed at {at}, before the {what} was frozen at {frozen_at}: set the clock"
    )]
    BeforeFreezing {
        /// What kind of document.
        what: &'static str,
        /// Who.
        operator: OperatorName,
        /// When.
        at: Timestamp,
        /// When the document was fixed.
        frozen_at: Timestamp,
    },
    /// A clock is wrong.
    #[error("{operator} signed at {at}, but it is only {now}: set the clock")]
    Early {
        /// Who.
        operator: OperatorName,
        /// When.
        at: Timestamp,
        /// By our clock.
        now: Timestamp,
    },
    /// Not over this text.
    #[error("the signature of {operator} is not over this {what}")]
    Signature {
        /// What kind of document.
        what: &'static str,
        /// Whose.
        operator: OperatorName,
    },
    /// Not enough people.
    #[error("{found} approvers have signed, {needed} are needed")]
    TooFew {
        /// Who have signed.
        found: usize,
        /// Who have to.
        needed: usize,
    },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{Paper, founding, instance, key};

    const NOW: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);

    fn roster() -> Roster {
        let signed = founding(&["ana", "bob", "cleo", "dan"]);
        Roster::founding(&signed, signed.document().digest(), &instance()).unwrap()
    }

    fn plan(count: u64, round: u32) -> Paper {
        Paper::new(count, round, NOW)
    }

    fn approve(plan: &Paper, name: &str) -> Approval {
        Approval::sign(plan, plan.accounts(), &key(name), NOW).unwrap()
    }

    #[track_caller]
    fn check(plan: &Paper, approvals: &[Approval], expected: &str) {
        let answer = verify_approvals(plan, approvals, &roster(), NOW);
        let answer = answer.map(|signed| signed.signers().len().to_string());
        assert_eq!(answer.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn two_others_must_sign() {
        let plan = plan(3, 1);
        let (bob, cleo) = (approve(&plan, "bob"), approve(&plan, "cleo"));
        check(&plan, &[bob.clone(), cleo], "2");
        let few = "1 approvers have signed, 2 are needed";
        check(&plan, std::slice::from_ref(&bob), few);
        let twice = "bob has signed twice: that counts once";
        check(&plan, &[bob.clone(), bob], twice);
        check(&plan, &[], "0 approvers have signed, 2 are needed");
    }

    #[test]
    fn nobody_writes_in_another_s_name() {
        let plan = plan(3, 1).with_its_author();
        let [ana, bob, cleo] = ["ana", "bob", "cleo"].map(|name| approve(&plan, name));
        let unsigned = "ana is the plan's author and has not signed it yet";
        check(&plan, &[bob.clone(), cleo.clone()], unsigned);
        check(&plan, &[ana.clone(), bob.clone()], "1 approvers have signed, 2 are needed");
        check(&plan, &[bob.clone(), ana.clone(), cleo.clone()], "2");
        let twice = "ana has signed twice: that counts once";
        check(&plan, &[ana.clone(), bob.clone(), ana], twice);
        // What an approver has signed is no author's signature, whatever name is put above it.
        let forged = Approval { operator: "ana".parse().unwrap(), ..bob };
        check(&plan, &[forged], "the signature of ana is not over this plan");
    }

    #[test]
    fn a_large_list_needs_a_third() {
        let large = plan(3, 1).needing(3);
        let names = ["bob", "cleo", "dan"].map(|name| approve(&large, name));
        check(&large, &names[..2], "2 approvers have signed, 3 are needed");
        check(&large, &names, "3");
    }

    #[test]
    fn the_author_and_strangers_cannot_sign() {
        let plan = plan(3, 1);
        let own = Approval::sign(&plan, 3, &key("ana"), NOW).unwrap_err().to_string();
        assert_eq!(own, "ana is the plan's author and cannot approve it");
        let forged = Approval { operator: "ana".parse().unwrap(), ..approve(&plan, "bob") };
        check(&plan, &[forged], "ana is the plan's author and cannot approve it");
        check(&plan, &[approve(&plan, "eve")], "eve is not in the roster");
        let forged = Approval { operator: "dan".parse().unwrap(), ..approve(&plan, "bob") };
        check(&plan, &[forged], "the signature of dan is not over this plan");
    }

    #[test]
    fn the_typed_count_must_be_the_plans() {
        let wrong = Approval::sign(&plan(3, 1), 30, &key("bob"), NOW).unwrap_err().to_string();
        assert_eq!(wrong, "30 was typed, but the plan resets 3 accounts");
    }

    #[test]
    fn no_signature_serves_for_another_list_or_round() {
        let signed = approve(&plan(3, 1), "bob");
        let round = "the signature is of round 1, the plan of round 2";
        check(&plan(3, 2), std::slice::from_ref(&signed), round);
        let other = plan(4, 1);
        let (a, b) = (signed.document, digest_of(&other));
        let expected = format!("the signature is over plan {a}, this is plan {b}");
        check(&other, std::slice::from_ref(&signed), &expected);
        let relabelled = Approval { round: 2, document: digest_of(&plan(3, 2)), ..signed };
        check(&plan(3, 2), &[relabelled], "the signature of bob is not over this plan");
    }

    #[test]
    fn time_for_signing_ends() {
        let plan = plan(3, 1);
        let late = NOW.after(Duration::from_secs(4 * 3600 + 1));
        let error = Approval::sign(&plan, 3, &key("bob"), late).unwrap_err();
        assert!(matches!(error, ApprovalError::Expired { .. }));
        let ahead = Approval::sign(&plan, 3, &key("bob"), NOW.after(Duration::from_mins(10)));
        let early = ahead.unwrap().check(&plan, &roster(), NOW);
        assert!(matches!(early, Err(ApprovalError::Early { .. })));
    }

    #[test]
    fn a_backdated_signature_does_not_verify() {
        let plan = plan(3, 1);
        let moved = Approval { at: NOW.after(Duration::from_secs(1)), ..approve(&plan, "bob") };
        check(&plan, &[moved], "the signature of bob is not over this plan");
    }

    #[test]
    fn a_file_survives_the_journey() {
        let approval = approve(&plan(3, 1), "bob");
        assert_eq!(Approval::parse(&approval.to_bytes()).unwrap(), approval);
    }
}
