use std::{collections::BTreeMap, time::Duration};

use model::{
    CampaignId, Document as _, InstanceId, LeakDate, LeakId, LeakName, OperatorName, Provenance,
    SkipReason, Timestamp,
    canonical::{self, CanonicalError, micros},
    digest_type, format_version,
};
use serde::{Deserialize, Serialize};

use crate::{
    CampaignName, Policy, PolicyError, Scope, StoreKind, TargetRoot, TargetTree, Targets,
    TemplateName,
    terms::{OtherCampaigns, TemplateDigest, Terms, is_usual},
};

digest_type! {
    /// SHA-256 over a whole plan: two plans with one digest are the same plan.
    PlanDigest
}

/// What is signed: who is touched, how many, why, how fast, and with which words.
///
/// Its fields are private: a plan is frozen from targets, or read from the one form of its bytes,
/// and both check it. No part of it can change without another digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    v: Version,
    instance: InstanceId,
    store: StoreKind,
    campaign: CampaignId,
    name: CampaignName,
    round: u32,
    author: OperatorName,
    #[serde(with = "micros")]
    frozen_at: Timestamp,
    #[serde(with = "micros")]
    sign_by: Timestamp,
    #[serde(with = "micros")]
    start_by: Timestamp,
    counts: Counts,
    reasons: Vec<Reason>,
    policy: Policy,
    templates: BTreeMap<TemplateName, TemplateDigest>,
    root: TargetRoot,
    #[serde(default, skip_serializing_if = "is_usual")]
    terms: Terms,
}

format_version! { pub(crate) Version = "countersign plan 1" }

/// Everything that a plan says and that is not counted from its targets.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Which installation.
    pub instance: InstanceId,
    /// Whether it is a site's or a rehearsal.
    pub store: StoreKind,
    /// Which campaign.
    pub campaign: CampaignId,
    /// What it is called.
    pub name: CampaignName,
    /// Who is answerable for the list; never one of its approvers.
    pub author: OperatorName,
    /// Accounts in the whole directory.
    pub accounts: u64,
    /// Whom other campaigns reset.
    pub others: Option<OtherCampaigns>,
    /// Exposed accounts that are left alone.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The leaks, each with how many of the targets' passwords stand in it.
    pub reasons: Vec<Reason>,
    /// How to go about it.
    pub policy: Policy,
    /// The words, by name.
    pub templates: BTreeMap<TemplateName, TemplateDigest>,
    /// The mails that they make, for signers to read.
    pub mails: BTreeMap<TemplateName, String>,
    /// Whether the arming names witnesses.
    pub is_witnessed: bool,
}

/// What may differ in the plan of a later round.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Who is answerable for it.
    pub author: OperatorName,
    /// How to go on.
    pub policy: Policy,
    /// Whom other campaigns reset.
    pub others: Option<OtherCampaigns>,
    /// With whom.
    pub scope: Scope,
    /// Whether the arming names witnesses.
    pub is_witnessed: bool,
}

/// How many of how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Accounts whose passwords are to be reset.
    pub targets: u64,
    /// Addresses that are to be written to.
    pub addresses: u64,
    /// Accounts in the whole directory.
    pub accounts: u64,
    /// Exposed accounts that are left alone.
    pub skipped: BTreeMap<SkipReason, u64>,
}

/// A leak that a campaign is because of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The store's key of the leak.
    pub leak: LeakId,
    /// What it is called.
    pub name: LeakName,
    /// When it happened.
    pub date: LeakDate,
    /// What recipients are told that it is called, if that is another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_name: Option<LeakName>,
    /// How sure the site is of it.
    pub provenance: Provenance,
    /// Whether something about it looks made up.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub is_suspect: bool,
    /// Targets whose password stands in it.
    pub targets: u64,
}

