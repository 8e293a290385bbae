use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    InstanceId, OperatorKey, OperatorName, Plan, PlanDigest, Roster, Signature,
    canonical::{self, CanonicalError, micros},
    limits::CLOCK_SKEW_MAX,
};

/// A plan that enough operators have signed.
///
/// Only [`SignedPlan::verify`] makes one. It holds the very plan that was signed, so whoever
/// changes a plan has one that nobody signed.
#[derive(Debug, Clone)]
pub struct SignedPlan {
    plan: Plan,
    digest: PlanDigest,
    approvers: Vec<OperatorName>,
}

impl SignedPlan {
    /// Checks every signature under a plan. Workers do it again at each claim: an operator who
    /// has left the roster since no longer counts.
    ///
    /// # Errors
    /// [`ApprovalError`] says which signature does not count, or how many are missing.
    pub fn verify(
        plan: Plan,
        approvals: &[Approval],
        roster: &Roster,
        now: Timestamp,
    ) -> Result<Self, ApprovalError> {
        let mut approvers: Vec<OperatorName> = Vec::new();
        for approval in approvals {
            approval.check(&plan, roster, now)?;
            if approvers.contains(&approval.operator) {
                return Err(ApprovalError::Twice { operator: approval.operator.clone() });
            }
            approvers.push(approval.operator.clone());
        }
        let (found, needed) = (approvers.len(), plan.approvers_needed());
        if (found as u64) < u64::from(needed) {
            return Err(ApprovalError::TooFew { found, needed });
        }
        Ok(Self { digest: plan.digest(), plan, approvers })
    }

    /// What was signed.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The digest of what was signed.
    #[must_use]
    pub const fn digest(&self) -> PlanDigest {
        self.digest
    }

    /// Who signed.
    #[must_use]
    pub fn approvers(&self) -> &[OperatorName] {
        &self.approvers
    }
}

/// One operator's signature over the text of a plan, with the moment of signing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    v: Version,
    operator: OperatorName,
    plan: PlanDigest,
    round: u32,
    #[serde(with = "micros")]
    at: Timestamp,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    #[serde(rename = "countersign approval 1")]
    V1,
}

impl Approval {
    /// Signs a plan, on whatever host the operator trusts. `count` is what the operator typed.
    ///
    /// # Errors
    /// [`ApprovalError`] if the count is not the plan's, if the operator is its author, or if the
    /// time for signing is over.
    pub fn sign(
        plan: &Plan,
        count: u64,
        key: &OperatorKey,
        now: Timestamp,
    ) -> Result<Self, ApprovalError> {
        check_count(plan, count)?;
        let operator = key.name().clone();
        check_author(plan, &operator)?;
        check_time(plan, &operator, now)?;
        let signature = key.sign(signed_text(plan, &operator, now).as_bytes());
        let (digest, round) = (plan.digest(), plan.round());
        Ok(Self { v: Version::V1, operator, plan: digest, round, at: now, signature })
    }

    /// Whether this signature counts for this plan.
    ///
    /// # Errors
    /// [`ApprovalError`] says why it does not.
    pub fn check(&self, plan: &Plan, roster: &Roster, now: Timestamp) -> Result<(), ApprovalError> {
        let operator = &self.operator;
        check_instance(plan, roster)?;
        if self.round != plan.round() {
            return Err(ApprovalError::OtherRound { signed: self.round, plan: plan.round() });
        }
        if self.plan != plan.digest() {
            return Err(ApprovalError::OtherPlan { signed: self.plan, plan: plan.digest() });
        }
        check_author(plan, operator)?;
        check_time(plan, operator, self.at)?;
        if self.at > now.after(CLOCK_SKEW_MAX) {
            return Err(ApprovalError::Early { operator: operator.clone(), at: self.at, now });
        }
        let known = roster.operator(operator);
        let known = known.ok_or_else(|| ApprovalError::Unknown { operator: operator.clone() })?;
        let text = signed_text(plan, operator, self.at);
        if known.verifies(text.as_bytes(), &self.signature) {
            return Ok(());
        }
        Err(ApprovalError::Signature { operator: operator.clone() })
    }

    /// Who signed.
    #[must_use]
    pub const fn operator(&self) -> &OperatorName {
        &self.operator
    }

