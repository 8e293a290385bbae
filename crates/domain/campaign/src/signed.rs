use model::{Endorsed, OperatorName};

use crate::{Plan, PlanDigest};

/// A plan that enough operators have signed.
///
/// It is made from the proof that `authority` gives. It holds the very plan that was signed, so
/// whoever changes a plan has one that nobody signed.
#[derive(Debug, Clone)]
pub struct SignedPlan {
    endorsed: Endorsed<Plan>,
    digest: PlanDigest,
}

impl From<Endorsed<Plan>> for SignedPlan {
    fn from(endorsed: Endorsed<Plan>) -> Self {
        Self { digest: endorsed.document().digest(), endorsed }
    }
}

impl SignedPlan {
    /// What was signed.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        self.endorsed.document()
    }

    /// The digest of what was signed.
    #[must_use]
    pub const fn digest(&self) -> PlanDigest {
        self.digest
    }

    /// Who signed.
    #[must_use]
    pub fn approvers(&self) -> &[OperatorName] {
        self.endorsed.signers()
    }
}