impl Plan {
    /// Fixes a campaign as it is at this moment. `round` is [`Campaign::next_round`].
    ///
    /// [`Campaign::next_round`]: crate::Campaign::next_round
    ///
    /// # Errors
    /// [`PlanError`] says what cannot be signed for.
    pub fn freeze(
        draft: Draft,
        targets: &Targets,
        round: u32,
        now: Timestamp,
    ) -> Result<Self, PlanError> {
        let plan = Self {
            v: Version::V1,
            instance: draft.instance,
            store: draft.store,
            campaign: draft.campaign,
            name: draft.name,
            round,
            author: draft.author,
            frozen_at: now,
            sign_by: now.after(Duration::from_secs(draft.policy.signing_seconds)),
            start_by: now.after(Duration::from_secs(draft.policy.start_seconds)),
            counts: Counts {
                targets: targets.count(),
                addresses: targets.addresses(),
                accounts: draft.accounts,
                skipped: draft.skipped,
            },
            reasons: draft.reasons,
            policy: draft.policy,
            templates: draft.templates,
            root: TargetTree::new(targets).root(),
            terms: Terms {
                mails: draft.mails,
                others: draft.others,
                is_witnessed: draft.is_witnessed,
                author_signs: true,
                ..Terms::default()
            },
        };
        plan.check()?;
        Ok(plan)
    }

    /// The same targets and words, to be signed for again in a later round: after a halt.
    ///
    /// # Errors
    /// [`PlanError::Policy`] says what of the policy is not taken.
    pub fn renew(&self, renewal: Renewal, round: u32, now: Timestamp) -> Result<Self, PlanError> {
        let Renewal { author, policy, others, scope, is_witnessed } = renewal;
        let plan = Self {
            author,
            round,
            frozen_at: now,
            sign_by: now.after(Duration::from_secs(policy.signing_seconds)),
            start_by: now.after(Duration::from_secs(policy.start_seconds)),
            policy,
            terms: Terms { scope, others, is_witnessed, author_signs: true, ..self.terms.clone() },
            ..self.clone()
        };
        plan.check()?;
        Ok(plan)
    }

    /// Reads a plan that was exported or stored.
    ///
    /// # Errors
    /// [`PlanError`] if it is in any other form than [`Plan::to_bytes`] gives, or cannot be.
    pub fn parse(bytes: &[u8]) -> Result<Self, PlanError> {
        let plan: Self = canonical::parse(bytes)?;
        plan.check()?;
        Ok(plan)
    }

    /// The one form of its bytes: JSON on one line. Export it as it is.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// SHA-256 over all of it.
    #[must_use]
    pub fn digest(&self) -> PlanDigest {
        PlanDigest::from_bytes(self.sha256())
    }

    /// Approvers that it needs, by its policy and by how many accounts it resets together with other
    /// campaigns.
    #[must_use]
    pub fn approvers_needed(&self) -> u32 {
        let others = self.terms.others.map_or(0, |others| others.accounts);
        let targets = self.counts.targets.saturating_add(others);
        self.policy.approvers_for(targets, self.counts.accounts)
    }

    fn check(&self) -> Result<(), PlanError> {
        self.policy.check(self.store)?;
        self.check_counts()?;
        let sign_by = self.frozen_at.after(Duration::from_secs(self.policy.signing_seconds));
        let start_by = self.frozen_at.after(Duration::from_secs(self.policy.start_seconds));
        if (self.sign_by, self.start_by) != (sign_by, start_by) {
            return Err(PlanError::OtherExpiry { found: self.sign_by, policy: sign_by });
        }
        if self.templates.is_empty() {
            return Err(PlanError::NoTemplate);
        }
        if let Some(term) = self.terms.unkept() {
            return Err(PlanError::Unkept { term });
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), PlanError> {
        let Counts { targets, addresses, accounts, .. } = self.counts;
        if targets == 0 || addresses == 0 || addresses > targets || targets > accounts {
            return Err(PlanError::Counts { targets, addresses, accounts });
        }
        let bad = self.reasons.iter().find(|of| of.targets == 0 || of.targets > targets);
        if let Some(reason) = bad {
            let (leak, found) = (reason.leak, reason.targets);
            return Err(PlanError::Reason { leak, found, targets });
        }
        let reasoned = self.reasons.iter().fold(0, |sum, of| of.targets.saturating_add(sum));
        if reasoned < targets {
            return Err(PlanError::Unreasoned { reasoned, targets });
        }
        Ok(())
    }
}

impl Plan {
    /// Which installation.
    #[must_use]
    pub const fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// Whether it is a site's or a rehearsal.
    #[must_use]
    pub const fn store(&self) -> StoreKind {
        self.store
    }