    /// The plan that was signed.
    #[must_use]
    pub const fn plan(&self) -> PlanDigest {
        self.plan
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

/// Whether an operator who typed this number means the plan.
///
/// # Errors
/// [`ApprovalError::OtherCount`].
pub fn check_count(plan: &Plan, typed: u64) -> Result<(), ApprovalError> {
    let targets = plan.counts().targets;
    if typed == targets { Ok(()) } else { Err(ApprovalError::OtherCount { typed, targets }) }
}

fn signed_text(plan: &Plan, operator: &OperatorName, at: Timestamp) -> String {
    format!("{}approved by: {operator}\napproved at: {at}\n", plan.signing_text())
}

fn check_instance(plan: &Plan, roster: &Roster) -> Result<(), ApprovalError> {
    if plan.instance() == roster.instance() {
        return Ok(());
    }
    let (plan, roster) = (plan.instance().clone(), roster.instance().clone());
    Err(ApprovalError::OtherInstance { plan, roster })
}

fn check_author(plan: &Plan, operator: &OperatorName) -> Result<(), ApprovalError> {
    if operator == plan.author() {
        return Err(ApprovalError::Author { operator: operator.clone() });
    }
    Ok(())
}

fn check_time(plan: &Plan, operator: &OperatorName, at: Timestamp) -> Result<(), ApprovalError> {
    let (operator, sign_by, frozen_at) = (operator.clone(), plan.sign_by(), plan.frozen_at());
    if at > sign_by {
        return Err(ApprovalError::Expired { operator, at, sign_by });
    }
    if at.after(CLOCK_SKEW_MAX) < frozen_at {
        return Err(ApprovalError::BeforeFreezing { operator, at, frozen_at });
    }
    Ok(())
}

/// Why a signature does not count, or too few do.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The bytes are no approval.
    #[error("this is no approval of Countersign: {0}")]
    Form(#[from] CanonicalError),
    /// The operator meant another number of people.
    #[error("{typed} was typed, but the plan resets {targets} accounts")]
    OtherCount {
        /// What was typed.
        typed: u64,
        /// What the plan says.
        targets: u64,
    },
    /// Nobody approves what they wrote.
    #[error("{operator} is the plan's author and cannot approve it")]
    Author {
        /// Who.
        operator: OperatorName,
    },
    /// One person is one approver.
    #[error("{operator} has approved twice: that counts as one approver")]
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
    /// A plan of another installation.
    #[error("the plan is of instance {plan}, the roster of instance {roster}")]
    OtherInstance {
        /// Named by the plan.
        plan: InstanceId,
        /// Named by the roster.
        roster: InstanceId,
    },
    /// Given before a halt or another freezing.
    #[error("the signature is of round {signed}, the plan of round {plan}")]
    OtherRound {
        /// Signed.
        signed: u32,
        /// Of the plan.
        plan: u32,
    },
    /// Of another list, policy or text.
    #[error("the signature is over plan {signed}, this is plan {plan}")]
    OtherPlan {
        /// Signed.
        signed: PlanDigest,
        /// This one.
        plan: PlanDigest,
    },
    /// Too late.
    #[error("{operator} signed at {at}, the plan had to be signed before {sign_by}")]
    Expired {
        /// Who.
        operator: OperatorName,
        /// When.
        at: Timestamp,
        /// The end of the time for signing.
        sign_by: Timestamp,
    },
    /// A clock is wrong.
    #[error("{operator} signed at {at}, before the plan was frozen at {frozen_at}: set the clock")]
    BeforeFreezing {
        /// Who.
        operator: OperatorName,
        /// When.
        at: Timestamp,
        /// When the plan was frozen.
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
    #[error("the signature of {operator} is not over this plan")]
    Signature {
        /// Whose.
        operator: OperatorName,
    },
    /// Not enough people.
    #[error("{found} approvers have signed, {needed} are needed")]
    TooFew {
        /// Who have signed.
        found: usize,
        /// Who have to.
        needed: u32,
    },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{draft, founding, instance, key, targets};

    const NOW: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);

    fn roster() -> Roster {
        let signed = founding(&["ana", "bob", "cleo", "dan"]);
        Roster::founding(&signed, signed.document().digest(), &instance()).unwrap()
    }

    fn plan(count: u64, round: u32) -> Plan {
        Plan::freeze(draft(count), &targets(count), round, NOW).unwrap()
    }

    fn approve(plan: &Plan, name: &str) -> Approval {
        Approval::sign(plan, plan.counts().targets, &key(name), NOW).unwrap()
    }

    #[track_caller]
    fn check(plan: &Plan, approvals: &[Approval], expected: &str) {
        let answer = SignedPlan::verify(plan.clone(), approvals, &roster(), NOW);
        let answer = answer.map(|signed| signed.approvers.len().to_string());
        assert_eq!(answer.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn two_others_must_sign() {
        let plan = plan(3, 1);
        let (bob, cleo) = (approve(&plan, "bob"), approve(&plan, "cleo"));
        check(&plan, &[bob.clone(), cleo], "2");
        let few = "1 approvers have signed, 2 are needed";
        check(&plan, std::slice::from_ref(&bob), few);
        let twice = "bob has approved twice: that counts as one approver";
        check(&plan, &[bob.clone(), bob], twice);
        check(&plan, &[], "0 approvers have signed, 2 are needed");
    }

    #[test]
    fn a_large_list_needs_a_third() {
        let large = Plan::freeze(crate::Draft { accounts: 200, ..draft(3) }, &targets(3), 1, NOW);
        let large = large.unwrap();
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
        let (a, b) = (signed.plan, other.digest());
        let expected = format!("the signature is over plan {a}, this is plan {b}");
        check(&other, std::slice::from_ref(&signed), &expected);
        let relabelled = Approval { round: 2, plan: plan(3, 2).digest(), ..signed };
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
