use std::collections::HashSet;

use model::AccountId;

use crate::{InclusionProof, Place, PlanDigest, SignedPlan, Target};

/// All accounts of one address, proved to stand in a signed plan.
///
/// Only [`AddressGroup::verify`] makes one, and no claim is decided without one.
#[derive(Debug, Clone)]
pub struct AddressGroup {
    plan: PlanDigest,
    targets: Vec<Target>,
}

impl AddressGroup {
    /// Checks targets, as read from the store, against a signed plan.
    ///
    /// # Errors
    /// [`GroupError`] says which target is not in the plan, or who is missing.
    pub fn verify(
        plan: &SignedPlan,
        members: Vec<(Target, InclusionProof)>,
    ) -> Result<Self, GroupError> {
        let Some(first) = members.first().map(|(target, _)| target.place) else {
            return Err(GroupError::Nobody);
        };
        for (target, proof) in &members {
            let signed = proof.check(target, plan.plan().root(), plan.plan().counts().targets);
            if !signed {
                return Err(GroupError::NotInPlan { account: target.account.clone() });
            }
        }
        let targets: Vec<_> = members.into_iter().map(|(target, _)| target).collect();
        check_whole(&targets, first)?;
        Ok(Self { plan: plan.plan().digest(), targets })
    }

    /// The plan that it was proved to stand in.
    #[must_use]
    pub const fn plan(&self) -> PlanDigest {
        self.plan
    }

    /// The accounts.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Number of the address in the order, from 0.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.targets.first().map_or(u64::MAX, |target| target.place.address)
    }
}

fn check_whole(targets: &[Target], place: Place) -> Result<(), GroupError> {
    let mut seen = HashSet::new();
    let distinct = targets.iter().filter(|target| seen.insert(&target.account)).count();
    if let Some(other) = targets.iter().find(|target| target.place != place) {
        return Err(GroupError::OtherAddress { account: other.account.clone() });
    }
    if distinct != targets.len() || targets.len() as u64 != u64::from(place.accounts) {
        return Err(GroupError::NotWhole { found: targets.len(), signed: place.accounts });
    }
    Ok(())
}

/// Why accounts are not one address's part of a signed plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// No account at all.
    #[error("the store holds no account of an address that the signed plan lists")]
    Nobody,
    /// The row differs from what was signed, or was never signed.
    #[error("account {account:?}, as the store holds it, does not stand in the signed plan")]
    NotInPlan {
        /// Whose.
        account: AccountId,
    },
    /// Two addresses mixed.
    #[error("account {account:?} stands at another address in the signed plan")]
    OtherAddress {
        /// Whose.
        account: AccountId,
    },
    /// Somebody would be sealed and not listed in the mail.
    #[error("{found} accounts of the address were claimed, the signed plan has {signed}")]
    NotWhole {
        /// Accounts claimed.
        found: usize,
        /// Accounts signed.
        signed: u32,
    },
}