    /// Whether witnesses sign for the log before anybody is sealed or told: an arming that names none
    /// does not serve it.
    #[must_use]
    pub const fn is_witnessed(&self) -> bool {
        self.terms.is_witnessed
    }

    /// Which campaign.
    #[must_use]
    pub const fn campaign(&self) -> CampaignId {
        self.campaign
    }

    /// What the campaign is called.
    #[must_use]
    pub const fn name(&self) -> &CampaignName {
        &self.name
    }

    /// The round that it is signed in.
    #[must_use]
    pub const fn round(&self) -> u32 {
        self.round
    }

    /// Who is answerable for the list.
    #[must_use]
    pub const fn author(&self) -> &OperatorName {
        &self.author
    }

    /// Whether its author has to sign it besides those who approve it.
    #[must_use]
    pub const fn author_signs(&self) -> bool {
        self.terms.author_signs
    }

    /// When it was fixed.
    #[must_use]
    pub const fn frozen_at(&self) -> Timestamp {
        self.frozen_at
    }

    /// When the last signature must be given.
    #[must_use]
    pub const fn sign_by(&self) -> Timestamp {
        self.sign_by
    }

    /// When the campaign must have started.
    #[must_use]
    pub const fn start_by(&self) -> Timestamp {
        self.start_by
    }

    /// How many of how many.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The leaks that it is because of.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// How to go about it.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The words, by name.
    #[must_use]
    pub const fn templates(&self) -> &BTreeMap<TemplateName, TemplateDigest> {
        &self.templates
    }

    /// The Merkle root over its targets.
    #[must_use]
    pub const fn root(&self) -> TargetRoot {
        self.root
    }

    /// Whom other campaigns reset; `None` in plans from before that counted.
    #[must_use]
    pub const fn others(&self) -> Option<OtherCampaigns> {
        self.terms.others
    }

    /// Which of its targets are taken up.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.terms.scope
    }

    /// The mails in full, as an invented recipient gets them.
    #[must_use]
    pub const fn mails(&self) -> &BTreeMap<TemplateName, String> {
        &self.terms.mails
    }
}

