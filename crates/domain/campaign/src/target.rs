use std::collections::HashSet;

use model::{
    AccountId, CredentialVersion, SkipReason, Verdict,
    canonical::{self, hex_of},
    digest_type,
};
use serde::Serialize;

use crate::limits::{FINDINGS_MAX, TARGETS_MAX};

digest_type! {
    /// Keyed hash of a folded address, computed by whoever holds the instance key.
    ///
    /// Mix the campaign's id into it: it fixes who is taken up first, and that should not be the
    /// same people each time.
    AddressKey
}

/// One account of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose password.
    pub account: AccountId,
    /// The store's keys of the findings against it, in ascending order. Never none.
    pub findings: Vec<i64>,
    /// The password as it was stored when the campaign was frozen.
    pub credential_version: CredentialVersion,
    /// The address that its notice goes to.
    pub address: AddressKey,
    /// Where it stands in the order.
    pub place: Place,
}

/// Where an account's address stands in the order of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Number of the address, from 0.
    pub address: u64,
    /// How many of the campaign's accounts have this address: one mail lists them all.
    pub accounts: u32,
}

impl Target {
    /// The bytes that the plan's Merkle tree is built over: JSON on one line.
    ///
    /// The place is part of it. A worker that checks a target against the signed root has then
    /// also checked that its turn has come, and that no account of its address is left out.
    #[must_use]
    pub fn leaf(&self) -> Vec<u8> {
        canonical::to_bytes(&Leaf {
            v: 1,
            account: &self.account,
            findings: &self.findings,
            credential_version: hex_of(self.credential_version.as_bytes()),
            address: self.address,
            place: self.place,
        })
    }
}

#[derive(Serialize)]
struct Leaf<'a> {
    v: u8,
    account: &'a AccountId,
    findings: &'a [i64],
    credential_version: String,
    address: AddressKey,
    place: Place,
}

/// The frozen targets of a campaign, in the order in which they are taken up: by address, so that
/// the accounts of one address stay together, then by account. Never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets(Vec<Target>);

impl Targets {
    /// Puts targets in order and gives each its place; what `place` held before does not matter.
    ///
    /// # Errors
    /// [`TargetsError`] for no target at all, one without a finding, or an account named twice.
    pub fn new(mut targets: Vec<Target>) -> Result<Self, TargetsError> {
        check_number(targets.len())?;
        targets.iter_mut().try_for_each(order_findings)?;
        targets.sort_unstable_by(|a, b| (a.address, &a.account).cmp(&(b.address, &b.account)));
        check_distinct(&targets)?;
        let groups = targets.chunk_by_mut(|a, b| a.address == b.address);
        for (address, group) in (0..).zip(groups) {
            let accounts = u32::try_from(group.len()).unwrap_or(u32::MAX);
            for target in group {
                target.place = Place { address, accounts };
            }
        }
        Ok(Self(targets))
    }

    /// In their order; the index is that of the inclusion proof.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.0.iter()
    }

    /// Accounts.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Addresses.
    #[must_use]
    pub fn addresses(&self) -> u64 {
        self.0.last().map_or(0, |target| target.place.address + 1)
    }
}

fn check_number(found: usize) -> Result<(), TargetsError> {
    match found {
        0 => Err(TargetsError::Nobody),
        found if found > TARGETS_MAX => Err(TargetsError::TooMany { found }),
        _ => Ok(()),
    }
}

fn order_findings(target: &mut Target) -> Result<(), TargetsError> {
    target.findings.sort_unstable();
    target.findings.dedup();
    let (account, found) = (&target.account, target.findings.len());
    match found {
        0 => Err(TargetsError::NoFinding { account: account.clone() }),
        _ if found > FINDINGS_MAX => {
            Err(TargetsError::TooManyFindings { account: account.clone(), found })
        }
        _ => Ok(()),
    }
}

fn check_distinct(targets: &[Target]) -> Result<(), TargetsError> {
    let mut seen = HashSet::with_capacity(targets.len());
    match targets.iter().find(|target| !seen.insert(&target.account)) {
        Some(twice) => Err(TargetsError::Twice { account: twice.account.clone() }),
        None => Ok(()),
    }
}

/// Why accounts cannot be the targets of a campaign.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetsError {
    /// An empty list never means everybody.
    #[error("the campaign has no target: nobody is exposed, or everybody was left out")]
    Nobody,
    /// More than can be planned.
    #[error("the campaign has {found} targets, at most {TARGETS_MAX} are taken")]
    TooMany {
        /// Accounts found.
        found: usize,
    },
    /// Somebody would be touched without evidence.
    #[error("account {account:?} has no finding")]
    NoFinding {
        /// Whose.
        account: AccountId,
    },
    /// More findings than leaks exist.
    #[error("account {account:?} has {found} findings, at most {FINDINGS_MAX} are taken")]
    TooManyFindings {
        /// Whose.
        account: AccountId,
        /// Findings found.
        found: usize,
    },
    /// An account with two addresses would be told twice.
    #[error("account {account:?} is listed twice")]
    Twice {
        /// Whose.
        account: AccountId,
    },
}