/// Why a plan cannot be signed for.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The bytes are no plan.
    #[error("this is no plan of Countersign: {0}")]
    Form(#[from] CanonicalError),
    /// The policy is not taken.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Numbers that cannot be.
    #[error(
        "{targets} accounts at {addresses} addresses, of {accounts} in the directory: \
         such a list cannot be"
    )]
    Counts {
        /// Accounts to reset.
        targets: u64,
        /// Their addresses.
        addresses: u64,
        /// Accounts in the directory.
        accounts: u64,
    },
    /// A leak that is the reason for nobody, or for more than everybody.
    #[error("leak {leak} is given as the reason for {found} of {targets} targets")]
    Reason {
        /// Which leak.
        leak: LeakId,
        /// Targets said to be in it.
        found: u64,
        /// Targets of the plan.
        targets: u64,
    },
    /// Somebody would be touched for no reason.
    #[error("the leaks given are the reason for {reasoned} targets, but there are {targets}")]
    Unreasoned {
        /// Sum over the leaks.
        reasoned: u64,
        /// Targets of the plan.
        targets: u64,
    },
    /// Dates that the policy does not give.
    #[error("the plan is to be signed before {found}, by its policy before {policy}")]
    OtherExpiry {
        /// The date found.
        found: Timestamp,
        /// The date that the policy gives.
        policy: Timestamp,
    },
    /// Acting on it would break what was signed.
    #[error("the plan has a term that this version of Countersign cannot keep to: `{term}`")]
    Unkept {
        /// Which one.
        term: &'static str,
    },
    /// Nobody could be told anything.
    #[error("the plan names no template")]
    NoTemplate,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{draft, targets};

    const NOW: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);

    fn plan(count: u64) -> Plan {
        Plan::freeze(draft(count), &targets(count), 1, NOW).unwrap()
    }

    #[track_caller]
    fn refused(draft: Draft, expected: &str) {
        let error = Plan::freeze(draft, &targets(3), 1, NOW).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_plan_is_one_line_of_json_for_ever() {
        let digest = plan(3).digest().to_string();
        assert_eq!(digest, "e9c2a8b864654ee7fbd6ca1d826546faf53630c4d30c284eb841cb13ede6e1c5");
        let bytes = plan(3).to_bytes();
        assert!(bytes.starts_with(br#"{"v":"countersign plan 1","instance":"0123456789abcdef","#));
        assert!(!bytes.contains(&b'\n'));
    }

    #[test]
    fn only_the_one_spelling_is_read() {
        let text = String::from_utf8(plan(3).to_bytes()).unwrap();
        assert_eq!(Plan::parse(text.as_bytes()).unwrap(), plan(3));
        for (from, to) in [(r#""v":"#, r#""v": "#), ("Spring", r"\u0053pring"), ("}", ",\"x\":1}")]
        {
            let other = text.replacen(from, to, 1);
            assert!(Plan::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn an_imported_plan_is_checked_like_a_frozen_one() {
        let text = String::from_utf8(plan(3).to_bytes()).unwrap();
        for (from, to) in [
            (r#""targets":3,"addresses""#, r#""targets":0,"addresses""#),
            (r#""canary_addresses":100"#, r#""canary_addresses":99999"#),
            (r#""sign_by":1352347200000000"#, r#""sign_by":1952347200000000"#),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text);
            assert!(Plan::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn what_does_not_add_up_is_not_frozen() {
        refused(draft(2), "the leaks given are the reason for 2 targets, but there are 3");
        refused(draft(4), "leak 3 is given as the reason for 4 of 3 targets");
        let few = Draft { accounts: 2, ..draft(3) };
        let expected = "3 accounts at 3 addresses, of 2 in the directory: such a list cannot be";
        refused(few, expected);
        let mute = Draft { templates: BTreeMap::new(), ..draft(3) };
        refused(mute, "the plan names no template");
    }

    #[test]
    fn a_renewed_plan_has_the_same_targets_and_another_digest() {
        let author = "bob".parse().unwrap();
        let renewal = Renewal {
            author,
            policy: Policy::default(),
            others: None,
            scope: Scope::Begun,
            is_witnessed: false,
        };
        let renewed = plan(3).renew(renewal, 4, NOW.after(Duration::from_secs(9))).unwrap();
        assert_eq!(renewed.root(), plan(3).root());
        assert_ne!(renewed.digest(), plan(3).digest());
        assert_eq!(Plan::parse(&renewed.to_bytes()).unwrap(), renewed);
    }

    proptest! {
        #[test]
        fn any_other_plan_has_another_digest(round in 1_u32..9, count in 1_u64..9, name in "[ -~]{1,9}") {
            prop_assume!(!name.trim().is_empty());
            let named = Draft { name: name.parse().unwrap(), ..draft(count) };
            let other = Plan::freeze(named, &targets(count), round, NOW).unwrap();
            let same = (round, count, name.as_str()) == (1, 3, "Spring");
            prop_assert_eq!(other.digest() == plan(3).digest(), same);
            prop_assert_eq!(Plan::parse(&other.to_bytes()).unwrap(), other);
        }
    }
}