/// What a worker finds when it looks at an account again, right before it would seal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reverification {
    /// The account is there, with a password, and a verified address of this key.
    Present {
        /// What the finding's secret gives against the hash as it is now.
        verdict: Verdict,
        /// Whether that hash is the one that was frozen.
        same_version: bool,
    },
    /// The site no longer holds the address for verified.
    AddressUnverified,
    /// The verified address is another one.
    AddressChanged,
    /// There is no password any more.
    NoPassword,
    /// There is no such account any more.
    Gone,
    /// The site does not let the account in any more.
    Inactive,
    /// This very password was reset by another campaign.
    AlreadyReset,
}

/// What is to be done with one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetAction {
    /// Seal it: it is exposed at this moment.
    Seal,
    /// Leave it alone.
    Skip(SkipReason),
    /// Leave it alone and halt the campaign: what was frozen as evidence is none.
    SkipAndHalt(SkipReason),
}

/// Decides on one account after its re-verification.
///
/// A changed hash that still verifies is still exposed (a rehash, or the same password again).
/// The order of the cases matters to nobody but the counts.
#[must_use]
pub const fn after_reverification(found: Reverification) -> TargetAction {
    use Reverification as R;
    use TargetAction::{Seal, Skip, SkipAndHalt};
    match found {
        R::Present { verdict: Verdict::Match { .. }, .. } => Seal,
        R::Present { verdict: Verdict::Unverified(_), .. } => Skip(SkipReason::Unverified),
        R::Present { verdict: Verdict::NoMatch, same_version: false } => Skip(SkipReason::Changed),
        R::Present { verdict: Verdict::NoMatch, same_version: true } => {
            SkipAndHalt(SkipReason::Contradicted)
        }
        R::AddressUnverified => Skip(SkipReason::Unreachable),
        R::AddressChanged => Skip(SkipReason::AddressChanged),
        R::NoPassword => Skip(SkipReason::NoPassword),
        R::Gone => Skip(SkipReason::Gone),
        R::Inactive => Skip(SkipReason::Inactive),
        R::AlreadyReset => Skip(SkipReason::AlreadyReset),
    }
}

#[cfg(test)]
mod tests {
    use model::Unverified;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::target;

    fn present(verdict: Verdict, same_version: bool) -> TargetAction {
        after_reverification(Reverification::Present { verdict, same_version })
    }

    #[test]
    fn an_empty_list_is_never_everybody() {
        assert_eq!(Targets::new(Vec::new()), Err(TargetsError::Nobody));
    }

    #[test]
    fn nobody_is_a_target_without_a_finding_or_twice() {
        let bare = Target { findings: Vec::new(), ..target("a", 1) };
        assert!(matches!(Targets::new(vec![bare]), Err(TargetsError::NoFinding { .. })));
        let twice = Targets::new(vec![target("a", 1), target("a", 2)]);
        assert!(matches!(twice, Err(TargetsError::Twice { .. })));
    }

    #[test]
    fn the_accounts_of_one_address_stand_together() {
        let targets = vec![target("a", 9), target("b", 1), target("c", 9)];
        let targets = Targets::new(targets).unwrap();
        let places =
            targets.iter().map(|t| (t.account.as_str(), t.place.address, t.place.accounts));
        assert!(places.eq([("b", 0, 1), ("a", 1, 2), ("c", 1, 2)]));
        assert_eq!((targets.count(), targets.addresses()), (3, 2));
    }

    #[test]
    fn a_leaf_is_json_that_a_stranger_can_read() {
        let targets = Targets::new(vec![target("a\"b", 1)]).unwrap();
        let leaf = String::from_utf8(targets.iter().next().unwrap().leaf()).unwrap();
        let (version, address) = ("00".repeat(32), "01".repeat(32));
        let expected = format!(
            r#"{{"v":1,"account":"a\"b","findings":[7],"credential_version":"{version}","address":"{address}","place":{{"address":0,"accounts":1}}}}"#
        );
        assert_eq!(leaf, expected);
    }

    #[test]
    fn only_a_match_at_this_moment_is_sealed() {
        let hit = Verdict::Match { secret: 0, reading: 0 };
        assert_eq!(present(hit, true), TargetAction::Seal);
        assert_eq!(present(hit, false), TargetAction::Seal);
        assert_eq!(present(Verdict::NoMatch, false), TargetAction::Skip(SkipReason::Changed));
        let contradicted = TargetAction::SkipAndHalt(SkipReason::Contradicted);
        assert_eq!(present(Verdict::NoMatch, true), contradicted);
        let untried = Verdict::Unverified(Unverified::UnknownFormat);
        assert_eq!(present(untried, true), TargetAction::Skip(SkipReason::Unverified));
    }

    proptest! {
        #[test]
        fn the_order_depends_on_nothing_but_the_keys(mut keys in prop::collection::vec(0_u8..9, 1..9)) {
            let frozen = |keys: &[u8]| {
                let named = (0..).zip(keys).map(|(n, key): (u32, _)| target(&format!("{key}-{n}"), *key));
                Targets::new(named.collect()).unwrap()
            };
            let order: Vec<_> = frozen(&keys).iter().map(|t| t.address).collect();
            keys.reverse();
            let again: Vec<_> = frozen(&keys).iter().map(|t| t.address).collect();
            prop_assert_eq!(order, again);
        }
    }
}
